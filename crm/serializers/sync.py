"""Shapes of synchronisation on the API."""

from rest_framework import serializers


class ChangeSerializer(serializers.Serializer):
    """A row as it is now, or that it is gone."""

    kind = serializers.CharField(help_text="What it is a row of: contact, note, tag …")
    id = serializers.UUIDField()
    document = serializers.DictField(required=False, help_text="The whole row. Not there if it is deleted.")
    deleted = serializers.BooleanField(required=False, help_text="true if the row is gone, or not yours to see.")


class PulledSerializer(serializers.Serializer):
    """A page of changes."""

    changes = ChangeSerializer(many=True)
    next = serializers.CharField(help_text="The token to go on with. Opaque.")
    more = serializers.BooleanField(help_text="Whether to go on at once; false when you are up to date.")
    epoch = serializers.UUIDField(help_text="The history that versions belong to; changes that you push name it.")
    wake_up = serializers.URLField(
        required=False, help_text="Where to listen for news, if the server has such a channel."
    )
