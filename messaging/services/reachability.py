"""Chats that a number cannot write to: noted by failures, cleared by a later delivery, by whoever writes or by a person.

A mark is of one chat, because an address may be gone while another one of the
same person is there. A sign of life is of the contact: whoever writes from, or
gets a message at, one of their chats in a number can be reached at the others.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
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

    Whoever has written since the failure, from this chat or another one of the
    same contact in this number, as the CRM's chats tell, can be reached.
    """
    return f"""EXISTS (
    SELECT 1 FROM messaging_unreachablechat u
    WHERE u.workspace_id = {alias}.workspace_id AND u.whatsapp_account_id = {alias}.whatsapp_account_id
      AND u.chat_jid = {alias}.chat_jid AND NOT {heard_since_sql("u")}
)"""


def heard_since_sql(alias: str) -> str:
    """SQL: whether the person of an unreachable chat (`alias`) has written since the failure, there or in another chat."""
    return f"""(EXISTS (
        SELECT 1 FROM crm_chat heard
        WHERE heard.workspace_id = {alias}.workspace_id AND heard.whatsapp_account_id = {alias}.whatsapp_account_id
          AND heard.jid = {alias}.chat_jid AND heard.last_inbound_at > {alias}.since
    ) OR EXISTS (
        SELECT 1 FROM crm_chat marked
        JOIN crm_chat heard ON heard.workspace_id = marked.workspace_id AND heard.contact_id = marked.contact_id
          AND heard.whatsapp_account_id = marked.whatsapp_account_id
        WHERE marked.workspace_id = {alias}.workspace_id AND marked.whatsapp_account_id = {alias}.whatsapp_account_id
          AND marked.jid = {alias}.chat_jid AND heard.last_inbound_at > {alias}.since
    ))"""


_NOTE = """
INSERT INTO messaging_unreachablechat AS u (id, workspace_id, whatsapp_account_id, chat_jid, code, since, instance_id)
SELECT gen_random_uuid(), %(workspace)s, %(account)s, v.chat_jid, v.code, v.at, %(instance)s
FROM unnest(%(chats)s::text[], %(codes)s::text[], %(moments)s::timestamptz[]) AS v (chat_jid, code, at)
ORDER BY v.chat_jid
ON CONFLICT (workspace_id, whatsapp_account_id, chat_jid) DO UPDATE
SET code = excluded.code, since = excluded.since, instance_id = excluded.instance_id WHERE u.since <= excluded.since
RETURNING u.id
"""


@dataclass(frozen=True)
class Failure:
    """Why a message to a chat failed, and when."""

    code: str
    at: datetime


@dataclass(frozen=True)
class Life:
    """Something was delivered in a chat, or somebody wrote there, and when; `contact_id` is whose chat it is, if known."""

    chat_jid: str
    at: datetime
    contact_id: UUID | None = None


def note_failure(*, workspace: Workspace, account_id: UUID, chat_jid: str, code: str, actor: Actor) -> None:
    """A message to a chat has just failed with a code; the codes of `UnreachableReason` mark the chat, others do not."""
    failures = {chat_jid: Failure(code, timezone.now())}
    note_failures(workspace=workspace, account_id=account_id, failures=failures, actor=actor)


@transaction.atomic
def note_failures(*, workspace: Workspace, account_id: UUID, failures: Mapping[str, Failure], actor: Actor) -> None:
    """Messages to several chats of a number failed: one statement and its event. A later failure's mark stays."""
    marking = {chat_jid: failure for chat_jid, failure in failures.items() if failure.code in UNREACHABLE_CODES}
    if not marking:
        return
    with connection.cursor() as cursor:
        cursor.execute(
            _NOTE,
            {
                "workspace": workspace.pk,
                "account": account_id,
                "chats": list(marking),
                "codes": [failure.code for failure in marking.values()],
                "moments": [failure.at for failure in marking.values()],
                "instance": actor.instance_id,
            },
        )
        noted = [row[0] for row in cursor.fetchall()]
    if not noted:
        return
    record_event(
        kind="unreachable_chat.noted",
        actor=actor,
        workspace=workspace,
        obj=UnreachableChat(pk=noted[0]) if len(noted) == 1 else None,
        count=len(noted),
    )


# With a contact, all its chats in the number are meant. Marks of failures that came after it stay.
_CLEAR = """
WITH life AS (
    SELECT * FROM unnest(%(chats)s::text[], %(moments)s::timestamptz[], %(contacts)s::uuid[]) AS v (chat_jid, at, contact_id)
), alive AS (
    SELECT chat_jid, at FROM life
    UNION ALL
    SELECT c.jid, life.at FROM life JOIN crm_chat c ON c.contact_id = life.contact_id
    WHERE c.workspace_id = %(workspace)s AND c.whatsapp_account_id = %(account)s
), locked AS (
    SELECT u.id FROM messaging_unreachablechat u JOIN alive ON alive.chat_jid = u.chat_jid AND alive.at >= u.since
    WHERE u.workspace_id = %(workspace)s AND u.whatsapp_account_id = %(account)s
    ORDER BY u.chat_jid FOR UPDATE OF u
)
DELETE FROM messaging_unreachablechat u WHERE u.id IN (SELECT id FROM locked) RETURNING u.id
"""


@transaction.atomic
def note_life(*, workspace: Workspace, account_id: UUID, signs: Sequence[Life], actor: Actor) -> int:
    """There were signs of life in chats of a number; answers how many marks of chats that clears."""
    with connection.cursor() as cursor:
        cursor.execute(
            _CLEAR,
            {
                "workspace": workspace.pk,
                "account": account_id,
                "chats": [sign.chat_jid for sign in signs],
                "moments": [sign.at for sign in signs],
                "contacts": [sign.contact_id for sign in signs],
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
    now = timezone.now()
    heard: dict[UUID, set[Life]] = {}
    for one in messages:
        if not one.from_me and one.is_live:
            contact_id = None if one.participant else one.contact_id
            heard.setdefault(one.whatsapp_account_id, set()).add(Life(one.chat_jid, now, contact_id))
    for account_id, signs in heard.items():
        note_life(workspace=workspace, account_id=account_id, signs=list(signs), actor=actor)


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
