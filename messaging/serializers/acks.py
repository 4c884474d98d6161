"""Shapes of acknowledgements. Items are read one by one by the service, so that one refuses itself alone."""

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from accounts.api import ScopedRelatedField
from crm.models import WhatsAppAccount
from crm.services.reports import MAX_ITEMS
from messaging.models import DispatchState, MessageAck
from messaging.services.acks import SCHEMES
from messaging.services.dispatch.codes import FAILURE_CODES

OUTCOMES = ("updated", "unchanged", "unknown", "refused")


class AckSerializer(serializers.Serializer):
    """How far WhatsApp says that a message is."""

    message_id = serializers.CharField(help_text="Bare (3EB0…) or serialized (true_…@c.us_3EB0…).")
    ack = serializers.IntegerField(help_text="As the scheme counts it.")
    scheme = serializers.ChoiceField(
        choices=list(SCHEMES), help_text="Whose numbers: WhatsApp Web has −7 to 5, Baileys 0 to 5, one higher."
    )
    participant = serializers.CharField(required=False, help_text="Who in a group: …@c.us or …@lid.")
    at = serializers.DateTimeField(required=False, help_text="Now without it, and never later than now.")
    code = serializers.ChoiceField(choices=FAILURE_CODES, required=False, help_text="Of a failure: why.")


@extend_schema_field(AckSerializer(many=True))
class _Acks(serializers.ListField):
    pass


class AcksSerializer(serializers.Serializer):
    whatsapp_account = ScopedRelatedField(queryset=WhatsAppAccount.objects)
    acks = _Acks(child=serializers.JSONField(allow_null=True), min_length=1, max_length=MAX_ITEMS)


class AckOutcomeSerializer(serializers.Serializer):
    outcome = serializers.ChoiceField(choices=OUTCOMES, help_text="`unknown`: no message of ours has this id.")
    message = serializers.UUIDField(allow_null=True)
    state = serializers.ChoiceField(choices=DispatchState.choices, allow_blank=True, help_text="Where it is now.")
    code = serializers.CharField(help_text="Why the item was refused; empty otherwise.")
    detail = serializers.CharField()


class AckOutcomesSerializer(serializers.Serializer):
    results = AckOutcomeSerializer(many=True, help_text="In the order of the items.")


class GroupRecipientSerializer(serializers.ModelSerializer):
    """How far a message is with one participant of a group."""

    class Meta:
        model = MessageAck
        fields = ["participant", "delivered_at", "read_at", "played_at"]


class GroupRecipientsSerializer(serializers.Serializer):
    delivered = serializers.IntegerField(help_text="How many have received it.")
    read = serializers.IntegerField(help_text="How many have read it.")
    played = serializers.IntegerField()
    participants = GroupRecipientSerializer(
        many=True, help_text="The first 2,000, by their ids. Empty outside of groups."
    )
