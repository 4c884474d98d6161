"""Shapes of notes on the API."""

from rest_framework import serializers

from accounts.api import ClientIdField
from crm.models import Note, NoteEdit
from crm.models.notes import MAX_NOTE


class NoteSerializer(serializers.ModelSerializer):
    """A note. People are user ids, null for who is gone."""

    id = ClientIdField()
    contact = serializers.UUIDField(source="contact_id", read_only=True)
    text = serializers.CharField(max_length=MAX_NOTE, trim_whitespace=False)
    pinned = serializers.BooleanField(required=False)
    author = serializers.UUIDField(source="author_id", read_only=True, allow_null=True)
    edited_by = serializers.UUIDField(source="edited_by_id", read_only=True, allow_null=True)

    class Meta:
        model = Note
        fields = [
            *("id", "contact", "text", "pinned", "author", "created_at", "edited_at", "edited_by"),
            *("deleted_at", "version"),
        ]
        read_only_fields = ["created_at", "edited_at", "deleted_at", "version"]


class NoteChangeSerializer(NoteSerializer):
    """What may be changed of a note."""

    id = contact = author = edited_by = None
    text = serializers.CharField(max_length=MAX_NOTE, trim_whitespace=False, required=False)

    class Meta(NoteSerializer.Meta):
        fields = ["text", "pinned"]
        read_only_fields = []


class NoteEditSerializer(serializers.ModelSerializer):
    """What a note said before; `author` wrote that text at `written_at`."""

    author = serializers.UUIDField(source="author_id", read_only=True, allow_null=True)

    class Meta:
        model = NoteEdit
        fields = ["id", "text", "author", "written_at"]
