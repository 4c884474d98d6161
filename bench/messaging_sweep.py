"""Beat's sweep with nothing due, at a million future messages, as a multiple of its cost at a thousand."""

import statistics
import time
from datetime import UTC, datetime, timedelta

from bench import _messaging_data, _messaging_schedules
from bench._figures import figure

GOAL = 1.5
FEW, MANY, CONTACTS, RUNS = 1_000, 1_000_000, 1_000, 400


def run() -> None:
    """Prepare, measure, print."""
    with _messaging_data.workspace(numbers=1, contacts=CONTACTS, suppressed=0) as data:
        costs = {}
        for count in (FEW, MANY):
            # From an hour from now on, a second apart: a million of them are eleven days' worth.
            due = datetime.now(UTC) + timedelta(hours=1)
            _messaging_schedules.fill(data, count=count, contacts=CONTACTS, due=due, spread=1)
            costs[count] = _cost()
    print(f"the sweep with nothing due, {RUNS} runs")
    print(f"{'future messages':>16} {'median ms':>10} {'p99 ms':>8}")
    for count, runs in costs.items():
        print(
            f"{count:>16,} {statistics.median(runs) * 1e3:>10.3f} {statistics.quantiles(runs, n=100)[98] * 1e3:>8.3f}"
        )
    figure("messaging_sweep", statistics.median(costs[MANY]) / statistics.median(costs[FEW]), GOAL, at_most=True)


def _cost() -> list[float]:
    """Seconds of each run."""
    from messaging.services.scheduling import queue_due_messages

    runs = []
    for _ in range(RUNS + 20):
        began = time.perf_counter()
        assert queue_due_messages() == 0
        runs.append(time.perf_counter() - began)
    return runs[20:]
