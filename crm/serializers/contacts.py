"""Shapes of contacts on the API."""

from rest_framework import serializers

from accounts.api import ClientIdField
from crm.models import Contact, ContactIdentity, IdentityKind
from crm.services.contacts import MAX_IDENTITIES


class OldestFirst(serializers.ListSerializer):
    """Rows of a relation by id, whatever order the database keeps them in: an ETag must not change by itself."""

    def to_representation(self, data):
        return super().to_representation(sorted(data.all(), key=lambda row: row.id))


class IdentitySerializer(serializers.ModelSerializer):
    """One id of a contact: a phone in E.164, or a WhatsApp id."""

    value = serializers.CharField(
        max_length=150,
        help_text="A number in any spelling, …@c.us, …@lid, or a business-scoped id such as BR.1502576394655843.",
    )
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
        fields = ["id", "name", "profile_name", "company", "email", "identities", "created_at", "updated_at"]
        read_only_fields = ["profile_name", "created_at", "updated_at"]


class ContactChangeSerializer(serializers.ModelSerializer):
    name = serializers.CharField(max_length=300, required=False, allow_blank=True)
    company = serializers.CharField(max_length=300, required=False, allow_blank=True)
    email = serializers.EmailField(max_length=254, required=False, allow_blank=True)

    class Meta:
        model = Contact
        fields = ["name", "company", "email"]
