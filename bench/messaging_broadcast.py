"""Recipients of a broadcast queued a second, as a share of the bare INSERT … SELECT of the same rows.

The audience is a tag that 100,000 contacts of the large workspace wear, 5,000
of them suppressed. The start is the product's own: everybody is looked up with
the address of their conversation, duplicates and who does not want to be
written to are left out, a text with two variables and a custom field is
rendered for each, the queue is written with all its indexes and the plan's
share is taken, in one transaction. The raw limit copies the very rows that the
start wrote from a plain table into the queue, in one statement and with the
same indexes. Measured in turn; what was written is taken away in between.
"""

import statistics
import time

from bench import _crm_data
from bench._figures import figure
from bench._leftovers import taken_away

GOAL = 0.4
ROUNDS = 5
RECIPIENTS = 100_000
SUPPRESSED = 5_000
TEXT = (
    "Hello {{first_name|there}}, greetings to {{company|your company}} in {{field.City|your city}}! {{workspace.name}}"
)

_WEAR = """
INSERT INTO crm_contacttag (id, workspace_id, contact_id, tag_id, added_at, added_by_id)
SELECT gen_random_uuid(), workspace_id, id, %s, now(), %s FROM (
    SELECT c.workspace_id, c.id, row_number() OVER (ORDER BY c.id) AS number FROM crm_contact c
    WHERE c.workspace_id = %s AND c.deleted_at IS NULL AND c.merged_into_id IS NULL
      AND EXISTS (SELECT FROM crm_contactidentity i WHERE i.workspace_id = c.workspace_id AND i.contact_id = c.id)
) c WHERE number %% %s = 0 LIMIT %s
"""
_SUPPRESS = """
INSERT INTO messaging_suppression (id, workspace_id, key_hash, key_version, source, note, created_at)
SELECT gen_random_uuid(), i.workspace_id, {hash}, %(version)s, 'import', '', now()
FROM (
    SELECT t.workspace_id, t.contact_id, row_number() OVER (ORDER BY t.contact_id) AS number
    FROM crm_contacttag t WHERE t.workspace_id = %(workspace)s AND t.tag_id = %(tag)s
) worn JOIN crm_contactidentity i ON i.workspace_id = worn.workspace_id AND i.contact_id = worn.contact_id
WHERE worn.number %% %(every)s = 0
ON CONFLICT DO NOTHING
"""


def run() -> None:
    """Prepare, measure in turn, print."""
    data = _crm_data.prepare()
    with taken_away(data.workspace):
        try:
            _measure(data)
        finally:
            _clear(data)


def _measure(data) -> None:
    tag = _audience(data)
    rounds = []
    print(f"{'round':<8} {'recipients':>11} {'start s':>9} {'start/s':>10} {'by hand/s':>10} {'ratio':>6}")
    for number in range(1, ROUNDS + 1):
        broadcast = _draft(data, tag, number)
        began = time.monotonic()
        _start(broadcast)
        ours = time.monotonic() - began
        broadcast.refresh_from_db()
        if broadcast.state != "running":
            raise RuntimeError(f"the broadcast is {broadcast.state}: {broadcast.problem}")
        raw = _by_hand(broadcast)
        count = broadcast.recipients
        print(
            f"{number:<8} {count:>11,} {ours:>9.2f} {count / ours:>10,.0f} {count / raw:>10,.0f} {raw / ours:>6.2f}",
            flush=True,
        )
        rounds.append(raw / ours)
        _take_away(broadcast)
    print(f"left out of each: {broadcast.left_out}")
    figure("messaging_broadcast", statistics.median(rounds), GOAL)


def _audience(data):
    """A tag that so many people wear, some of whom do not want to be written to."""
    from accounts import actors
    from accounts.models import Plan
    from crm.models import ContactTag
    from crm.services import tags
    from messaging.services.suppression.keys import hash_sql, key_version, pads

    Plan.objects.filter(pk=data.workspace.plan_id).update(max_broadcast_recipients=100_000_000)
    data.workspace.refresh_from_db()
    tag = tags.create_tag(workspace=data.workspace, actor=actors.person(data.user), name="Bench: audience")[0]
    wanted = RECIPIENTS + SUPPRESSED
    _execute(_WEAR, [tag.pk, data.user.pk, data.workspace.pk, max(1, data.contacts * 9 // 10 // wanted), wanted])
    every = wanted // SUPPRESSED
    values = {"version": key_version(), "workspace": data.workspace.pk, "tag": tag.pk, "every": every, **pads()}
    _execute(_SUPPRESS.format(hash=hash_sql("i.match_key")), values)
    _execute("ANALYZE crm_contacttag; ANALYZE messaging_suppression")
    print(f"{ContactTag.objects.for_workspace(data.workspace).filter(tag=tag).count():,} people of {data.contacts:,}")
    return tag


def _draft(data, tag, number: int):
    from accounts import actors
    from crm.models import WhatsAppAccount
    from messaging.services.broadcasts.drafting import create_broadcast

    return create_broadcast(
        workspace=data.workspace,
        user=data.user,
        actor=actors.person(data.user),
        name=f"Bench {number}",
        whatsapp_account=WhatsAppAccount.objects.for_workspace(data.workspace).first(),
        parts=[{"body": TEXT, "media": None}],
        audience={"include": [{"tags": [str(tag.pk)]}]},
    )[0]


def _start(broadcast) -> None:
    from messaging.models import Broadcast
    from messaging.services.broadcasts.starting import run_start

    Broadcast.objects.filter(pk=broadcast.pk).update(state="starting")
    run_start(broadcast.pk)


def _by_hand(broadcast) -> float:
    """Seconds in which the rows of a broadcast are written once more, from a table that has nothing but them."""
    from messaging.models import QueuedMessage

    columns = ", ".join(f'"{field.column}"' for field in QueuedMessage._meta.concrete_fields if not field.generated)
    table = QueuedMessage._meta.db_table
    _execute("DROP TABLE IF EXISTS bench_rows")
    _execute(f"CREATE TEMP TABLE bench_rows AS SELECT {columns} FROM {table} WHERE broadcast_id = %s", [broadcast.pk])
    _execute("ANALYZE bench_rows")
    _take_rows_away(broadcast)
    began = time.monotonic()
    _execute(f"INSERT INTO {table} ({columns}) SELECT {columns} FROM bench_rows")
    return time.monotonic() - began


def _take_rows_away(broadcast) -> None:
    _execute("DELETE FROM messaging_queuedmessage WHERE broadcast_id = %s", [broadcast.pk])
    _execute("VACUUM (ANALYZE, INDEX_CLEANUP ON) messaging_queuedmessage")


def _take_away(broadcast) -> None:
    _take_rows_away(broadcast)
    _execute("DELETE FROM messaging_broadcastexclusion WHERE broadcast_id = %s", [broadcast.pk])


def _clear(data) -> None:
    from accounts.models import Resource, Usage

    for table in ("queuedmessage", "broadcastexclusion", "contentpart", "broadcast", "suppression"):
        _execute(f"DELETE FROM messaging_{table} WHERE workspace_id = %s", [data.workspace.pk])
    Usage.objects.filter(workspace=data.workspace, resource=Resource.BROADCAST_RECIPIENTS).delete()


def _execute(statement: str, params=()) -> None:
    from django.db import connection

    with connection.cursor() as cursor:
        cursor.execute(statement, params or None)
