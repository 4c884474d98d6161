"""The search for contacts that may be one person: in bounded steps over what changed, never over all pairs.

A shared address such as info@… says nothing of a person: where more than
`MAX_GROUP` contacts have the same, none of them is suggested for it.
"""

from collections import defaultdict
from uuid import UUID

from django.db import connection, transaction

from accounts.models import Workspace
from crm.models import ContactIdentity, MergeSuggestion, SuggestionReason, SuggestionScan
from crm.services.chat_links import link_chats
from crm.services.identities import owners_of
from crm.services.suggestions import suggest
from crm.services.sync.epoch import standing_epoch
from waplus.lib.phones import calling_code, format_phone, lookalikes, match_key
from waplus.lib.text import fold

STEP = 500
MAX_GROUP = 5

Pair = tuple[UUID, UUID, SuggestionReason, str]

_WITH_NEWS = """
SELECT w.id FROM accounts_workspace w LEFT JOIN crm_suggestionscan s ON s.workspace_id = w.id
WHERE EXISTS (
    SELECT 1 FROM crm_contact c
    WHERE c.workspace_id = w.id AND c.changed_xid < pg_snapshot_xmin(pg_current_snapshot())
      AND (c.changed_xid, c.id) > (coalesce(s.seen_xid, 0)::text::xid8, coalesce(s.seen_id, %(zero)s::uuid))
)
ORDER BY coalesce(s.seen_xid, 0) LIMIT %(limit)s
"""
_CHANGED = """
SELECT c.id, c.changed_xid::text::bigint FROM crm_contact c
WHERE c.workspace_id = %(workspace)s AND c.changed_xid < pg_snapshot_xmin(pg_current_snapshot())
  AND (c.changed_xid, c.id) > (%(xid)s::text::xid8, %(id)s::uuid)
ORDER BY c.changed_xid, c.id LIMIT %(limit)s
"""
_ALIVE = "{0}.deleted_at IS NULL AND {0}.merged_into_id IS NULL"
# One row more than a group may have tells that it is too large.
_SAME_EMAIL = f"""
SELECT c.id, o.id, c.email FROM crm_contact c CROSS JOIN LATERAL (
    SELECT x.id FROM crm_contact x
    WHERE x.workspace_id = c.workspace_id AND lower(x.email) = lower(c.email) AND NOT (x.email = '')
      AND {_ALIVE.format("x")} LIMIT %(limit)s
) o
WHERE c.workspace_id = %(workspace)s AND c.id = ANY(%(ids)s::uuid[]) AND NOT (c.email = '') AND {_ALIVE.format("c")}
"""
_SAME_NAME = f"""
SELECT c.id, o.id, c.name, c.company, o.company, c.profile_name, o.profile_name
FROM crm_contact c CROSS JOIN LATERAL (
    SELECT x.id, x.company, x.profile_name FROM crm_contact x
    WHERE x.workspace_id = c.workspace_id AND x.sort_name = c.sort_name AND x.name <> ''
      AND {_ALIVE.format("x")} LIMIT %(limit)s
) o
WHERE c.workspace_id = %(workspace)s AND c.id = ANY(%(ids)s::uuid[]) AND c.name <> '' AND {_ALIVE.format("c")}
  AND position(' ' IN c.sort_name) > 0
"""
_ZERO = UUID(int=0)


def find_suggestions(*, workspaces: int = 50, step: int = STEP) -> int:
    """One step in each workspace with news, the longest unseen first; answers how many contacts were looked at.

    In a database that was restored the transaction ids are others: the search begins anew.
    """
    standing_epoch()
    with connection.cursor() as cursor:
        cursor.execute(_WITH_NEWS, {"zero": str(_ZERO), "limit": workspaces})
        ids = [row[0] for row in cursor.fetchall()]
    return sum(_step(workspace, step) for workspace in Workspace.objects.filter(pk__in=ids))


@transaction.atomic
def _step(workspace: Workspace, step: int) -> int:
    """Look at the next contacts of a workspace that changed since the last step."""
    SuggestionScan.objects.bulk_create([SuggestionScan(workspace=workspace)], ignore_conflicts=True)
    scans = SuggestionScan.objects.for_workspace(workspace).select_for_update(skip_locked=True)
    if (scan := scans.first()) is None:
        return 0  # another sweep is at it
    with connection.cursor() as cursor:
        cursor.execute(
            _CHANGED,
            {"workspace": workspace.pk, "xid": scan.seen_xid, "id": str(scan.seen_id or _ZERO), "limit": step},
        )
        rows = cursor.fetchall()
    if rows:
        ids = [row[0] for row in rows]
        search_doubles(workspace=workspace, ids=ids)
        _link_chats(workspace, ids)
        scan.seen_id, scan.seen_xid = rows[-1]
        scan.save(update_fields=["seen_id", "seen_xid"])
    return len(rows)


def _link_chats(workspace: Workspace, ids: list[UUID]) -> None:
    """Find chats that were reported in the very moment in which their contact was written, so that neither saw the other."""
    held = ContactIdentity.objects.for_workspace(workspace).filter(contact__in=ids, holds_key=True)
    link_chats(workspace=workspace, holders=dict(held.values_list("match_key", "contact_id")))


@transaction.atomic
def search_doubles(*, workspace: Workspace, ids: list[UUID]) -> None:
    """Suggest merges of these contacts with others, and take back what no longer holds of what nobody has dismissed.

    What extensions observed stays: it was true when it was seen.
    """
    found: dict[tuple[UUID, UUID], Pair] = {}
    for pair in (*_same_email(workspace, ids), *_similar_number(workspace, ids), *_same_name(workspace, ids)):
        found.setdefault(tuple(sorted(pair[:2])), pair)
    unsettled = MergeSuggestion.objects.for_workspace(workspace).filter(dismissed_at=None)
    unsettled = unsettled.exclude(reason=SuggestionReason.SAME_PERSON)
    there = {
        (one, other): pk
        for side in ("one", "other")
        for pk, one, other in unsettled.filter(**{f"{side}__in": ids}).values_list("pk", "one", "other")
    }
    outdated = [pk for pair, pk in there.items() if pair not in found]
    if outdated:
        MergeSuggestion.objects.filter(pk__in=outdated).delete()
    suggest(workspace=workspace, pairs=[pair for key, pair in found.items() if key not in there])


def _groups(statement: str, workspace: Workspace, ids: list[UUID]) -> dict[UUID, list[tuple]]:
    """Rows by contact, without the contact itself and without groups that are too large."""
    groups = defaultdict(list)
    with connection.cursor() as cursor:
        cursor.execute(statement, {"workspace": workspace.pk, "ids": [str(one) for one in ids], "limit": MAX_GROUP + 1})
        for row in cursor.fetchall():
            groups[row[0]].append(row)
    return {
        contact: [row for row in rows if row[1] != contact]
        for contact, rows in groups.items()
        if len(rows) <= MAX_GROUP
    }


def _same_email(workspace: Workspace, ids: list[UUID]) -> list[Pair]:
    groups = _groups(_SAME_EMAIL, workspace, ids)
    return [(row[0], row[1], SuggestionReason.SAME_EMAIL, row[2]) for rows in groups.values() for row in rows]


def _same_name(workspace: Workspace, ids: list[UUID]) -> list[Pair]:
    """A name of two words or more, together with something else that is the same."""
    rows = [row for rows in _groups(_SAME_NAME, workspace, ids).values() for row in rows]
    numbers = _numbers(workspace, {contact for row in rows for contact in row[:2]})
    pairs = []
    for one, other, name, *texts in rows:
        company, other_company, profile, other_profile = map(fold, texts)
        codes = [{calling_code(digits) for digits in numbers[contact]} - {None} for contact in (one, other)]
        if company and company == other_company:
            also = texts[0]
        elif profile and profile == other_profile:
            also = texts[2]
        elif shared := codes[0] & codes[1]:
            also = f"+{min(shared)}"
        else:
            continue
        pairs.append((one, other, SuggestionReason.SAME_NAME, f"{name}, {also}"))
    return pairs


def _similar_number(workspace: Workspace, ids: list[UUID]) -> list[Pair]:
    """Numbers that differ by what people leave out or add, and that their match keys do not join."""
    likes = [
        (contact, digits, other)
        for contact, numbers in _numbers(workspace, ids).items()
        for digits in numbers
        for other in lookalikes(digits, workspace.default_country)
    ]
    owners = owners_of(workspace, {match_key(other) for _, _, other in likes})
    return [
        (contact, owner, SuggestionReason.SIMILAR_NUMBER, f"{format_phone(digits)}, {format_phone(other)}")
        for contact, digits, other in likes
        if (owner := owners.get(match_key(other))) not in (None, contact)
    ]


def _numbers(workspace: Workspace, ids) -> dict[UUID, list[str]]:
    """The digits of the contacts' numbers; a leaked LID is none."""
    numbers = defaultdict(list)
    rows = ContactIdentity.objects.for_workspace(workspace).filter(
        contact__in=list(ids), kind__in=("phone", "c_us"), holds_key=True, contact__deleted_at=None
    )
    for contact, value, key in rows.order_by("id").values_list("contact", "value", "match_key"):
        if not key.startswith("lid:"):
            numbers[contact].append(value.lstrip("+").partition("@")[0])
    return numbers
