"""How far a start is while its transaction is under way, into which nobody else can look.

The worker's connection says it in its own name (`application_name`). PostgreSQL
shows that to others at once, whatever becomes of the transaction, and forgets
it when the transaction or the connection ends: a worker that is killed leaves
nothing behind that is not true any more.
"""

from dataclasses import dataclass
from uuid import UUID

from django.db import connection

# People that one statement deals with before it is told how far it is; large audiences are done in `MOST_STEPS`.
STEP = 10_000
MOST_STEPS = 20
JUDGED, QUEUED = "judged", "queued"
# PostgreSQL keeps 63 characters of a name.
_NAME = "bc {broadcast} {what} {done}/{total}"
_TELL = "SELECT set_config('application_name', %s, true)"
_TOLD = "SELECT application_name FROM pg_stat_activity WHERE datname = current_database() AND application_name LIKE %s"


@dataclass(frozen=True)
class Preparation:
    """What a start does just now (`judged`: who gets it is looked up; `queued`), with how many of how many people (0 as long as that is not known)."""

    what: str
    done: int
    total: int


def spans(people: int) -> list[tuple[int, int]]:
    """The places from 1 to `people` in steps: behind the first number, up to the second."""
    step = max(STEP, -(-people // MOST_STEPS))
    return [(after, min(after + step, people)) for after in range(0, people, step)]


def tell(broadcast_id: UUID, what: str, done: int, total: int) -> None:
    """Say how far the start is that this transaction makes."""
    with connection.cursor() as cursor:
        cursor.execute(_TELL, [_NAME.format(broadcast=broadcast_id.hex, what=what, done=done, total=total)])


def preparation_of(broadcast_id: UUID) -> Preparation | None:
    """How far the start of a broadcast is; None while no worker is at it, or has told nothing yet."""
    with connection.cursor() as cursor:
        cursor.execute(_TOLD, [_NAME.format(broadcast=broadcast_id.hex, what="%", done="%", total="%")])
        row = cursor.fetchone()
    if row is None:
        return None
    _bc, _id, what, count = row[0].split(" ")
    done, _slash, total = count.partition("/")
    return Preparation(what, int(done), int(total))
