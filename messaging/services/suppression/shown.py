"""How suppressed people are shown: by the name of their contact while there is one; nobody can read a hash."""

from collections.abc import Sequence

from crm.models import ContactIdentity, IdentityKind
from messaging.models import Suppression
from waplus.lib.phones import format_phone


def masked(value: str) -> str:
    """A number or id with all but its country's code and last two digits covered."""
    digits = value.lstrip("+").partition("@")[0]
    shown = format_phone(digits) if digits.isdigit() and not value.endswith("@lid") else digits
    kept = {index for index, character in enumerate(shown) if character.isalnum()}
    covered = sorted(kept)[2:-2]
    return "".join("•" if index in covered else character for index, character in enumerate(shown))


def name_suppressed(rows: Sequence[Suppression]) -> None:
    """Give each row a `label`: its contact's name, else its masked number; empty without a contact. One query for all."""
    contacts = {row.contact_id for row in rows if row.contact_id}
    numbers: dict = {}
    identities = ContactIdentity.objects.filter(contact__in=contacts).order_by("-id")
    for contact_id, kind, value in identities.values_list("contact", "kind", "value"):
        if contact_id not in numbers or kind != IdentityKind.LID:
            numbers[contact_id] = masked(value)
    for row in rows:
        contact = row.contact
        row.label = "" if contact is None else contact.name or contact.profile_name or numbers.get(contact.pk, "")
