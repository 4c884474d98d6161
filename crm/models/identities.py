"""The identities by which WhatsApp and people know a contact."""

from django.db import models
from django.utils.translation import gettext_lazy as _

from crm.models.contacts import Contact
from crm.models.synced import StampedModel
from crm.models.whatsapp_accounts import WhatsAppAccount
from waplus.lib.constraints import CompositeForeignKey, ScopedForeignKey


class IdentityKind(models.TextChoices):
    """What an identity is. Only phones and `c.us` ids carry a number."""

    PHONE = "phone", _("Phone number")
    C_US = "c_us", _("WhatsApp ID")
    LID = "lid", _("Linked ID")
    BSUID = "bsuid", _("Business-scoped ID")


class IdentitySource(models.TextChoices):
    """Where an identity was observed."""

    PERSON = "person", _("Typed by a member")
    IMPORT = "import", _("Read from a file")
    EXTENSION = "extension", _("Observed in WhatsApp")


class ContactIdentity(StampedModel):
    """One id of a contact, as it was observed; never rewritten.

    `match_key` is equal for all spellings of one number (`waplus.lib.phones`).
    Exactly one identity of a key holds it (`holds_key`), which makes a second
    contact with the same number impossible, races included; further spellings
    hang on the same contact beside it. A contact in the bin holds no key.
    """

    contact = ScopedForeignKey(Contact, models.CASCADE, related_name="identities", db_index=False)
    kind = models.CharField(_("kind"), max_length=8, choices=IdentityKind)
    value = models.CharField(_("value"), max_length=150)
    match_key = models.CharField(max_length=150, editable=False)
    holds_key = models.BooleanField(default=True, editable=False)
    source = models.CharField(_("source"), max_length=10, choices=IdentitySource)
    observed_at = models.DateTimeField(_("first observed"))
    last_seen_at = models.DateTimeField(_("last observed"), null=True)
    instance_id = models.UUIDField(_("device"), null=True, help_text=_("The extension instance that observed it."))
    whatsapp_account = ScopedForeignKey(
        WhatsAppAccount, models.SET_NULL, null=True, related_name="+", db_index=False, help_text=_("Where it was seen.")
    )

    class Meta(StampedModel.Meta):
        verbose_name_plural = _("contact identities")
        constraints = [
            *StampedModel.Meta.constraints,
            CompositeForeignKey(field="contact", name="contact_identity_contact"),
            CompositeForeignKey(field="whatsapp_account", name="contact_identity_account"),
            models.UniqueConstraint(fields=["workspace", "contact", "kind", "value"], name="contact_identity_once"),
            models.UniqueConstraint(
                fields=["workspace", "match_key"],
                condition=models.Q(holds_key=True),
                name="contact_identity_key_holder",
            ),
        ]

    def __str__(self) -> str:
        return self.value
