"""What extensions report in bulk, item by item: reading values, and telling what became of each.

One item that is wrong must not keep 499 others from being stored, so items are
read one by one and refused one by one; only what is wrong with the request as a
whole refuses the request.
"""

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from uuid import UUID

from django.utils import timezone
from django.utils.dateparse import parse_datetime

from accounts.models import Workspace
from crm.models import WhatsAppAccount
from waplus.lib.errors import Invalid
from waplus.lib.text import strip_invisible

MAX_ITEMS = 500
# Nothing was said in WhatsApp before there was one.
_BEGINNING = datetime(2009, 1, 1, tzinfo=UTC)
_MAX_COUNT = 1_000_000


class ItemRefused(Exception):
    """An item that is not taken, with a stable code and a sentence."""

    def __init__(self, code: str, detail: str):
        self.code = code
        self.detail = detail
        super().__init__(f"{code}: {detail}")


@dataclass(frozen=True)
class Outcome:
    """What became of an item; `row_id` is the contact's or the chat's, as the service says."""

    outcome: str
    row_id: UUID | None = None
    code: str = ""
    detail: str = ""
    # The item links two contacts, and their merge was suggested.
    suggested: bool = False


def refused(error: ItemRefused) -> Outcome:
    """The outcome of an item that was refused."""
    return Outcome("refused", code=error.code, detail=error.detail)


def check_size(items: Collection, limit: int = MAX_ITEMS, field: str = "items") -> None:
    """Refuse a request with too many items."""
    if len(items) > limit:
        raise Invalid(field, "too_many", f"One request has at most {limit} items.")


def check_names(item, allowed: Collection[str]) -> None:
    """Refuse an item that is no object, or that has a name which nobody knows: typing errors must surface."""
    if not isinstance(item, dict):
        raise ItemRefused("invalid", "An item must be an object.")
    if unknown := sorted(set(item) - set(allowed)):
        raise ItemRefused("unknown_field", f"This field is not known: {unknown[0][:50]}.")


def text_of(item: dict, name: str, limit: int = 300, lines: bool = False) -> str | None:
    """A text without what cannot be seen, cut at `limit` characters; None if the item has none."""
    value = item.get(name)
    if value is None:
        return None
    if not isinstance(value, str):
        raise ItemRefused("invalid", f"{name} must be a text.")
    value = strip_invisible(value)
    return (value if lines else " ".join(value.split())).strip()[:limit]


def count_of(item: dict, name: str) -> int | None:
    """A count; None if the item has none. WhatsApp marks a chat as unread with −1, which is one."""
    value = item.get(name)
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int) or not -1 <= value <= _MAX_COUNT:
        raise ItemRefused("invalid", f"{name} must be a whole number.")
    return abs(value)


def flag_of(item: dict, name: str) -> bool | None:
    """Yes or no; None if the item has none."""
    value = item.get(name)
    if value is not None and not isinstance(value, bool):
        raise ItemRefused("invalid", f"{name} must be true or false.")
    return value


def moment_of(item: dict, name: str) -> datetime | None:
    """A time in UTC, never ahead of the server's clock; None if the item has none."""
    value = item.get(name)
    if value is None:
        return None
    try:
        moment = parse_datetime(value) if isinstance(value, str) else None
        if moment is None or moment.tzinfo is None:
            raise ItemRefused("invalid", f"{name} must be a time with an offset, such as 2026-11-24T12:00:00Z.")
        moment = moment.astimezone(UTC)
    except (ValueError, OverflowError) as error:
        raise ItemRefused("invalid", f"{name} is no time that a calendar has.") from error
    if moment < _BEGINNING:
        raise ItemRefused("invalid", f"{name} lies before there was WhatsApp.")
    return min(moment, timezone.now())


def id_of(item: dict, name: str) -> UUID | None:
    """An id; None if the item has none."""
    value = item.get(name)
    if value is None:
        return None
    try:
        return UUID(value)
    except (ValueError, TypeError, AttributeError) as error:
        raise ItemRefused("invalid", f"{name} must be an id.") from error


def known_accounts(workspace: Workspace, items: Iterable) -> set[UUID]:
    """Which of the WhatsApp numbers that items name are the workspace's; one statement for all of them."""
    named = set()
    for item in items:
        try:
            named.add(id_of(item, "whatsapp_account") if isinstance(item, dict) else None)
        except ItemRefused:
            continue
    named.discard(None)
    if not named:
        return set()
    return set(WhatsAppAccount.objects.for_workspace(workspace).filter(pk__in=named).values_list("pk", flat=True))


def account_id_of(item: dict, known: Collection[UUID]) -> UUID | None:
    """The id of the item's WhatsApp number; None if it names none. A foreign one is as unknown as a missing one."""
    account_id = id_of(item, "whatsapp_account")
    if account_id is not None and account_id not in known:
        raise ItemRefused("not_found", "No WhatsApp number with this id is visible to you.")
    return account_id
