"""Shapes of the CRM on the API."""

from rest_framework import serializers

from accounts.api import ClientIdField
from crm.models import Contact, ContactIdentity, IdentityKind, ImportBatch, ImportRow, WhatsAppAccount
from crm.services.contacts import MAX_IDENTITIES
from waplus.lib.phones import validate_region


class OldestFirst(serializers.ListSerializer):
    """Rows of a relation by id, whatever order the database keeps them in: an ETag must not change by itself."""

    def to_representation(self, data):
        return super().to_representation(sorted(data.all(), key=lambda row: row.id))


class IdentitySerializer(serializers.ModelSerializer):
    """One id of a contact: a phone in E.164, or a WhatsApp id."""

    value = serializers.CharField(max_length=100, help_text="A number in any spelling, …@c.us, or …@lid.")
    kind = serializers.ChoiceField(choices=IdentityKind)

    class Meta:
        model = ContactIdentity
        list_serializer_class = OldestFirst
        fields = ["id", "kind", "value"]
        read_only_fields = ["id"]


class ContactSerializer(serializers.ModelSerializer):
    id = ClientIdField()
    name = serializers.CharField(max_length=300, required=False, allow_blank=True)
    company = serializers.CharField(max_length=300, required=False, allow_blank=True)
    email = serializers.EmailField(max_length=254, required=False, allow_blank=True)
    identities = IdentitySerializer(many=True, required=False, max_length=MAX_IDENTITIES)

    class Meta:
        model = Contact
        fields = ["id", "name", "company", "email", "identities", "created_at", "updated_at"]
        read_only_fields = ["created_at", "updated_at"]


class ContactChangeSerializer(serializers.ModelSerializer):
    name = serializers.CharField(max_length=300, required=False, allow_blank=True)
    company = serializers.CharField(max_length=300, required=False, allow_blank=True)
    email = serializers.EmailField(max_length=254, required=False, allow_blank=True)

    class Meta:
        model = Contact
        fields = ["name", "company", "email"]


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


class ImportBatchSerializer(serializers.ModelSerializer):
    class Meta:
        model = ImportBatch
        fields = [
            "id",
            "file_name",
            "default_country",
            "state",
            "problem",
            "rows_total",
            "rows_created",
            "rows_merged",
            "rows_unchanged",
            "rows_refused",
            "ignored_columns",
            "created_at",
            "finished_at",
        ]


class UploadSerializer(serializers.Serializer):
    """A contact file: Google Contacts CSV."""

    id = ClientIdField()
    file = serializers.FileField(max_length=200)
    default_country = serializers.CharField(
        max_length=2, required=False, validators=[validate_region], help_text="For numbers without a country code."
    )


class ImportRowSerializer(serializers.ModelSerializer):
    class Meta:
        model = ImportRow
        fields = ["row_number", "outcome", "reason", "contact_id"]
