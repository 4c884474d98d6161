"""Who must not be written to, by keyed hashes alone; what people said about it; and the words they say it with."""

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from accounts.scoping import WorkspaceModel
from crm.models import Contact, WhatsAppAccount
from waplus.lib.constraints import CompositeForeignKey, ScopedForeignKey

MAX_NOTE = 300
MAX_WORD = 60


class SuppressionSource(models.TextChoices):
    """How somebody came to be suppressed."""

    OPT_OUT_WORD = "opt_out_word", _("Wrote an opt-out word")
    PERSON = "person", _("By a member")
    IMPORT = "import", _("From a list")
    API = "api", _("By a program")


class Suppression(WorkspaceModel):
    """One id of somebody who must not be written to.

    `key_hash` is the HMAC-SHA256 of the match key of an identity (docs/suppression.md):
    it recognises the number when it comes back, and names nobody by itself. One act
    suppresses all ids of a person: the first row leads, the others are `part_of` it,
    and so are ids that the person is known by later. `key_version` tells under which
    pepper the hash was made; nobody can make it anew under another one, because the
    number is not kept.
    """

    key_hash = models.BinaryField(max_length=32, editable=False)
    key_version = models.PositiveIntegerField(editable=False)
    part_of = ScopedForeignKey("self", models.CASCADE, null=True, related_name="parts", db_index=False)
    source = models.CharField(_("source"), max_length=12, choices=SuppressionSource)
    note = models.CharField(_("note"), max_length=MAX_NOTE, blank=True)
    contact = ScopedForeignKey(Contact, models.SET_NULL, null=True, related_name="+", db_index=False)
    created_by = models.ForeignKey("accounts.User", models.SET_NULL, null=True, related_name="+", db_index=False)
    created_at = models.DateTimeField(_("suppressed"))
    lifted_at = models.DateTimeField(_("lifted"), null=True)
    lifted_by = models.ForeignKey("accounts.User", models.SET_NULL, null=True, related_name="+", db_index=False)

    class Meta(WorkspaceModel.Meta):
        constraints = [
            *WorkspaceModel.Meta.constraints,
            CompositeForeignKey(field="part_of", name="suppression_part_of"),
            CompositeForeignKey(field="contact", name="suppression_contact"),
            models.UniqueConstraint(
                fields=["workspace", "key_hash"], condition=Q(lifted_at=None), name="suppression_living"
            ),
            models.CheckConstraint(condition=~Q(part_of=models.F("id")), name="suppression_no_part_of_itself"),
        ]
        indexes = [
            models.Index(
                fields=["workspace", "-id"], condition=Q(lifted_at=None, part_of=None), name="suppression_list"
            ),
            models.Index(
                fields=["workspace", "contact"], condition=Q(contact__isnull=False), name="suppression_of_contact"
            ),
            models.Index(fields=["workspace", "part_of"], condition=Q(part_of__isnull=False), name="suppression_parts"),
        ]

    def __str__(self) -> str:
        return f"suppressed {self.created_at:%Y-%m-%d}"


class ConsentKind(models.TextChoices):
    GIVEN = "given", _("Agreed to be written to")
    WITHDRAWN = "withdrawn", _("Asked not to be written to")


class ConsentMeans(models.TextChoices):
    """How it was said, or who said it for them."""

    WORD = "word", _("A word in WhatsApp")
    PERSON = "person", _("Recorded by a member")
    IMPORT = "import", _("A list")
    API = "api", _("A program")


class ConsentRecord(WorkspaceModel):
    """What somebody said about being written to: when, how, and who wrote it down.

    Of a message it keeps the word that was recognised and nothing else of it.
    It is never changed; without its contact it tells of the suppression alone.
    """

    kind = models.CharField(_("kind"), max_length=9, choices=ConsentKind)
    means = models.CharField(_("how"), max_length=6, choices=ConsentMeans)
    word = models.CharField(_("word"), max_length=MAX_WORD, blank=True)
    evidence = models.CharField(_("evidence"), max_length=MAX_NOTE, blank=True, help_text=_("What a member wrote."))
    suppression = ScopedForeignKey(Suppression, models.CASCADE, related_name="consents", db_index=False)
    contact = ScopedForeignKey(Contact, models.SET_NULL, null=True, related_name="+", db_index=False)
    whatsapp_account = ScopedForeignKey(
        WhatsAppAccount, models.SET_NULL, null=True, related_name="+", db_index=False, help_text=_("Where it was said.")
    )
    recorded_by = models.ForeignKey("accounts.User", models.SET_NULL, null=True, related_name="+", db_index=False)
    recorded_at = models.DateTimeField(_("recorded"))

    class Meta(WorkspaceModel.Meta):
        constraints = [
            *WorkspaceModel.Meta.constraints,
            CompositeForeignKey(field="suppression", name="consent_record_suppression"),
            CompositeForeignKey(field="contact", name="consent_record_contact"),
            CompositeForeignKey(field="whatsapp_account", name="consent_record_account"),
        ]
        indexes = [
            models.Index(fields=["workspace", "suppression"], name="consent_record_of"),
            models.Index(
                fields=["workspace", "contact", "-recorded_at", "-id"],
                condition=Q(contact__isnull=False),
                name="consent_record_timeline",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.recorded_at:%Y-%m-%d}"


class WordKind(models.TextChoices):
    OUT = "out", _("Stops messages")
    IN = "in", _("Allows them again")
    NONE = "none", _("Means nothing here")


class OptOutWord(WorkspaceModel):
    """What a word means in a workspace that is written alone, beside or in place of the defaults; folded.

    The defaults (`messaging.services.suppression.words`) hold without a row; one
    that a workspace does not want has a row of the kind `none`.
    """

    word = models.CharField(_("word"), max_length=MAX_WORD)
    language = models.CharField(_("language"), max_length=16, blank=True, help_text=_("Such as pt; empty for all."))
    kind = models.CharField(_("kind"), max_length=4, choices=WordKind)
    created_by = models.ForeignKey("accounts.User", models.SET_NULL, null=True, related_name="+", db_index=False)
    created_at = models.DateTimeField(_("added"), auto_now_add=True)

    class Meta(WorkspaceModel.Meta):
        constraints = [
            *WorkspaceModel.Meta.constraints,
            models.UniqueConstraint(fields=["workspace", "word"], name="opt_out_word_once"),
        ]

    def __str__(self) -> str:
        return self.word
