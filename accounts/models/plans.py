"""Plans as rows, and how much of each limit a workspace has used."""

from django.db import models
from django.utils.translation import gettext_lazy as _

from waplus.lib.ids import uuid7

MEBIBYTE = 1024 * 1024


class Resource(models.TextChoices):
    """What a plan limits. The value names the limit's column of `Plan` behind `max_`."""

    CONTACTS = "contacts", _("Contacts")
    MEMBERS = "members", _("Members")
    WHATSAPP_NUMBERS = "whatsapp_numbers", _("WhatsApp numbers")
    SCHEDULED_MESSAGES = "scheduled_messages", _("Scheduled messages waiting")
    BROADCAST_RECIPIENTS = "broadcast_recipients", _("Broadcast recipients a month")
    AI_CREDITS = "ai_credits", _("AI credits a month")
    MEDIA_BYTES = "media_bytes", _("Storage for files")


# Counted in bytes, and shown to people as such.
BYTES = frozenset({Resource.MEDIA_BYTES})
MONTHLY = frozenset({Resource.BROADCAST_RECIPIENTS, Resource.AI_CREDITS})


class Plan(models.Model):
    """What a workspace may use. Limits count rows, or units a calendar month in UTC."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    code = models.SlugField(_("code"), unique=True)
    name = models.CharField(_("name"), max_length=60)
    is_default = models.BooleanField(_("given to new workspaces"), default=False)
    position = models.PositiveSmallIntegerField(_("position"), default=0)
    max_contacts = models.PositiveIntegerField(_("contacts"))
    max_members = models.PositiveIntegerField(_("members"))
    max_whatsapp_numbers = models.PositiveIntegerField(_("WhatsApp numbers"))
    max_scheduled_messages = models.PositiveIntegerField(_("scheduled messages waiting"))
    max_broadcast_recipients = models.PositiveIntegerField(_("broadcast recipients a month"))
    max_ai_credits = models.PositiveIntegerField(_("AI credits a month"))
    max_media_bytes = models.PositiveBigIntegerField(_("bytes of files"), default=500 * MEBIBYTE)
    max_media_mb = models.PositiveIntegerField(_("mebibytes of one file"), default=16)
    requests_per_minute = models.PositiveIntegerField(_("API requests a minute, each instance"), default=600)

    class Meta:
        ordering = ["position"]
        constraints = [
            models.UniqueConstraint(fields=["is_default"], condition=models.Q(is_default=True), name="plan_one_default")
        ]

    def __str__(self) -> str:
        return self.name

    def limit_of(self, resource: str) -> int:
        """The limit of a resource, in rows or units."""
        return getattr(self, f"max_{Resource(resource).value}")


class Usage(models.Model):
    """How much of a resource is used: one row a workspace and resource, for monthly ones a row a month.

    Changed only by a conditional update, which also makes two requests that
    race for the last place take turns (`accounts.services.plans`).
    """

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    workspace = models.ForeignKey("accounts.Workspace", models.CASCADE, related_name="usage")
    resource = models.CharField(max_length=32, choices=Resource)
    period = models.DateField(null=True, help_text=_("First day of the month, for what is limited by the month."))
    used = models.PositiveBigIntegerField(default=0)

    class Meta:
        verbose_name_plural = _("usage")
        constraints = [
            models.UniqueConstraint(fields=["workspace", "resource", "period"], nulls_distinct=False, name="usage_once")
        ]

    def __str__(self) -> str:
        return f"{self.resource}: {self.used}"
