"""`run` and `demo`: the whole product on this machine, in one command."""

import contextlib
import fcntl
import hashlib
import json
import os
import shutil
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from typing import NoReturn
from urllib.parse import urlsplit

from waplus.local import addresses
from waplus.local.children import Program
from waplus.local.health import Health
from waplus.local.machine import MachineError, port_is_free
from waplus.local.postgres import Cluster, PostgresError
from waplus.local.supervisor import StopAsked, Supervisor

PORTS_TO_TRY = 50
READY_SECONDS = 90


class CannotRun(MachineError):
    """The product cannot be started; the message is for the person at the terminal."""


def run() -> int:
    """Start everything, keep it running until a signal, stop everything; returns the exit code.

    Raises `CannotRun`, and another `MachineError` where the embedded database cannot be started.
    """
    began = time.monotonic()
    lock = _take_lock()
    if lock is None:
        where = _running().get("url", "an address that it has not settled yet")
        raise CannotRun(f"WAPlus already runs from this folder, at {where}.")
    host = os.environ.get("HOST") or "127.0.0.1"
    port = _choose_port(host)
    environment = _environment(host, port)
    wake_up_port = _choose_wake_up_port(environment, host, port)
    url = environment["BASE_URL"]
    _note_running({"pid": os.getpid(), "url": url, "reach": _reach(host, port)})
    try:
        with Supervisor() as supervisor:
            try:
                _start(supervisor, environment, host, port, wake_up_port)
                supervisor.say(f"ready after {time.monotonic() - began:.1f} s")
                _banner(supervisor, url, environment.get("WAKE_UP_URL", f"{url}/api/v1/sync/events"))
                _first_demo(supervisor, environment, _reach(host, port))
                supervisor.supervise()
            except StopAsked:
                pass
            supervisor.say("stopping")
        return 0
    finally:
        (addresses.LOCAL / "run.json").unlink(missing_ok=True)
        os.close(lock)


def play_demo() -> NoReturn:
    """Play the demo against the running server, in place of this process. Raises `CannotRun` if none runs."""
    running = _running()
    lock = _take_lock()
    if lock is not None or not running:
        if lock is not None:
            os.close(lock)
        raise CannotRun("Nothing runs from this folder. Start it with: make run")
    argv = _manage("play_demo", "--base-url", running["reach"])
    os.execve(argv[0], argv, {"BASE_URL": running["url"], **os.environ})


def _start(supervisor: Supervisor, environment: dict[str, str], host: str, port: int, wake_up_port: int) -> None:
    if "DATABASE_URL" not in environment:
        environment["DATABASE_URL"] = _start_database(supervisor)
    _empty_broker(environment)
    _must(supervisor, environment, "migrate", "migrate", "--no-input", "--verbosity=0")
    _collect_static(supervisor, environment)
    wakeups = _wakeups(environment, host, wake_up_port)
    for program in (_web(environment, host, port), _worker(environment), _beat(environment), wakeups):
        supervisor.start(program)
    # While they load their code.
    _must(supervisor, environment, "demo", "create_demo")
    health = Health(f"{_reach(host, port)}/health/ready", environment)
    if not supervisor.wait_until(health, seconds=READY_SECONDS):
        raise CannotRun(f"The server did not get ready within {READY_SECONDS} s. Last answer: {health.last}")


def _start_database(supervisor: Supervisor) -> str:
    cluster = Cluster(addresses.CLUSTER)
    # We hold the lock, so a server on our data is what is left of a supervisor that was killed.
    cluster.stop()
    if not (cluster.data / "PG_VERSION").exists():
        supervisor.say("making the database (once)")
    supervisor.start(cluster.prepare())
    if not supervisor.wait_until(lambda: bool(cluster.postmaster()) and cluster.ready(), seconds=60, every=0.05):
        raise PostgresError(f"PostgreSQL did not start. Its last words:\n{cluster.last_words()}")
    cluster.create_database()
    return cluster.url()


def _web(environment: Mapping[str, str], host: str, port: int) -> Program:
    memory = Path("/dev/shm")
    return Program(
        name="web",
        argv=(
            *_python("gunicorn"),
            "waplus.wsgi:application",
            f"--bind={host}:{port}",
            "--worker-class=gthread",
            # One process: without a shared cache (CACHE_URL) rate limits are counted in the process.
            f"--workers={environment.get('WEB_PROCESSES') or 1}",
            f"--threads={environment.get('WEB_THREADS') or 8}",
            "--graceful-timeout=15",
            "--limit-request-line=8190",  # a filter in a query string
            "--no-control-socket",  # it would lie in the home directory
            "--log-level=warning",
            # The worker's sign of life is a file; on a slow disk touching it can take long enough to be killed for.
            *([f"--worker-tmp-dir={memory}"] if os.access(memory, os.W_OK) else []),
        ),
        environment=environment,
        directory=addresses.PROJECT,
    )


def _worker(environment: Mapping[str, str]) -> Program:
    return Program(
        name="worker",
        argv=(
            *_python("celery", "--quiet", "-A", "waplus", "worker"),
            f"--concurrency={environment.get('WORKER_PROCESSES') or 2}",
            # Workers that talk to each other make a queue per process, whose files nobody removes in a folder broker.
            "--without-gossip",
            "--without-mingle",
            "--without-heartbeat",
            "--loglevel=WARNING",
        ),
        # Celery dislikes root because of pickled messages; ours are JSON, and the worker is on this machine only.
        environment={**environment, "PYTHONWARNINGS": "ignore:You're running the worker with superuser privileges"},
        directory=addresses.PROJECT,
    )


def _beat(environment: Mapping[str, str]) -> Program:
    return Program(
        name="beat",
        argv=(
            *_python("celery", "--quiet", "-A", "waplus", "beat"),
            "--scheduler=django_celery_beat.schedulers:DatabaseScheduler",
            "--pidfile=",  # a file left by a kill would keep it from starting
            "--loglevel=WARNING",
        ),
        environment=environment,
        directory=addresses.PROJECT,
    )


def _wakeups(environment: Mapping[str, str], host: str, port: int) -> Program:
    return Program(
        name="wakeups",
        argv=_python("waplus.wakeups", f"--host={host}", f"--port={port}"),
        environment=environment,
        directory=addresses.PROJECT,
    )


def _python(module: str, *arguments: str) -> tuple[str, ...]:
    return (sys.executable, "-m", module, *arguments)


def _manage(*arguments: str) -> tuple[str, ...]:
    return (sys.executable, str(addresses.PROJECT / "manage.py"), *arguments)


def _must(supervisor: Supervisor, environment: Mapping[str, str], name: str, *arguments: str) -> None:
    program = Program(name=name, argv=_manage(*arguments), environment=environment, directory=addresses.PROJECT)
    code = supervisor.run_once(program)
    if code:
        raise CannotRun(f"manage.py {arguments[0]} failed with code {code}; see its lines above.")


def _collect_static(supervisor: Supervisor, environment: Mapping[str, str]) -> None:
    """Collect static files if any of ours, or the list of packages that bring their own, changed."""
    stamp = addresses.LOCAL / "static.stamp"
    sources = [addresses.PROJECT / "requirements.txt", *sorted(addresses.PROJECT.glob("static/**/*"))]
    sources += sorted(addresses.PROJECT.glob("*/static/**/*"))
    digest = hashlib.sha256()
    for path in sources:
        if path.is_file() and ".venv" not in path.parts and ".local" not in path.parts:
            digest.update(str(path.relative_to(addresses.PROJECT)).encode() + b"\0" + path.read_bytes())
    collected = Path(environment.get("STATIC_ROOT") or addresses.LOCAL / "static") / "staticfiles.json"
    if collected.exists() and stamp.exists() and stamp.read_text() == digest.hexdigest():
        return
    _must(supervisor, environment, "static", "collectstatic", "--no-input", "--verbosity=0")
    stamp.write_text(digest.hexdigest())


def _empty_broker(environment: Mapping[str, str]) -> None:
    """Hints from before are worth nothing: whatever is due is found in the database."""
    folder = addresses.LOCAL / "broker"
    if not environment.get("CELERY_BROKER_URL") and folder.exists():
        shutil.rmtree(folder)


def _first_demo(supervisor: Supervisor, environment: Mapping[str, str], reach: str) -> None:
    marker = addresses.LOCAL / "demo-played"
    if marker.exists():
        return
    supervisor.say("first start: playing the demo")
    program = Program(
        name="demo",
        argv=_manage("play_demo", "--base-url", reach),
        environment=environment,
        directory=addresses.PROJECT,
    )
    code = supervisor.run_once(program)
    marker.touch()
    if code:
        supervisor.say(f"the demo ended with code {code}; the server goes on. Play it again with: make demo")
    else:
        supervisor.say("the demo is over; the server goes on. Play it again with: make demo")


def _banner(supervisor: Supervisor, url: str, wake_ups: str) -> None:
    for line in (
        "",
        f"WAPlus CRM is running at {url}",
        "  demo login  demo@example.com, with the password shown above under “demo”",
        f"  API         {url}/api/v1/docs/",
        f"  wake-ups    {wake_ups}",
        "  demo again  make demo",
        "  stop        Ctrl-C",
        "",
    ):
        supervisor.say(line)


def _environment(host: str, port: int) -> dict[str, str]:
    environment = {name: value for name, value in os.environ.items() if name != "DATABASE_URL" or value}
    environment.setdefault("WAPLUS_ENV", "development")
    # "localhost", because browsers allow passkeys there without TLS, and not at 127.0.0.1.
    shown = "localhost" if host in ("127.0.0.1", "0.0.0.0", "::", "::1") else host
    environment.setdefault("BASE_URL", f"http://{shown}:{port}")
    environment["PYTHONUNBUFFERED"] = "1"
    environment["DJANGO_SETTINGS_MODULE"] = "waplus.settings"
    return environment


def _choose_wake_up_port(environment: dict[str, str], host: str, web_port: int) -> int:
    """The port of the wake-up channel, next to the web server's; its address is noted for all processes."""
    port = _free_port_from(host, "WAKE_UP_PORT", os.environ.get("WAKE_UP_PORT"), web_port + 1)
    if not os.environ.get("BASE_URL"):  # with one, a proxy in front makes a single address of the two ports
        shown = urlsplit(environment["BASE_URL"]).hostname
        environment.setdefault("WAKE_UP_URL", f"http://{shown}:{port}/api/v1/sync/events")
    return port


def _choose_port(host: str) -> int:
    return _free_port_from(host, "PORT", os.environ.get("PORT"), 8000)


def _free_port_from(host: str, name: str, given: str | None, default: int) -> int:
    """The port that was given, if it is free, or else the first free one from the default on."""
    try:
        first = int(given or default)
        if not 0 < first < 65536:
            raise ValueError
    except ValueError:
        raise CannotRun(f"{name} must be a number between 1 and 65535, not {given!r}.") from None
    if given:
        if not port_is_free(host, first):
            raise CannotRun(f"Port {first} on {host} is taken. Choose another: make run {name}={first + 10}")
        return first
    for port in range(first, first + PORTS_TO_TRY):
        if port_is_free(host, port):
            return port
    raise CannotRun(f"No free port from {first} to {first + PORTS_TO_TRY - 1} on {host}. Choose one: make run {name}=…")


def _reach(host: str, port: int) -> str:
    """Where a program on this machine reaches the server."""
    return f"http://{'127.0.0.1' if host == '0.0.0.0' else host}:{port}"


def _take_lock() -> int | None:
    """The right to run from this folder, held until the descriptor is closed or the process ends; none if taken."""
    addresses.make_directory(addresses.LOCAL)
    descriptor = os.open(addresses.LOCAL / "run.lock", os.O_RDWR | os.O_CREAT, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        os.close(descriptor)
        return None
    return descriptor


def _note_running(facts: dict) -> None:
    (addresses.LOCAL / "run.json").write_text(json.dumps(facts))


def _running() -> dict:
    with contextlib.suppress(OSError, ValueError):
        return json.loads((addresses.LOCAL / "run.json").read_text())
    return {}
