"""Suppressing somebody, and lifting it: each one transaction with its record of consent and its event."""

from collections.abc import Iterable
from uuid import UUID

from django.db import transaction
from django.utils import timezone

from accounts.actors import Actor
from accounts.models import Workspace
from accounts.services.events import record_event
from crm.models import Contact, ContactIdentity
from crm.services.identities import owners_of
from messaging.models import ConsentKind, ConsentMeans, ConsentRecord, Suppression, SuppressionSource
from messaging.services.suppression.keys import hash_of, key_version, keys_of_jid
from waplus.lib.errors import Invalid, NotFound
from waplus.lib.ids import uuid7
from waplus.lib.locks import take_turns
from waplus.lib.phones import InvalidPhone, match_key
from waplus.lib.plain_phones import read_phone

SUPPRESSIONS = "messaging_suppressions"
MEANS = {
    SuppressionSource.OPT_OUT_WORD: ConsentMeans.WORD,
    SuppressionSource.PERSON: ConsentMeans.PERSON,
    SuppressionSource.IMPORT: ConsentMeans.IMPORT,
    SuppressionSource.API: ConsentMeans.API,
}


@transaction.atomic
def suppress(
    *,
    workspace: Workspace,
    actor: Actor,
    source: SuppressionSource,
    contact: Contact | UUID | None = None,
    phone: str = "",
    jid: str = "",
    note: str = "",
    word: str = "",
    account_id: UUID | None = None,
    id: UUID | None = None,
) -> tuple[Suppression, bool]:
    """Write to somebody no more, and whether that is new: whoever is suppressed already stays so as they are.

    They are named by a contact, a number as people type it, or a WhatsApp id of a
    person; all ids of the contact behind it are suppressed together. `word` is the
    opt-out word that they wrote, `account_id` the number that they wrote it to.
    Refuses a contact without ids, a group, and what is no number.
    """
    if made := Suppression.objects.of_client(workspace, id):
        return leader_of(made), False
    take_turns(SUPPRESSIONS, workspace.pk)
    keys, contact_id = _keys(workspace, contact, phone, jid)
    hashes = [hash_of(key) for key in keys]
    leader = _leader(workspace, hashes)
    is_new = leader is None
    now = timezone.now()
    # Of a word that somebody wrote, whose device saw it does not matter.
    member_id = None if source == SuppressionSource.OPT_OUT_WORD else actor.user_id
    row = {
        "workspace": workspace,
        "key_version": key_version(),
        "source": source,
        "contact_id": contact_id,
        "created_by_id": member_id,
        "created_at": now,
    }
    if leader is None:
        leader = Suppression(id=id or uuid7(), key_hash=hashes.pop(0), note=note, **row)
        leader.save(force_insert=True)
        ConsentRecord.objects.create(
            workspace=workspace,
            kind=ConsentKind.WITHDRAWN,
            means=MEANS[source],
            word=word,
            evidence=note,
            suppression=leader,
            contact_id=contact_id,
            whatsapp_account_id=account_id,
            recorded_by_id=member_id,
            recorded_at=now,
        )
        record_event(kind="suppression.created", actor=actor, workspace=workspace, obj=leader)
    Suppression.objects.bulk_create(
        (Suppression(key_hash=key_hash, part_of=leader, **row) for key_hash in hashes), ignore_conflicts=True
    )
    return leader, is_new


def _keys(workspace: Workspace, contact, phone: str, jid: str) -> tuple[list[str], UUID | None]:
    """The match keys of a person, that of what they were named by first, and the contact, if it is one."""
    keys: list[str] = []
    if phone:
        try:
            keys = [match_key(read_phone(phone, workspace.default_country or None))]
        except InvalidPhone as error:
            raise Invalid("phone", "invalid_phone", str(error)) from error
    elif jid:
        keys = keys_of_jid(jid)
        if not keys:
            raise Invalid("jid", "invalid_jid", "Name a person by an id such as 4915112345678@c.us; groups have none.")
    owners = owners_of(workspace, keys) if keys else {}
    # The digits of a c.us id are a number, unless they are known as a LID that leaked.
    keys = keys if len(keys) < 2 else [keys[1] if keys[1] in owners and keys[0] not in owners else keys[0]]
    contact_id = contact.pk if isinstance(contact, Contact) else contact or owners.get(next(iter(keys), ""))
    if contact_id is not None:
        identities = ContactIdentity.objects.for_workspace(workspace).filter(contact=contact_id).order_by("id")
        keys += identities.values_list("match_key", flat=True)
    if not keys:
        raise Invalid(
            "contact", "no_identity", "This contact has no number or WhatsApp id by which it could be recognised."
        )
    return list(dict.fromkeys(keys)), contact_id


def living(workspace: Workspace, hashes: Iterable[bytes]):
    """The suppressions that hold of some hashes."""
    return Suppression.objects.for_workspace(workspace).filter(key_hash__in=list(hashes), lifted_at=None)


def _leader(workspace: Workspace, hashes: Iterable[bytes]) -> Suppression | None:
    found = living(workspace, hashes).select_related("part_of").order_by("id").first()
    return found and leader_of(found)


def leader_of(suppression: Suppression) -> Suppression:
    """The row that stands for the whole act."""
    return suppression.part_of or suppression


def suppressions_of(*, workspace: Workspace, contact: Contact | UUID | None = None, jid: str = "") -> list[Suppression]:
    """What holds of a contact or of who stands behind a chat, by their leading rows, the oldest first."""
    try:
        keys, _ = _keys(workspace, contact, "", jid)
    except Invalid:
        return []
    keys += keys_of_jid(jid)
    rows = living(workspace, {hash_of(key) for key in keys}).select_related("part_of").order_by("id")
    return list({leader.pk: leader for leader in map(leader_of, rows)}.values())


@transaction.atomic
def lift(
    *,
    workspace: Workspace,
    actor: Actor,
    suppression_id: UUID,
    evidence: str = "",
    means: ConsentMeans = ConsentMeans.PERSON,
    word: str = "",
    account_id: UUID | None = None,
) -> Suppression:
    """Allow messages to somebody again, with all their ids, and keep what the consent rests on.

    A member or a program says why (`evidence`, required); who wrote an opt-in word
    has said it. Lifting again changes nothing.
    """
    take_turns(SUPPRESSIONS, workspace.pk)
    found = Suppression.objects.for_workspace(workspace).select_related("part_of").filter(pk=suppression_id).first()
    if found is None:
        raise NotFound
    leader = leader_of(found)
    if leader.lifted_at is not None:
        return leader
    if not evidence.strip() and not word:
        raise Invalid("reason", "required", "Say what the consent rests on: when and how it was given.")
    now = timezone.now()
    member_id = None if means == ConsentMeans.WORD else actor.user_id
    rows = Suppression.objects.for_workspace(workspace).filter(lifted_at=None)
    rows.filter(part_of=leader).update(lifted_at=now, lifted_by_id=member_id)
    leader.lifted_at, leader.lifted_by_id = now, member_id
    leader.save(update_fields=["lifted_at", "lifted_by"])
    ConsentRecord.objects.create(
        workspace=workspace,
        kind=ConsentKind.GIVEN,
        means=means,
        word=word,
        evidence=evidence.strip(),
        suppression=leader,
        contact_id=leader.contact_id,
        whatsapp_account_id=account_id,
        recorded_by_id=member_id,
        recorded_at=now,
    )
    record_event(kind="suppression.lifted", actor=actor, workspace=workspace, obj=leader, changed=["lifted_at"])
    return leader


@transaction.atomic
def lift_contact(
    *, workspace: Workspace, actor: Actor, contact: Contact, evidence: str, means: ConsentMeans = ConsentMeans.PERSON
) -> list[Suppression]:
    """Lift whatever holds of a contact: a merge can have brought several."""
    return [
        lift(workspace=workspace, actor=actor, suppression_id=each.pk, evidence=evidence, means=means)
        for each in suppressions_of(workspace=workspace, contact=contact)
    ]
