"""Shapes of contacts on the API."""

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from accounts.api import ClientIdField
from crm.models import Contact, ContactIdentity, IdentityKind
from crm.services.contact_documents import contact_document
from crm.services.contacts import MAX_IDENTITIES
from crm.services.custom_fields import MAX_FIELDS
from crm.services.tags import MAX_TAGS


class IdentitySerializer(serializers.ModelSerializer):
    """One id of a contact: a phone in E.164, or a WhatsApp id."""

    value = serializers.CharField(
        max_length=150,
        help_text="A number in any spelling, …@c.us, …@lid, or a business-scoped id such as BR.1502576394655843.",
    )
    kind = serializers.ChoiceField(choices=IdentityKind)

    class Meta:
        model = ContactIdentity
        fields = ["id", "kind", "value"]
        read_only_fields = ["id"]


@extend_schema_field({"type": "object", "additionalProperties": {}})
class FieldValuesField(serializers.DictField):
    """`{id of a custom field: value}`; null or an empty value empties the field."""

    default_error_messages = {"too_many": f"At most {MAX_FIELDS} fields."}

    def to_internal_value(self, data):
        values = super().to_internal_value(data)
        if len(values) > MAX_FIELDS:
            self.fail("too_many")
        return values


class ContactSerializer(serializers.ModelSerializer):
    """A contact; what the database writes (`crm.services.contact_documents`) is what is shown."""

    id = ClientIdField()
    name = serializers.CharField(max_length=300, required=False, allow_blank=True)
    company = serializers.CharField(max_length=300, required=False, allow_blank=True)
    email = serializers.EmailField(max_length=254, required=False, allow_blank=True)
    owner = serializers.UUIDField(
        required=False, allow_null=True, help_text="User id of the member who looks after it."
    )
    stage = serializers.UUIDField(required=False, allow_null=True)
    avatar = serializers.UUIDField(read_only=True, allow_null=True)
    identities = IdentitySerializer(many=True, required=False, max_length=MAX_IDENTITIES)
    tags = serializers.ListField(child=serializers.UUIDField(), required=False, max_length=MAX_TAGS)
    fields = FieldValuesField(
        required=False, help_text="Values by id of their custom field; retired fields are left out."
    )

    class Meta:
        model = Contact
        fields = [
            *("id", "name", "profile_name", "company", "email", "owner", "stage", "avatar"),
            *("identities", "tags", "fields", "created_at", "updated_at", "deleted_at", "version"),
        ]
        read_only_fields = ["profile_name", "created_at", "updated_at", "deleted_at", "version"]

    def to_representation(self, contact):
        return contact_document(workspace_id=contact.workspace_id, contact_id=contact.pk)


class ContactChangeSerializer(ContactSerializer):
    """What may be changed of a contact; tags and identities have routes of their own."""

    id = avatar = identities = tags = None

    class Meta:
        model = Contact
        fields = ["name", "company", "email", "owner", "stage", "fields"]


class ContactSearchSerializer(serializers.Serializer):
    """What a list of contacts is asked for, in a body."""

    q = serializers.CharField(required=False, allow_blank=True, max_length=200)
    filter = serializers.JSONField(required=False, allow_null=True, help_text="A tree of conditions.")
    tab = serializers.UUIDField(required=False, allow_null=True)
    sort = serializers.CharField(required=False, allow_blank=True, max_length=60)
    limit = serializers.IntegerField(required=False, min_value=1, max_value=200)
    cursor = serializers.CharField(required=False, allow_blank=True, allow_null=True, max_length=2_000)
