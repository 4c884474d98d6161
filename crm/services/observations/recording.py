"""Writing observations: a fixed number of statements, however many items there are."""

import json
from datetime import datetime
from uuid import UUID

from django.db import connection, transaction
from django.utils import timezone

from accounts.actors import Actor
from accounts.models import Resource, Workspace
from accounts.services import plans
from accounts.services.events import record_event
from crm.models import Contact, ContactIdentity, IdentityKind, IdentitySource
from crm.services.chat_links import link_chats
from crm.services.identities import Identity, identity_of, owners_of, settle_leaks
from crm.services.observations.planning import KnownContact, Observation, Plan, Planner
from crm.services.reports import (
    ItemRefused,
    Outcome,
    account_id_of,
    check_names,
    check_size,
    known_accounts,
    moment_of,
    refused,
    text_of,
)
from crm.services.suggestions import suggest
from waplus.lib.errors import Refused
from waplus.lib.ids import uuid7
from waplus.lib.jids import InvalidJid, JidKind, parse_jid
from waplus.lib.phones import InvalidPhone

NAMES = ("jid", "lid", "phone", "bsuid", "profile_name", "name", "whatsapp_account", "observed_at")
ATTEMPTS = 4
_FULL = ItemRefused("plan_limit_reached", "The plan's limit of contacts is reached.")


class Overtaken(Exception):
    """Somebody wrote the same people meanwhile: look again."""


def observe(*, workspace: Workspace, actor: Actor, items: list, create: bool = False) -> list[Outcome]:
    """Take what an extension sees, and answer what became of each item, in their order.

    An item is `{jid, lid, phone, bsuid, profile_name, name, whatsapp_account,
    observed_at}`, at least one of the first four; its identities are what
    WhatsApp shows as one person. `row_id` of an outcome is the contact's; the
    outcome is `created`, `added` (an identity is new to the contact), `known`,
    `unknown` (nobody, and `create` is not set) or `refused`.

    The same items again write nothing. Two extensions that submit the same
    people at one moment make them once: the index over key holders decides.
    """
    check_size(items)
    accounts = known_accounts(workspace, items)
    now = timezone.now()
    read = [_read(item, workspace, accounts, now) for item in items]
    for _ in range(ATTEMPTS):
        try:
            with transaction.atomic():
                return _record(workspace, actor, read, create)
        except Overtaken:
            continue
    raise Refused("conflict", "Others are submitting the same people just now: try again.")


def _read(item, workspace: Workspace, accounts: set[UUID], now: datetime) -> Observation | ItemRefused:
    try:
        check_names(item, NAMES)
        identities = dict.fromkeys(filter(None, (_identity(item, name, workspace) for name in NAMES[:4])))
        if not identities:
            raise ItemRefused("required", "Say whom you saw: jid, lid, phone or bsuid.")
        return Observation(
            tuple(identities),
            moment_of(item, "observed_at") or now,
            text_of(item, "profile_name") or "",
            text_of(item, "name") or "",
            account_id_of(item, accounts),
        )
    except ItemRefused as error:
        return error


def _identity(item: dict, name: str, workspace: Workspace) -> Identity | None:
    value = text_of(item, name, limit=200)
    if not value:
        return None
    try:
        if name == "jid":
            # WhatsApp shows a person here by number or by LID.
            kind = IdentityKind.LID if parse_jid(value).kind == JidKind.LID else IdentityKind.C_US
        else:
            kind = IdentityKind(name)
        return identity_of(kind, value, workspace.default_country)
    except InvalidPhone as error:
        raise ItemRefused("invalid_phone", str(error)) from error
    except InvalidJid as error:
        raise ItemRefused("invalid_jid", str(error)) from error


def _record(workspace: Workspace, actor: Actor, read: list, create: bool) -> list[Outcome]:
    read, owners = _settled(workspace, read)
    plan = _plan(workspace, read, owners, len(read) if create else 0)
    if plan.is_empty:
        return plan.outcomes
    _lock(workspace, plan)
    if plan.new:
        places = _reserve(workspace, len(plan.new))
        if places < len(plan.new):
            plan = _plan(workspace, read, owners, places)
            plan.outcomes = [refused(_FULL) if one.outcome == "unknown" else one for one in plan.outcomes]
            _lock(workspace, plan)
    _write(workspace, actor, plan)
    return plan.outcomes


def _settled(workspace: Workspace, read: list) -> tuple[list, dict[str, UUID]]:
    """Items with the keys that their identities have in this workspace, and who holds each key."""
    identities = [identity for item in read if isinstance(item, Observation) for identity in item.identities]
    lids = {identity.match_key for identity in identities if identity.kind == IdentityKind.LID}
    keys = {identity.match_key for identity in identities} | {identity.leak_key for identity in identities} - {""}
    owners = owners_of(workspace, keys)
    known = {*owners, *lids}
    settled = [
        Observation(
            tuple(settle_leaks(item.identities, known)),
            item.observed_at,
            item.profile_name,
            item.name,
            item.account_id,
        )
        if isinstance(item, Observation)
        else item
        for item in read
    ]
    return settled, owners


def _plan(workspace: Workspace, read: list, owners: dict[str, UUID], places: int) -> Plan:
    keys = {identity.match_key for item in read if isinstance(item, Observation) for identity in item.identities}
    owners = {key: owner for key, owner in owners.items() if key in keys}
    planner = Planner(owners, _known(workspace, set(owners.values())), places)
    for item in read:
        planner.take(item)
    return planner.plan


def _known(workspace: Workspace, ids: set[UUID]) -> list[KnownContact]:
    """Contacts with all their identities: two statements."""
    columns = ("name", "profile_name", "company", "email")
    contacts = {
        row[0]: KnownContact(row[0], dict(zip(columns, row[2:], strict=True)), version=row[1])
        for row in Contact.objects.for_workspace(workspace).filter(pk__in=ids).values_list("pk", "version", *columns)
    }
    identities = ContactIdentity.objects.for_workspace(workspace).filter(contact__in=ids).order_by("id")
    for contact_id, kind, value, identity_id, last_seen in identities.values_list(
        "contact_id", "kind", "value", "id", "last_seen_at"
    ):
        if contact_id in contacts:
            contacts[contact_id].seen[kind, value] = identity_id, last_seen
    if len(contacts) < len(ids):
        raise Overtaken("a contact has gone")
    return list(contacts.values())


def _lock(workspace: Workspace, plan: Plan) -> None:
    """Lock the contacts that change, in the order of their ids; they must be what the plan was made for."""
    versions = {contact.id: contact.version for contact in plan.changed}
    if versions:
        alive = Contact.objects.for_workspace(workspace).alive().filter(pk__in=list(versions)).order_by("pk")
        if dict(alive.select_for_update(no_key=True).values_list("pk", "version")) != versions:
            raise Overtaken("a contact has changed")


def _reserve(workspace: Workspace, wanted: int) -> int:
    """Take as many places of the plan as there are, up to `wanted`; answers how many."""
    while wanted > 0:
        try:
            plans.reserve(workspace=workspace, resource=Resource.CONTACTS, amount=wanted)
        except Refused as refusal:
            wanted = max(0, min(wanted - 1, refusal.extra["limit"] - refusal.extra["used"]))
        else:
            break
    return wanted


_CHANGE = """
UPDATE crm_contact c SET name = v.name, profile_name = v.profile_name, sort_name = v.sort_name,
       search_text = v.search_text, updated_at = %(now)s
FROM jsonb_to_recordset(%(rows)s::jsonb)
     AS v (id uuid, name text, profile_name text, sort_name text, search_text text)
WHERE c.workspace_id = %(workspace)s AND c.id = v.id
"""
_ADD = """
INSERT INTO crm_contactidentity (id, workspace_id, contact_id, kind, value, match_key, holds_key, source,
       observed_at, last_seen_at, instance_id, whatsapp_account_id)
SELECT v.id, %(workspace)s, v.contact, v.kind, v.value, v.match_key, v.holds_key, %(source)s,
       v.observed_at, v.observed_at, %(instance)s, v.account
FROM jsonb_to_recordset(%(rows)s::jsonb)
     AS v (id uuid, contact uuid, kind text, value text, match_key text, holds_key bool, observed_at timestamptz,
           account uuid)
ORDER BY v.match_key, v.holds_key DESC, v.value
ON CONFLICT DO NOTHING
"""
_TOUCH = """
WITH seen AS (
    SELECT i.id, v.at FROM crm_contactidentity i
    JOIN unnest(%(ids)s::uuid[], %(times)s::timestamptz[]) AS v (id, at) ON v.id = i.id
    WHERE i.workspace_id = %(workspace)s AND (i.last_seen_at IS NULL OR i.last_seen_at < v.at)
    ORDER BY i.id FOR NO KEY UPDATE OF i
)
UPDATE crm_contactidentity i SET last_seen_at = seen.at FROM seen WHERE i.id = seen.id
"""


def _write(workspace: Workspace, actor: Actor, plan: Plan) -> None:
    now = timezone.now()
    new = [
        Contact(
            id=contact.id, workspace=workspace, created_at=now, updated_at=now, **contact.texts, **contact.derived()
        )
        for contact in plan.new
    ]
    Contact.objects.bulk_create(new)
    with connection.cursor() as cursor:
        if plan.changed:
            rows = [{"id": str(contact.id), **contact.texts, **contact.derived()} for contact in plan.changed]
            cursor.execute(_CHANGE, {"workspace": workspace.pk, "now": now, "rows": json.dumps(rows)})
        if plan.added:
            _add_identities(cursor, workspace, actor, plan)
        if plan.touched:
            times = sorted(plan.touched.items())
            cursor.execute(
                _TOUCH,
                {
                    "workspace": workspace.pk,
                    "ids": [str(identity_id) for identity_id, _ in times],
                    "times": [moment for _, moment in times],
                },
            )
    if plan.added:
        link_chats(workspace=workspace, holders={one.identity.match_key: one.contact_id for one in plan.added})
    if plan.pairs:
        suggest(workspace=workspace, pairs=plan.pairs)
    for kind, contacts in (("contact.created", plan.new), ("contact.observed", plan.changed)):
        if contacts:
            obj = Contact(pk=contacts[0].id) if len(contacts) == 1 else None
            record_event(kind=kind, actor=actor, workspace=workspace, obj=obj, count=len(contacts))


def _add_identities(cursor, workspace: Workspace, actor: Actor, plan: Plan) -> None:
    """Add identities in the order of their keys, so that two who add the same ones wait and do not block each other."""
    rows = [
        {
            "id": str(uuid7()),
            "contact": str(one.contact_id),
            "kind": one.identity.kind.value,
            "value": one.identity.value,
            "match_key": one.identity.match_key,
            "holds_key": one.holds_key,
            "observed_at": one.observation.observed_at.isoformat(),
            "account": one.observation.account_id and str(one.observation.account_id),
        }
        for one in plan.added
    ]
    params = {
        "workspace": workspace.pk,
        "source": IdentitySource.EXTENSION.value,
        "instance": actor.instance_id,
        "rows": json.dumps(rows),
    }
    cursor.execute(_ADD, params)
    if cursor.rowcount != len(rows):
        raise Overtaken("a number was taken")
