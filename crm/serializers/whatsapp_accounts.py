"""Shapes of WhatsApp numbers on the API."""

from rest_framework import serializers

from accounts.api import ClientIdField
from crm.models import WhatsAppAccount


class WhatsAppAccountSerializer(serializers.ModelSerializer):
    id = ClientIdField()
    jid = serializers.CharField(max_length=64, help_text="The number's id as WhatsApp Web knows it: …@c.us")
    lid = serializers.CharField(max_length=64, required=False, allow_blank=True)
    name = serializers.CharField(max_length=100, required=False, allow_blank=True)
    phone = serializers.CharField(read_only=True)

    class Meta:
        model = WhatsAppAccount
        fields = ["id", "jid", "lid", "phone", "name", "created_at"]
        read_only_fields = ["created_at"]


class WhatsAppAccountChangeSerializer(serializers.Serializer):
    lid = serializers.CharField(max_length=64, required=False)
    name = serializers.CharField(max_length=100, required=False, allow_blank=True)
