"""Who of an audience gets a broadcast, what it says to each of them, and when: statements over everybody at once.

The outcome stands in temporary tables of the caller's transaction, which a dry
run only counts and a start queues: what was tried out is what happens.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from uuid import UUID

from django.db import connection

from accounts.models import Resource, User
from accounts.services import plans
from messaging.models import Broadcast, ContentPart, HoursOf
from messaging.services import contents
from messaging.services.addressing import address_sql, phone_key_sql, recipient_zone_sql
from messaging.services.broadcasts import hours
from messaging.services.broadcasts.audience import people_sql
from messaging.services.broadcasts.preparing import spans
from messaging.services.reachability import unreachable_sql
from messaging.services.suppression import suppressed_contacts_sql
from messaging.services.templating import as_sql

# What is decided first is told: who is in the bin is not asked for variables. The last three reasons (somebody else's
# chat, no time, beyond the plan) follow, because they depend on everybody else.
_JUDGED = """
{into}
WITH person AS MATERIALIZED (
    SELECT * FROM broadcast_person WHERE place > %(after)s AND place <= %(until)s
), opted_out AS MATERIALIZED (
    SELECT c.id FROM person p JOIN crm_contact c ON c.workspace_id = %(workspace)s AND c.id = p.contact_id
    WHERE {suppressed}
), addressed AS (
    SELECT p.place, p.contact_id, p.times, o.id IS NOT NULL AS is_opted_out, {address} AS chat_jid, {phone_key} AS phone_key
    FROM person p LEFT JOIN opted_out o ON o.id = p.contact_id OFFSET 0
), located AS (
    SELECT a.*, %(workspace)s::uuid AS workspace_id, %(account)s::uuid AS whatsapp_account_id,
           CASE WHEN a.phone_key IS NULL AND a.chat_jid LIKE '%%@c.us' THEN split_part(a.chat_jid, '@', 1)
                     ELSE a.phone_key END AS key FROM addressed a OFFSET 0
)
SELECT a.place, a.contact_id, a.times, a.chat_jid, {zone} AS zone, %(at)s::timestamptz AS not_before,
       CASE WHEN c.deleted_at IS NOT NULL THEN 'in_bin'
            WHEN a.chat_jid IS NULL THEN CASE WHEN EXISTS (
                SELECT FROM crm_contactidentity i WHERE i.workspace_id = %(workspace)s AND i.contact_id = a.contact_id
            ) THEN 'unreachable' ELSE 'no_identity' END
            WHEN {lost} THEN 'unreachable'
            WHEN a.is_opted_out THEN 'opted_out'
            WHEN coalesce({missing}) IS NOT NULL THEN 'missing_variable' ELSE '' END AS reason,
       left(coalesce({missing}, ''), 100) AS missing, {bodies}
FROM located a JOIN crm_contact c ON c.workspace_id = %(workspace)s AND c.id = a.contact_id {rows}
"""
_INTO_NEW = "CREATE TEMP TABLE broadcast_judged ON COMMIT DROP AS"
_INTO_IT = "INSERT INTO broadcast_judged"
_DUPLICATES = """
UPDATE broadcast_judged j SET reason = 'duplicate' FROM (
    SELECT chat_jid, min(place) AS first FROM broadcast_judged WHERE reason = '' GROUP BY chat_jid HAVING count(*) > 1
) same WHERE j.reason = '' AND j.chat_jid = same.chat_jid AND j.place > same.first
"""
# The clock that counts for a recipient: their own, where it counts and is known, or ours.
_CLOCK = "CASE WHEN %(theirs)s AND j.zone <> '' THEN j.zone ELSE %(own)s END"
_BY_CLOCK = f"SELECT {_CLOCK}, count(*) FROM broadcast_judged j WHERE j.reason = '' GROUP BY 1"
# A person's place among those of the zone says how many seconds of its open time go before them.
_PLAN = f"""
WITH waiting AS (
    SELECT place, clock, row_number() OVER (PARTITION BY clock ORDER BY place) - 1 AS number
    FROM (SELECT j.place, {_CLOCK} AS clock FROM broadcast_judged j WHERE j.reason = '') j
), planned AS (
    SELECT w.place, s.opens_at + (w.number * p.pace - s.starts) * interval '1 second' AS not_before
    FROM waiting w JOIN unnest(%(clocks)s::text[], %(paces)s::float[]) AS p (clock, pace) ON p.clock = w.clock
    LEFT JOIN unnest(%(slot_clocks)s::text[], %(opens)s::timestamptz[], %(starts)s::float[], %(ends)s::float[])
         AS s (clock, opens_at, starts, ends)
      ON s.clock = w.clock AND w.number * p.pace >= s.starts AND w.number * p.pace < s.ends
)
UPDATE broadcast_judged j SET not_before = planned.not_before,
       reason = CASE WHEN planned.not_before IS NULL THEN 'no_time' ELSE '' END
FROM planned WHERE planned.place = j.place
"""
_OVER_PLAN = """
UPDATE broadcast_judged SET reason = 'over_plan' WHERE reason = ''
  AND place >= (SELECT place FROM broadcast_judged WHERE reason = '' ORDER BY place OFFSET %s LIMIT 1)
"""


@dataclass(frozen=True)
class Judged:
    """What the table holds: how many get it, how many do not because of the plan, what the plan has left; the parts' files.

    `people` are all that were judged, with places from 1. `zones` are the recipients' time zones as far as they are known.
    """

    people: int
    fitting: int
    over_plan: int
    plan_left: int
    media: list[UUID | None]
    zones: list[str]


def _execute(statement: str, params=()) -> None:
    with connection.cursor() as cursor:
        cursor.execute(statement, params)


def _fetch(statement: str, params=()) -> list[tuple]:
    with connection.cursor() as cursor:
        cursor.execute(statement, params)
        return cursor.fetchall()


def judge(
    broadcast: Broadcast,
    *,
    sender: User | None,
    start: datetime,
    told: Callable[[int, int], None] = lambda done, people: None,
) -> Judged:
    """Decide on everybody of the audience as of now, for a start at `start`; inside of a transaction.

    `broadcast_judged` holds a row for each person: `reason` is '' for who gets
    it, `body0` … are the texts of its parts, `not_before` is when it may go.
    `told` hears meanwhile how many of how many people are judged. Raises `Refused` if something that the audience speaks of is gone.
    """
    workspace = broadcast.workspace
    _execute("DROP TABLE IF EXISTS broadcast_person, broadcast_judged")
    # The sets are large, and everybody of them is looked at: what spills to disk costs more than memory for a moment.
    _execute("SET LOCAL work_mem = '64MB'")
    people = people_sql(workspace=workspace, viewer=broadcast.created_by, audience=broadcast.audience)
    _execute("CREATE TEMP TABLE broadcast_person ON COMMIT DROP AS " + people.text, people.params)
    _execute("ANALYZE broadcast_person")
    parts = list(contents.parts_of(broadcast))
    is_planned = broadcast.has_hours or bool(broadcast.rate_per_hour)
    [(count,)] = _fetch("SELECT count(*) FROM broadcast_person")
    _judge_people(broadcast, parts, sender, at=None if is_planned else start, people=count, told=told)
    _execute(_DUPLICATES)
    if is_planned:
        _plan(broadcast, start)
    [(fitting, zones)] = _fetch(
        "SELECT count(*), coalesce(array_agg(DISTINCT zone) FILTER (WHERE zone <> ''), '{}')"
        " FROM broadcast_judged WHERE reason = ''"
    )
    left = _plan_left(broadcast)
    if fitting > left:
        _execute(_OVER_PLAN, [left])
    return Judged(count, min(fitting, left), max(fitting - left, 0), left, [part.media_id for part in parts], zones)


def _judge_people(
    broadcast: Broadcast,
    parts: list[ContentPart],
    sender: User | None,
    *,
    at: datetime | None,
    people: int,
    told: Callable[[int, int], None],
) -> None:
    """Judge each by themselves; `at` is when all of them may be written to, where nothing is to be planned."""
    suppressed, pads = suppressed_contacts_sql("c", workspace="%(workspace)s")
    zone, zones = recipient_zone_sql("a.key")
    templates = [
        as_sql(broadcast.workspace, part.body, sender=sender, prefix=f"part{number}", may_be_empty=bool(part.media_id))
        for number, part in enumerate(parts)
    ]
    numbers = range(len(templates))
    whom = {"workspace": "%(workspace)s", "contact": "p.contact_id"}
    statement = partial(
        _JUDGED.format,
        suppressed=suppressed,
        lost=unreachable_sql("a"),
        address=address_sql(account="%(account)s", **whom),
        phone_key=phone_key_sql(**whom),
        zone=zone,
        bodies=", ".join(f"t{number}.body AS body{number}" for number in numbers),
        missing=", ".join(f"t{number}.missing" for number in numbers),
        rows=" ".join(f"CROSS JOIN LATERAL ({templates[number].row}) t{number}" for number in numbers),
    )
    params = {
        "workspace": broadcast.workspace_id,
        "account": broadcast.whatsapp_account_id,
        "at": at,
        **pads,
        **zones,
    }
    for template in templates:
        params |= template.params
    told(0, people)
    for after, until in spans(people) or [(0, 0)]:
        _execute(statement(into=_INTO_IT if after else _INTO_NEW), {**params, "after": after, "until": until})
        told(until, people)


def _plan(broadcast: Broadcast, start: datetime) -> None:
    """When each of them may be written to: within the hours of their clock, not faster than the rate."""
    clock = {"own": broadcast.time_zone, "theirs": broadcast.hours_of == HoursOf.RECIPIENT}
    counts = dict(_fetch(_BY_CLOCK, clock))
    total = sum(counts.values())
    # Each zone gets its share of the rate, so that all together never go faster than it.
    paces = {
        zone: 3600 / broadcast.rate_per_hour * total / count if broadcast.rate_per_hour else 0.0
        for zone, count in counts.items()
    }
    found = [
        (zone, slot)
        for zone, count in counts.items()
        for slot in hours.slots(broadcast, zone, start, paces[zone] * count)
    ]
    _execute(
        _PLAN,
        {
            **clock,
            "clocks": list(paces),
            "paces": list(paces.values()),
            "slot_clocks": [zone for zone, _ in found],
            "opens": [slot.opens_at for _, slot in found],
            "starts": [slot.offset for _, slot in found],
            "ends": [slot.offset + slot.seconds for _, slot in found],
        },
    )


def _plan_left(broadcast: Broadcast) -> int:
    limit = broadcast.workspace.plan.limit_of(Resource.BROADCAST_RECIPIENTS)
    return max(limit - plans.used_of(workspace=broadcast.workspace, resource=Resource.BROADCAST_RECIPIENTS), 0)
