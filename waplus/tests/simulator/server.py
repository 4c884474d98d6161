"""The server under test: its processes, started again when they are gone, on the folder broker."""

import json
import subprocess
import sys
import time
from pathlib import Path

import psycopg2

from waplus.local import addresses, product
from waplus.local.children import Program, kill_group, spawn
from waplus.local.health import Health
from waplus.local.machine import free_port
from waplus.tests.end_to_end.brokers import FolderBroker
from waplus.tests.simulator import points

START_SECONDS = 120


class Server:
    """Web, worker and beat over one database."""

    def __init__(self, folder: Path, database_url: str, where: Path, quota: int):
        self.folder, self.database_url = folder, database_url
        self.port = free_port()
        self.environment = {
            **points.environment(where, quota),
            "DJANGO_SETTINGS_MODULE": "waplus.tests.simulator.settings",
            "WAPLUS_ENV": "test",
            "DATABASE_URL": database_url,
            "SECRET_KEY": "only-for-this-test-" + "x" * 50,
            "ENCRYPTION_KEYS": "eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHg=",
            "SUPPRESSION_PEPPER": "only-for-this-test-" + "p" * 32,
            "BASE_URL": f"http://127.0.0.1:{self.port}",
            "MEDIA_ROOT": str(folder / "media"),
            "EMAIL_URL": "dummymail://",
            "LOG_LEVEL": "ERROR",
            "END_TO_END_FOLDER": str(folder),
            "END_TO_END_QUEUE": "waplus-simulator",
        }
        self.processes: dict[str, subprocess.Popen] = {}
        self.broker = FolderBroker(folder, "waplus-simulator")
        self._connection = None

    def seed(self, numbers: int, instances: int) -> dict:
        target = self.folder / "seats.json"
        command = [sys.executable, "-m", "waplus.tests.simulator.seed", str(target), str(numbers), str(instances)]
        subprocess.run(command, env=self.environment, cwd=addresses.PROJECT, check=True, timeout=300)
        return json.loads(target.read_text())

    def start(self) -> None:
        self.keep_alive()
        health, deadline = Health(f"http://127.0.0.1:{self.port}/health/ready", {}), time.monotonic() + START_SECONDS
        while not health():
            if time.monotonic() > deadline:
                raise RuntimeError(f"the web server is not ready: {health.last}")
            time.sleep(0.2)

    def keep_alive(self) -> None:
        """Start what is not there (any more)."""
        for name in ("web", "worker", "beat"):
            process = self.processes.get(name)
            if process is None or process.poll() is not None:
                if process is not None:
                    kill_group(process)
                self.processes[name] = spawn(self._program(name))

    def _program(self, name: str) -> Program:
        program = {
            "web": lambda: product._web(self.environment, "127.0.0.1", self.port),
            "worker": lambda: product._worker(self.environment),
            "beat": lambda: product._beat(self.environment),
        }[name]()
        return Program(
            name=name,
            argv=program.argv,
            environment=program.environment,
            directory=program.directory,
            log=self.folder / f"{name}.log",
        )

    def kill(self, name: str) -> None:
        """kill -9 of the process and its children."""
        process = self.processes.get(name)
        if process is not None:
            process.kill()
            process.wait()
            kill_group(process)

    def empty_broker(self) -> None:
        self.broker.empty()

    def stop(self) -> None:
        for name in self.processes:
            self.kill(name)
        if self._connection is not None:
            self._connection.close()

    def rows(self, sql: str, *values) -> list[tuple]:
        """A look into the database, past the product."""
        try:
            if self._connection is None:
                self._connection = psycopg2.connect(self.database_url)
                self._connection.autocommit = True
            with self._connection.cursor() as cursor:
                cursor.execute(sql, values)
                return cursor.fetchall()
        except psycopg2.Error:
            self._connection = None
            raise
