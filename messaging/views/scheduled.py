"""Scheduled messages on the API."""

from drf_spectacular.utils import extend_schema

from accounts.api import WorkspaceView
from accounts.idempotency import idempotent
from accounts.models import Role
from messaging.models import ScheduledMessage
from messaging.serializers.scheduled import ScheduledMessageChangeSerializer, ScheduledMessageSerializer
from messaging.services import scheduling
from waplus.lib.api.pagination import Sort, moment
from waplus.lib.api.schema import IDEMPOTENCY_PARAMETER, PAGE_PARAMETERS, page_of


class ScheduledMessagesView(WorkspaceView):
    """Messages scheduled in the workspace."""

    roles = {"GET": Role.MEMBER, "POST": Role.MEMBER}
    queryset = ScheduledMessage.objects.prefetch_related("occurrences")
    serializer_class = ScheduledMessageSerializer
    sorts = {"due_at": Sort("due_at", decode=moment), "-due_at": Sort("due_at", descending=True, decode=moment)}
    default_sort = "due_at"

    @extend_schema(
        operation_id="scheduled_messages_list",
        tags=["scheduled messages"],
        parameters=PAGE_PARAMETERS,
        responses={200: page_of(ScheduledMessageSerializer)},
    )
    def get(self, request):
        return self.listing(self.get_queryset())

    @extend_schema(
        operation_id="scheduled_messages_create",
        tags=["scheduled messages"],
        responses={201: ScheduledMessageSerializer, 200: ScheduledMessageSerializer},
        parameters=[IDEMPOTENCY_PARAMETER],
    )
    @idempotent
    def post(self, request):
        message, is_new = scheduling.schedule_message(
            workspace=self.workspace, user=request.user, actor=self.actor, **self.valid()
        )
        return self.answer(message, status=201 if is_new else 200)


class ScheduledMessageView(WorkspaceView):
    """One scheduled message: look, change or cancel until it is handed out."""

    roles = {"GET": Role.MEMBER, "PATCH": Role.MEMBER, "DELETE": Role.MEMBER}
    queryset = ScheduledMessage.objects.prefetch_related("occurrences")
    serializer_class = ScheduledMessageSerializer

    @extend_schema(operation_id="scheduled_messages_read", tags=["scheduled messages"])
    def get(self, request, id):
        return self.answer(self.get_object())

    @extend_schema(
        operation_id="scheduled_messages_update", tags=["scheduled messages"], request=ScheduledMessageChangeSerializer
    )
    def patch(self, request, id):
        self.get_object()  # an unknown message is unknown, whatever else is wrong with the payload
        message = scheduling.update_scheduled_message(
            workspace=self.workspace,
            message_id=id,
            actor=self.actor,
            precondition=self.check_precondition,
            **self.valid(ScheduledMessageChangeSerializer, partial=True),
        )
        return self.answer(message)

    @extend_schema(
        operation_id="scheduled_messages_cancel",
        tags=["scheduled messages"],
        responses={200: ScheduledMessageSerializer},
    )
    def delete(self, request, id):
        return self.answer(
            scheduling.cancel_scheduled_message(workspace=self.workspace, message_id=id, actor=self.actor)
        )
