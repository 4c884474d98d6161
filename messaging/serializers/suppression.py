"""Shapes of the do-not-contact list on the API. A hash is never shown, and no number can be made of one."""

from rest_framework import serializers

from accounts.api import ClientIdField, ScopedRelatedField
from crm.models import Contact
from messaging.models import ConsentRecord, Suppression, WordKind
from messaging.models.suppression import MAX_NOTE, MAX_WORD


class ConsentRecordSerializer(serializers.ModelSerializer):
    class Meta:
        model = ConsentRecord
        fields = ["id", "kind", "means", "word", "evidence", "whatsapp_account", "recorded_by", "recorded_at"]
        read_only_fields = fields


class SuppressionSerializer(serializers.ModelSerializer):
    """Somebody who must not be written to, with all ids that they are known by."""

    label = serializers.CharField(
        read_only=True, help_text="The contact's name, else its masked number; empty where no contact is left."
    )

    class Meta:
        model = Suppression
        fields = ["id", "source", "note", "contact", "label", "created_by", "created_at", "lifted_at", "lifted_by"]
        read_only_fields = fields


class SuppressionDetailSerializer(SuppressionSerializer):
    consents = ConsentRecordSerializer(many=True, read_only=True, help_text="What they said, the oldest first.")

    class Meta(SuppressionSerializer.Meta):
        fields = [*SuppressionSerializer.Meta.fields, "consents"]
        read_only_fields = fields


class NewSuppressionSerializer(serializers.Serializer):
    """Whom to write to no more: exactly one of contact, phone and jid."""

    id = ClientIdField()
    contact = ScopedRelatedField(queryset=Contact.objects.alive(), required=False)
    phone = serializers.CharField(max_length=60, required=False, help_text="As people write it.")
    jid = serializers.CharField(max_length=64, required=False, help_text="A person's WhatsApp id.")
    note = serializers.CharField(max_length=MAX_NOTE, required=False, allow_blank=True)

    def validate(self, data):
        if sum(name in data for name in ("contact", "phone", "jid")) != 1:
            raise serializers.ValidationError({"contact": ["Name one of contact, phone and jid."]}, code="one_of")
        return data


class OptOutWordSerializer(serializers.Serializer):
    word = serializers.CharField(max_length=2 * MAX_WORD)
    kind = serializers.ChoiceField(choices=WordKind)
    language = serializers.CharField(max_length=16, required=False, allow_blank=True, default="")
