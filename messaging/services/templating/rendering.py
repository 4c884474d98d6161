"""A text for one contact."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date

from accounts.models import User, Workspace
from crm.models import Contact, FieldValue
from crm.models.contacts import numbers_of
from crm.services.contacts import identities_of
from messaging.models.scheduled import MAX_BODY
from messaging.services.templating.parsing import Literal, Place
from messaging.services.templating.variables import (
    BLANK,
    EMPTY,
    OF_CONTACT,
    TOO_LONG,
    Fields,
    field_text,
    our_values,
    pieces_of,
)

_TO_SPACES = str.maketrans(dict.fromkeys(BLANK, " "))


class MissingVariable(LookupError):
    """A variable without a fallback has no value for this contact. `name` is as it stands in the text, or
    `EMPTY` or `TOO_LONG` where the whole text is."""

    def __init__(self, name: str):
        self.name = name
        super().__init__(name)


@dataclass(frozen=True)
class Rendered:
    """A text with its variables filled in, and the names of those that are missing (they stand in the text as written)."""

    text: str
    missing: tuple[str, ...]


def first_word(text: str) -> str:
    """The text up to its first white space."""
    return text.strip(BLANK).translate(_TO_SPACES).partition(" ")[0]


def _contact_values(contact: Contact, wanted: set[str]) -> dict[str, str]:
    """What the contact's own variables say; a name that nobody gave is the one in WhatsApp."""
    profile_name = contact.profile_name.strip(BLANK)
    name = contact.name.strip(BLANK) or profile_name
    numbers = []
    if "phone" in wanted:
        numbers = numbers_of(identities_of(contact).values_list("kind", "value").order_by("id"))
    return {
        "name": name,
        "first_name": first_word(name),
        "profile_name": profile_name,
        "company": contact.company.strip(BLANK),
        "email": contact.email.strip(BLANK),
        "phone": f"+{numbers[0]}" if numbers else "",
    }


def _held_values(contact: Contact, fields: Fields, wanted: set[str]) -> dict[str, str]:
    """What is in the custom fields that are wanted, and not retired."""
    keys: dict = {}
    for key in wanted:
        if field := fields.living(key):
            keys.setdefault(field.pk, []).append((key, field))
    if not keys:
        return {}
    held = FieldValue.objects.for_workspace(contact.workspace_id).filter(contact=contact, field__in=keys)
    return {
        key: field_text(field, value) for pk, value in held.values_list("field", "value") for key, field in keys[pk]
    }


def values_for(
    workspace: Workspace,
    texts: Iterable[str],
    *,
    contact: Contact | None,
    sender: User | None,
    on: date | None = None,
) -> dict[str, str]:
    """What the variables of some texts say for a contact, by key. What is missing is empty or not there."""
    wanted = {piece.key for text in texts for piece in pieces_of(text) if isinstance(piece, Place)}
    values = our_values(workspace, sender, on)
    if contact is not None:
        if wanted & OF_CONTACT.keys():
            values |= _contact_values(contact, wanted)
        if any("." in key for key in wanted - values.keys()):
            values |= _held_values(contact, Fields(workspace), wanted)
    return values


def fill(text: str, values: Mapping[str, str]) -> Rendered:
    """A text filled with values. White space around all of it is cut off."""
    written, missing = [], []
    for piece in pieces_of(text):
        if isinstance(piece, Literal):
            written.append(piece.text)
        elif value := values.get(piece.key):
            written.append(value)
        elif piece.fallback is not None:
            written.append(piece.fallback)
        else:
            written.append(f"{{{{{piece.name}}}}}")
            missing.append(piece.name)
    return Rendered("".join(written).strip(BLANK), tuple(dict.fromkeys(missing)))


def render_for(
    workspace: Workspace,
    text: str,
    *,
    contact: Contact | None,
    sender: User | None,
    on: date | None = None,
    may_be_empty: bool = False,
) -> str:
    """The text for a contact (or for a chat of nobody whom we know), from a sender, on a day.

    Raises `MissingVariable` with the first that is missing; `may_be_empty` is for captions.
    """
    rendered = fill(text, values_for(workspace, [text], contact=contact, sender=sender, on=on))
    if rendered.missing:
        raise MissingVariable(rendered.missing[0])
    if len(rendered.text) > MAX_BODY:
        raise MissingVariable(TOO_LONG)
    if not rendered.text and not may_be_empty:
        raise MissingVariable(EMPTY)
    return rendered.text
