"""Synchronisation: the first pull of 100,000 contacts, and a pull that brings nothing.

The first pull goes over HTTP, page by page, uncompressed; its raw limit is one
hand-written statement that makes the same JSON of the same rows in the
database and fetches it. An empty pull is compared with a bare request that is
authenticated alike, in a workspace of 10,000 contacts and in the large one.
"""

import json
import statistics
import time

from bench import _crm_data
from bench._figures import figure
from bench._load import Connection, rate, request_bytes, served

GOAL_ROWS, GOAL_EMPTY = 0.5, 1.3
ROUNDS = 5
# Short slices in turn, because whatever else the machine does comes and goes.
SLICES, SECONDS = 25, 0.4
FIRST, SMALL, PAGE = 100_000, 10_000, 5_000
SETTINGS = {"DJANGO_SETTINGS_MODULE": "bench._sync_settings"}

# By hand: the same members in the same order.
_RAW = """
SELECT '{"kind":"contact","id":"' || c.id || '","document":' || row_to_json(c) || '}' FROM (
    SELECT id, version, field_versions, name, profile_name, company, email, owner_id AS owner, stage_id AS stage,
        avatar_id AS avatar, merged_into_id AS merged_into,
        to_char(deleted_at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"') AS deleted_at,
        to_char(created_at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"') AS created_at,
        to_char(updated_at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"') AS updated_at
    FROM crm_contact WHERE workspace_id = %s ORDER BY changed_xid, id LIMIT %s
) c
"""


def run() -> None:
    """Prepare, compare, measure, print."""
    data = _crm_data.prepare()
    small = _small_workspace()
    _begin_epoch()
    with served("waplus.wsgi:application", SETTINGS) as port:
        _first_pull(port, data)
        for label, workspace, user, headers in (
            (f"{SMALL:,}", *small),
            (f"{data.contacts:,}", data.workspace, data.user, data.headers),
        ):
            _empty_pull(port, label, workspace, user, headers)


def _begin_epoch() -> None:
    """The first pull of all drops every tombstone; the database of benchmarks has nobody who clears up behind it."""
    from django.db import connection

    from crm.services.sync.epoch import standing_epoch

    standing_epoch()
    with connection.cursor() as cursor:
        cursor.execute("VACUUM crm_tombstone")


def _first_pull(port: int, data) -> None:
    wanted = min(FIRST, data.contacts)
    expected = _raw(data.workspace, wanted)[1]
    if _pull(port, data, wanted)[1] != [json.loads(text) for text in expected]:
        raise RuntimeError("the hand-written statement makes other documents")
    rounds = [(_pull(port, data, wanted)[0], _raw(data.workspace, wanted)[0]) for _ in range(ROUNDS)]
    print(f"first pull of {wanted:,} of {data.contacts:,} contacts, pages of {PAGE:,}; rows/s")
    print(f"{'round':<8} {'product':>10} {'by hand':>10} {'ratio':>6}")
    for number, (ours, raw) in enumerate(rounds, 1):
        print(f"{number:<8} {ours:>10,.0f} {raw:>10,.0f} {ours / raw:>6.2f}")
    figure("sync_first_pull", statistics.median(ours / raw for ours, raw in rounds), GOAL_ROWS)


def _pull(port: int, data, wanted: int) -> tuple[float, list[dict]]:
    """Rows a second until so many contacts have come, and these; reading the pages is not timed."""
    pages, token, rows, seconds = [], "", 0, 0.0
    contacts: list[dict] = []
    while len(contacts) < wanted:
        path = f"/api/v1/sync/?limit={PAGE}" + (f"&token={token}" if token else "")
        connection = Connection(port, request_bytes(path, data.headers))
        began = time.monotonic()
        pages.append(connection.ask())
        seconds += time.monotonic() - began
        page = json.loads(pages[-1])
        token, rows = page["next"], rows + len(page["changes"])
        contacts += [change for change in page["changes"] if change["kind"] == "contact"]
    return rows / seconds, contacts[:wanted]


def _raw(workspace, wanted: int) -> tuple[float, list[str]]:
    from django.db import connection

    with connection.cursor() as cursor:
        began = time.monotonic()
        cursor.execute(_RAW, [workspace.pk, wanted])
        rows = cursor.fetchall()
        seconds = time.monotonic() - began
    return len(rows) / seconds, [row[0] for row in rows]


def _empty_pull(port: int, label: str, workspace, user, headers: dict[str, str]) -> None:
    from crm.services.sync import pulling, tokens

    began = pulling._begin(workspace)
    token = tokens.encode(tokens.Token(began.epoch, began.since), tokens.scope_of(workspace.pk, user.pk))
    ours = request_bytes(f"/api/v1/sync/?token={token}", headers)
    bare = request_bytes("/api/v1/bench/nothing/", headers)
    if json.loads(Connection(port, ours).ask())["changes"]:
        raise RuntimeError("the pull is not empty")
    for request in (ours, bare):
        rate(port, request, 1)
    rounds = [(rate(port, ours, SECONDS), rate(port, bare, SECONDS)) for _ in range(SLICES)]
    print(f"an empty pull with {label} contacts; requests/s, and what it costs of the bare request")
    print(f"{'slice':<8} {'product':>10} {'bare':>10} {'cost':>6}")
    for number, (pull, nothing) in enumerate(rounds[:ROUNDS], 1):
        print(f"{number:<8} {pull:>10.0f} {nothing:>10.0f} {nothing / pull:>6.2f}")
    name = f"sync_empty_{label.replace(',', '')}"
    figure(name, statistics.median(nothing / pull for pull, nothing in rounds), GOAL_EMPTY, at_most=True)


def _small_workspace():
    """A workspace of 10,000 contacts, its owner, and what a request in the owner's name carries."""
    from django.db import connection

    from accounts import actors
    from accounts.models import Plan, User
    from accounts.services import plans, workspaces
    from waplus.lib.ids import uuid7

    user = User.objects.create_user(f"bench-{uuid7().hex}@example.com")
    workspace = workspaces.create_workspace(owner=user, name="Bench: a small one", actor=actors.person(user))
    plans.change_plan(workspace=workspace, plan=Plan.objects.get(code="business"), actor=actors.SYSTEM)
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO crm_contact (id, workspace_id, name, profile_name, company, email, sort_name, search_text, "
            "created_at, updated_at) SELECT gen_random_uuid(), %s, 'Contact ' || n, '', '', '', 'contact ' || n, "
            "' contact ' || n, now(), now() FROM generate_series(1, %s) n",
            [workspace.pk, SMALL],
        )
        cursor.execute("ANALYZE crm_contact")
    token = _crm_data.log_in(user, workspace)
    return workspace, user, {"Authorization": f"Bearer {token}"}
