"""The page behind the 900,000th contact against the first one, for every order of the list, over HTTP.

The large workspace of `bench._crm_data`. Where the page begins is found by
reading the order to there, which nobody who waits would do, and written into a
cursor by the product. Where contacts without a value stand behind all others, as in
the order of a custom field, the deep page is one of theirs. The figure is that of the worst order.
"""

import json
import statistics
import time
from urllib.parse import urlencode

from bench import _crm_data
from bench._figures import figure
from bench._load import Connection, request_bytes, served

GOAL = 1.2
DEEP, ROUNDS = 0.9, 31


def run() -> None:
    """Prepare, look up the places, measure, print."""
    data = _crm_data.prepare()
    depth = int(data.contacts * DEEP)
    places: dict = {}
    cursors = {
        title: (sort, _cursor_behind(data.workspace, sort, depth, places))
        for title, sort in _sorts(data.workspace).items()
    }
    with served("waplus.wsgi:application", {}) as port:
        connection = Connection(port, b"")
        timed = {title: _times(connection, data, *place) for title, place in cursors.items()}
    print(
        f"a page of 50 of {data.contacts:,} contacts: the first, and the one behind row {depth:,}; medians of {ROUNDS}, ms"
    )
    print(f"{'order':<24} {'first':>7} {'deep':>7} {'ratio':>6}")
    ratios = []
    for title, (first, deep) in timed.items():
        ratios.append(deep / first)
        print(f"{title:<24} {first:>7.2f} {deep:>7.2f} {ratios[-1]:>6.2f}")
    figure("deep_page", max(ratios), GOAL, at_most=True)


def _sorts(workspace) -> dict[str, str]:
    """Every order in both directions by what it is called, those of a text and of a number among the custom fields."""
    from crm.models import CustomField
    from crm.search.orders import SORT_NAMES

    sorts = {name: name for name in SORT_NAMES}
    for field in CustomField.objects.for_workspace(workspace).filter(name__in=["City", "Revenue"]):
        sorts |= {f"{sign}field {field.name}": f"{sign}field:{field.pk}" for sign in ("", "-")}
    return sorts


def _cursor_behind(workspace, sort: str, depth: int, places: dict) -> str:
    """What the list answers as the next page's cursor behind so many rows of an order."""
    from crm.search.lists import encode_cursor
    from crm.search.orders import segments_of
    from crm.search.scans import Place

    for tier, segment in enumerate(segments_of(workspace, sort)):
        counted = str((segment, depth))  # what stands behind all values is the same in both directions
        if counted not in places:
            places[counted] = _place(workspace.pk, segment, depth)
        count, key = places[counted]
        if key is not None:
            return encode_cursor(sort, Place(tier, key))
        depth -= count
    raise RuntimeError(f"there are not so many contacts in the order {sort}")


def _place(workspace_id, segment, depth: int) -> tuple[int, tuple | None]:
    """How many rows a segment has up to a depth, and the key of the one there. Nobody is in the bin here."""
    from django.db import connection

    from crm.filters.sql import all_of
    from crm.search.orders import CONTACTS

    source = CONTACTS if segment.table == CONTACTS else f"{segment.table} ordering"
    where = all_of([segment.between(workspace_id, None), segment.within, segment.once, segment.member])
    columns = f"{segment.key or 'NULL::text'} AS key, {segment.id} AS id"
    inner = f"SELECT {columns}, row_number() OVER (ORDER BY {segment.order()}) AS nth FROM {source} WHERE {where.text}"
    statement = f"SELECT count(*), max(nth) FILTER (WHERE nth = {depth}) FROM ({inner} LIMIT {depth}) counted"
    with connection.cursor() as cursor:
        cursor.execute(f"SET LOCAL enable_sort = off; {statement}", where.params)
        count, reached = cursor.fetchone()
        if not reached:
            return count, None
        cursor.execute(
            f"SET LOCAL enable_sort = off; SELECT key, id FROM ({inner} LIMIT {depth}) counted WHERE nth = {depth}",
            where.params,
        )
        return count, cursor.fetchone()


def _times(connection: Connection, data, sort: str, cursor: str) -> tuple[float, float]:
    """Milliseconds of the first page and of the one behind the cursor, asked for in turn."""
    requests = [
        request_bytes(f"/api/v1/contacts/?{urlencode({'limit': 50, 'sort': sort, **more})}", data.headers)
        for more in ({}, {"cursor": cursor})
    ]
    seconds: list[list[float]] = [[], []]
    for number in range(ROUNDS + 1):
        for request, each in zip(requests, seconds, strict=True):
            connection.request = request
            began = time.perf_counter()
            body = connection.ask()
            each.append(time.perf_counter() - began)
            if number == 0 and len(json.loads(body)["results"]) != 50:
                raise RuntimeError(f"the page by {sort} is short")
    first, deep = (statistics.median(each[1:]) * 1000 for each in seconds)
    return first, deep
