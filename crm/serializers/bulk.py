"""Shapes of bulk actions on the API."""

from rest_framework import serializers

from accounts.api import ClientIdField
from crm.models import BulkAction, BulkKind


class BulkActionSerializer(serializers.ModelSerializer):
    class Meta:
        model = BulkAction
        fields = [
            *("id", "action", "filter", "arguments", "state", "problem", "total", "done", "changed", "refused"),
            *("created_by", "created_at", "finished_at"),
        ]


class BulkStartSerializer(serializers.Serializer):
    """One change to many contacts, named by `filter` or by `ids`, and what the action works with."""

    id = ClientIdField()
    action = serializers.ChoiceField(choices=BulkKind)
    filter = serializers.JSONField(required=False, help_text="See the language of filters; `{}` is everybody.")
    ids = serializers.ListField(child=serializers.UUIDField(), required=False, min_length=1, max_length=1_000)
    tags = serializers.ListField(
        child=serializers.UUIDField(), required=False, max_length=20, help_text="Of `add_tags` and `remove_tags`."
    )
    owner = serializers.UUIDField(
        required=False, allow_null=True, help_text="Of `set_owner`: a member; null is nobody."
    )
    stage = serializers.UUIDField(required=False, allow_null=True, help_text="Of `set_stage`; null is none.")
    field = serializers.UUIDField(required=False, help_text="Of `set_field`.")
    value = serializers.JSONField(required=False, allow_null=True, help_text="Of `set_field`; null empties it.")


class BulkCountSerializer(serializers.Serializer):
    """How many contacts a bulk action would be for."""

    total = serializers.IntegerField()
