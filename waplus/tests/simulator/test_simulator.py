"""A small run of the simulator: everything is killed once, and no recipient is any the wiser."""

import gc
import warnings
from datetime import UTC, datetime, timedelta

from waplus.tests.simulator.run import run
from waplus.tests.simulator.verdict import Row, judge
from waplus.tests.simulator.whatsapp import Seen
from waplus.tests.simulator.wishes import Size

SMALL = Size(numbers=3, instances=3, chats=5, messages=5, browsers=3, seconds=30)


def test_sends_each_message_once_whatever_is_killed(tmp_path_factory):
    folder = tmp_path_factory.mktemp("simulator")
    with warnings.catch_warnings():
        # Who kills processes does not always see them end.
        warnings.simplefilter("ignore", ResourceWarning)
        outcome = run(SMALL, folder, quota=1, patience=400)
        gc.collect()
    logs = "\n".join(path.read_text()[-2000:] for path in sorted(folder.glob("*.log")))
    assert outcome.refused == [], logs
    assert {kind: sentences for kind, sentences in outcome.verdict.wrong.items() if sentences} == {}, logs
    assert sum(outcome.verdict.ends.values()) == SMALL.total
    assert outcome.verdict.ends["sent"] >= SMALL.total // 2
    sides = {name.partition(":")[0] for name in outcome.points}
    assert {"instance", "web", "machine"} <= sides, outcome.points


def test_finds_whatever_is_wrong():
    """Control: each kind of wrong is seen by the comparison."""
    now = datetime(2026, 6, 1, 12, tzinfo=UTC)

    def row(body: str, state: str = "sent", minutes: int = 0) -> Row:
        due = now + timedelta(minutes=minutes)
        return Row("n", "c", body, f"id {body}", state, "", due, "o", 0, due + timedelta(hours=1))

    def seen(body: str, minutes: float = 5) -> Seen:
        at = (now + timedelta(minutes=minutes)).timestamp()
        return Seen("c", f"id {body}", body, "i", at, at)

    def kinds(rows, messages, bodies=(), opted_out=None) -> set[str]:
        wrong = judge(rows, {"n": messages}, set(bodies), opted_out or {}).wrong
        return {kind for kind, sentences in wrong.items() if sentences}

    assert kinds([row("a"), row("b", minutes=1)], [seen("a"), seen("b")]) == set()
    assert kinds([row("a")], [seen("a"), seen("a")]) == {"seen twice"}
    assert kinds([row("a")], []) == {"lost"}
    assert kinds([row("a", "queued")], []) == {"lost"}
    assert kinds([], [], bodies=["c a"]) == {"lost"}
    assert kinds([row("a", "skipped")], [seen("a")]) == {"told otherwise"}
    assert kinds([row("a"), row("b", minutes=1)], [seen("b"), seen("a")]) == {"out of order"}
    assert kinds([row("a")], [seen("a")], opted_out={("n", "c"): now.timestamp()}) == {"to who opted out"}
    assert kinds([row("a")], [seen("a", minutes=61)]) == {"too late"}
