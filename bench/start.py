"""How long `make run` takes until the server answers: from nothing, and the second time.

From nothing means a copy of the project without `.venv` and `.local`, with the
packages in pip's cache. The raw limits, measured in the same run: for the
first start, making an environment and installing the packages; for the
second, one process that loads the product's code.
"""

import contextlib
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path

NAME = "start"
PROJECT = Path(__file__).resolve().parents[1]
LEFT_OUT = shutil.ignore_patterns(".git", ".venv", ".local", "__pycache__", ".*_cache")
GIVE_UP = 900  # seconds
POINTING_ELSEWHERE = {
    *("DATABASE_URL", "CELERY_BROKER_URL", "CACHE_URL", "BASE_URL", "ALLOWED_HOSTS", "HOST", "WAPLUS_ENV"),
    *("VIRTUAL_ENV", "MAKEFLAGS", "MAKELEVEL", "MFLAGS"),
}


def run() -> None:
    """Measure and print a table of seconds. Raises `RuntimeError` if a start fails."""
    with tempfile.TemporaryDirectory(prefix="waplus-start-") as folder:
        copy = Path(folder) / "project"
        shutil.copytree(PROJECT, copy, ignore=LEFT_OUT)
        # Into pip's cache with everything first, so that the network is no part of it.
        _install(Path(folder) / "cached", copy)
        install = _seconds(lambda: _install(Path(folder) / "raw", copy))
        first = _start(copy)
        second = _start(copy)
        python = str(copy / ".venv" / "bin" / "python")
        load = _seconds(lambda: _call([python, "-c", "import django; django.setup(); import waplus.urls"], copy))
    print(f"{'start of the product':<22} {'seconds':>8} {'raw limit':>10} {'ratio':>6}   raw limit is")
    print(f"{'from nothing':<22} {first:>8.1f} {install:>10.1f} {first / install:>6.1f}   installing the packages")
    print(f"{'second':<22} {second:>8.1f} {load:>10.1f} {second / load:>6.1f}   loading the code once")


def _install(target: Path, project: Path) -> None:
    _call([sys.executable, "-m", "venv", str(target)], project)
    pip = [str(target / "bin" / "python"), "-m", "pip", "--quiet", "--disable-pip-version-check"]
    _call([*pip, "install", "-r", str(project / "requirements.txt")], project)


def _start(project: Path) -> float:
    """Seconds from `make run` to the first 200 of /health/ready; the product is stopped again."""
    port = _free_port()
    with tempfile.TemporaryFile("w+") as output, _running(project, port, output) as process:
        began = time.monotonic()
        while not _ready(port):
            if process.poll() is not None or time.monotonic() - began > GIVE_UP:
                output.seek(0)
                raise RuntimeError(f"make run did not get ready:\n{output.read()}")
            time.sleep(0.05)
        return time.monotonic() - began


@contextlib.contextmanager
def _running(project: Path, port: int, output) -> Iterator[subprocess.Popen]:
    command = ["make", "run", f"PORT={port}"]
    process = subprocess.Popen(
        command,
        cwd=project,
        env=_environment(),
        stdin=subprocess.DEVNULL,
        stdout=output,
        stderr=output,
        start_new_session=True,
    )
    try:
        yield process
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGTERM)
        process.wait(GIVE_UP)


def _ready(port: int) -> bool:
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/health/ready", timeout=5) as answer:
            return answer.status == 200
    except (urllib.error.URLError, OSError):
        return False


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as probe:
        return probe.getsockname()[1]


def _seconds(work: Callable[[], None]) -> float:
    began = time.monotonic()
    work()
    return time.monotonic() - began


def _call(command: list[str], folder: Path) -> None:
    result = subprocess.run(command, check=False, cwd=folder, env=_environment(), capture_output=True, text=True)
    if result.returncode:
        raise RuntimeError(f"{' '.join(command)} failed:\n{result.stdout}{result.stderr}")


def _environment() -> dict[str, str]:
    """Ours without what points elsewhere: the benchmark's own database, an outer make, other settings."""
    kept = {name: value for name, value in os.environ.items() if name not in POINTING_ELSEWHERE}
    return {**kept, "DJANGO_SETTINGS_MODULE": "waplus.settings", "no_proxy": "127.0.0.1,localhost"}
