"""Installed extensions."""

from django.db import models
from django.utils.translation import gettext_lazy as _

from waplus.lib.ids import uuid7
from waplus.lib.walltime import validate_zone


class ExtensionInstance(models.Model):
    """One installation of the extension: anonymous from install, linked to a person at login.

    The extension makes the id and a secret; the secret, kept as a hash, proves
    at every login and refresh that it is this installation which speaks.
    """

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    secret_hash = models.BinaryField(max_length=32, editable=False)
    user = models.ForeignKey("accounts.User", models.SET_NULL, null=True, blank=True, related_name="instances")
    name = models.CharField(_("name"), max_length=60, blank=True, help_text=_("What the person calls this device."))
    version = models.CharField(_("version"), max_length=32)
    installed_at = models.DateTimeField(_("installed"))
    browser = models.CharField(_("browser"), max_length=100, blank=True)
    operating_system = models.CharField(_("operating system"), max_length=100, blank=True)
    platform = models.CharField(_("platform"), max_length=100, blank=True)
    language = models.CharField(_("language"), max_length=35, blank=True)
    time_zone = models.CharField(_("time zone"), max_length=64, blank=True, validators=[validate_zone])
    whatsapp_web_version = models.CharField(_("WhatsApp Web version"), max_length=64, blank=True)
    registered_at = models.DateTimeField(_("registered"), auto_now_add=True)
    seen_at = models.DateTimeField(_("last seen"))

    class Meta:
        verbose_name = _("extension instance")

    def __str__(self) -> str:
        return self.name or self.browser or str(self.id)
