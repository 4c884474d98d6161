"""Chats that a number cannot write to: noted by failures, cleared by a delivery, by whoever writes there or by a person."""

from collections.abc import Collection, Sequence
from uuid import UUID

from django.db import connection, transaction
from django.utils import timezone

from accounts.actors import Actor
from accounts.models import Workspace
from accounts.services.events import record_event
from messaging.models import UnreachableChat, UnreachableReason
from messaging.services.observed import ObservedMessage
from waplus.lib.errors import NotFound

UNREACHABLE_CODES = frozenset(UnreachableReason.values)


def unreachable_sql(alias: str = "q") -> str:
    """SQL: whether the chat of `alias`, a row of the queue, cannot be written to from its number.

    Whoever has written since the failure, as the CRM's chats tell, can be reached.
    """
    return f"""EXISTS (
    SELECT 1 FROM messaging_unreachablechat u
    WHERE u.workspace_id = {alias}.workspace_id AND u.whatsapp_account_id = {alias}.whatsapp_account_id
      AND u.chat_jid = {alias}.chat_jid AND NOT {heard_since_sql("u")}
)"""


def heard_since_sql(alias: str) -> str:
    """SQL: whether somebody has written in an unreachable chat (`alias`) since the failure."""
    return f"""EXISTS (
        SELECT 1 FROM crm_chat heard
        WHERE heard.workspace_id = {alias}.workspace_id AND heard.whatsapp_account_id = {alias}.whatsapp_account_id
          AND heard.jid = {alias}.chat_jid AND heard.last_inbound_at > {alias}.since
    )"""


_NOTE = """
INSERT INTO messaging_unreachablechat AS u (id, workspace_id, whatsapp_account_id, chat_jid, code, since, instance_id)
SELECT gen_random_uuid(), %(workspace)s, %(account)s, v.chat_jid, v.code, %(now)s, %(instance)s
FROM unnest(%(chats)s::text[], %(codes)s::text[]) AS v (chat_jid, code) ORDER BY v.chat_jid
ON CONFLICT (workspace_id, whatsapp_account_id, chat_jid) DO UPDATE
SET code = excluded.code, since = excluded.since, instance_id = excluded.instance_id
RETURNING u.id
"""


def note_failure(*, workspace: Workspace, account_id: UUID, chat_jid: str, code: str, actor: Actor) -> None:
    """A message to a chat failed with a code; the codes of `UnreachableReason` mark the chat, others say nothing of it."""
    note_failures(workspace=workspace, account_id=account_id, failures={chat_jid: code}, actor=actor)


@transaction.atomic
def note_failures(*, workspace: Workspace, account_id: UUID, failures: dict[str, str], actor: Actor) -> None:
    """Messages to several chats of a number failed, each with a code: one statement and its event."""
    marking = {chat_jid: code for chat_jid, code in failures.items() if code in UNREACHABLE_CODES}
    if not marking:
        return
    with connection.cursor() as cursor:
        cursor.execute(
            _NOTE,
            {
                "workspace": workspace.pk,
                "account": account_id,
                "chats": list(marking),
                "codes": list(marking.values()),
                "now": timezone.now(),
                "instance": actor.instance_id,
            },
        )
        noted = [row[0] for row in cursor.fetchall()]
    record_event(
        kind="unreachable_chat.noted",
        actor=actor,
        workspace=workspace,
        obj=UnreachableChat(pk=noted[0]) if len(noted) == 1 else None,
        count=len(noted),
    )


# With a contact, all its chats in the number are meant: who writes from one address is there for the others, too.
_CLEAR = """
DELETE FROM messaging_unreachablechat u
WHERE u.workspace_id = %(workspace)s AND u.whatsapp_account_id = %(account)s AND (
    u.chat_jid = ANY(%(chats)s::text[]) OR u.chat_jid IN (
        SELECT c.jid FROM crm_chat c WHERE c.workspace_id = %(workspace)s AND c.whatsapp_account_id = %(account)s
          AND c.contact_id = ANY(%(contacts)s::uuid[])
    )
)
RETURNING u.id
"""


@transaction.atomic
def note_life(
    *,
    workspace: Workspace,
    account_id: UUID,
    chat_jids: Collection[str],
    actor: Actor,
    contact_ids: Collection[UUID] = (),
) -> int:
    """Something was delivered in chats of a number, or somebody wrote there; answers how many were marked before."""
    with connection.cursor() as cursor:
        cursor.execute(
            _CLEAR,
            {
                "workspace": workspace.pk,
                "account": account_id,
                "chats": list(chat_jids),
                "contacts": list(contact_ids),
            },
        )
        cleared = [row[0] for row in cursor.fetchall()]
    if cleared:
        record_event(
            kind="unreachable_chat.cleared",
            actor=actor,
            workspace=workspace,
            obj=UnreachableChat(pk=cleared[0]) if len(cleared) == 1 else None,
            count=len(cleared),
        )
    return len(cleared)


def clear_at_inbound(workspace: Workspace, actor: Actor, messages: Sequence[ObservedMessage]) -> None:
    """Observer: whoever writes can be written to."""
    heard: dict[UUID, tuple[set, set]] = {}
    for one in messages:
        if not one.from_me and one.is_live:
            chats, contacts = heard.setdefault(one.whatsapp_account_id, (set(), set()))
            chats.add(one.chat_jid)
            if one.contact_id is not None and not one.participant:
                contacts.add(one.contact_id)
    for account_id, (chats, contacts) in heard.items():
        note_life(workspace=workspace, account_id=account_id, chat_jids=chats, contact_ids=contacts, actor=actor)


@transaction.atomic
def clear_unreachable(*, workspace: Workspace, unreachable_id: UUID, actor: Actor) -> None:
    """A person knows better: messages go there again."""
    found = UnreachableChat.objects.for_workspace(workspace).filter(pk=unreachable_id)
    row = found.select_for_update().first()
    if row is None:
        raise NotFound
    row.delete()
    row.pk = unreachable_id
    record_event(kind="unreachable_chat.cleared", actor=actor, workspace=workspace, obj=row)


_FORGET = f"DELETE FROM messaging_unreachablechat u WHERE {heard_since_sql('u')}"


@transaction.atomic
def forget_heard_from() -> int:
    """Delete marks of chats in which somebody has written since; they count no more anyway. Answers how many."""
    with connection.cursor() as cursor:
        cursor.execute(_FORGET)
        return cursor.rowcount
