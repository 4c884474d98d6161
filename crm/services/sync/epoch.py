"""The epoch: which database the tokens speak of, and what is remembered of deletions in it.

Transaction ids mean something within one history of one database. After a
restore, a fail-over or a move they mean something else, and every token has to
start over. That is recognised at each pull and not by a procedure that
somebody may forget; only a copy of the disks that is started again under the
same server looks the same from inside, and asks for `manage.py start_sync_over`.
"""

import logging
from collections.abc import Callable
from datetime import timedelta
from uuid import UUID
from weakref import WeakKeyDictionary

from django.conf import settings
from django.db import connection, transaction
from django.utils import timezone

from accounts import actors
from accounts.actors import Actor
from accounts.services.events import record_event
from crm.models import PushedChange, SuggestionScan, SyncEpoch, SyncFloor, Tombstone
from waplus.lib.ids import uuid7
from waplus.lib.prepared import PreparedStatement

logger = logging.getLogger(__name__)

# The numbers of the history that runs: server, database, timeline. A standby cannot say where it would write.
_SYSTEM = "(SELECT system_identifier::text FROM pg_control_system())"
_DATABASE = "(SELECT oid::bigint FROM pg_database WHERE datname = current_database())"
_TIMELINE = """
CASE WHEN pg_is_in_recovery() THEN (SELECT timeline_id::bigint FROM pg_control_checkpoint())
ELSE ('x' || substr(pg_walfile_name(pg_current_wal_insert_lsn()), 1, 8))::bit(32)::bigint END
"""
# Over the alias `epoch` of crm_syncepoch: the epoch, and the history that it was written in, which counts if it is
# `running_history()`. A row that was loaded from a dump was written in none.
EPOCH = """
epoch.epoch, CASE WHEN epoch.xmin = epoch.written_xid::xid
THEN concat_ws(' ', epoch.system_identifier, epoch.database_oid, epoch.timeline) END
"""
HORIZON = "pg_snapshot_xmin(pg_current_snapshot())"

_WRITE = f"""
INSERT INTO crm_syncepoch (singleton, epoch, system_identifier, database_oid, timeline, written_xid, began_at)
VALUES (true, %s, {_SYSTEM}, {_DATABASE}, ({_TIMELINE}), pg_current_xact_id(), now())
"""
# Behind a savepoint PostgreSQL notes the subtransaction beside the row, whose number no function tells.
_SIGN = "UPDATE crm_syncepoch SET written_xid = xmin::text::xid8"
# Two devices that find the epoch wanting meet at its lock; more rounds than a few mean that it cannot be begun at all.
TRIES = 10


@transaction.atomic
def begin_epoch(*, instead_of: UUID | None, actor: Actor = actors.SYSTEM) -> None:
    """Let every device start over. `instead_of` is the epoch that was found wanting: if another one stands, somebody was faster.

    Tombstones and floors speak of the transactions of the former history, which
    nobody has a token of any more; devices that start over see what is there. So
    do the searches that go by stamps.
    """
    with connection.cursor() as cursor:
        cursor.execute("LOCK TABLE crm_syncepoch IN SHARE ROW EXCLUSIVE MODE")
        former = SyncEpoch.objects.first()
        if (former and former.epoch) != instead_of:
            return
        SyncEpoch.objects.all().delete()
        Tombstone.objects.all().delete()
        SyncFloor.objects.all().delete()
        SuggestionScan.objects.all().delete()
        cursor.execute(_WRITE, [uuid7()])
        cursor.execute(_SIGN)
    if former is not None:
        logger.warning(
            "synchronisation starts over: the database is not the one that the epoch of %s began in", former.began_at
        )
        record_event(kind="sync.started_over", actor=actor, workspace=None)


_RUNNING = PreparedStatement(f"SELECT concat_ws(' ', {_SYSTEM}, {_DATABASE}, ({_TIMELINE})), pg_is_in_recovery()")
_histories: WeakKeyDictionary = WeakKeyDictionary()


def running_history() -> str:
    """The history that this connection's server writes.

    It is asked for once a connection: a server that writes goes over to another
    timeline only by being started again. One in recovery may be promoted under
    its connections, and is asked each time.
    """
    if known := _histories.get(connection.connection):
        return known
    [(history, is_in_recovery)] = _RUNNING.fetch([])
    if not is_in_recovery:
        _histories[connection.connection] = history
    return history


_STANDING = PreparedStatement(f"SELECT {EPOCH} FROM crm_syncepoch epoch")


def standing_epoch() -> UUID:
    """The epoch of the history that runs; if none was begun in it, one begins."""
    return within_epoch(lambda: _STANDING.fetch([]))[0]


def within_epoch(look: Callable[[], list[tuple]]) -> tuple:
    """A row that `look` reads, which begins with the columns `EPOCH`, as of an epoch that stands, without its history.

    Where none was begun in the history that runs, one begins, and it looks again.
    """
    for _ in range(TRIES):
        epoch, history, *rest = (look() or [(None, None)])[0]
        if history == running_history():
            return epoch, *rest
        begin_epoch(instead_of=epoch)
    raise RuntimeError("an epoch that was begun does not stand")


def present_epoch() -> UUID | None:
    """The epoch as it stands, whether it counts or not."""
    return SyncEpoch.objects.values_list("epoch", flat=True).first()


_DROP_TOMBSTONES = """
WITH old AS (
    SELECT id FROM crm_tombstone WHERE buried_at < now() - %s ORDER BY buried_at LIMIT %s
), dropped AS (
    DELETE FROM crm_tombstone USING old WHERE crm_tombstone.id = old.id
    RETURNING crm_tombstone.workspace_id, crm_tombstone.changed_xid
), newest AS (
    SELECT DISTINCT ON (workspace_id) workspace_id, changed_xid FROM dropped
    JOIN accounts_workspace ON accounts_workspace.id = workspace_id
    ORDER BY workspace_id, changed_xid DESC
), raised AS (
    INSERT INTO crm_syncfloor (workspace_id, xid) SELECT workspace_id, changed_xid FROM newest
    ON CONFLICT (workspace_id) DO UPDATE SET xid = greatest(crm_syncfloor.xid, excluded.xid)
)
SELECT count(*) FROM dropped
"""
BATCH = 5_000


def delete_old_marks(*, batch: int = BATCH) -> dict[str, int]:
    """Drop tombstones and outcomes of pushed changes whose time is over; answers how many.

    A workspace's floor rises in the very statement that drops its tombstones,
    and a pull reads both in one statement: it sees the tombstones, or it sees
    that it is too late for them. The floor is the newest that was dropped
    there, so a device whose workspace was quiet for months need not start over.
    """
    counts = {"tombstones": 0, "pushed_changes": 0}
    while True:
        with connection.cursor() as cursor:
            cursor.execute(_DROP_TOMBSTONES, [settings.SYNC_TOMBSTONE_LIFE, batch])
            dropped = cursor.fetchone()[0]
        counts["tombstones"] += dropped
        if dropped < batch:
            break
    old = PushedChange.objects.filter(pushed_at__lt=timezone.now() - settings.SYNC_PUSH_LIFE).order_by("pushed_at")
    while True:
        deleted, _ = PushedChange.objects.filter(pk__in=list(old.values_list("pk", flat=True)[:batch])).delete()
        counts["pushed_changes"] += deleted
        if deleted < batch:
            return counts


_OLDEST_WRITER = """
SELECT now() - min(began) FROM (
    SELECT xact_start AS began FROM pg_stat_activity WHERE backend_xid IS NOT NULL
    UNION ALL SELECT prepared FROM pg_prepared_xacts
) writers
"""


def warn_of_delay(*, limit: timedelta = timedelta(minutes=5)) -> timedelta | None:
    """For how long the oldest writing transaction of the server has been open: that long are changes held back.

    One beyond `limit` is logged, because people notice it as a synchronisation that stands still.
    """
    with connection.cursor() as cursor:
        cursor.execute(_OLDEST_WRITER)
        age = cursor.fetchone()[0]
    if age is not None and age > limit:
        logger.error("a writing transaction has been open for %s and holds synchronisation back", age)
    return age
