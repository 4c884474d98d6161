"""Contacts: whom the workspace writes with."""

import re
import unicodedata
from collections.abc import Iterable

from django.contrib.postgres.indexes import GinIndex, OpClass
from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Lower
from django.utils.translation import gettext_lazy as _

from accounts.scoping import WorkspaceQuerySet
from crm.models.avatars import Avatar
from crm.models.stages import Stage
from crm.models.synced import SyncedModel
from waplus.lib.constraints import CompositeForeignKey, ScopedForeignKey
from waplus.lib.phones import spellings
from waplus.lib.text import fold, searchable, strip_invisible

# Neither in the bin nor merged into another contact.
ALIVE = Q(deleted_at=None, merged_into=None)


class ContactQuerySet(WorkspaceQuerySet):
    def alive(self):
        """Contacts that lists show: neither in the bin nor merged into another one."""
        return self.filter(ALIVE)


class Contact(SyncedModel):
    """Somebody whom the workspace writes with. Needs no phone: a LID or nothing at all will do."""

    versioned = ("name", "profile_name", "company", "email", "owner_id", "stage_id", "avatar_id", "deleted_at")

    name = models.CharField(_("name"), max_length=300, blank=True)
    profile_name = models.CharField(
        _("profile name"), max_length=300, blank=True, help_text=_("What the person calls themselves in WhatsApp.")
    )
    company = models.CharField(_("company"), max_length=300, blank=True)
    email = models.EmailField(_("e-mail address"), blank=True)
    owner = models.ForeignKey("accounts.User", models.SET_NULL, null=True, related_name="+", db_index=False)
    stage = ScopedForeignKey(Stage, models.SET_NULL, null=True, related_name="contacts", db_index=False)
    avatar = ScopedForeignKey(Avatar, models.SET_NULL, null=True, related_name="contacts", db_index=False)
    merged_into = ScopedForeignKey("self", models.CASCADE, null=True, related_name="merged", db_index=False)
    deleted_at = models.DateTimeField(_("put into the bin"), null=True)
    sort_name = models.CharField(
        max_length=300, default="", editable=False, db_collation="C", help_text=_("Folded; by what lists are ordered.")
    )
    search_text = models.TextField(
        editable=False, help_text=_("Folded name, company, address, and digits of the numbers, behind one space.")
    )
    created_at = models.DateTimeField(_("added"))
    updated_at = models.DateTimeField(_("changed"))

    objects = ContactQuerySet.as_manager()

    class Meta(SyncedModel.Meta):
        constraints = [
            *SyncedModel.Meta.constraints,
            CompositeForeignKey(field="stage", name="contact_stage"),
            CompositeForeignKey(field="avatar", name="contact_avatar"),
            CompositeForeignKey(field="merged_into", name="contact_merged_into"),
        ]
        indexes = [
            *SyncedModel.Meta.indexes,
            models.Index(fields=["workspace", "sort_name", "id"], condition=ALIVE, name="contact_by_name"),
            models.Index(fields=["workspace", "updated_at", "id"], condition=ALIVE, name="contact_by_change"),
            models.Index(
                fields=["workspace", "owner", "id"], condition=ALIVE & Q(owner__isnull=False), name="contact_by_owner"
            ),
            models.Index(
                fields=["workspace", "stage", "id"], condition=ALIVE & Q(stage__isnull=False), name="contact_by_stage"
            ),
            models.Index(F("workspace"), Lower("email"), condition=ALIVE & ~Q(email=""), name="contact_by_email"),
            models.Index(
                fields=["workspace", "deleted_at"], condition=Q(deleted_at__isnull=False), name="contact_in_bin"
            ),
            models.Index(fields=["workspace", "avatar"], condition=Q(avatar__isnull=False), name="contact_by_avatar"),
            models.Index(fields=["merged_into"], condition=Q(merged_into__isnull=False), name="contact_merged"),
            GinIndex(
                F("workspace"), OpClass(F("search_text"), name="gin_trgm_ops"), condition=ALIVE, name="contact_search"
            ),
        ]

    def __str__(self) -> str:
        return self.name or self.profile_name or self.company or str(self.id)


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


def query_name(text: str) -> str:
    """A query as the beginning of a name: what `sort_name` begins with if the name does so."""
    return fold(strip_invisible(text))[:300]


def sort_name_of(*, name: str, profile_name: str, company: str, email: str, numbers: list[str]) -> str:
    """What a contact is listed by, folded: the first of these that it has."""
    return next(filter(None, (fold(text)[:300] for text in (name, profile_name, company, email, *numbers[:1]))), "")


def search_text_of(*, name: str, company: str, email: str, numbers: list[str], profile_name: str = "") -> str:
    """What search looks into. `numbers` are digits, found in every spelling; a LID's digits are no number and stay out.

    The leading space makes the first word begin like every other: ` ab` finds words that begin with `ab`
    (`waplus.lib.text.searchable`).
    """
    spelled = {spelling: None for number in numbers for spelling in spellings(number)}
    texts = dict.fromkeys(filter(None, map(fold, (name, profile_name, company, email))))
    return searchable(*texts, *spelled)


def numbers_of(identities: Iterable[tuple[str, str]]) -> list[str]:
    """The digits of the numbers among identities (kind, value), each once and in order.

    A LID is no number, and neither is a `c.us` id with the digits of a LID that stands beside it.
    """
    identities = list(identities)
    leaked = {("c_us", value.replace("@lid", "@c.us")) for kind, value in identities if kind == "lid"}
    numbers = (
        value.lstrip("+").partition("@")[0]
        for kind, value in identities
        if kind in ("phone", "c_us") and (kind, value) not in leaked
    )
    return list(dict.fromkeys(numbers))
