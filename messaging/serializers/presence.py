"""Shapes of warnings and of chats that cannot be reached."""

from rest_framework import serializers

from messaging.models import DispatchWarning, UnreachableChat


class DispatchWarningSerializer(serializers.ModelSerializer):
    """Something about a number that people should see to."""

    class Meta:
        model = DispatchWarning
        fields = ["id", "whatsapp_account", "kind", "first_due_at", "message_count", "raised_at", "resolved_at"]


class UnreachableChatSerializer(serializers.ModelSerializer):
    """A chat that a number cannot write to."""

    class Meta:
        model = UnreachableChat
        fields = ["id", "whatsapp_account", "chat_jid", "code", "since"]
