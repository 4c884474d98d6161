"""Reminders on the API."""

from uuid import UUID

from django.db.models import QuerySet
from django.utils import timezone
from drf_spectacular.utils import OpenApiParameter, OpenApiResponse, extend_schema
from rest_framework.response import Response

from accounts.api import WorkspaceView
from accounts.idempotency import idempotent
from accounts.models import Role
from crm.models import Reminder, ReminderState
from crm.serializers.reminders import (
    DoneRequestSerializer,
    DoneSerializer,
    ReminderChangeSerializer,
    ReminderSerializer,
    SnoozeSerializer,
)
from crm.services.reminders import changes, delivery
from waplus.lib.api.pagination import Sort, moment
from waplus.lib.api.schema import IDEMPOTENCY_PARAMETER, PAGE_PARAMETERS, PRECONDITION_PARAMETER, page_of
from waplus.lib.errors import Invalid

FILTER_PARAMETERS = [
    OpenApiParameter("mine", bool, description="`true`: assigned to you."),
    OpenApiParameter("assignee", str, description="Assigned to this person; `none` for nobody."),
    OpenApiParameter("contact", UUID, description="About this contact."),
    OpenApiParameter("chat", UUID, description="About this chat."),
    OpenApiParameter("state", str, enum=ReminderState.values),
    OpenApiParameter("overdue", bool, description="`true`: open, and the time has come; `false`: everything else."),
    OpenApiParameter("due_before", str, description="Due before this moment (RFC 3339)."),
    OpenApiParameter("due_after", str, description="Due at this moment or later (RFC 3339)."),
]


def _flag(params, name: str) -> bool | None:
    value = params.get(name, "")
    if value not in ("", "true", "false"):
        raise Invalid(name, "invalid", "Write true or false.")
    return {"true": True, "false": False}.get(value)


def _moment(params, name: str):
    try:
        return moment(params[name]) if params.get(name) else None
    except ValueError:
        raise Invalid(name, "invalid", "Write a moment with its offset, such as 2026-03-29T09:00:00Z.") from None


def _filtered(view: WorkspaceView) -> QuerySet:
    """The reminders that the query's parameters leave."""
    reminders, params, wanted = view.get_queryset(), view.request.query_params, {}
    if _flag(params, "mine"):
        wanted["assignee"] = view.request.user.pk
    if params.get("assignee") == "none":
        reminders = reminders.filter(assignee=None)
    elif assignee := view.query_id("assignee"):
        reminders = reminders.filter(assignee=assignee)
    for name in ("contact", "chat"):
        if value := view.query_id(name):
            wanted[name] = value
    if state := params.get("state"):
        if state not in ReminderState.values:
            raise Invalid("state", "invalid_choice", f"Choose one of: {', '.join(ReminderState.values)}.")
        wanted["state"] = state
    if before := _moment(params, "due_before"):
        wanted["due_at__lt"] = before
    if after := _moment(params, "due_after"):
        wanted["due_at__gte"] = after
    reminders = reminders.filter(**wanted)
    overdue, now = _flag(params, "overdue"), timezone.now()
    if overdue is not None:
        late = {"state": ReminderState.OPEN, "due_at__lte": now}
        reminders = reminders.filter(**late) if overdue else reminders.exclude(**late)
    return reminders


class RemindersView(WorkspaceView):
    """Reminders of the workspace."""

    roles = {"GET": Role.MEMBER, "POST": Role.MEMBER}
    queryset = Reminder.objects.visible()
    serializer_class = ReminderSerializer
    sorts = {"due_at": Sort("due_at", decode=moment), "-due_at": Sort("due_at", descending=True, decode=moment)}
    default_sort = "due_at"

    @extend_schema(
        operation_id="reminders_list",
        tags=["reminders"],
        parameters=[*FILTER_PARAMETERS, *PAGE_PARAMETERS],
        responses={200: page_of(ReminderSerializer)},
    )
    def get(self, request):
        return self.listing(_filtered(self))

    @extend_schema(
        operation_id="reminders_create",
        tags=["reminders"],
        responses={201: ReminderSerializer, 200: ReminderSerializer},
        parameters=[IDEMPOTENCY_PARAMETER],
    )
    @idempotent
    def post(self, request):
        reminder, is_new = changes.create_reminder(
            workspace=self.workspace, user=request.user, actor=self.actor, **self.valid()
        )
        return self.answer(reminder, status=201 if is_new else 200)


class _OneReminder(WorkspaceView):
    """What the views of one reminder share."""

    queryset = Reminder.objects.visible()
    serializer_class = ReminderSerializer

    def change(self, service, **values):
        """Call a service for the reminder of the path; an unknown one is unknown, whatever else is wrong."""
        self.get_object()
        return service(
            workspace=self.workspace,
            reminder_id=self.kwargs["id"],
            actor=self.actor,
            precondition=self.check_precondition,
            **values,
        )


class ReminderView(_OneReminder):
    """One reminder."""

    roles = {"GET": Role.MEMBER, "PATCH": Role.MEMBER, "DELETE": Role.MEMBER}

    @extend_schema(operation_id="reminders_read", tags=["reminders"])
    def get(self, request, id):
        return self.answer(self.get_object())

    @extend_schema(operation_id="reminders_update", tags=["reminders"], request=ReminderChangeSerializer)
    def patch(self, request, id):
        self.get_object()
        return self.answer(self.change(changes.update_reminder, **self.valid(ReminderChangeSerializer, partial=True)))

    @extend_schema(operation_id="reminders_delete", tags=["reminders"], responses={204: OpenApiResponse()})
    def delete(self, request, id):
        self.change(changes.delete_reminder)
        return Response(status=204)


class SnoozeView(_OneReminder):
    """Put a reminder off; its series stays where it is."""

    roles = {"POST": Role.MEMBER}

    @extend_schema(
        operation_id="reminders_snooze",
        tags=["reminders"],
        request=SnoozeSerializer,
        parameters=[IDEMPOTENCY_PARAMETER, PRECONDITION_PARAMETER],
        responses={200: ReminderSerializer},
    )
    @idempotent
    def post(self, request, id):
        self.get_object()
        return self.answer(self.change(changes.snooze_reminder, **self.valid(SnoozeSerializer)))


class DoneView(_OneReminder):
    """Do a reminder; a recurring one goes on to its next occurrence."""

    roles = {"POST": Role.MEMBER}

    @extend_schema(
        operation_id="reminders_done",
        tags=["reminders"],
        request=DoneRequestSerializer,
        parameters=[IDEMPOTENCY_PARAMETER, PRECONDITION_PARAMETER],
        responses={200: DoneSerializer},
    )
    @idempotent
    def post(self, request, id):
        self.get_object()
        done = self.change(changes.complete_reminder, **self.valid(DoneRequestSerializer))
        answer = self.answer(done.reminder)
        answer.data["missed"] = done.missed
        return answer


class ReopenView(_OneReminder):
    """Take "done" back."""

    roles = {"POST": Role.MEMBER}

    @extend_schema(
        operation_id="reminders_reopen",
        tags=["reminders"],
        request=None,
        parameters=[PRECONDITION_PARAMETER],
        responses={200: ReminderSerializer},
    )
    def post(self, request, id):
        return self.answer(self.change(changes.reopen_reminder))


class DeliverView(_OneReminder):
    """Ask to show a due reminder: of several open extensions of its assignee, the first one may."""

    roles = {"POST": Role.MEMBER}

    @extend_schema(
        operation_id="reminders_deliver", tags=["reminders"], request=None, responses={200: ReminderSerializer}
    )
    def post(self, request, id):
        self.get_object()
        reminder = delivery.deliver_to_extension(
            workspace=self.workspace,
            reminder_id=id,
            user=request.user,
            instance=request.auth.instance,
            actor=self.actor,
        )
        return self.answer(reminder)
