"""The shape of a member's own message."""

from rest_framework import serializers

from accounts.api import ClientIdField, ScopedRelatedField
from crm.models import Contact, WhatsAppAccount
from messaging.models import LatePolicy
from messaging.serializers.content import PartsField
from messaging.serializers.dispatch import QueuedMessageSerializer

A_WEEK = 7 * 24 * 60


class DirectMessageSerializer(serializers.Serializer):
    """A message to send now: to a contact, or to a chat."""

    id = ClientIdField()
    whatsapp_account = ScopedRelatedField(queryset=WhatsAppAccount.objects)
    contact = ScopedRelatedField(queryset=Contact.objects.alive(), required=False, allow_null=True)
    chat_jid = serializers.CharField(
        max_length=200, required=False, allow_blank=True, help_text="Instead of a contact, or which of its addresses."
    )
    parts = PartsField()
    send_within_minutes = serializers.IntegerField(
        min_value=1, max_value=A_WEEK, default=60, help_text="How long it may wait for a device."
    )
    on_late = serializers.ChoiceField(choices=LatePolicy.choices, default=LatePolicy.SKIP)


class DirectMessagesSerializer(serializers.Serializer):
    messages = QueuedMessageSerializer(many=True, help_text="One for each part, in their order.")
