"""What filters of contacts say of the few contacts in a batch."""

import json
from collections.abc import Iterable
from uuid import UUID

from django.db import connection

from accounts.models import Workspace
from crm.filters import Filter
from crm.filters.contact_leaves import Tagged
from crm.filters.nodes import Not
from messaging.services.auto_replies.compiled import Rules
from waplus.lib.prepared import PreparedStatement

_FROM = (
    " FROM unnest(%s::uuid[]) AS given (id) LEFT JOIN crm_contact ON crm_contact.workspace_id = %s "
    "AND crm_contact.id = given.id AND crm_contact.deleted_at IS NULL AND crm_contact.merged_into_id IS NULL"
)
_TAGS = PreparedStatement("""
SELECT worn.contact_id, worn.tag_id FROM crm_contacttag worn JOIN crm_contact c ON c.id = worn.contact_id
WHERE worn.workspace_id = $1 AND worn.contact_id = ANY($2::uuid[]) AND c.deleted_at IS NULL AND c.merged_into_id IS NULL
""")


def contact_matches(
    workspace: Workspace, rules: Rules, places: Iterable[int], contacts: Iterable[UUID | None]
) -> dict[UUID | None, dict[int, bool]]:
    """Which of some filters each contact matches. Nobody (None) has no tag, no field and no owner.

    Filters by tags alone, which most are, need the tags of the contacts and no
    more; all others are asked in one query, whatever their number.
    """
    contacts = list(contacts)
    found: dict[UUID | None, dict[int, bool]] = {contact: {} for contact in contacts}
    tagged, others = {}, {}
    for place in places:
        leaf = _tag_leaf(rules.filters[place])
        if leaf is None:
            others[place] = rules.filters[place]
        else:
            tagged[place] = leaf
    if tagged:
        _ask_tags(workspace, tagged, found)
    if others:
        _ask_database(workspace, others, found)
    return found


def _tag_leaf(one: Filter) -> tuple[Tagged, bool] | None:
    """The condition of a filter that speaks of tags alone, and whether it is turned round."""
    negated = isinstance(one.root, Not)
    leaf = one.root.child if negated else one.root
    return (leaf, negated) if isinstance(leaf, Tagged) else None


def _ask_tags(workspace: Workspace, leaves: dict[int, tuple[Tagged, bool]], found: dict) -> None:
    worn: dict[UUID | None, set[UUID]] = {contact: set() for contact in found}
    known = [contact for contact in found if contact is not None]
    for contact, tag in _TAGS.fetch([workspace.pk, known]) if known else ():
        worn[contact].add(tag)
    for contact, tags in worn.items():
        for place, (leaf, negated) in leaves.items():
            found[contact][place] = _wears(leaf, tags) != negated


def _wears(leaf: Tagged, tags: set[UUID]) -> bool:
    if leaf.how == "none":
        return not tags
    return bool(tags & set(leaf.tags)) if leaf.how == "any" else tags >= set(leaf.tags)


def _ask_database(workspace: Workspace, filters: dict[int, Filter], found: dict) -> None:
    # Many rules ask the same: each filter is asked once.
    asked: dict[str, tuple[Filter, list[int]]] = {}
    for place, one in filters.items():
        asked.setdefault(json.dumps(one.data, sort_keys=True), (one, []))[1].append(place)
    conditions = [one.condition() for one, _ in asked.values()]
    columns = ", ".join(f"coalesce(({each.text}), FALSE)" for each in conditions)
    params = [param for each in conditions for param in each.params]
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT given.id, {columns}{_FROM}", [*params, list(found), workspace.pk])
        for contact, *answers in cursor.fetchall():
            for (_, places), answer in zip(asked.values(), answers, strict=True):
                found[contact] |= dict.fromkeys(places, answer)
