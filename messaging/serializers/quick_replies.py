"""Shapes of quick replies on the API."""

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from accounts.api import ClientIdField, ScopedRelatedField
from crm.models import Contact
from crm.services.naming import MAX_NAME
from messaging.models import QuickReply, QuickReplyFolder, QuickReplyUse, Visibility
from messaging.serializers.content import PartSerializer, PartsField
from messaging.services.quick_replies.changes import MAX_TEAM
from messaging.services.quick_replies.texts import MAX_LANGUAGES
from waplus.lib.ids import validate_uuid7


class QuickReplyFolderSerializer(serializers.ModelSerializer):
    id = ClientIdField()
    name = serializers.CharField(max_length=MAX_NAME)

    class Meta:
        model = QuickReplyFolder
        fields = ["id", "name", "position", "version", "created_at"]
        read_only_fields = ["position", "version", "created_at"]


class QuickReplyFolderChangeSerializer(serializers.Serializer):
    name = serializers.CharField(max_length=MAX_NAME)


class QuickReplyOrderSerializer(serializers.Serializer):
    """Ids in the order that is wanted; those that are not named follow as they stood."""

    ids = serializers.ListField(child=serializers.UUIDField(), max_length=MAX_TEAM)


class QuickReplyTextSerializer(serializers.Serializer):
    """A quick reply in one language."""

    language = serializers.CharField(max_length=16, help_text="BCP 47, such as en or pt-BR.")
    parts = PartsField()


@extend_schema_field(QuickReplyTextSerializer(many=True))
class TextsField(serializers.ListField):
    """A text for each language; shown as the row has them."""

    def __init__(self, **kwargs):
        super().__init__(
            child=QuickReplyTextSerializer(), source="contents", min_length=1, max_length=MAX_LANGUAGES, **kwargs
        )

    def to_representation(self, data):
        return data


class QuickReplySerializer(serializers.ModelSerializer):
    id = ClientIdField()
    name = serializers.CharField(max_length=MAX_NAME)
    shortcut = serializers.CharField(
        max_length=40,
        required=False,
        allow_blank=True,
        help_text="One word, with or without its slash; unique among the team's, or your own, in any case and accents.",
    )
    folder = ScopedRelatedField(queryset=QuickReplyFolder.objects, required=False, allow_null=True)
    visibility = serializers.ChoiceField(choices=Visibility, required=False)
    default_language = serializers.CharField(
        max_length=16,
        required=False,
        help_text="The first text's if left out; used where no text is in the wanted one.",
    )
    texts = TextsField()
    problems = serializers.SerializerMethodField(
        help_text="What is broken in its texts by now, such as a field that was deleted. It still renders."
    )

    class Meta:
        model = QuickReply
        fields = [
            *("id", "name", "shortcut", "folder", "visibility", "default_language", "texts", "position", "problems"),
            *("version", "created_at", "updated_at"),
        ]
        read_only_fields = ["position", "version", "created_at", "updated_at"]

    def get_problems(self, reply) -> list[str]:
        return reply.problems

    def validate(self, attrs):
        if "contents" in attrs:
            attrs["texts"] = attrs.pop("contents")
        return attrs


class QuickReplyChangeSerializer(QuickReplySerializer):
    """What may be changed of a quick reply. `texts` replace all that it had."""

    id = None
    problems = None

    class Meta(QuickReplySerializer.Meta):
        fields = ["name", "shortcut", "folder", "visibility", "default_language", "texts"]
        read_only_fields = []


class ListedQuickReplySerializer(QuickReplySerializer):
    """A quick reply in a list, with how often it was used."""

    use_count = serializers.IntegerField(read_only=True, help_text="Uses in the last 90 days.")
    last_used_at = serializers.DateTimeField(read_only=True, allow_null=True)

    class Meta(QuickReplySerializer.Meta):
        fields = [*QuickReplySerializer.Meta.fields, "use_count", "last_used_at"]


class RenderRequestSerializer(serializers.Serializer):
    """For whom: a contact, or the chat that is open; without both, only fallbacks and the sender's own are filled in."""

    contact = ScopedRelatedField(queryset=Contact.objects.alive(), required=False, allow_null=True)
    chat_jid = serializers.CharField(max_length=64, required=False, allow_blank=True)
    language = serializers.CharField(max_length=16, required=False, allow_blank=True)


class RenderedReplySerializer(serializers.Serializer):
    """Parts that are ready to be inserted. Missing variables stand in them as they are written."""

    language = serializers.CharField()
    parts = PartSerializer(many=True)
    missing = serializers.ListField(child=serializers.CharField())

    def to_representation(self, rendered):
        return {"language": rendered.language, "parts": rendered.parts, "missing": rendered.missing}


class QuickReplyUseSerializer(serializers.ModelSerializer):
    """One use, counted once per id."""

    id = serializers.UUIDField(validators=[validate_uuid7], help_text="A UUIDv7 of your own.")

    class Meta:
        model = QuickReplyUse
        fields = ["id", "used_at"]
        read_only_fields = ["used_at"]


class QuickReplyFileSerializer(serializers.Serializer):
    """A file of quick replies: JSON as exported, or CSV."""

    file = serializers.FileField()


class RefusedRowSerializer(serializers.Serializer):
    row = serializers.IntegerField(help_text="Counted from 1; of CSV, without its titles.")
    name = serializers.CharField()
    field = serializers.CharField()
    code = serializers.CharField()
    detail = serializers.CharField()


class QuickReplyImportSerializer(serializers.Serializer):
    """What became of a file."""

    created = serializers.IntegerField()
    unchanged = serializers.IntegerField(help_text="There already, word for word.")
    refused = RefusedRowSerializer(many=True)
