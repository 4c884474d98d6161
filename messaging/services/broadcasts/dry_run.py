"""A start that is only tried out: the same decisions on everybody, counted and shown, and nothing kept."""

from uuid import UUID

from django.db import connection, transaction
from django.utils import timezone

from accounts.models import Resource, User, Workspace
from crm.models import Contact
from messaging.models import Broadcast, LeftOut
from messaging.services import contents
from messaging.services.broadcasts import hours
from messaging.services.broadcasts.audience import is_empty
from messaging.services.broadcasts.judging import judge
from waplus.lib.errors import Invalid, NotFound

SAMPLES = 20
PREVIEWS = 3

_COUNTS = """
SELECT count(*), coalesce(sum(times), 0), min(not_before) FILTER (WHERE reason = ''), max(not_before) FILTER (WHERE reason = ''),
       count(*) FILTER (WHERE reason = '' AND zone = '')
FROM broadcast_judged
"""
_BY_REASON = """
SELECT reason, CASE reason WHEN 'missing_variable' THEN missing ELSE '' END AS detail, count(*)
FROM broadcast_judged WHERE reason <> '' GROUP BY 1, 2 ORDER BY 1, 3 DESC, 2
"""
_SAMPLES = """
SELECT reason, contact_id, missing FROM (
    SELECT reason, contact_id, missing, place, row_number() OVER (PARTITION BY reason ORDER BY place) AS number FROM broadcast_judged
) numbered WHERE number <= %s ORDER BY reason, place
"""


def dry_run(*, workspace: Workspace, broadcast_id: UUID, user: User) -> dict:
    """What a start would do now, as docs/broadcasts.md describes it. Refuses what has no message or no audience."""
    rows = Broadcast.objects.for_workspace(workspace).select_related("workspace__plan", "created_by", "started_by")
    broadcast = rows.filter(pk=broadcast_id).first()
    if broadcast is None:
        raise NotFound
    parts = list(contents.parts_of(broadcast))
    if not parts:
        raise Invalid("parts", "required", "There is nothing to be sent yet: write a message.")
    if is_empty(broadcast.audience):
        raise Invalid("audience.include", "required", "Nobody is meant yet: choose an audience.")
    now = timezone.now()
    start = max(broadcast.starts_at or now, now)
    with transaction.atomic():
        judged = judge(broadcast, sender=user, start=start)
        [(people, named, first, last, without_zone)] = _fetch(_COUNTS)
        details = _fetch(_BY_REASON)
        samples = _fetch(_SAMPLES, [SAMPLES])
        bodies = ", ".join(f"body{number}" for number in range(len(parts)))
        previews = _fetch(
            f"SELECT contact_id, chat_jid, {bodies} FROM broadcast_judged WHERE reason = '' ORDER BY place LIMIT %s",
            [PREVIEWS],
        )
        # Nothing of it is kept: the tables go with the transaction.
        transaction.set_rollback(True)
    names = _names(workspace, [row[1] for row in samples] + [row[0] for row in previews])
    return {
        "people": people,
        "repeated": named - people,
        "will_be_sent": judged.fitting,
        "messages": judged.fitting * len(parts),
        "left_out": _left_out(details, samples, names),
        "samples": _people(samples, "", names),
        "previews": [
            {
                "contact": contact,
                "name": names.get(contact, ""),
                "chat_jid": jid,
                "parts": [
                    {"body": body, "media": part.media_id, "media_name": part.media.name if part.media else ""}
                    for body, part in zip(texts, parts, strict=True)
                ],
            }
            for contact, jid, *texts in previews
        ],
        "plan": {"left": judged.plan_left, "limit": workspace.plan.limit_of(Resource.BROADCAST_RECIPIENTS)},
        "would_be_refused": (judged.over_plan > 0 and not broadcast.allow_partial) or judged.fitting == 0,
        "first_at": first,
        "last_at": last,
        "ends_at": hours.end_of(broadcast, start),
        "without_zone": without_zone,
    }


def _fetch(statement: str, params=()) -> list[tuple]:
    with connection.cursor() as cursor:
        cursor.execute(statement, params)
        return cursor.fetchall()


def _names(workspace: Workspace, ids: list[UUID]) -> dict[UUID, str]:
    rows = Contact.objects.for_workspace(workspace).filter(pk__in=ids).only("id", "name", "profile_name", "company")
    return {row.pk: str(row) if row.name or row.profile_name or row.company else "" for row in rows}


def _left_out(details: list[tuple], samples: list[tuple], names: dict[UUID, str]) -> list[dict]:
    found = []
    for reason in LeftOut:
        counts = {detail: count for code, detail, count in details if code == reason}
        if counts:
            found.append(
                {
                    "reason": reason.value,
                    "label": str(reason.label),
                    "count": sum(counts.values()),
                    "details": [{"detail": detail, "count": count} for detail, count in counts.items() if detail],
                    "samples": _people(samples, reason.value, names),
                }
            )
    return found


def _people(samples: list[tuple], reason: str, names: dict[UUID, str]) -> list[dict]:
    return [
        {"contact": contact, "name": names.get(contact, ""), "detail": missing if code == "missing_variable" else ""}
        for code, contact, missing in samples
        if code == reason
    ]
