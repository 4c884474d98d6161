"""10,000 recurring schedules due in one minute: seconds from due to claimable, p50 and p99.

Two workers run the sweep every three seconds, as beat tells them to. Each
schedule has a contact and a text with a variable, and goes on tomorrow. A
message is claimable when its row is committed and its time has come, so what is
in the queue before its time counts as 0. Without that lead (the server was
away, everything is due already) the same work is measured from its beginning.
"""

import multiprocessing
import os
import statistics
import threading
import time
from datetime import UTC, datetime, timedelta

from bench import _messaging_data, _messaging_schedules
from bench._figures import figure

GOAL = 1.0  # seconds, p99
COUNT, WORKERS, RHYTHM = 10_000, 2, 3.0
BODY = "Hello {{first_name|there}}, your weekly report is ready."


def run() -> None:
    """Prepare, measure, print."""
    with _messaging_data.workspace(numbers=50, contacts=COUNT, suppressed=0) as data:
        # Due within one minute that begins when the sweep's horizon has just not reached it.
        in_time = _measure(data, due=datetime.now(UTC) + timedelta(seconds=75), spread=60 / COUNT)
        behind = _measure(data, due=datetime.now(UTC), spread=0)
    print(f"{COUNT:,} recurring schedules due in one minute, {WORKERS} workers; seconds from due to claimable")
    print(f"{'':<34} {'p50':>7} {'p99':>7} {'most':>7}")
    for name, delays in (("in time", in_time), ("all due already, from the start", behind)):
        cuts = statistics.quantiles(delays, n=100)
        print(f"{name:<34} {cuts[49]:>7.2f} {cuts[98]:>7.2f} {max(delays):>7.2f}")
    figure("messaging_recurring_p99", statistics.quantiles(in_time, n=100)[98], GOAL, at_most=True)


def _measure(data, *, due: datetime, spread: float) -> list[float]:
    """Seconds from due (or from when the workers began, whatever is later) to claimable, one for each message."""
    _messaging_schedules.fill(data, count=COUNT, contacts=COUNT, due=due, spread=spread, rrule="FREQ=DAILY", body=BODY)
    if spread == 0:
        due = datetime.now(UTC)
    context = multiprocessing.get_context("spawn")
    stop = context.Event()
    ready = context.Barrier(WORKERS + 1)
    workers = [context.Process(target=_work, args=(stop, ready, number)) for number in range(WORKERS)]
    for worker in workers:
        worker.start()
    ready.wait(60)
    began = datetime.now(UTC)
    delays: list[float] = []
    try:
        _watch(data, began if spread == 0 else None, delays)
    finally:
        stop.set()
        for worker in workers:
            worker.join(30)
    return delays


def _watch(data, began: datetime | None, delays: list[float]) -> None:
    """Look every 20 ms which messages are there, until all are."""
    from django.db import connection

    seen: set = set()
    end = time.monotonic() + 300
    while len(seen) < COUNT and time.monotonic() < end:
        with connection.cursor() as cursor:
            cursor.execute("SELECT count(*) FROM messaging_queuedmessage WHERE workspace_id = %s", [data.workspace.pk])
            if cursor.fetchone()[0] > len(seen):
                cursor.execute(
                    "SELECT id, due_at FROM messaging_queuedmessage WHERE workspace_id = %s", [data.workspace.pk]
                )
                now = datetime.now(UTC)
                for message_id, due_at in cursor.fetchall():
                    if message_id not in seen:
                        seen.add(message_id)
                        delays.append(max(0.0, (now - (began or due_at)).total_seconds()))
        time.sleep(0.02)
    if len(seen) < COUNT:
        raise RuntimeError(f"only {len(seen):,} of {COUNT:,} messages were queued")


def _work(stop, ready, number: int) -> None:
    """A worker that sweeps every few seconds, the second one a little after the first."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "waplus.settings")
    import django

    django.setup()
    from messaging.services.scheduling import queue_all_due

    ready.wait(60)
    pause = threading.Event()
    pause.wait(number * 0.05)
    while not stop.is_set():
        queue_all_due()
        stop.wait(RHYTHM)
