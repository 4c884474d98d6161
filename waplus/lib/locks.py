"""Locks beside those of single rows: shared ones, and turns."""

import contextlib
from collections.abc import Iterator
from enum import Enum

from django.core.exceptions import EmptyResultSet
from django.db import connection
from django.db.models import QuerySet

from waplus.lib.hashing import hash_secret


class Hold(Enum):
    """What a shared lock keeps others from: deleting the row, or changing it at all."""

    FROM_DELETION = "FOR KEY SHARE"
    FROM_CHANGE = "FOR SHARE"


def held(rows: QuerySet, hold: Hold) -> list:
    """The rows of a query without joins, each under a shared lock until the transaction ends.

    `select_for_update` lets one transaction at a time have a row; those who only
    rely on it (a tag that is put on, a field that a value is written for) would
    take turns for nothing.
    """
    try:
        sql, params = rows.query.sql_with_params()
    except EmptyResultSet:
        return []
    return list(rows.model.objects.raw(f"{sql} {hold.value}", params))


def take_turns(*what, shared: bool = False) -> None:
    """Let those who name the same thing go one after the other: each waits here until the one before has ended.

    For rules over several rows that no constraint can say, such as "at most 200".
    Those who `shared` it go together, and wait for nobody but for who did not.
    """
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT pg_advisory_xact_lock{'_shared' if shared else ''}(%s)", [_number_of(what)])


def take_turn_now(*what) -> bool:
    """Take the turn for what is named, until the transaction ends; False, at once, while another one has it."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_xact_lock(%s)", [_number_of(what)])
        return cursor.fetchone()[0]


@contextlib.contextmanager
def session_turn(*what) -> Iterator[bool]:
    """Take the turn for what is named while the block lasts, over any number of transactions; False, at once, while another has it.

    It is gone with the connection, whatever becomes of the process.
    """
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_lock(%s)", [_number_of(what)])
        is_ours = cursor.fetchone()[0]
    try:
        yield is_ours
    finally:
        if is_ours and connection.connection is not None and not connection.connection.closed:
            with connection.cursor() as cursor:
                cursor.execute("SELECT pg_advisory_unlock(%s)", [_number_of(what)])


def _number_of(what: tuple) -> int:
    return int.from_bytes(hash_secret(" ".join(map(str, what)))[:8], "big", signed=True)
