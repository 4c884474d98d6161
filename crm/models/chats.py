"""Chats of a WhatsApp number, and who is in its groups."""

from datetime import UTC, datetime

from django.contrib.postgres.indexes import GinIndex, OpClass
from django.db import models
from django.db.models import F, Q, Value
from django.db.models.functions import Coalesce
from django.utils.translation import gettext_lazy as _

from crm.models.avatars import Avatar
from crm.models.contacts import Contact
from crm.models.synced import SyncedModel
from crm.models.whatsapp_accounts import WhatsAppAccount
from waplus.lib.constraints import CompositeForeignKey, ScopedForeignKey

# What chats are listed by: the last message, and those without any behind all others.
LISTED_AT = Coalesce("last_message_at", Value(datetime(1970, 1, 1, tzinfo=UTC)), output_field=models.DateTimeField())
LISTED_AT_SQL = "coalesce({alias}.last_message_at, '1970-01-01 00:00:00+00'::timestamptz)"
# What few chats are has an index of its own, in the order of their list.
LISTED_APART = {
    "chat_unread": Q(unread_count__gt=0),
    "chat_awaiting_by_message": Q(awaiting_reply=True),
    "chat_archived": Q(archived=True),
    "chat_not_of_person": ~Q(kind="person"),
}


class ChatKind(models.TextChoices):
    PERSON = "person", _("Person")
    GROUP = "group", _("Group")
    CHANNEL = "channel", _("Channel")
    BROADCAST = "broadcast", _("Broadcast list")


class Chat(SyncedModel):
    """A chat as WhatsApp Web shows it. Its JID is never rewritten: replies go to it, whatever contacts are merged."""

    versioned = (
        *("name", "own_name", "description", "contact_id", "avatar_id", "unread_count", "archived", "pinned"),
        *("last_inbound_at", "last_outbound_at", "awaiting_reply"),
    )

    whatsapp_account = ScopedForeignKey(WhatsAppAccount, models.CASCADE, related_name="chats", db_index=False)
    jid = models.CharField(_("WhatsApp ID"), max_length=64)
    kind = models.CharField(_("kind"), max_length=10, choices=ChatKind)
    name = models.CharField(_("name"), max_length=300, blank=True, help_text=_("As WhatsApp shows it."))
    own_name = models.CharField(
        _("own name"),
        max_length=300,
        blank=True,
        default="",
        db_default="",
        help_text=_("What members call the chat; WhatsApp’s reports leave it alone."),
    )
    description = models.TextField(_("description"), blank=True, max_length=4096)
    contact = ScopedForeignKey(Contact, models.SET_NULL, null=True, related_name="chats", db_index=False)
    avatar = ScopedForeignKey(Avatar, models.SET_NULL, null=True, related_name="chats", db_index=False)
    unread_count = models.PositiveIntegerField(_("unread"), default=0)
    last_message_at = models.DateTimeField(_("last message"), null=True)
    last_inbound_at = models.DateTimeField(_("last received"), null=True)
    last_outbound_at = models.DateTimeField(_("last sent"), null=True)
    awaiting_reply = models.BooleanField(_("awaits a reply"), default=False)
    archived = models.BooleanField(_("archived"), default=False)
    pinned = models.BooleanField(_("pinned"), default=False)
    search_text = models.TextField(editable=False, help_text=_("Both names, folded, each behind one space."))
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta(SyncedModel.Meta):
        constraints = [
            *SyncedModel.Meta.constraints,
            CompositeForeignKey(field="whatsapp_account", name="chat_account"),
            CompositeForeignKey(field="contact", name="chat_contact"),
            CompositeForeignKey(field="avatar", name="chat_avatar"),
            models.UniqueConstraint(fields=["workspace", "whatsapp_account", "jid"], name="chat_once"),
        ]
        indexes = [
            *SyncedModel.Meta.indexes,
            models.Index(fields=["workspace", "contact"], condition=Q(contact__isnull=False), name="chat_of_contact"),
            models.Index(fields=["workspace", "jid"], condition=Q(contact=None), name="chat_of_nobody"),
            models.Index(fields=["workspace", "avatar"], condition=Q(avatar__isnull=False), name="chat_by_avatar"),
            models.Index(F("workspace"), LISTED_AT.desc(), F("id").desc(), name="chat_by_last_message"),
            models.Index(
                fields=["workspace", "last_inbound_at"], condition=Q(awaiting_reply=True), name="chat_awaiting_reply"
            ),
            *(
                models.Index(F("workspace"), LISTED_AT.desc(), F("id").desc(), condition=rare, name=name)
                for name, rare in LISTED_APART.items()
            ),
            GinIndex(F("workspace"), OpClass(F("search_text"), name="gin_trgm_ops"), name="chat_search"),
        ]

    def __str__(self) -> str:
        return self.own_name or self.name or self.jid


class GroupMember(SyncedModel):
    """Somebody in a group, by the id that the group shows; the contact is set where it is known."""

    versioned = ("name", "contact_id", "is_admin")

    chat = ScopedForeignKey(Chat, models.CASCADE, related_name="members", db_index=False)
    jid = models.CharField(_("WhatsApp ID"), max_length=64)
    contact = ScopedForeignKey(Contact, models.SET_NULL, null=True, related_name="group_memberships", db_index=False)
    name = models.CharField(_("name"), max_length=300, blank=True)
    is_admin = models.BooleanField(_("admin of the group"), default=False)

    class Meta(SyncedModel.Meta):
        constraints = [
            CompositeForeignKey(field="chat", name="group_member_chat"),
            CompositeForeignKey(field="contact", name="group_member_contact"),
            models.UniqueConstraint(fields=["workspace", "chat", "jid"], name="group_member_once"),
        ]
        indexes = [
            *SyncedModel.Meta.indexes,
            models.Index(
                fields=["workspace", "contact"], condition=Q(contact__isnull=False), name="group_member_of_contact"
            ),
            models.Index(fields=["workspace", "jid"], condition=Q(contact=None), name="group_member_of_nobody"),
        ]

    def __str__(self) -> str:
        return self.name or self.jid
