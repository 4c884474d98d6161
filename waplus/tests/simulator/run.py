"""A run: everything is started, killed, started again, and compared in the end."""

import json
import random
import signal
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from waplus.local import addresses
from waplus.local.postgres import Cluster
from waplus.tests.simulator import points
from waplus.tests.simulator.client import Line
from waplus.tests.simulator.server import Server
from waplus.tests.simulator.verdict import ENDED, Verdict, judge, rows_of
from waplus.tests.simulator.whatsapp import WhatsApp
from waplus.tests.simulator.wishes import Size, Wishes

LOST_ANSWERS = 0.02


@dataclass
class Outcome:
    """What a run brought: the verdict, how often something happened at each point, seconds that it took."""

    verdict: Verdict
    points: Counter
    seconds: float
    refused: list[str]


def run(
    size: Size, folder: Path, *, quota: int, patience: float, say: Callable[[str], None] = lambda line: None
) -> Outcome:
    """Simulate. Faults happen until three quarters of the messages have ended; then all must settle within `patience` seconds."""
    began = time.monotonic()
    with _cluster(folder / "postgres") as cluster:
        cluster.create_database("simulator")
        where = folder / "points"
        server = Server(folder, cluster.url("simulator"), where, quota)
        try:
            seats = server.seed(size.numbers, size.instances)
            say(f"{size.total:,} messages, {size.numbers} numbers, {size.numbers * size.instances} instances")
            server.start()
            token, numbers = seats["person"]["token"], [number["id"] for number in seats["numbers"]]
            wishes = Wishes(size, Line(server.port, token), numbers, deciding=Line(server.port, token))
            browsers = Browsers(folder, server.port, seats, size.browsers, where, quota)
            thread = threading.Thread(target=wishes.work, daemon=True)
            points.arm(where)
            thread.start()
            _let_it_happen(server, cluster, browsers, wishes, where, size, patience, say)
            (folder / "over").touch()
            browsers.stop()
            seen = {number: WhatsApp(folder / "whatsapp").messages(number) for number in wishes.numbers}
            verdict = judge(rows_of(server), seen, wishes.bodies, wishes.opted_out)
            return Outcome(verdict, points.counts(where), time.monotonic() - began, wishes.refused)
        finally:
            (folder / "over").touch()
            server.stop()


def _let_it_happen(server, cluster, browsers, wishes, where: Path, size: Size, patience: float, say) -> None:
    """Keep everything alive, and let the larger accidents happen, until all messages have ended."""
    deadline, told, disarmed = time.monotonic() + patience, 0.0, False
    next_accident = time.monotonic() + 5
    accidents = _Accidents(server, cluster, browsers, wishes, where)
    while time.monotonic() < deadline:
        browsers.keep_alive()
        server.keep_alive()
        ended, still_open = _progress(server)
        if time.monotonic() > told:
            told = time.monotonic() + 10
            say(
                f"{time.strftime('%H:%M:%S')}  ended {ended:,}, open {still_open:,}, kills {sum(points.counts(where).values())}"
            )
        if not disarmed and ended >= size.total * 3 // 4:
            points.disarm(where)
            disarmed = True
        if not disarmed and time.monotonic() > next_accident:
            next_accident = time.monotonic() + 4
            accidents.next()
        if wishes.done.is_set() and disarmed and not still_open and ended >= len(wishes.bodies):
            return
        if wishes.done.is_set():
            wishes.decide()
        time.sleep(1)


def _progress(server) -> tuple[int, int]:
    try:
        [(ended, still_open)] = server.rows(
            "SELECT count(*) FILTER (WHERE state = ANY(%s)), count(*) FILTER (WHERE state <> ALL(%s)) FROM messaging_queuedmessage",
            list(ENDED),
            list(ENDED),
        )
    except Exception:  # PostgreSQL is being restarted
        return 0, 1
    return ended, still_open


class _Accidents:
    """What befalls whole machines, in turn."""

    def __init__(self, server, cluster: Cluster, browsers: "Browsers", wishes: Wishes, where: Path):
        self.server, self.cluster, self.browsers, self.wishes, self.where = server, cluster, browsers, wishes, where
        self.turn = 0

    def next(self) -> None:
        ways = [
            ("the broker is emptied", self.server.empty_broker),
            ("another device is chosen", self._choose),
            ("the worker is killed", lambda: self.server.kill("worker")),
            ("a browser is killed", self.browsers.kill_one),
            ("beat is killed", lambda: self.server.kill("beat")),
            ("PostgreSQL is restarted", self._restart_postgresql),
            ("the web server is killed", lambda: self.server.kill("web")),
        ]
        name, happen = ways[self.turn % len(ways)]
        self.turn += 1
        if points.take(self.where, f"machine: {name}"):
            happen()

    def _choose(self) -> None:
        number, instance = self.browsers.somebody()
        path = f"/whatsapp-accounts/{number}/dispatcher/"
        self.wishes.deciding.try_once("PUT", path, {"instance": instance})

    def _restart_postgresql(self) -> None:
        """Without a checkpoint: what was committed comes back from the log."""
        postmaster = self.cluster.process
        postmaster.send_signal(signal.SIGQUIT)
        postmaster.wait(30)
        self.cluster.start()


class Browsers:
    """Processes with several instances each, those of one number in different ones."""

    def __init__(self, folder: Path, port: int, seats: dict, count: int, where: Path, quota: int):
        self.folder, self.port, self.environment = folder, port, points.environment(where, quota)
        self.seats = seats
        places: list[list[dict]] = [[] for _ in range(count)]
        everybody = [
            {**instance, "number": number["id"]} for number in seats["numbers"] for instance in number["instances"]
        ]
        for index, seat in enumerate(everybody):
            places[index % count].append(seat)
        (folder / "journals").mkdir(parents=True, exist_ok=True)
        self.files = []
        for index, place in enumerate(places):
            path = folder / f"browser-{index}.json"
            path.write_text(json.dumps(place))
            self.files.append(path)
        self.processes: dict[Path, subprocess.Popen] = {}

    def keep_alive(self) -> None:
        for path in self.files:
            process = self.processes.get(path)
            if process is None or process.poll() is not None:
                self.processes[path] = self._start(path)

    def _start(self, path: Path) -> subprocess.Popen:
        command = [sys.executable, "-m", "waplus.tests.simulator.instance", str(self.port), str(self.folder), str(path)]
        with (self.folder / f"{path.stem}.log").open("ab") as log:
            return subprocess.Popen(
                [*command, str(LOST_ANSWERS)], env=self.environment, cwd=addresses.PROJECT, stdout=log, stderr=log
            )

    def kill_one(self) -> None:
        random.choice(list(self.processes.values())).kill()

    def somebody(self) -> tuple[str, str]:
        number = random.choice(self.seats["numbers"])
        return number["id"], random.choice(number["instances"])["id"]

    def stop(self) -> None:
        for process in self.processes.values():
            with suppress(subprocess.TimeoutExpired):
                process.wait(15)
            process.kill()
            process.wait()


@contextmanager
def _cluster(directory: Path):
    cluster = Cluster(directory, durable=False, max_connections=120)
    cluster.start()
    try:
        yield cluster
    finally:
        cluster.stop()
