"""Contacts, and the identities by which WhatsApp and people know them."""

import re
import unicodedata
from collections.abc import Iterable

from django.contrib.postgres.indexes import GinIndex, OpClass
from django.db import models
from django.db.models import F
from django.utils.translation import gettext_lazy as _

from accounts.scoping import WorkspaceModel, WorkspaceQuerySet
from waplus.lib.constraints import CompositeForeignKey, ScopedForeignKey
from waplus.lib.phones import spellings
from waplus.lib.text import fold, strip_invisible


class ContactQuerySet(WorkspaceQuerySet):
    def search(self, text: str):
        """Contacts whose name, company, address or number contains every word of `text`, folded.

        A word that looks like a number is looked up by its digits, so any
        spelling of a number finds it. Words of one or two letters match where
        a word begins, or anywhere in scripts that put no spaces between words.
        """
        found = self
        for word in search_words(text):
            if len(word) < 3:
                # Too short for the trigram index: the expression hides the column
                # from it, so that the planner filters the workspace's own rows.
                spaced = models.functions.Concat(models.Value(" "), "search_text", output_field=models.TextField())
                found = found.alias(_short=spaced)
                found = found.filter(_short__contains=word if _UNSPACED.search(word) else f" {word}")
            else:
                found = found.filter(search_text__contains=word)
        return found


class Contact(WorkspaceModel):
    """Somebody whom the workspace writes with. Needs no phone: a LID or nothing at all will do."""

    name = models.CharField(_("name"), max_length=300, blank=True)
    company = models.CharField(_("company"), max_length=300, blank=True)
    email = models.EmailField(_("e-mail address"), blank=True)
    search_text = models.TextField(
        editable=False, help_text=_("Folded name, company, address, and digits of the numbers.")
    )
    created_at = models.DateTimeField(_("added"))
    updated_at = models.DateTimeField(_("changed"))

    objects = ContactQuerySet.as_manager()

    class Meta(WorkspaceModel.Meta):
        indexes = [
            models.Index(fields=["workspace", "name", "id"], name="contact_by_name"),
            models.Index(fields=["workspace", "updated_at", "id"], name="contact_by_change"),
            GinIndex(OpClass(F("search_text"), name="gin_trgm_ops"), name="contact_search"),
        ]

    def __str__(self) -> str:
        return self.name or self.company or str(self.id)


class IdentityKind(models.TextChoices):
    """What an identity is. Only phones and `c.us` ids carry a number."""

    PHONE = "phone", _("Phone number")
    C_US = "c_us", _("WhatsApp ID")
    LID = "lid", _("Linked ID")


class IdentitySource(models.TextChoices):
    """Where an identity was observed."""

    PERSON = "person", _("Typed by a member")
    IMPORT = "import", _("Read from a file")
    EXTENSION = "extension", _("Observed in WhatsApp")


class ContactIdentity(WorkspaceModel):
    """One id of a contact, as it was observed; never rewritten.

    `match_key` is equal for all spellings of one number (`waplus.lib.phones`).
    Exactly one identity of a key holds it (`holds_key`), which makes a second
    contact with the same number impossible, races included; further spellings
    hang on the same contact beside it.
    """

    contact = ScopedForeignKey(Contact, models.CASCADE, related_name="identities", db_index=False)
    kind = models.CharField(_("kind"), max_length=8, choices=IdentityKind)
    value = models.CharField(_("value"), max_length=64)
    match_key = models.CharField(max_length=64, editable=False)
    holds_key = models.BooleanField(default=True, editable=False)
    source = models.CharField(_("source"), max_length=10, choices=IdentitySource)
    observed_at = models.DateTimeField(_("observed"))

    class Meta(WorkspaceModel.Meta):
        verbose_name_plural = _("contact identities")
        constraints = [
            *WorkspaceModel.Meta.constraints,
            CompositeForeignKey(field="contact", name="contact_identity_contact"),
            models.UniqueConstraint(fields=["workspace", "kind", "value"], name="contact_identity_once"),
            models.UniqueConstraint(
                fields=["workspace", "match_key"],
                condition=models.Q(holds_key=True),
                name="contact_identity_key_holder",
            ),
        ]
        indexes = [models.Index(fields=["workspace", "contact"], name="contact_identity_of")]

    def __str__(self) -> str:
        return self.value


# Scripts without spaces between words: Thai and its neighbours, Japanese, Chinese, Korean.
_UNSPACED = re.compile(
    "[\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af\U00020000-\U0003ffff]"
)
# What people write between digits, several kinds of dashes included.
_NUMBER = re.compile(r"[0-9+\-\u2010-\u2015\u2212()./ ]+")


def search_words(text: str) -> list[str]:
    """The words of a query, folded; a query that looks like a number is its digits.

    Direction marks, which come along when a number is copied, say nothing, and
    neither does the zero in `+44 (0)20`; digits of other scripts are digits.
    """
    folded = fold(strip_invisible(text))
    number = "".join(str(unicodedata.decimal(c)) if c.isdecimal() else c for c in folded).replace("(0)", "")
    digits = "".join(c for c in number if c.isdecimal())
    if digits and _NUMBER.fullmatch(number):
        return [digits.lstrip("0") or digits]
    return folded.split()[:8]


def numbers_of(identities: Iterable[tuple[str, str]]) -> list[str]:
    """The digits of the numbers among identities (kind, value), each once and in order; a LID is no number."""
    numbers = (value.lstrip("+").partition("@")[0] for kind, value in identities if kind != IdentityKind.LID)
    return list(dict.fromkeys(numbers))


def search_text_of(*, name: str, company: str, email: str, numbers: list[str]) -> str:
    """What search looks into. `numbers` are digits, found in every spelling; a LID's digits are no number and stay out."""
    spelled = {spelling: None for number in numbers for spelling in spellings(number)}
    return " ".join(filter(None, [fold(name), fold(company), fold(email), *spelled]))
