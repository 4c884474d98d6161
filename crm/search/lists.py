"""Lists of contacts: a query, a filter and an order become tiers, and a page of them ids and a cursor.

With a query and no other order, contacts are ranked: first those whose number
it is or whose name begins with it, then those that have it in their own text or
tags, then in custom fields, then in notes; within the first by name, within the
others the newest first. A contact stands in the first of these that it belongs to.
"""

import base64
import binascii
import json
from collections.abc import Sequence
from uuid import UUID

from accounts.models import Workspace
from crm.filters.sql import Driver, Sql, all_of, any_of, exists, none_of, union
from crm.models.contacts import query_name
from crm.search.orders import ACROSS, ALIVE, NEWEST, NEWEST_WITH_FIELDS, NEWEST_WITH_NOTES, Segment, segments_of
from crm.search.scans import Place, Scan, Tier
from crm.search.words import MAX_QUERY, Places, Word, words_of
from waplus.lib.api.pagination import DEFAULT_LIMIT, MAX_LIMIT
from waplus.lib.errors import Invalid, Refused
from waplus.lib.phones import match_key

RELEVANCE = "relevance"
LAST_CHARACTER = "\U0010ffff"


def query_of(text: str) -> str:
    """A query as it was typed, or refused."""
    if not isinstance(text, str) or len(text) > MAX_QUERY or "\x00" in text:
        raise Invalid("q", "invalid", f"A query has at most {MAX_QUERY} characters and no NUL.")
    try:
        text.encode()
    except UnicodeEncodeError:
        raise Invalid("q", "invalid", "There is a character in it that no text has.") from None
    return text.strip()


def limit_of(raw) -> int:
    """How many rows a page has."""
    try:
        limit = int(raw or DEFAULT_LIMIT)
    except (ValueError, TypeError, OverflowError):
        limit = 0
    if not 1 <= limit <= MAX_LIMIT:
        raise Invalid("limit", "invalid", f"A page has 1 to {MAX_LIMIT} rows.")
    return limit


def page_of_contacts(
    *,
    workspace: Workspace,
    query: str = "",
    condition: Sql | None = None,
    drivers: Sequence[Driver] = (),
    sort: str = "",
    limit: int = DEFAULT_LIMIT,
    cursor: str = "",
) -> tuple[list[UUID], str | None]:
    """The ids of a page in order, and the cursor of the next one.

    `condition` and `drivers` come from a filter. A page may be short and have a
    next one all the same (`crm.search.scans`).
    """
    words = words_of(workspace, query) if query else []
    sort = sort or (RELEVANCE if words else "name")
    filtered = [condition] if condition is not None else []
    if sort == RELEVANCE and words:
        tiers = _ranked(workspace, query, words, filtered, drivers)
    else:
        segments = NEWEST if sort == RELEVANCE else segments_of(workspace, sort)
        if words:
            places = Places(workspace.pk, words)
            filtered = [*filtered, places.anywhere()]
            drivers = [*drivers, *places.drivers()]
        tiers = [Tier(segment, all_of(filtered), drivers) for segment in segments]
    place = place_of(cursor, sort, [tier.segment for tier in tiers])
    ids, following = Scan(workspace.pk, tiers).page(limit, place)
    return ids, encode_cursor(sort, following) if following else None


def place_of(cursor: str, sort: str, segments: Sequence[Segment]) -> Place | None:
    """Where a cursor points to; none is the beginning."""
    return decode_cursor(cursor, sort, segments) if cursor else None


def _ranked(
    workspace: Workspace, query: str, words: list[Word], filtered: list[Sql], drivers: Sequence[Driver]
) -> list[Tier]:
    places = Places(workspace.pk, words)
    newest = NEWEST[0]
    own = places.own_of(words)
    with_fields = all_of(any_of([places.own(word), places.fields(word)]) for word in words)
    everywhere = places.anywhere()
    first, first_tier = _first(workspace, query, words, filtered, drivers)
    plain = [word for word in words if not word.tags]
    # The walk tells how frequent words are that stand alone; beside a filter, a look at some contacts does.
    own_drivers = [_collected(places.owning(plain), places.own_of(plain) if filtered else None)] if plain else []
    own_drivers += [_collected(union(places.owners(word))) for word in words if word.tags]
    return [
        first_tier,
        Tier(newest, all_of([own, none_of(first), *filtered]), [*own_drivers, *drivers]),
        Tier(
            NEWEST_WITH_FIELDS,
            all_of([with_fields, none_of(own), none_of(first), *filtered]),
            [_collected(places.holding(*words)), *drivers],
            drivers_first=True,
        ),
        Tier(
            NEWEST_WITH_NOTES,
            all_of([everywhere, none_of(with_fields), none_of(first), *filtered]),
            [_collected(places.noted(*words)), *drivers],
            drivers_first=True,
        ),
    ]


def _collected(select: Sql, sample: Sql | None = None) -> Driver:
    return Driver(3, select, stops=False, sample=sample)


def _first(workspace, query, words, filtered, drivers) -> tuple[Sql, Tier]:
    """The best: whose number the query is, or whose name begins with it."""
    if len(words) == 1 and words[0].is_number:
        keys = [match_key(words[0].text)]
        exact = exists(
            Sql(
                "FROM crm_contactidentity known WHERE known.workspace_id = crm_contact.workspace_id "
                "AND known.contact_id = crm_contact.id AND known.match_key = ANY(%s)",
                (keys,),
            )
        )
        known = Sql(
            "SELECT contact_id AS id FROM crm_contactidentity WHERE workspace_id = %s AND holds_key AND match_key = ANY(%s)",
            (workspace.pk, keys),
        )
        return exact, Tier(NEWEST[0], all_of([exact, *filtered]), [Driver(0, known)])
    begin = query_name(query)
    named = Sql("crm_contact.sort_name >= %s AND crm_contact.sort_name <= %s", (begin, begin + LAST_CHARACTER))
    segment = Segment("crm_contact.sort_name", decode=str, within=all_of([ALIVE, named]), cost=ACROSS)
    return named, Tier(segment, all_of(filtered), drivers)


def encode_cursor(sort: str, place: Place) -> str:
    """Opaque: the order, the key of the last row, and its tier unless that is the first."""
    value, row_id = place.key or (None, None)
    value = "" if value is None else value.isoformat() if hasattr(value, "isoformat") else str(value)
    parts = [sort, value, str(row_id or ""), *([place.tier] if place.tier else [])]
    text = json.dumps(parts, ensure_ascii=False, separators=(",", ":"))
    return base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")


def decode_cursor(cursor: str, sort: str, segments: Sequence[Segment]) -> Place:
    """Where a cursor of this very order points to; anything else is refused."""
    try:
        raw = base64.b64decode(cursor + "=" * (-len(cursor) % 4), altchars=b"-_", validate=True)
        name, value, row_id, *tiers = json.loads(raw)
        tier = tiers[0] if len(tiers) == 1 else len(tiers)
        if row_id and any(segment.group for segment in segments):
            # A stage or a member may have come or gone, or moved, since the page before.
            tier = {str(segment.group or ""): index for index, segment in enumerate(segments)}[value]
        if name != sort or type(tier) is not int or not 0 <= tier < len(segments) or "\x00" in value:
            raise ValueError(name)
        value.encode()  # an unpaired surrogate has no UTF-8
        if tiers and row_id == "":
            return Place(tier)
        return Place(tier, (segments[tier].decode(value), UUID(row_id)))
    except (ValueError, TypeError, KeyError, AttributeError, ArithmeticError, binascii.Error, RecursionError) as error:
        raise Refused("invalid_cursor") from error
