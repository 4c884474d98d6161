"""Links to stretches of synced conversations, and who opened them."""

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from accounts.scoping import WorkspaceModel
from crm.models import Chat, Contact
from waplus.lib.constraints import CompositeForeignKey, ScopedForeignKey

MAX_SHARED = 500


class ShareLink(WorkspaceModel):
    """A link that shows some messages of a chat to whoever has it, until it expires or is revoked.

    It names the messages one by one: what arrives later is never among them.
    Nothing is copied; each opening reads the messages as they are then. Of the
    token only a hash is kept. Ids are no foreign keys, so that a link never
    stands in the way of a deletion.
    """

    chat = ScopedForeignKey(Chat, models.CASCADE, related_name="+", db_index=False)
    contact = ScopedForeignKey(
        Contact, models.CASCADE, null=True, related_name="+", db_index=False, help_text=_("Whose deletion ends it.")
    )
    message_ids = ArrayField(models.UUIDField(), verbose_name=_("messages"))
    removed_ids = ArrayField(models.UUIDField(), verbose_name=_("left out"), default=list, blank=True)
    token_hash = models.BinaryField(max_length=32, editable=False, unique=True)
    password = models.CharField(_("password"), max_length=128, blank=True)
    redact_numbers = models.BooleanField(_("numbers are masked"), default=True)
    include_media = models.BooleanField(_("files are shown"), default=False)
    expires_at = models.DateTimeField(_("expires"))
    revoked_at = models.DateTimeField(_("revoked"), null=True)
    opened_count = models.PositiveIntegerField(_("opened"), default=0)
    created_by = models.ForeignKey("accounts.User", models.SET_NULL, null=True, related_name="+")
    created_at = models.DateTimeField(_("made"))

    class Meta(WorkspaceModel.Meta):
        constraints = [
            *WorkspaceModel.Meta.constraints,
            CompositeForeignKey(field="chat", name="share_link_chat"),
            CompositeForeignKey(field="contact", name="share_link_contact"),
            models.CheckConstraint(
                condition=Q(message_ids__len__gte=1, message_ids__len__lte=MAX_SHARED), name="share_link_messages"
            ),
            models.CheckConstraint(condition=Q(removed_ids__contained_by=F("message_ids")), name="share_link_removed"),
        ]
        indexes = [
            models.Index(fields=["workspace", "chat"], name="share_link_of_chat"),
            models.Index(
                fields=["workspace", "contact"], condition=Q(contact__isnull=False), name="share_link_of_contact"
            ),
            models.Index(fields=["expires_at"], name="share_link_expiry"),
        ]

    def __str__(self) -> str:
        return str(self.pk)


class ShareOpening(WorkspaceModel):
    """That somebody opened a link: the kind of browser and the rough network, no more than tells one from another."""

    share = ScopedForeignKey(ShareLink, models.CASCADE, related_name="openings", db_index=False)
    opened_at = models.DateTimeField(_("opened"))
    agent = models.CharField(_("browser"), max_length=60, blank=True, help_text=_("Such as Chrome 140 on Windows."))
    network = models.CharField(
        _("network"), max_length=45, blank=True, help_text=_("The address without its last parts: /24, or /48 of IPv6.")
    )

    class Meta(WorkspaceModel.Meta):
        constraints = [
            *WorkspaceModel.Meta.constraints,
            CompositeForeignKey(field="share", name="share_opening_share"),
        ]
        indexes = [models.Index(fields=["share", "-id"], name="share_opening_list")]

    def __str__(self) -> str:
        return self.agent
