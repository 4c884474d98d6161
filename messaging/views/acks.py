"""Acknowledgements on the API."""

from django.db.models import Count
from drf_spectacular.utils import extend_schema
from rest_framework.response import Response

from accounts.api import WorkspaceView
from accounts.models import Role
from messaging.models import MessageAck, QueuedMessage
from messaging.serializers.acks import AckOutcomesSerializer, AcksSerializer, GroupRecipientsSerializer
from messaging.services.acks import record_acks

MAX_PARTICIPANTS = 2000


class AcksView(WorkspaceView):
    """Submit up to 500 acknowledgements of messages of a number; submitting the same again changes nothing."""

    roles = {"POST": Role.MEMBER}
    queryset = QueuedMessage.objects.all()
    serializer_class = AcksSerializer

    @extend_schema(operation_id="dispatch_acks", tags=["dispatch"], responses={200: AckOutcomesSerializer})
    def post(self, request):
        payload = self.valid()
        outcomes = record_acks(
            workspace=self.workspace,
            whatsapp_account=payload["whatsapp_account"],
            items=payload["acks"],
            actor=self.actor,
        )
        return Response(AckOutcomesSerializer({"results": outcomes}).data)


class RecipientsView(WorkspaceView):
    """Who in a group has received, read and played a message."""

    roles = {"GET": Role.MEMBER}
    queryset = QueuedMessage.objects.all()
    serializer_class = GroupRecipientsSerializer

    @extend_schema(operation_id="dispatch_recipients", tags=["dispatch"])
    def get(self, request, id):
        acks = (
            MessageAck.objects.for_workspace(self.workspace).filter(message=self.get_object()).exclude(participant="")
        )
        counts = acks.aggregate(delivered=Count("delivered_at"), read=Count("read_at"), played=Count("played_at"))
        participants = acks.order_by("participant")[:MAX_PARTICIPANTS]
        return Response(GroupRecipientsSerializer({**counts, "participants": participants}).data)
