"""Starts, claims, pauses and workers that meet, on connections of their own; and workers that are killed."""

import os
import signal
import subprocess
import sys
import time
from datetime import UTC, datetime

import pytest
from django.db import connection
from django.urls import reverse

from accounts.models import Resource, Usage
from accounts.tests.together import at_once
from messaging.models import Broadcast, BroadcastExclusion, QueuedMessage
from messaging.services.broadcasts import starting
from messaging.services.broadcasts.preparing import Preparation, preparation_of
from messaging.services.broadcasts.running import settle_broadcasts
from messaging.services.broadcasts.starting import start_waiting_broadcasts
from messaging.tests.broadcasts.calls import act, add_people, draft, post, started, states
from messaging.tests.calls import ask

pytestmark = pytest.mark.django_db(transaction=True)


def used(workspace) -> int:
    """Of whatever month: workers of their own have the real time."""
    rows = Usage.objects.filter(workspace=workspace, resource=Resource.BROADCAST_RECIPIENTS)
    return sum(rows.values_list("used", flat=True))


def test_two_starts_are_one(alice_device, acme, number):
    add_people(acme, "Ana", "Bruno")
    row = draft(alice_device, number)
    answers = at_once(*[lambda: post(alice_device, f"{row['id']}/start/").status_code] * 3)
    assert sorted(answers) == [200, 409, 409]
    assert sorted(at_once(start_waiting_broadcasts, start_waiting_broadcasts, start_waiting_broadcasts))[-1] == 1
    start_waiting_broadcasts()
    assert states(row["id"]) == {"queued": 2} and used(acme) == 2


@pytest.mark.parametrize("action", ["pause", "cancel"])
def test_nothing_is_handed_out_after_the_answer(alice_device, acme, number, action):
    for turn in range(4):
        add_people(acme, *"ABCDEFGH", first=5511987650000 + turn * 100)
        broadcast = started(alice_device, number)
        act_path = f"{broadcast.pk}/{action}/"
        claimed, answer = at_once(
            lambda: ask(alice_device, number, limit=5).json()["messages"],
            lambda: (post(alice_device, act_path).status_code, _leased(broadcast)),  # noqa: B023
        )
        status, leased = answer
        assert status == 200
        # Whatever is leased when the answer is there, was leased before it.
        assert _leased(broadcast) == leased and len(claimed) <= leased + 1
        assert ask(alice_device, number, limit=5).json()["messages"] == []
        QueuedMessage.objects.all().delete()
        Broadcast.objects.all().delete()


def _leased(broadcast) -> int:
    return QueuedMessage.objects.filter(broadcast=broadcast, state="leased").count()


def test_cancelling_does_not_wait_for_a_start_and_undoes_it(alice_device, acme, number, monkeypatch):
    add_people(acme, "Ana", "Bruno")
    row = draft(alice_device, number)
    act(alice_device, row, "start")
    leave_out = starting._leave_out

    def slowly(*args):
        found = leave_out(*args)
        time.sleep(1)
        return found

    monkeypatch.setattr(starting, "_leave_out", slowly)

    def cancel():
        time.sleep(0.4)
        began = time.monotonic()
        status = post(alice_device, f"{row['id']}/cancel/").status_code
        return status, time.monotonic() - began < 0.5

    began_to_run, cancelled = at_once(start_waiting_broadcasts, cancel)
    assert (began_to_run, cancelled) == (0, (200, True))
    assert not QueuedMessage.objects.exists() and used(acme) == 0
    assert Broadcast.objects.get(pk=row["id"]).state == "cancelled"


WORKER = """
import django; django.setup()
from messaging.services.broadcasts import running, starting
running.CHUNK = 40
{slow}
print("ready", flush=True)
{work}
print("done", flush=True)
"""
SLOWLY = """
import time
inner = starting.{name}
def slowly(*args, **kwargs):
    found = inner(*args, **kwargs)
    print("{name}", flush=True)
    time.sleep(30)
    return found
starting.{name} = slowly
"""


def worker(slow: str, work: str) -> subprocess.Popen:
    database = connection.settings_dict
    where = f"{database['HOST']}:{database['PORT']}/{database['NAME']}"
    environment = {
        **os.environ,
        "DATABASE_URL": f"postgres://{database['USER']}:{database['PASSWORD']}@{where}",
        "DJANGO_SETTINGS_MODULE": "waplus.settings",
    }
    script = WORKER.format(slow=slow, work=work)
    return subprocess.Popen([sys.executable, "-c", script], env=environment, stdout=subprocess.PIPE)


def wait_for(process: subprocess.Popen, line: str) -> None:
    while (found := process.stdout.readline().decode().strip()) != line:
        assert found or process.poll() is None, f"the worker ended before {line}"


@pytest.mark.parametrize("point", ["judge", "_queue", "_leave_out", "record_event", "done"])
def test_killed_start_is_done_again_whole(alice_device, acme, number, point):
    """Killed after each step of the start, and after its commit: never half, never twice."""
    add_people(acme, *(f"P{index}" for index in range(20)), "")
    row = draft(alice_device, number, parts=[{"body": "Dear {{name}}"}])
    act(alice_device, row, "start")
    slow = "" if point == "done" else SLOWLY.format(name=point)
    with worker(slow, "starting.start_waiting_broadcasts()") as process:
        wait_for(process, point)
        process.send_signal(signal.SIGKILL)
        process.wait()
    if point != "done":
        assert Broadcast.objects.get(pk=row["id"]).state == "starting"
        assert not QueuedMessage.objects.exists() and not BroadcastExclusion.objects.exists() and used(acme) == 0
        deadline = time.monotonic() + 20
        while not start_waiting_broadcasts() and time.monotonic() < deadline:
            time.sleep(0.1)  # the server still ends what the worker had begun
    assert start_waiting_broadcasts() == 0
    broadcast = Broadcast.objects.get(pk=row["id"])
    assert (broadcast.state, broadcast.recipients, broadcast.left_out) == ("running", 20, {"missing_variable": 1})
    assert states(broadcast) == {"queued": 20} and used(acme) == 20
    assert BroadcastExclusion.objects.filter(broadcast=broadcast).count() == 1


def eventually(found) -> None:
    """Wait until the server has ended what a killed worker had begun."""
    deadline = time.monotonic() + 20
    while not found() and time.monotonic() < deadline:
        time.sleep(0.1)
    assert found()


# Until the turn is free that a killed worker had.
PERSISTENT = "while not starting.start_waiting_broadcasts(): pass"


def test_gives_up_start_that_kills_every_worker(alice_device, client, alice, acme, number):
    """Behind five workers there is a reason to read, and a button to try again; others are started meanwhile."""
    add_people(acme, "Ana", "Bruno")
    row = draft(alice_device, number)
    act(alice_device, row, "start")
    deadly = SLOWLY.format(name="judge")
    for attempt in range(1, starting.MAX_ATTEMPTS + 1):
        with worker(deadly, PERSISTENT) as process:
            wait_for(process, "judge")
            process.send_signal(signal.SIGKILL)
            process.wait()
        broadcast = Broadcast.objects.get(pk=row["id"])
        assert (broadcast.state, broadcast.attempts) == ("starting", attempt)
    other = draft(alice_device, number)
    act(alice_device, other, "start")
    eventually(lambda: not start_waiting_broadcasts() and Broadcast.objects.filter(state="draft").exists())
    broadcast.refresh_from_db()
    assert (str(broadcast.pk), broadcast.state, broadcast.problem) == (row["id"], "draft", starting.BROKE_OFF)
    assert Broadcast.objects.get(pk=other["id"]).state == "running"
    assert states(broadcast) == {} and used(acme) == 2
    client.force_login(alice)
    shown = client.get(reverse("broadcast-check", args=[broadcast.pk])).content.decode()
    assert "Starting it broke off 5 times" in shown and "Try again" in shown
    client.post(reverse("start-broadcast", args=[broadcast.pk]))
    assert start_waiting_broadcasts() == 1
    broadcast.refresh_from_db()
    assert (broadcast.state, broadcast.problem, broadcast.attempts) == ("running", "", 1)
    assert states(broadcast) == {"queued": 2}


def test_counts_no_attempt_while_another_worker_is_at_it(alice_device, acme, number):
    add_people(acme, "Ana")
    row = draft(alice_device, number)
    act(alice_device, row, "start")
    with worker(SLOWLY.format(name="judge"), PERSISTENT) as process:
        wait_for(process, "judge")
        for _turn in range(starting.MAX_ATTEMPTS + 1):
            assert start_waiting_broadcasts() == 0
        broadcast = Broadcast.objects.get(pk=row["id"])
        assert (broadcast.state, broadcast.attempts) == ("starting", 1)
        process.kill()


TELLING = """
import time
starting.preparing.STEP, starting.preparing.MOST_STEPS = 8, 100
inner = starting.preparing.tell
def telling(broadcast_id, what, done, total):
    inner(broadcast_id, what, done, total)
    print(what, done, flush=True)
    if (what, done) == ({what!r}, 8):
        time.sleep(30)
starting.preparing.tell = telling
"""


@pytest.mark.parametrize(
    ("what", "sentence"),
    [
        ("judged", "Who gets it is looked up: 8 of 21 people so far."),
        ("queued", "8 of 20 recipients are prepared."),
    ],
)
def test_tells_how_far_a_start_is(alice_device, client, alice, acme, number, what, sentence):
    """While its transaction is under way, and nothing any more once the worker is gone."""
    add_people(acme, *(f"P{index}" for index in range(20)), "")
    row = draft(alice_device, number, parts=[{"body": "Dear {{name}}"}, {"body": "Bye"}])
    act(alice_device, row, "start")
    broadcast = Broadcast.objects.get(pk=row["id"])
    assert preparation_of(broadcast.pk) is None
    client.force_login(alice)
    address = reverse("broadcast", args=[broadcast.pk])
    with worker(TELLING.format(what=what), PERSISTENT) as process:
        wait_for(process, f"{what} 8")
        assert preparation_of(broadcast.pk) == Preparation(what, 8, 21 if what == "judged" else 20)
        shown = client.get(address).content.decode()
        assert sentence in shown and 'value="8"' in shown
        assert not QueuedMessage.objects.exists()
        process.send_signal(signal.SIGKILL)
        process.wait()
    eventually(lambda: preparation_of(broadcast.pk) is None)
    assert "It broke off once and begins anew in a moment." in client.get(address).content.decode()
    assert start_waiting_broadcasts() == 1
    assert preparation_of(broadcast.pk) is None
    assert states(broadcast) == {"queued": 40} and used(acme) == 20


def test_killed_cancelling_goes_on(alice_device, acme, number, clock):
    clock.now = datetime.now(UTC)  # the workers', so that the plan of one month is spoken of
    add_people(acme, *(f"P{index}" for index in range(200)))
    broadcast = started(alice_device, number)
    act(alice_device, {"id": str(broadcast.pk)}, "cancel")
    for attempt in range(4):
        with worker("", "running.settle_broadcasts()") as process:
            wait_for(process, "ready")
            time.sleep(0.01 * attempt)
            process.send_signal(signal.SIGKILL)
            process.wait()
        found = states(broadcast)
        # A chunk and what it gives back are one transaction.
        assert used(acme) == found["queued"] and found["queued"] + found["cancelled"] == 200
    settle_broadcasts()
    assert states(broadcast) == {"cancelled": 200} and used(acme) == 0
    broadcast.refresh_from_db()
    assert broadcast.finished_at is not None
