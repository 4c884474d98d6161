"""Runs of lists beside everything else, on connections of their own: killed in the middle, stopped, and in nobody's way."""

import threading
import time

import pytest

from accounts import actors
from accounts.models import Event
from accounts.tests.together import at_once
from messaging.models import ConsentRecord, NumberList, NumberListChunk, NumberListRefusal, Suppression
from messaging.services.number_lists import runs, uploading
from messaging.services.number_lists.uploading import RUN, stop_list, upload_list
from messaging.tasks import run_number_lists
from messaging.tests.number_lists import counts, list_file
from messaging.tests.seen import message
from messaging.tests.seen import upload as upload_seen
from messaging.tests.test_dispatch_races import Cast
from messaging.tests.test_opt_out_races import Gate
from waplus.lib.locks import session_turn
from waplus.lib.long_work import MAX_ATTEMPTS
from waplus.tests.killing import kill_at

pytestmark = pytest.mark.django_db(transaction=True)

RUNS = "messaging.services.number_lists.runs"
NUMBERS = [f"+49151123456{n:02}" for n in range(30)]
# Forty lines in chunks of ten: thirty people, five of them named twice, and five lines without a number.
LINES = [*NUMBERS[:18], "nobody", "12", *NUMBERS[10:15], *NUMBERS[18:], "0", "x", "@"]
WHOLE = (40, 40, 30, 5, 5)


@pytest.fixture
def row(acme, alice, monkeypatch) -> NumberList:
    monkeypatch.setattr(uploading, "CHUNK", 10)
    file = list_file("\n".join(LINES))
    return upload_list(workspace=acme, actor=actors.person(alice), file=file, note="old")[0]


def wait_for_turn() -> None:
    """Until the server has ended what a killed worker had begun."""
    deadline = time.monotonic() + 20
    while time.monotonic() < deadline:
        with session_turn(RUN) as is_free:
            if is_free:
                return
    raise AssertionError("the killed worker keeps its turn")


def assert_true_counts(row: NumberList, done: int) -> None:
    """What is counted is what is stored, and each line is done, or still to be read while the list is open."""
    total, read, added, _known, refused = counts(row)
    assert read == done
    assert Suppression.objects.count() == ConsentRecord.objects.count() == added
    assert NumberListRefusal.objects.count() == refused
    assert sum(len(chunk.lines) for chunk in NumberListChunk.objects.all()) == (total - done if row.is_open else 0)


@pytest.mark.parametrize(
    ("step", "where", "call", "done"),
    [
        ("key_in", "before", 1, 0),
        ("key_in", "behind", 25, 20),
        ("suppress_keys", "before", 1, 0),
        ("suppress_keys", "behind", 2, 10),
        ("suppress_keys", "behind", 4, 30),
        ("close_list", "behind", 1, 30),
        ("take_chunk", "behind", 3, 30),
        ("take_chunk", "behind", 4, 40),
    ],
)
def test_killed_worker_leaves_whole_chunks_and_the_next_goes_on(row, tmp_path, step, where, call, done):
    kill_at(f"{RUNS}.run_open_lists", f"{RUNS}.{step}", where, mails=tmp_path, call=call)
    wait_for_turn()
    assert_true_counts(row, done)
    run_number_lists()
    assert_true_counts(row, 40)
    assert (row.state, counts(row)) == ("finished", WHOLE)
    assert list(row.refusals.order_by("line").values_list("line", flat=True)) == [19, 20, 38, 39, 40]
    assert Event.objects.get(kind="number_list.finished").count == 30


def test_list_that_kills_its_worker_is_not_tried_for_ever(row, tmp_path):
    for _ in range(MAX_ATTEMPTS):
        kill_at(f"{RUNS}.run_open_lists", f"{RUNS}.suppress_keys", "behind", mails=tmp_path, call=1)
        wait_for_turn()
    run_number_lists()
    row.refresh_from_db()
    assert (row.state, row.problem, counts(row)) == ("failed", runs.BROKE_OFF, (40, 0, 0, 0, 0))
    assert not Suppression.objects.exists() and not NumberListChunk.objects.exists()
    assert Event.objects.filter(kind="number_list.failed").count() == 1


def test_list_that_gets_on_is_tried_as_often_as_it_takes(row, tmp_path):
    for call in range(1, 4):
        kill_at(f"{RUNS}.run_open_lists", f"{RUNS}.suppress_keys", "behind", mails=tmp_path, call=2)
        wait_for_turn()
        assert_true_counts(row, 10 * call)
    run_number_lists()
    assert (counts(row), row.attempts) == (WHOLE, 0)


def test_list_that_the_database_refuses_does_not_hold_the_next_one_up(row, acme, alice, monkeypatch):
    """One breaks off until it is given up; the other is taken over meanwhile."""
    other = upload_list(workspace=acme, actor=actors.person(alice), file=list_file(NUMBERS[0]), note="fine")[0]
    original = runs.suppress_keys

    def suppress_keys(*, note, **values):
        return original(note="x" * 1_000 if note == "old" else note, **values)

    monkeypatch.setattr(runs, "suppress_keys", suppress_keys)
    for _ in range(MAX_ATTEMPTS + 1):
        run_number_lists()
    assert (counts(other), other.state) == ((1, 1, 1, 0, 0), "finished")
    assert (counts(row), row.state, row.problem) == ((40, 0, 0, 0, 0), "failed", runs.BROKE_OFF)
    assert Suppression.objects.count() == 1 and not NumberListChunk.objects.exists()


def test_second_worker_leaves_the_list_to_the_first(row, monkeypatch):
    gate, read = Gate(), runs._read

    def stop(*args):
        gate.stop()
        return read(*args)

    monkeypatch.setattr(runs, "_read", stop)
    at_once(run_number_lists, lambda: gate.pass_after(run_number_lists))
    assert counts(row) == WHOLE
    assert row.attempts == 0


@pytest.fixture
def cast(acme, alice, number, clock, put) -> Cast:
    """A number that has been sent from, so that opt-out words count."""
    put("sent", minutes=-60, chat_jid="5511987650000@c.us", sending_at=clock.now)
    return Cast(acme, alice, number, clock)


def test_opt_outs_and_claims_wait_for_no_run(row, cast, put, number, bob_device, monkeypatch):
    """The worker stands still in the third chunk: a word, a member and a device all get on, and what is done counts."""
    gate, read, calls = Gate(), runs._read, []

    def stop(*args):
        calls.append(1)
        if len(calls) == 3:
            gate.stop()
        return read(*args)

    monkeypatch.setattr(runs, "_read", stop)
    taken, later, word, free = ("4915112345600@c.us", "4915112345629@c.us", "4915112345628@c.us", "4915112345699@c.us")
    for chat in (taken, later, word, free):
        put(chat_jid=chat, minutes=-1)

    def meanwhile():
        item = message("3EB0AA", chat_jid=word, text="STOP", live=True, seconds=3600)
        assert upload_seen(bob_device, number, [item]) == {"messages": ["not_needed"]}
        assert bob_device.client.post("/api/v1/suppressions/", {"jid": "4915112345627@c.us"}).status_code == 201
        return sorted(one.chat_jid for one in cast.claim())

    results = at_once(run_number_lists, lambda: gate.pass_after(meanwhile))
    assert results == [None, sorted([later, free])]
    total, done, added, known, refused = counts(row)
    assert (row.state, total, done, added, known, refused) == ("finished", 40, 40, 28, 7, 5)
    assert Suppression.objects.filter(part_of=None).count() == 30


def test_opt_out_waits_for_one_chunk_and_no_more(row, bob_device, monkeypatch):
    """Who comes while a chunk is written is done before the next one is."""
    between, calls = Gate(), []
    inside, out = threading.Event(), threading.Event()
    suppress_keys, read = runs.suppress_keys, runs._read

    def hold(**values):
        added = suppress_keys(**values)
        inside.set()
        return added

    def stop(*args):
        calls.append(1)
        if len(calls) == 2:
            between.stop()
        return read(*args)

    monkeypatch.setattr(runs, "suppress_keys", hold)
    monkeypatch.setattr(runs, "_read", stop)

    def opt_out() -> int:
        assert inside.wait(10)
        answer = bob_device.client.post("/api/v1/suppressions/", {"jid": "4915112345629@c.us"})
        out.set()
        return answer.status_code

    results = at_once(run_number_lists, opt_out, lambda: between.pass_after(lambda: out.wait(10)))
    assert results == [None, 201, True]
    assert counts(row) == (40, 40, 29, 6, 5)


def test_stopping_waits_for_the_chunk_that_is_written(row, acme, alice, monkeypatch):
    inside, suppress_keys = threading.Event(), runs.suppress_keys

    def hold(**values):
        added = suppress_keys(**values)
        inside.set()
        return added

    monkeypatch.setattr(runs, "suppress_keys", hold)

    def stop():
        assert inside.wait(10)
        return stop_list(workspace=acme, list_id=row.pk, actor=actors.person(alice)).state

    assert at_once(run_number_lists, stop)[1] in ("stopped", "finished")
    assert_true_counts(row, counts(row)[1])
    assert counts(row)[1] in (10, 20, 30, 40)
