"""Contacts tagged a second by a bulk action over a filter, as a share of the bare SQL that writes the same rows.

100,000 contacts all over the large workspace wear one tag and get another. The
action is the product's own, from the request to the finished job: the filter is
parsed, the set frozen, each chunk of it changed in a transaction with its event
and its progress. The raw limit is one INSERT … SELECT from the rows of the
first tag into the same table with the same indexes, committed once. Measured in
turn, each time with a tag of its own; what was written is taken away afterwards.
"""

import statistics
import time

from bench import _crm_data
from bench._figures import figure
from bench._leftovers import taken_away

GOAL = 0.5
ROUNDS = 5
WEARERS = 100_000

_WEAR = """
INSERT INTO crm_contacttag (id, workspace_id, contact_id, tag_id, added_at, added_by_id)
SELECT gen_random_uuid(), workspace_id, id, %s, now(), %s FROM (
    SELECT workspace_id, id, row_number() OVER (ORDER BY id) AS number FROM crm_contact
    WHERE workspace_id = %s AND deleted_at IS NULL AND merged_into_id IS NULL
) c WHERE number %% %s = 0 LIMIT %s
"""
_RAW = """
INSERT INTO crm_contacttag (id, workspace_id, contact_id, tag_id, added_at, added_by_id)
SELECT gen_random_uuid(), workspace_id, contact_id, %s, now(), %s FROM crm_contacttag
WHERE workspace_id = %s AND tag_id = %s
"""


def run() -> None:
    """Prepare, measure in turn, print."""
    data = _crm_data.prepare()
    with taken_away(data.workspace):
        worn = _tag(data, "Bench: worn")
        _execute(_WEAR, worn.pk, data.user.pk, data.workspace.pk, max(1, data.contacts // WEARERS), WEARERS)
        _execute("ANALYZE crm_contacttag")
        wearers = _count(worn)
        print(f"tagging {wearers:,} of {data.contacts:,} contacts; rows/s")
        print(f"{'round':<8} {'product':>10} {'by hand':>10} {'ratio':>6}")
        ratios = []
        for number in range(1, ROUNDS + 1):
            raw = _rate(wearers, data, _tag(data, f"Bench: by hand {number}"), worn, _by_hand)
            ours = _rate(wearers, data, _tag(data, f"Bench: by action {number}"), worn, _by_action)
            print(f"{number:<8} {ours:>10,.0f} {raw:>10,.0f} {ours / raw:>6.2f}", flush=True)
            ratios.append(ours / raw)
    figure("crm_bulk_tag", statistics.median(ratios), GOAL)


def _tag(data, name: str):
    from accounts import actors
    from crm.services import tags

    return tags.create_tag(workspace=data.workspace, actor=actors.person(data.user), name=name)[0]


def _count(tag) -> int:
    from crm.models import ContactTag

    return ContactTag.objects.for_workspace(tag.workspace_id).filter(tag=tag).count()


def _execute(statement: str, *params) -> None:
    from django.db import connection

    with connection.cursor() as cursor:
        cursor.execute(statement, params)


def _rate(wearers: int, data, tag, worn, work) -> float:
    """Rows a second; whoever does not reach everybody is no measure."""
    began = time.monotonic()
    work(data, tag, worn)
    seconds = time.monotonic() - began
    if (count := _count(tag)) != wearers:
        raise RuntimeError(f"{count:,} contacts were tagged instead of {wearers:,}")
    return wearers / seconds


def _by_hand(data, tag, worn) -> None:
    _execute(_RAW, tag.pk, data.user.pk, data.workspace.pk, worn.pk)


def _by_action(data, tag, worn) -> None:
    from accounts import actors
    from crm.services.bulk import running, starting

    row, _ = starting.start_bulk_action(
        workspace=data.workspace,
        user=data.user,
        actor=actors.person(data.user),
        action="add_tags",
        filter={"tag": {"any": [str(worn.pk)]}},
        tags=[tag.pk],
    )
    running.run_action(row.pk)
