"""Shapes of scheduled messages on the API."""

from uuid import UUID

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from accounts.api import ClientIdField, ScopedRelatedField
from crm.models import Contact, WhatsAppAccount
from messaging.models import DispatchState, QueuedMessage, ScheduledMessage
from messaging.models.scheduled import MAX_BODY
from waplus.lib.api.wall_time import WallTimeField
from waplus.lib.walltime import validate_zone


class ScheduledMessageSerializer(serializers.ModelSerializer):
    id = ClientIdField()
    whatsapp_account = ScopedRelatedField(queryset=WhatsAppAccount.objects)
    contact = ScopedRelatedField(queryset=Contact.objects.alive(), required=False, allow_null=True)
    chat_jid = serializers.CharField(max_length=64, required=False, help_text="Without it: the contact's own address.")
    body = serializers.CharField(max_length=MAX_BODY, trim_whitespace=False)
    wall_time = WallTimeField(help_text="Local time without an offset, such as 2026-03-29T09:00.")
    time_zone = serializers.CharField(max_length=64, validators=[validate_zone])
    lateness_minutes = serializers.IntegerField(
        min_value=1, max_value=7 * 24 * 60, default=60, help_text="How long after its time it may still go out."
    )
    dispatch_state = serializers.SerializerMethodField(help_text="Where it is in the queue; null before that.")
    dispatch_id = serializers.SerializerMethodField(help_text="Its id in the queue; null before that.")
    reason = serializers.SerializerMethodField(help_text="Why it failed or was skipped.")

    class Meta:
        model = ScheduledMessage
        fields = [
            "id",
            "whatsapp_account",
            "contact",
            "chat_jid",
            "body",
            "wall_time",
            "time_zone",
            "due_at",
            "lateness_minutes",
            "state",
            "dispatch_state",
            "dispatch_id",
            "reason",
            "created_at",
            "updated_at",
        ]
        read_only_fields = ["due_at", "state", "created_at", "updated_at"]

    @staticmethod
    def _place(message) -> QueuedMessage | None:
        # prefetched: a page costs a fixed number of queries
        return next(iter(message.occurrences.all()), None)

    @extend_schema_field(serializers.ChoiceField(choices=DispatchState, allow_null=True))
    def get_dispatch_state(self, message):
        place = self._place(message)
        return place and place.state

    def get_dispatch_id(self, message) -> UUID | None:
        place = self._place(message)
        return place and place.pk

    def get_reason(self, message) -> str:
        place = self._place(message)
        return place.reason if place else ""

    def validate_body(self, value: str) -> str:
        if not value.strip():
            self.fields["body"].fail("blank")
        return value


class ScheduledMessageChangeSerializer(ScheduledMessageSerializer):
    lateness_minutes = serializers.IntegerField(min_value=1, max_value=7 * 24 * 60)

    class Meta(ScheduledMessageSerializer.Meta):
        fields = ["whatsapp_account", "contact", "chat_jid", "body", "wall_time", "time_zone", "lateness_minutes"]
        read_only_fields = []

    id = None
    dispatch_state = dispatch_id = reason = None
