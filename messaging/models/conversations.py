"""Synced conversations: what a person switched on, how far a chat is synced, and its messages.

Off by default. Nothing of a chat is stored before somebody switches it on, and
what is stored goes when it is switched off (docs/conversations.md).
"""

from django.contrib.postgres.indexes import GinIndex, OpClass
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from accounts.scoping import WorkspaceModel
from crm.models import Chat, Tab, Tag, WhatsAppAccount
from messaging.models.media import MediaFile
from waplus.lib.constraints import CompositeForeignKey, ScopedForeignKey


class RuleKind(models.TextChoices):
    """Which chats a rule switches: one alone, or the persons' chats of a number, a tag or a tab."""

    CHAT = "chat", _("One chat")
    ACCOUNT = "account", _("All chats with persons of a number")
    TAG = "tag", _("Chats with contacts who wear a tag")
    TAB = "tab", _("Chats of a tab")


# The column that says which chats, by the kind of the rule.
RULE_TARGETS = {
    RuleKind.CHAT: "chat",
    RuleKind.ACCOUNT: "whatsapp_account",
    RuleKind.TAG: "tag",
    RuleKind.TAB: "tab",
}


def _one_target() -> Q:
    condition = Q()
    for kind, target in RULE_TARGETS.items():
        condition |= Q(kind=kind.value, **{f"{name}__isnull": name != target for name in RULE_TARGETS.values()})
    return condition


class ConversationRule(WorkspaceModel):
    """A switch that a person set: whether metadata, and whether content, of some chats is synced.

    The switch of one chat goes before all rules of several, and may be off. Content needs metadata.
    """

    kind = models.CharField(_("which chats"), max_length=8, choices=RuleKind)
    chat = ScopedForeignKey(Chat, models.CASCADE, null=True, related_name="+", db_index=False)
    whatsapp_account = ScopedForeignKey(WhatsAppAccount, models.CASCADE, null=True, related_name="+", db_index=False)
    tag = ScopedForeignKey(Tag, models.CASCADE, null=True, related_name="+", db_index=False)
    tab = ScopedForeignKey(Tab, models.CASCADE, null=True, related_name="+", db_index=False)
    metadata_on = models.BooleanField(_("who wrote when"))
    content_on = models.BooleanField(_("what they wrote"))
    version = models.PositiveIntegerField(default=1, help_text=_("Rises with every change."))
    changed_by = models.ForeignKey("accounts.User", models.SET_NULL, null=True, related_name="+")
    changed_at = models.DateTimeField(_("switched"))

    class Meta(WorkspaceModel.Meta):
        constraints = [
            *WorkspaceModel.Meta.constraints,
            *(
                CompositeForeignKey(field=target, name=f"conversation_rule_{target}")
                for target in RULE_TARGETS.values()
            ),
            *(
                models.UniqueConstraint(
                    fields=[target],
                    condition=Q(**{f"{target}__isnull": False}),
                    name=f"conversation_rule_of_{target}",
                )
                for target in RULE_TARGETS.values()
            ),
            models.CheckConstraint(condition=_one_target(), name="conversation_rule_target"),
            models.CheckConstraint(
                condition=Q(metadata_on=True) | Q(content_on=False), name="conversation_rule_needs_metadata"
            ),
        ]
        indexes = [models.Index(fields=["workspace", "kind"], name="conversation_rule_kind")]

    def __str__(self) -> str:
        return f"{self.kind}: {self.id}"


class Deleting(models.TextChoices):
    """What of a chat was switched off and is being deleted."""

    NOTHING = "", _("Nothing")
    CONTENT = "content", _("What was written")
    METADATA = "metadata", _("Everything")


class ConversationSync(WorkspaceModel):
    """How far a chat is synced. A row exists for each chat that is, or was, switched on.

    WhatsApp may show one conversation as two chats (`c.us` and `lid`): `home`
    is the one that its messages are kept under, for most chats the chat itself.
    `metadata_rule` and `content_rule` are the rules by which something is kept.
    Covered ranges are lists of `[from, to]`, seconds since 1970, in order and
    apart from each other; what lies between two of them is a gap.
    """

    chat = ScopedForeignKey(Chat, models.CASCADE, related_name="conversation_syncs", db_index=False)
    home = ScopedForeignKey(Chat, models.CASCADE, related_name="+", db_index=False)
    whatsapp_account = ScopedForeignKey(WhatsAppAccount, models.CASCADE, related_name="+", db_index=False)
    metadata_rule = ScopedForeignKey(ConversationRule, models.SET_NULL, null=True, related_name="+", db_index=False)
    content_rule = ScopedForeignKey(ConversationRule, models.SET_NULL, null=True, related_name="+", db_index=False)
    deleting = models.CharField(max_length=8, choices=Deleting, blank=True, default=Deleting.NOTHING)
    message_count = models.PositiveIntegerField(_("messages"), default=0)
    content_count = models.PositiveIntegerField(_("messages with content"), default=0)
    whatsapp_count = models.PositiveIntegerField(
        _("messages in WhatsApp"), null=True, help_text=_("As the extension counted them, if it did.")
    )
    covered = models.JSONField(default=list)
    content_covered = models.JSONField(default=list)
    reached_start = models.BooleanField(_("synced to its beginning"), default=False)
    content_reached_start = models.BooleanField(_("content synced to its beginning"), default=False)
    synced_at = models.DateTimeField(_("last synced"), null=True)

    class Meta(WorkspaceModel.Meta):
        constraints = [
            *WorkspaceModel.Meta.constraints,
            CompositeForeignKey(field="chat", name="conversation_sync_chat"),
            CompositeForeignKey(field="home", name="conversation_sync_home"),
            CompositeForeignKey(field="whatsapp_account", name="conversation_sync_account"),
            CompositeForeignKey(field="metadata_rule", name="conversation_sync_metadata_rule"),
            CompositeForeignKey(field="content_rule", name="conversation_sync_content_rule"),
            models.UniqueConstraint(fields=["chat"], name="conversation_sync_once"),
        ]
        indexes = [
            models.Index(fields=["home"], name="conversation_sync_by_home"),
            models.Index(fields=["whatsapp_account", "id"], name="conversation_sync_of_account"),
            models.Index(fields=["workspace", "metadata_rule"], name="conversation_sync_metadata"),
            models.Index(fields=["workspace", "content_rule"], name="conversation_sync_content"),
            models.Index(fields=["id"], condition=~Q(deleting=""), name="conversation_sync_deleting"),
        ]

    def __str__(self) -> str:
        return str(self.chat_id)


class ConversationMessage(WorkspaceModel):
    """A message of a synced chat, once, under whatever id WhatsApp showed it.

    `chat` is the conversation's home, `seen_in` the chat that the message was
    seen in. Without `sent_at` it is a stub: an edit, a revocation or an
    acknowledgement came before its message. `has_content` tells whether its
    content was synced; a revoked message has none and stays as a tombstone.
    `content_at` is the edit that the text comes from, None if it is the first.
    """

    chat = ScopedForeignKey(Chat, models.CASCADE, related_name="conversation_messages", db_index=False)
    seen_in = models.UUIDField()
    message_id = models.CharField(_("message id"), max_length=128, help_text=_("The bare id."))
    from_me = models.BooleanField(_("sent by us"))
    participant = models.CharField(_("who wrote it in a group"), max_length=64, blank=True)
    type = models.CharField(_("type"), max_length=40, blank=True)
    sent_at = models.DateTimeField(_("sent"), null=True)
    quoted_id = models.CharField(_("answers to"), max_length=128, blank=True)
    ack = models.SmallIntegerField(
        _("acknowledgement"), null=True, help_text=_("As WhatsApp Web counts: 1 sent, 2 received, 3 read, 4 played.")
    )
    edited_at = models.DateTimeField(_("edited"), null=True)
    revoked_at = models.DateTimeField(_("revoked"), null=True)
    has_content = models.BooleanField(default=False)
    content_at = models.DateTimeField(null=True)
    text = models.TextField(_("text"), blank=True)
    search_text = models.TextField(editable=False, blank=True, help_text=_("Folded text behind one space."))
    media = ScopedForeignKey(MediaFile, models.SET_NULL, null=True, related_name="+", db_index=False)
    media_details = models.JSONField(default=dict, blank=True)
    synced_at = models.DateTimeField(_("synced"))

    class Meta(WorkspaceModel.Meta):
        constraints = [
            *WorkspaceModel.Meta.constraints,
            CompositeForeignKey(field="chat", name="conversation_message_chat"),
            CompositeForeignKey(field="media", name="conversation_message_media"),
            models.UniqueConstraint(
                fields=["chat", "message_id", "from_me", "participant"], name="conversation_message_once"
            ),
            models.CheckConstraint(
                condition=Q(has_content=True) | Q(text="", search_text="", media=None, media_details={}),
                name="conversation_message_content",
            ),
            models.CheckConstraint(
                condition=Q(revoked_at=None) | Q(has_content=False), name="conversation_message_tombstone"
            ),
        ]
        indexes = [
            models.Index(fields=["chat", "sent_at", "id"], name="conversation_message_list"),
            models.Index(fields=["workspace", "sent_at", "id"], name="conversation_message_newest"),
            models.Index(
                fields=["workspace", "media"], condition=Q(media__isnull=False), name="conversation_message_file"
            ),
            models.Index(fields=["synced_at"], condition=Q(sent_at=None), name="conversation_message_stub"),
            # Few among many: what every measurement of a chat asks for.
            models.Index(
                fields=["chat"],
                condition=Q(type="ciphertext", has_content=False, revoked_at=None),
                name="conversation_message_waiting",
            ),
            GinIndex(
                F("workspace"),
                OpClass(F("search_text"), name="gin_trgm_ops"),
                condition=~Q(search_text=""),
                name="conversation_message_search",
            ),
        ]

    def __str__(self) -> str:
        return self.message_id


class MessageReaction(WorkspaceModel):
    """What somebody last answered a message with. An empty emoji is a reaction that was taken back."""

    message = ScopedForeignKey(ConversationMessage, models.CASCADE, related_name="reactions", db_index=False)
    reactor = models.CharField(
        _("who"), max_length=64, help_text=_("`me`, `peer` in a chat with one person, or an id in a group.")
    )
    emoji = models.CharField(_("reaction"), max_length=32, blank=True)
    reacted_at = models.DateTimeField(_("reacted"))

    class Meta(WorkspaceModel.Meta):
        constraints = [
            CompositeForeignKey(field="message", name="message_reaction_message"),
            models.UniqueConstraint(fields=["message", "reactor"], name="message_reaction_once"),
        ]

    def __str__(self) -> str:
        return str(self.message_id)


class SeenMessage(WorkspaceModel):
    """That a message was told to whatever listens, for some hours, so that a second device does not tell it again.

    Holds no more than a hash: chats that are not synced leave nothing else.
    """

    whatsapp_account = ScopedForeignKey(WhatsAppAccount, models.CASCADE, related_name="+", db_index=False)
    key_hash = models.BinaryField(max_length=16)
    seen_at = models.DateTimeField()

    class Meta(WorkspaceModel.Meta):
        constraints = [
            CompositeForeignKey(field="whatsapp_account", name="seen_message_account"),
            models.UniqueConstraint(fields=["whatsapp_account", "key_hash"], name="seen_message_once"),
        ]
        indexes = [models.Index(fields=["seen_at"], name="seen_message_age")]

    def __str__(self) -> str:
        return str(self.id)
