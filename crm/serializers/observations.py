"""Shapes of what extensions observe. Items are read one by one by the service, so that one refuses itself alone."""

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from crm.services.reports import MAX_ITEMS

OUTCOMES = ("created", "added", "known", "unknown", "refused")


class ObservationSerializer(serializers.Serializer):
    """Identities that WhatsApp shows as one person: at least one of the first four."""

    jid = serializers.CharField(
        required=False, help_text="…@c.us, …@s.whatsapp.net or …@lid, with a device or without."
    )
    lid = serializers.CharField(required=False, help_text="…@lid")
    phone = serializers.CharField(required=False, help_text="A number in any spelling.")
    bsuid = serializers.CharField(required=False, help_text="A business-scoped id such as BR.1502576394655843.")
    profile_name = serializers.CharField(required=False, help_text="What the person calls themselves in WhatsApp.")
    name = serializers.CharField(
        required=False, help_text="From the phone's address book; taken where the contact has no name."
    )
    whatsapp_account = serializers.UUIDField(required=False, help_text="In which of the workspace's numbers.")
    observed_at = serializers.DateTimeField(required=False, help_text="Now without it, and never later than now.")


@extend_schema_field(ObservationSerializer(many=True))
class _Items(serializers.ListField):
    pass


class ObservationsSerializer(serializers.Serializer):
    items = _Items(child=serializers.JSONField(allow_null=True), min_length=1, max_length=MAX_ITEMS)
    create = serializers.BooleanField(
        default=False, help_text="Make contacts of people whom nobody knows, as far as the plan has places."
    )


class ObservationOutcomeSerializer(serializers.Serializer):
    outcome = serializers.ChoiceField(choices=OUTCOMES)
    contact = serializers.UUIDField(source="row_id", allow_null=True)
    code = serializers.CharField(help_text="Why it was refused; empty otherwise.")
    detail = serializers.CharField()
    suggested = serializers.BooleanField(help_text="The item links two contacts, and their merge was suggested.")


class ObservationOutcomesSerializer(serializers.Serializer):
    results = ObservationOutcomeSerializer(many=True, help_text="In the order of the items.")
