"""Shapes of tags, stages and custom fields on the API."""

from rest_framework import serializers

from accounts.api import ClientIdField
from crm.models import Colour, CustomField, FieldKind, Stage, StageOutcome, Tag
from crm.services.custom_fields import MAX_FIELDS, MAX_OPTIONS
from crm.services.naming import MAX_NAME
from crm.services.tags import MAX_TAGS


class OrderSerializer(serializers.Serializer):
    """Ids in the order that is wanted; those that are not named follow as they stood."""

    ids = serializers.ListField(child=serializers.UUIDField(), max_length=max(MAX_TAGS, MAX_FIELDS))


class TagSerializer(serializers.ModelSerializer):
    id = ClientIdField()
    name = serializers.CharField(max_length=MAX_NAME)
    colour = serializers.ChoiceField(choices=Colour.choices, required=False)

    class Meta:
        model = Tag
        fields = ["id", "name", "colour", "position", "version", "created_at"]
        read_only_fields = ["position", "version", "created_at"]


class TagChangeSerializer(TagSerializer):
    """What may be changed of a tag."""

    id = None

    class Meta(TagSerializer.Meta):
        fields = ["name", "colour"]
        read_only_fields = []


class StageSerializer(serializers.ModelSerializer):
    id = ClientIdField()
    name = serializers.CharField(max_length=MAX_NAME)
    colour = serializers.ChoiceField(choices=Colour.choices, required=False)
    outcome = serializers.ChoiceField(choices=StageOutcome.choices, required=False)

    class Meta:
        model = Stage
        fields = ["id", "name", "colour", "outcome", "position", "version", "created_at"]
        read_only_fields = ["position", "version", "created_at"]


class StageChangeSerializer(StageSerializer):
    """What may be changed of a stage."""

    id = None

    class Meta(StageSerializer.Meta):
        fields = ["name", "colour", "outcome"]
        read_only_fields = []


class OptionSerializer(serializers.Serializer):
    """An option of a choice. Without an id it is a new one; options are never deleted, only retired."""

    id = ClientIdField()
    label = serializers.CharField(max_length=MAX_NAME)
    colour = serializers.ChoiceField(choices=Colour.choices, required=False)
    retired = serializers.BooleanField(required=False)


class CustomFieldSerializer(serializers.ModelSerializer):
    id = ClientIdField()
    name = serializers.CharField(max_length=MAX_NAME)
    kind = serializers.ChoiceField(choices=FieldKind.choices)
    options = OptionSerializer(many=True, required=False, max_length=MAX_OPTIONS)
    currency = serializers.CharField(max_length=3, required=False, allow_blank=True, help_text="ISO 4217, of money.")

    class Meta:
        model = CustomField
        fields = ["id", "name", "kind", "options", "currency", "position", "retired_at", "version", "created_at"]
        read_only_fields = ["position", "retired_at", "version", "created_at"]


class CustomFieldChangeSerializer(CustomFieldSerializer):
    """What may be changed of a field. `options` is the whole list in its order; those left out are retired."""

    id = kind = currency = None

    class Meta(CustomFieldSerializer.Meta):
        fields = ["name", "options"]
        read_only_fields = []
