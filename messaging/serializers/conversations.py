"""Shapes of synced conversations on the API. Items are read one by one by the service, so that one refuses itself alone."""

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from accounts.api import ClientIdField, ScopedRelatedField
from crm.models import WhatsAppAccount
from messaging.models import ConversationMessage, ConversationRule, Deleting, MessageReaction, RuleKind
from messaging.services.conversations.ingest import MAX_ITEMS
from messaging.services.conversations.measuring import completeness

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


class ConversationRuleSerializer(serializers.ModelSerializer):
    """A switch. Exactly one of `chat`, `whatsapp_account`, `tag` and `tab` says which chats, as `kind` tells."""

    class Meta:
        model = ConversationRule
        fields = [
            *("id", "kind", "chat", "whatsapp_account", "tag", "tab", "metadata_on", "content_on"),
            *("version", "changed_by", "changed_at"),
        ]


class NewConversationRuleSerializer(serializers.Serializer):
    """What is there already of this kind and target is changed and answered with 200."""

    id = ClientIdField()
    kind = serializers.ChoiceField(RuleKind.choices)
    target = serializers.UUIDField(help_text="Of the chat, number, tag or tab, as `kind` says.")
    metadata_on = serializers.BooleanField()
    content_on = serializers.BooleanField()


class ConversationRuleChangeSerializer(serializers.Serializer):
    metadata_on = serializers.BooleanField(required=False)
    content_on = serializers.BooleanField(required=False)


class LossSerializer(serializers.Serializer):
    """What would be deleted."""

    chats = serializers.IntegerField()
    messages = serializers.IntegerField(help_text="Messages that would go altogether.")
    contents = serializers.IntegerField(help_text="Messages whose texts, files and reactions would go.")


class NamedChatSerializer(serializers.Serializer):
    chat_jid = serializers.CharField()
    metadata = serializers.BooleanField()
    content = serializers.BooleanField()


class NeedsSerializer(serializers.Serializer):
    """Send no more than this. The `ETag` is its version."""

    live_text = serializers.BooleanField(
        help_text="A feature reads the text of messages as they come in; it is stored nowhere."
    )
    persons_metadata = serializers.BooleanField(
        help_text="Metadata of all chats with persons that `chats` does not name."
    )
    persons_content = serializers.BooleanField(help_text="Content of the same.")
    chats = NamedChatSerializer(many=True, help_text="Chats with other switches; groups are on only here.")


class StretchSerializer(serializers.Serializer):
    """Messages after `after` and before `before`; null is without an end on that side."""

    after = serializers.DateTimeField(allow_null=True)
    before = serializers.DateTimeField(allow_null=True)


class CompletenessSerializer(serializers.Serializer):
    value = serializers.FloatField(allow_null=True, min_value=0, max_value=1)
    basis = serializers.ChoiceField(["count", "time", "time_so_far"], help_text="What it was measured by.")


class ConversationWorkSerializer(serializers.Serializer):
    """A chat and what to fetch of it, what matters most first."""

    chat = serializers.UUIDField(source="chat.pk")
    chat_jid = serializers.CharField(source="chat.jid")
    content = serializers.BooleanField(help_text="Whether content is wanted, or metadata alone.")
    stretches = StretchSerializer(many=True)
    completeness = CompletenessSerializer()


class ConversationWorkListSerializer(serializers.Serializer):
    results = ConversationWorkSerializer(many=True)


class ReactionSerializer(serializers.ModelSerializer):
    class Meta:
        model = MessageReaction
        fields = ["reactor", "emoji", "reacted_at"]


class ConversationMessageSerializer(serializers.ModelSerializer):
    """A synced message; `text` is null where its content was not synced, or was revoked."""

    text = serializers.SerializerMethodField()

    class Meta:
        model = ConversationMessage
        fields = [
            *("id", "chat", "message_id", "from_me", "participant", "type", "sent_at", "quoted_id", "ack", "edited_at"),
            *("revoked_at", "text", "media", "media_details"),
        ]

    def get_text(self, message) -> str | None:
        return message.text if message.has_content else None


class ConversationMessageWithReactionsSerializer(ConversationMessageSerializer):
    reactions = ReactionSerializer(many=True)

    class Meta(ConversationMessageSerializer.Meta):
        fields = [*ConversationMessageSerializer.Meta.fields, "reactions"]


class StretchOfMessagesSerializer(serializers.Serializer):
    """Messages in the order in which they were sent. Ask again with `before=<older>` or `after=<newer>`."""

    results = ConversationMessageWithReactionsSerializer(many=True)
    older = serializers.CharField(allow_null=True, help_text="Null: there is nothing older.")
    newer = serializers.CharField(allow_null=True, help_text="Behind the last of these; null where there is none.")


class ConversationSerializer(serializers.Serializer):
    """How a chat is synced."""

    chat = serializers.UUIDField(source="chat.pk")
    chat_jid = serializers.CharField(source="chat.jid")
    whatsapp_account = serializers.UUIDField(source="whatsapp_account_id")
    metadata_rule = serializers.UUIDField(source="metadata_rule_id", allow_null=True)
    content_rule = serializers.UUIDField(source="content_rule_id", allow_null=True)
    deleting = serializers.ChoiceField(Deleting.choices, help_text="What was switched off and is being deleted.")
    message_count = serializers.IntegerField()
    content_count = serializers.IntegerField()
    whatsapp_count = serializers.IntegerField(allow_null=True)
    synced_at = serializers.DateTimeField(allow_null=True)
    completeness = serializers.SerializerMethodField()

    @extend_schema_field(CompletenessSerializer)
    def get_completeness(self, sync) -> dict:
        return CompletenessSerializer(completeness(sync)).data
