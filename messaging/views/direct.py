"""A member's own messages on the API, and cancelling what waits in the queue."""

from drf_spectacular.utils import extend_schema
from rest_framework.response import Response

from accounts.api import WorkspaceView
from accounts.idempotency import idempotent
from accounts.models import Role
from messaging.models import QueuedMessage
from messaging.serializers.direct import DirectMessageSerializer, DirectMessagesSerializer
from messaging.serializers.dispatch import QueuedMessageSerializer
from messaging.services.direct import cancel_message, send_message
from messaging.views import dispatch
from waplus.lib.api.schema import IDEMPOTENCY_PARAMETER


class DirectMessagesView(WorkspaceView):
    """Send a message now, on whichever device holds the number; each part becomes a message of the queue."""

    roles = {"POST": Role.MEMBER}
    queryset = QueuedMessage.objects.all()
    serializer_class = DirectMessageSerializer

    @extend_schema(
        operation_id="dispatch_send",
        tags=["dispatch"],
        parameters=[IDEMPOTENCY_PARAMETER],
        responses={201: DirectMessagesSerializer, 200: DirectMessagesSerializer},
    )
    @idempotent
    def post(self, request):
        messages, is_new = send_message(workspace=self.workspace, user=request.user, actor=self.actor, **self.valid())
        return Response(DirectMessagesSerializer({"messages": messages}).data, status=201 if is_new else 200)


class MessageView(dispatch.QueuedMessageView):
    """One message of the queue: look, or cancel it until it is handed out."""

    roles = {"GET": Role.MEMBER, "DELETE": Role.MEMBER}

    @extend_schema(operation_id="dispatch_cancel", tags=["dispatch"], responses={200: QueuedMessageSerializer})
    def delete(self, request, id):
        return self.answer(cancel_message(workspace=self.workspace, message_id=id, actor=self.actor))
