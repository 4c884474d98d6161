"""Scheduled messages on the API."""

from datetime import datetime

from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework.response import Response

from accounts.api import WorkspaceView
from accounts.idempotency import idempotent
from accounts.models import Role
from messaging.models import ScheduledMessage
from messaging.serializers.scheduled import (
    CalendarSerializer,
    OccurrenceSerializer,
    OwnOccurrenceSerializer,
    ScheduledMessageChangeSerializer,
    ScheduledMessageSerializer,
)
from messaging.services import scheduling
from messaging.services.scheduling.lists import shown
from waplus.lib.api.pagination import Sort, moment
from waplus.lib.api.schema import IDEMPOTENCY_PARAMETER, PAGE_PARAMETERS, page_of
from waplus.lib.errors import Invalid

TAGS = ["scheduled messages"]


def _between(*, required: bool) -> list[OpenApiParameter]:
    return [
        OpenApiParameter("from", datetime, required=required, description="From this moment on."),
        OpenApiParameter("to", datetime, required=required, description="Before this moment."),
    ]


class ScheduledView(WorkspaceView):
    """A view on scheduled messages."""

    queryset = ScheduledMessage.objects
    serializer_class = ScheduledMessageSerializer

    def get_queryset(self):
        return shown(ScheduledMessage.objects.for_workspace(self.workspace))

    def query_moment(self, name: str, *, required: bool = False) -> datetime | None:
        """A moment in the query string."""
        text = self.request.query_params.get(name)
        if text is None:
            if required:
                raise Invalid(name, "required", "Say from when to when.")
            return None
        try:
            found = moment(text)
        except ValueError:
            found = None
        if found is None:
            raise Invalid(name, "invalid", "This is no moment such as 2026-03-29T09:00:00Z.")
        return found

    def shown(self, message: ScheduledMessage, status: int = 200) -> Response:
        """The answer with a schedule as it is now."""
        return self.answer(self.get_queryset().get(pk=message.pk), status=status)

    def check_precondition(self, row) -> None:
        if self.request.headers.get("If-Match"):
            super().check_precondition(self.get_queryset().get(pk=row.pk))


class ScheduledMessagesView(ScheduledView):
    """Messages scheduled in the workspace."""

    roles = {"GET": Role.MEMBER, "POST": Role.MEMBER}
    sorts = {"due_at": Sort("due_at", decode=moment), "-due_at": Sort("due_at", descending=True, decode=moment)}
    default_sort = "due_at"

    @extend_schema(
        operation_id="scheduled_messages_list",
        tags=TAGS,
        parameters=[*_between(required=False), *PAGE_PARAMETERS],
        responses={200: page_of(ScheduledMessageSerializer)},
    )
    def get(self, request):
        schedules = self.get_queryset()
        if (start := self.query_moment("from")) is not None:
            schedules = schedules.filter(due_at__gte=start)
        if (end := self.query_moment("to")) is not None:
            schedules = schedules.filter(due_at__lt=end)
        return self.listing(schedules)

    @extend_schema(
        operation_id="scheduled_messages_create",
        tags=TAGS,
        responses={201: ScheduledMessageSerializer, 200: ScheduledMessageSerializer},
        parameters=[IDEMPOTENCY_PARAMETER],
    )
    @idempotent
    def post(self, request):
        message, is_new = scheduling.schedule_message(
            workspace=self.workspace, user=request.user, actor=self.actor, **self.valid()
        )
        return self.shown(message, status=201 if is_new else 200)


class CalendarView(ScheduledView):
    """Scheduled messages by their times, series expanded."""

    roles = {"GET": Role.MEMBER}
    serializer_class = CalendarSerializer

    @extend_schema(
        operation_id="scheduled_messages_calendar",
        tags=TAGS,
        parameters=_between(required=True),
        responses={200: CalendarSerializer},
    )
    def get(self, request):
        """62 days and 1,000 entries at most."""
        entries, truncated = scheduling.calendar(
            workspace=self.workspace,
            start=self.query_moment("from", required=True),
            end=self.query_moment("to", required=True),
        )
        return Response(CalendarSerializer({"results": entries, "truncated": truncated}).data)


class ScheduledMessageView(ScheduledView):
    """One scheduled message: look, change or cancel until it is handed out."""

    roles = {"GET": Role.MEMBER, "PATCH": Role.MEMBER, "DELETE": Role.MEMBER}

    @extend_schema(operation_id="scheduled_messages_read", tags=TAGS)
    def get(self, request, id):
        return self.answer(self.get_object())

    @extend_schema(operation_id="scheduled_messages_update", tags=TAGS, request=ScheduledMessageChangeSerializer)
    def patch(self, request, id):
        self.get_object()  # an unknown message is unknown, whatever else is wrong with the payload
        message = scheduling.update_scheduled_message(
            workspace=self.workspace,
            message_id=id,
            actor=self.actor,
            precondition=self.check_precondition,
            **self.valid(ScheduledMessageChangeSerializer, partial=True),
        )
        return self.shown(message)

    @extend_schema(operation_id="scheduled_messages_cancel", tags=TAGS, responses={200: ScheduledMessageSerializer})
    def delete(self, request, id):
        return self.shown(
            scheduling.cancel_scheduled_message(workspace=self.workspace, message_id=id, actor=self.actor)
        )


class PauseView(ScheduledView):
    """Let a series rest."""

    roles = {"POST": Role.MEMBER}

    @extend_schema(
        operation_id="scheduled_messages_pause",
        tags=TAGS,
        request=None,
        responses={200: ScheduledMessageSerializer},
    )
    def post(self, request, id):
        """What falls into the pause is skipped for good."""
        return self.shown(scheduling.pause_series(workspace=self.workspace, message_id=id, actor=self.actor))


class ResumeView(ScheduledView):
    """Let a series go on."""

    roles = {"POST": Role.MEMBER}

    @extend_schema(
        operation_id="scheduled_messages_resume",
        tags=TAGS,
        request=None,
        responses={200: ScheduledMessageSerializer},
    )
    def post(self, request, id):
        """With its next time after now."""
        return self.shown(scheduling.resume_series(workspace=self.workspace, message_id=id, actor=self.actor))


class SkipView(ScheduledView):
    """Leave out one time of a series."""

    roles = {"POST": Role.MEMBER}
    serializer_class = OccurrenceSerializer

    @extend_schema(
        operation_id="scheduled_messages_skip",
        tags=TAGS,
        request=OccurrenceSerializer,
        responses={200: ScheduledMessageSerializer},
    )
    def post(self, request, id):
        self.get_object()
        message = scheduling.skip_occurrence(
            workspace=self.workspace, message_id=id, actor=self.actor, **self.valid(OccurrenceSerializer)
        )
        self.serializer_class = ScheduledMessageSerializer
        return self.shown(message)


class OwnOccurrenceView(ScheduledView):
    """Give one time of a series a message of its own."""

    roles = {"POST": Role.MEMBER}

    @extend_schema(
        operation_id="scheduled_messages_change_occurrence",
        tags=TAGS,
        request=OwnOccurrenceSerializer,
        responses={201: ScheduledMessageSerializer, 200: ScheduledMessageSerializer},
    )
    def post(self, request, id):
        """The series leaves that time out; the answer is the new message."""
        self.get_object()
        values = self.valid(OwnOccurrenceSerializer, partial=True)
        if "occurrence" not in values:
            raise Invalid("occurrence", "required", "Say which time of the series is meant.")
        message, is_new = scheduling.change_occurrence(
            workspace=self.workspace, message_id=id, user=request.user, actor=self.actor, **values
        )
        return self.shown(message, status=201 if is_new else 200)
