"""Shapes of synced conversations on the API. Items are read one by one by the service, so that one refuses itself alone."""

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from accounts.api import ScopedRelatedField
from crm.models import WhatsAppAccount
from messaging.services.conversations.ingest import MAX_ITEMS

OUTCOMES = ("stored", "updated", "known", "not_needed", "content_not_needed", "refused")


class MediaReferenceSerializer(serializers.Serializer):
    """A file by reference; all of it is optional."""

    id = serializers.UUIDField(required=False, help_text="Of a file that was uploaded.")
    mime = serializers.CharField(required=False, max_length=100)
    size = serializers.IntegerField(required=False, help_text="Bytes.")
    sha256 = serializers.CharField(required=False, help_text="64 hexadecimal digits.")
    name = serializers.CharField(required=False, max_length=255)
    width = serializers.IntegerField(required=False)
    height = serializers.IntegerField(required=False)
    seconds = serializers.IntegerField(required=False, help_text="Length of a voice message, an audio or a video.")
    pages = serializers.IntegerField(required=False)


class _KeySerializer(serializers.Serializer):
    chat_jid = serializers.CharField(help_text="The chat as WhatsApp shows it.")
    message_id = serializers.CharField(help_text="Bare, or serialized as true_…@c.us_3EB0….")
    from_me = serializers.BooleanField(required=False, help_text="Needed with a bare id.")
    participant = serializers.CharField(required=False, help_text="Who wrote it in a group.")


class ObservedMessageSerializer(_KeySerializer):
    """A message as WhatsApp Web shows it."""

    type = serializers.CharField(required=False, default="chat", help_text="WhatsApp's own word; new ones are fine.")
    text = serializers.CharField(required=False, help_text="Leave it out where `needs` does not ask for it.")
    sent_at = serializers.DateTimeField()
    media = MediaReferenceSerializer(required=False)
    quoted_id = serializers.CharField(required=False)
    previous_id = serializers.CharField(
        required=False, help_text="The message before this one in its chat: shows whether one is missing."
    )
    live = serializers.BooleanField(default=False, help_text="It has just happened; false where it is read back.")
    edited_at = serializers.DateTimeField(required=False)
    revoked_at = serializers.DateTimeField(required=False)
    ack = serializers.IntegerField(required=False)
    ack_scheme = serializers.ChoiceField(["web", "baileys"], default="web")


class EditSerializer(_KeySerializer):
    text = serializers.CharField(required=False)
    edited_at = serializers.DateTimeField()


class RevocationSerializer(_KeySerializer):
    revoked_at = serializers.DateTimeField()


class ReactionItemSerializer(_KeySerializer):
    reactor = serializers.CharField(required=False, help_text="`me`, or an id in a group; else the person of the chat.")
    emoji = serializers.CharField(required=False, allow_blank=True, help_text="Empty: taken back.")
    reacted_at = serializers.DateTimeField()


class CoverSerializer(serializers.Serializer):
    """A stretch of a chat that this upload, or one before it, holds wholly."""

    chat_jid = serializers.CharField()
    vars()["from"] = serializers.DateTimeField()
    to = serializers.DateTimeField()
    reached_start = serializers.BooleanField(default=False, help_text="Nothing is older than `from`.")
    whatsapp_count = serializers.IntegerField(required=False, help_text="How many messages WhatsApp has of the chat.")


@extend_schema_field(ObservedMessageSerializer(many=True))
class _Messages(serializers.ListField):
    pass


@extend_schema_field(EditSerializer(many=True))
class _Edits(serializers.ListField):
    pass


@extend_schema_field(RevocationSerializer(many=True))
class _Revocations(serializers.ListField):
    pass


@extend_schema_field(ReactionItemSerializer(many=True))
class _Reactions(serializers.ListField):
    pass


@extend_schema_field(CoverSerializer(many=True))
class _Covers(serializers.ListField):
    pass


def _list_of(field: type[serializers.ListField]) -> serializers.ListField:
    return field(child=serializers.JSONField(allow_null=True), max_length=MAX_ITEMS, required=False)


class ConversationUploadSerializer(serializers.Serializer):
    """At most 500 items in all lists together."""

    whatsapp_account = ScopedRelatedField(queryset=WhatsAppAccount.objects)
    messages = _list_of(_Messages)
    edits = _list_of(_Edits)
    revocations = _list_of(_Revocations)
    reactions = _list_of(_Reactions)
    covers = _list_of(_Covers)


class ConversationOutcomeSerializer(serializers.Serializer):
    outcome = serializers.ChoiceField(choices=OUTCOMES)
    id = serializers.UUIDField(source="row_id", allow_null=True, help_text="Of the stored message.")
    code = serializers.CharField(help_text="Why it was not taken; empty otherwise.")
    detail = serializers.CharField()


class ConversationOutcomesSerializer(serializers.Serializer):
    """Outcomes of each list in the order of its items."""

    messages = ConversationOutcomeSerializer(many=True)
    edits = ConversationOutcomeSerializer(many=True)
    revocations = ConversationOutcomeSerializer(many=True)
    reactions = ConversationOutcomeSerializer(many=True)
    covers = ConversationOutcomeSerializer(many=True)
