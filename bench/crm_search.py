"""Sixty searches and filters over HTTP, each against the statement that is written by hand for it, and a bare request.

The large workspace of `bench._crm_data`. Each list is compared with the answer
of its hand-written statement before anything is timed: the same ids in the same
order (of a page that is short and has a next one, as far as it goes). Then the
request, the statement, which fetches the same documents, and a request that is
authenticated and counted like every other and does nothing are measured in
turn. The sequential reads are those that the statistics of the database count
for the large tables while a server of its own answers every list once.
"""

import json
import statistics
import time
from urllib.parse import urlencode

from bench import _crm_data
from bench._crm_search_cases import cases_of
from bench._crm_searches import PAGE
from bench._figures import figure
from bench._load import Connection, request_bytes, served

ROUNDS = 9
GOAL_RATIO, GOAL_MS = 1.5, 50.0
SETTINGS = {"DJANGO_SETTINGS_MODULE": "bench._sync_settings"}


def run() -> None:
    """Prepare, compare, measure, print."""
    data = _crm_data.prepare()
    cases = cases_of(data)
    reads = _reads(data)
    with served("waplus.wsgi:application", SETTINGS) as port:
        connection = Connection(port, b"")
        for case in cases:
            _ask(connection, case, data)
    time.sleep(1)
    reads = {table: count - reads[table] for table, count in _reads(data).items()}
    with served("waplus.wsgi:application", SETTINGS) as port:
        connection = Connection(port, b"")
        short = [_compare(connection, case, data) for case in cases]
        timed = [[_round(connection, case, data) for _ in range(ROUNDS)] for case in cases]
    _print(cases, short, timed)
    print("sequential reads: " + ", ".join(f"{table} {count}" for table, count in reads.items()))
    figure("search_plans", sum(reads.values()), 0, at_most=True)


def _print(cases, short, timed) -> None:
    print(f"{len(cases)} lists, medians of {ROUNDS}; rows with + have a next page although they are fewer than a page")
    print(f"{'list':<62} {'rows':>4} {'ms':>7} {'by hand':>8} {'bare':>6} {'ratio':>6}")
    ratios, slowest = [], 0.0
    for case, rows, rounds in zip(cases, short, timed, strict=True):
        ours, hand, bare = (statistics.median(column) * 1000 for column in zip(*rounds, strict=True))
        ratios.append(ours / (hand + bare))
        slowest = max(slowest, ours)
        print(f"{case.title:<62} {rows:>4} {ours:>7.1f} {hand:>8.1f} {bare:>6.1f} {ratios[-1]:>6.2f}")
    figure("search_median", statistics.median(ratios), GOAL_RATIO, at_most=True)
    print(f"the slowest took {slowest:.1f} ms")
    figure("search_slowest", slowest / GOAL_MS, 1.0, at_most=True)


def _ask(connection: Connection, case, data) -> bytes:
    connection.request = request_bytes(f"/api/v1/contacts/?{urlencode(case.params)}", data.headers)
    return connection.ask()


def _by_hand(case, data) -> list[tuple]:
    from django.db import connection

    from crm.services.contact_documents import DOCUMENT

    with connection.cursor() as cursor:
        cursor.execute(case.statement(DOCUMENT.replace("%", "%%")), {"w": data.workspace.pk, **case.values})
        return cursor.fetchall()


def _compare(connection: Connection, case, data) -> str:
    """How many rows the page has; raises if they are not what the statement answers."""
    page = json.loads(_ask(connection, case, data))
    ours = [row["id"] for row in page["results"]]
    by_hand = [str(row[0]) for row in _by_hand(case, data)]
    short = page["next_cursor"] is not None and len(ours) < PAGE - 1
    if ours != by_hand[: len(ours) if short else PAGE - 1]:
        raise RuntimeError(f"{case.title}: {len(ours)} rows, by hand {len(by_hand)}, and not the same")
    if (page["next_cursor"] is None) != (len(by_hand) < PAGE) and not short:
        raise RuntimeError(f"{case.title}: not the same end")
    return f"{len(ours)}{'+' if short else ''}"


def _round(connection: Connection, case, data) -> tuple[float, float, float]:
    """Seconds of the request, of the statement, and of the request that does nothing."""
    began = time.perf_counter()
    _ask(connection, case, data)
    asked = time.perf_counter()
    _by_hand(case, data)
    made = time.perf_counter()
    connection.request = request_bytes("/api/v1/bench/nothing/", data.headers)
    empty = time.perf_counter()
    connection.ask()
    return asked - began, made - asked, time.perf_counter() - empty


def _reads(data) -> dict[str, int]:
    """How often the large tables were read from end to end since the statistics began."""
    from django.db import connection

    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT s.relname, s.seq_scan FROM pg_stat_user_tables s JOIN pg_class c ON c.oid = s.relid "
            "WHERE s.relname = ANY(%s) AND c.reltuples > %s ORDER BY 1",
            [list(_crm_data.TABLES), data.contacts / 10],
        )
        return dict(cursor.fetchall())
