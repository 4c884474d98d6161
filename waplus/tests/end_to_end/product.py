"""The product's processes, with the command lines of `make run`, on a database, a port and a broker of their own."""

import os
import secrets
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from urllib.parse import quote

import psycopg2
from django.conf import settings

from waplus.local import addresses, product
from waplus.local.children import Program, end, kill_group, spawn
from waplus.local.health import Health
from waplus.local.machine import free_port

START_SECONDS = 60


def wait_for(condition: Callable[[], object], what: str, seconds: float) -> object:
    """Wait until something is true, and say what was missing if it never is."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if result := condition():
            return result
        time.sleep(0.1)
    raise AssertionError(f"{what}: not within {seconds} s")


def connect(database: str):
    """A connection to a database on the tests' server, in autocommit."""
    where = settings.DATABASES["default"]
    connection = psycopg2.connect(
        host=where["HOST"], port=where["PORT"] or 5432, user=where["USER"], password=where["PASSWORD"], dbname=database
    )
    connection.autocommit = True
    return connection


@contextmanager
def fresh_database(template: str = "template1") -> Iterator[str]:
    """A database on the tests' server, dropped afterwards whoever is still connected."""
    name = f"end_to_end_{os.getpid()}_{secrets.token_hex(3)}"
    server = connect("postgres")
    with server.cursor() as cursor:
        cursor.execute(f'CREATE DATABASE "{name}" TEMPLATE "{template}"')
        try:
            yield name
        finally:
            cursor.execute(f'DROP DATABASE "{name}" WITH (FORCE)')
            server.close()


def database_url(name: str) -> str:
    where = settings.DATABASES["default"]
    person = quote(where["USER"], safe="") + (f":{quote(where['PASSWORD'], safe='')}" if where["PASSWORD"] else "")
    return f"postgres://{person}@{where['HOST']}:{where['PORT'] or 5432}/{name}"


def environment_of(folder: Path, database: str, **values: str) -> dict[str, str]:
    """What the processes are told: nothing of the machine's own settings but the path."""
    return {
        **{name: os.environ[name] for name in ("PATH", "HOME", "LANG", "TMPDIR") if name in os.environ},
        "DJANGO_SETTINGS_MODULE": "waplus.tests.end_to_end.settings",
        "WAPLUS_ENV": "test",
        "DATABASE_URL": database_url(database),
        "SECRET_KEY": "only-for-this-test-" + "x" * 50,
        "ENCRYPTION_KEYS": "eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHg=",
        "SUPPRESSION_PEPPER": "only-for-this-test-" + "p" * 32,
        "MEDIA_ROOT": str(folder / "media"),
        "EMAIL_URL": "dummymail://",
        "LOG_LEVEL": "WARNING",
        "PYTHONUNBUFFERED": "1",
        "END_TO_END_FOLDER": str(folder),
        "END_TO_END_QUEUE": "waplus-end-to-end",
        **values,
    }


def run_seed(folder: Path, database: str) -> None:
    subprocess.run(
        [sys.executable, "-m", "waplus.tests.end_to_end.seed"],
        env=environment_of(folder, database),
        cwd=addresses.PROJECT,
        check=True,
        timeout=120,
    )


class Product:
    """Web, worker and beat. Each can be killed, frozen and started again; `stop` ends whatever is left."""

    def __init__(self, folder: Path, database: str, **environment: str):
        self.folder = folder
        self.port = free_port()
        self.base_url = f"http://127.0.0.1:{self.port}"
        self.environment = environment_of(folder, database, BASE_URL=self.base_url, **environment)
        self.database = connect(database)
        self.programs: dict[str, Program] = {}
        self.processes: dict[str, subprocess.Popen] = {}

    def start(self, name: str, *arguments: str) -> None:
        """Start one of web, worker and beat, or start it again; `arguments` are added to its command line."""
        make = {
            "web": lambda: product._web(self.environment, "127.0.0.1", self.port),
            "worker": lambda: product._worker(self.environment),
            "beat": lambda: product._beat(self.environment),
        }
        program = make[name]()
        program = replace(program, argv=(*program.argv, *arguments), log=self.folder / f"{name}.log")
        self.processes[name] = spawn(program)

    def wait_until_ready(self) -> None:
        health = Health(f"{self.base_url}/health/ready", {})
        wait_for(health, "the web server is ready", START_SECONDS)

    def kill(self, name: str) -> None:
        """kill -9: no farewell, no tidying up."""
        process = self.processes.pop(name)
        process.kill()
        process.wait()
        kill_group(process)

    def freeze(self, name: str) -> None:
        os.killpg(self.processes[name].pid, signal.SIGSTOP)

    def thaw(self, name: str) -> None:
        os.killpg(self.processes[name].pid, signal.SIGCONT)

    def stop(self) -> None:
        for name in list(self.processes):
            process = self.processes.pop(name)
            kill_group(process) if process.poll() is not None else end(process, signal.SIGKILL, 0)
        self.database.close()

    def rows(self, sql: str, *values) -> list[tuple]:
        """A look into the database, past the product."""
        with self.database.cursor() as cursor:
            cursor.execute(sql, values)
            return cursor.fetchall() if cursor.description else []

    def logs(self) -> str:
        return "\n".join(f"--- {path.name}\n{path.read_text()[-3000:]}" for path in sorted(self.folder.glob("*.log")))
