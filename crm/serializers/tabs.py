"""Shapes of tabs on the API."""

from rest_framework import serializers

from accounts.api import ClientIdField
from crm.models import Tab, TabCount, TabTarget
from crm.services.naming import MAX_NAME
from crm.services.tabs import MAX_TABS, filter_of


class DeadPartSerializer(serializers.Serializer):
    """A part of a saved filter that matches nothing any more, because what it names was deleted."""

    field = serializers.CharField(help_text="Where in the filter.")
    detail = serializers.CharField()


class TabSerializer(serializers.ModelSerializer):
    id = ClientIdField()
    name = serializers.CharField(max_length=MAX_NAME)
    target = serializers.ChoiceField(choices=TabTarget, required=False)
    filter = serializers.JSONField(required=False, help_text="See the language of filters; `{}` shows everything.")
    sort = serializers.CharField(max_length=60, required=False, allow_blank=True)
    dead = serializers.SerializerMethodField()

    class Meta:
        model = Tab
        fields = [
            "id",
            "name",
            "target",
            "filter",
            "sort",
            "shared",
            "position",
            "owner",
            "dead",
            "created_at",
            "version",
        ]
        read_only_fields = ["position", "owner", "created_at", "version"]

    def get_dead(self, tab: Tab) -> DeadPartSerializer(many=True):
        return [{"field": part.field, "detail": part.detail} for part in filter_of(tab).dead]


class TabChangeSerializer(serializers.Serializer):
    name = serializers.CharField(max_length=MAX_NAME, required=False)
    filter = serializers.JSONField(required=False)
    sort = serializers.CharField(max_length=60, required=False, allow_blank=True)
    shared = serializers.BooleanField(required=False)


class TabOrderSerializer(serializers.Serializer):
    """Ids in the order that is wanted; those that are not named follow as they stood."""

    ids = serializers.ListField(child=serializers.UUIDField(), max_length=MAX_TABS)


class TabCountSerializer(serializers.ModelSerializer):
    tab = serializers.UUIDField(source="tab_id")

    class Meta:
        model = TabCount
        fields = ["tab", "count", "exact", "counted_at"]
