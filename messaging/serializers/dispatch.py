"""Shapes of the queue on the API."""

from rest_framework import serializers

from accounts.api import ScopedRelatedField
from crm.models import WhatsAppAccount
from messaging.models import QueuedMessage
from messaging.services.dispatch import MAX_CLAIM, REPORTS


class QueuedMessageSerializer(serializers.ModelSerializer):
    """A message of the queue."""

    class Meta:
        model = QueuedMessage
        fields = [
            "id",
            "scheduled_message",
            "whatsapp_account",
            "chat_jid",
            "body",
            "message_id",
            "due_at",
            "expires_at",
            "state",
            "fence",
            "lease_until",
            "sent_at",
            "reason",
        ]


class ClaimSerializer(serializers.Serializer):
    claim_id = serializers.UUIDField(help_text="Your own id of this claim; repeat it if the answer got lost.")
    whatsapp_account = ScopedRelatedField(queryset=WhatsAppAccount.objects)
    limit = serializers.IntegerField(min_value=1, max_value=MAX_CLAIM, default=10)


class ClaimAnswerSerializer(serializers.Serializer):
    messages = QueuedMessageSerializer(many=True, help_text="Send these, in this order.")
    reconcile = QueuedMessageSerializer(
        many=True,
        help_text="Look these up in their chats by message_id and report `sent` or `not_sent`; never send them blindly.",
    )


class ReportSerializer(serializers.Serializer):
    fence = serializers.IntegerField(min_value=1, max_value=2_147_483_647, help_text="As handed out with the message.")
    report = serializers.ChoiceField(choices=REPORTS)
    reason = serializers.CharField(max_length=300, required=False, allow_blank=True, help_text="Why it failed.")
    sent_at = serializers.DateTimeField(required=False, help_text="WhatsApp's own time of the message.")


class ResolutionSerializer(serializers.Serializer):
    outcome = serializers.ChoiceField(
        choices=["sent", "not_sent"], help_text="What a person saw in the chat; `not_sent` queues the message again."
    )
