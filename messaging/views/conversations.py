"""Synced conversations on the API, as extensions use them."""

from drf_spectacular.utils import extend_schema
from rest_framework.response import Response

from accounts.api import WorkspaceView
from accounts.models import Role
from messaging.serializers.conversations import ConversationOutcomesSerializer, ConversationUploadSerializer
from messaging.services.conversations.ingest import LISTS, take_messages


class UploadView(WorkspaceView):
    """Upload what is seen in WhatsApp: stored where it is switched on, else only noticed in passing."""

    roles = {"POST": Role.MEMBER}
    serializer_class = ConversationUploadSerializer

    @extend_schema(
        operation_id="conversations_upload", tags=["conversations"], responses={200: ConversationOutcomesSerializer}
    )
    def post(self, request):
        payload = self.valid()
        taken = take_messages(
            workspace=self.workspace,
            actor=self.actor,
            account_id=payload["whatsapp_account"].pk,
            lists={name: payload.get(name, []) for name in LISTS},
            covers=payload.get("covers", []),
        )
        results = {**taken.lists, "covers": taken.covers}
        return Response({name: [_outcome(one) for one in outcomes] for name, outcomes in results.items()})


def _outcome(one) -> dict:
    """An outcome by hand: five hundred serializers cost more than what they tell of."""
    return {"outcome": one.outcome, "id": one.row_id, "code": one.code, "detail": one.detail}
