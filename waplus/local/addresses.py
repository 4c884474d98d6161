"""Where the embedded parts are found. The settings read this, so it starts nothing and needs no Django.

Everything that the embedded default makes lies under `.local/` beside `manage.py`
and can be deleted while nothing runs; what was stored is gone with it.
"""

import base64
import os
import re
import secrets
from pathlib import Path

PROJECT = Path(__file__).resolve().parents[2]
LOCAL = PROJECT / ".local"
CLUSTER = LOCAL / "postgres"
DATABASE = "waplus"
DATABASE_USER = "waplus"

# TCP port 9 is the discard service, which nobody runs: a connection fails at once and clearly.
NOWHERE = f"postgres://{DATABASE_USER}@127.0.0.1:9/{DATABASE}"


def database_url(cluster: Path, database: str = DATABASE) -> str:
    """The URL of a database in an embedded cluster; one that refuses connections where there is no cluster."""
    try:
        port = int((cluster / "port").read_text())
        password = (cluster / "password").read_text().strip()
    except (OSError, ValueError):
        return NOWHERE
    return f"postgres://{DATABASE_USER}:{password}@127.0.0.1:{port}/{database}"


def default_database_url() -> str:
    """The URL of the embedded database, for when DATABASE_URL is absent; it may not be running."""
    return database_url(CLUSTER)


def default_broker_url() -> str:
    """The broker for when CELERY_BROKER_URL is absent: a folder, no server.

    It also tells kombu to use our transport for that scheme, see `broker.py`;
    a URL cannot name a class.
    """
    from kombu.transport import TRANSPORT_ALIASES

    TRANSPORT_ALIASES["filesystem"] = "waplus.local.broker:Transport"
    return "filesystem://localhost"  # the host means nothing, but kombu warns in each process where there is none


def default_broker_transport_options(folder: Path | None = None) -> dict:
    """Transport options of the folder broker; makes its folders (`OSError` where that is not possible).

    What to know about it: a message that a killed worker had taken is lost; a
    queue that nobody reads any more keeps its files, and every broadcast adds
    one; each poll lists the whole folder; messages of other hosts do not come.
    All of it is bearable because messages are hints here and the database
    holds the work, and because `run` empties the folder at its start and lets
    no queue be made per process (no gossip, no events).
    """
    folder = folder or LOCAL / "broker"
    messages, processed, control = folder / "messages", folder / "processed", folder / "control"
    for path in (LOCAL, folder, messages, processed, control):
        make_directory(path)
    return {
        # One folder for both: what the web process writes, the worker reads.
        "data_folder_in": str(messages),
        "data_folder_out": str(messages),
        "processed_folder": str(processed),
        "control_folder": str(control),
        "store_processed": False,
        "polling_interval": 0.2,  # seconds between two looks into the folder
    }


def development_secret(name: str) -> str:
    """A secret that is made at the first call and kept under `.local/secrets/`, readable by its owner only.

    It is 32 random bytes in URL-safe base64, which is also the form of a
    Fernet key. Raises `ValueError` on a name that is not a plain word and
    `OSError` where the file cannot be written or read.
    """
    if not re.fullmatch(r"[A-Za-z0-9_]+", name):
        raise ValueError(f"{name!r} cannot name a secret: letters, digits and underscores only.")
    folder = make_directory(LOCAL / "secrets")
    path = folder / name
    if not path.exists():
        fresh = folder / f".{name}.{secrets.token_hex(8)}"
        write_private(fresh, base64.urlsafe_b64encode(secrets.token_bytes(32)).decode())
        try:
            # A link never replaces: of two processes that start together, both read the first one's secret.
            os.link(fresh, path)
        except FileExistsError:
            pass
        finally:
            fresh.unlink()
    return path.read_text().strip()


def make_directory(path: Path) -> Path:
    """Make a directory for its owner only, parents included; one that exists keeps its mode."""
    path.mkdir(mode=0o700, parents=True, exist_ok=True)
    return path


def write_private(path: Path, text: str) -> None:
    """Write a file that only its owner can read (mode 0600), never readable by others in between."""
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w") as file:
        os.fchmod(file.fileno(), 0o600)
        file.write(text)
