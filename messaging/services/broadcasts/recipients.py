"""Everybody whom a broadcast went to, and whom it left out: pages of them, and all as a table."""

from collections.abc import Iterator
from uuid import UUID

from django.db import connection, transaction
from django.utils.translation import gettext as _

from accounts.actors import Actor
from accounts.services.events import record_event
from crm.services.tables import csv_pieces
from messaging.models import Broadcast, DispatchState, LeftOut
from messaging.services.broadcasts.reports import people_of
from waplus.lib.errors import Invalid

BLOCK = 2_000
# By the id of the first part, which is in the order of the start.
_PAGE = """
SELECT first.id, first.contact_id, c.name, c.profile_name, c.company, first.chat_jid, people.state, people.reason_code,
       people.reason, people.sent_at, people.delivered_at, people.read_at, people.replied_at
FROM messaging_queuedmessage first JOIN ({people}) people ON people.contact_id = first.contact_id
JOIN crm_contact c ON c.id = first.contact_id
WHERE first.broadcast_id = %(broadcast)s AND first.position = 0 AND first.id > %(after)s {filter}
ORDER BY first.id LIMIT %(limit)s
"""
_PAGE_OF_ONE = """
SELECT q.id, q.contact_id, c.name, c.profile_name, c.company, q.chat_jid, q.state, q.reason_code, q.reason, q.sent_at,
       q.delivered_at, q.read_at, q.replied_at
FROM (
    SELECT * FROM messaging_queuedmessage people
    WHERE people.broadcast_id = %(broadcast)s AND people.id > %(after)s {filter} ORDER BY people.id LIMIT %(limit)s
) q JOIN crm_contact c ON c.id = q.contact_id ORDER BY q.id
"""
_LEFT_OUT = """
SELECT e.id, e.contact_id, c.name, c.profile_name, c.company, e.reason, e.detail
FROM messaging_broadcastexclusion e JOIN crm_contact c ON c.id = e.contact_id
WHERE e.broadcast_id = %(broadcast)s AND e.id > %(after)s {filter} ORDER BY e.id LIMIT %(limit)s
"""
FIRST = UUID(int=0)
NAMES = (
    *("id", "contact", "name", "chat_jid", "state", "reason_code", "reason", "sent_at", "delivered_at", "read_at"),
    "replied_at",
)


def recipients(*, broadcast: Broadcast, after: UUID | None = None, limit: int = 50, state: str = "") -> list[dict]:
    """Recipients in the order of the start, those behind `after`; of one state if asked. `replied` is one, too."""
    condition = "AND people.replied_at IS NOT NULL" if state == "replied" else "AND people.state = %(state)s"
    if state and state != "replied" and state not in DispatchState.values:
        raise Invalid("state", "invalid_choice", f"One of: {', '.join([*DispatchState.values, 'replied'])}.")
    people = people_of(broadcast)
    page = _PAGE if "GROUP BY" in people else _PAGE_OF_ONE
    statement = page.format(people=people, filter=condition if state else "")
    params = {"broadcast": broadcast.pk, "after": after or FIRST, "limit": limit, "state": state}
    with connection.cursor() as cursor:
        cursor.execute(statement, params)
        rows = cursor.fetchall()
    return [
        dict(zip(NAMES, (id, contact, name or profile or company, *rest), strict=True))
        for id, contact, name, profile, company, *rest in rows
    ]


def exclusions(*, broadcast: Broadcast, after: UUID | None = None, limit: int = 50, reason: str = "") -> list[dict]:
    """Who was left out, in the order of the start."""
    if reason and reason not in LeftOut.values:
        raise Invalid("reason", "invalid_choice", f"One of: {', '.join(LeftOut.values)}.")
    params = {"broadcast": broadcast.pk, "after": after or FIRST, "limit": limit, "reason": reason}
    with connection.cursor() as cursor:
        cursor.execute(_LEFT_OUT.format(filter="AND e.reason = %(reason)s" if reason else ""), params)
        rows = cursor.fetchall()
    return [
        {"id": id, "contact": contact, "name": name or profile or company, "reason": why, "detail": detail}
        for id, contact, name, profile, company, why, detail in rows
    ]


def export_recipients(*, broadcast: Broadcast, actor: Actor) -> Iterator[bytes]:
    """Everybody of a broadcast as CSV in UTF-8 with a byte order mark, in pieces, those who were left out behind.

    That it was exported is recorded at once; the rows are read while the file is taken.
    """
    with transaction.atomic():
        record_event(
            kind="broadcast.exported",
            actor=actor,
            workspace=broadcast.workspace,
            obj=broadcast,
            count=max(broadcast.recipients, 1),
        )
    return csv_pieces(_table(broadcast))


def _table(broadcast: Broadcast) -> Iterator[list[str]]:
    yield [_("Name"), _("WhatsApp ID"), _("State"), _("Reason"), _("Sent"), _("Delivered"), _("Read"), _("Answered")]
    labels, after = dict(DispatchState.choices), None
    while rows := recipients(broadcast=broadcast, after=after, limit=BLOCK):
        for row in rows:
            moments = (row["sent_at"], row["delivered_at"], row["read_at"], row["replied_at"])
            times = [moment.isoformat(" ", "seconds") if moment else "" for moment in moments]
            yield [row["name"], row["chat_jid"], str(labels[row["state"]]), row["reason"], *times]
        after = rows[-1]["id"]
    reasons, after = dict(LeftOut.choices), None
    while rows := exclusions(broadcast=broadcast, after=after, limit=BLOCK):
        for row in rows:
            reason = str(reasons[row["reason"]])
            why = f"{reason}: {row['detail']}" if row["detail"] else reason
            yield [row["name"], "", _("Left out"), why, "", "", "", ""]
        after = rows[-1]["id"]
