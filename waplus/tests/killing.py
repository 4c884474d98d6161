"""Sweeps that are killed with SIGKILL at a named step, each in a process and with a connection of its own."""

import os
import signal
import subprocess
import sys
from datetime import timedelta
from pathlib import Path

from django.conf import settings
from django.db import connection, models
from django.utils import timezone

# Stops in front of or behind the named function, says so, and waits to be killed.
_WORKER = """
import sys, time
import django
django.setup()
from django.utils.module_loading import import_string
sweep, where, calls = import_string(sys.argv[1]), sys.argv[3], int(sys.argv[4])
owner, _, name = sys.argv[2].rpartition(".")
try:
    owner = import_string(owner)
except ImportError:
    owner = sys.modules[owner]
original = getattr(owner, name)
def stop(*args, **kwargs):
    global calls
    calls -= 1
    if calls:
        return original(*args, **kwargs)
    if where == "behind":
        original(*args, **kwargs)
    print("here", flush=True)
    time.sleep(60)
setattr(owner, name, stop)
sweep()
"""


def kill_at(sweep: str, step: str, where: str, *, mails: Path, call: int = 1) -> None:
    """Run a sweep in a process and kill it "before" or "behind" a step: dotted names of functions. Mails become files.

    A step that is come by several times lets the calls before `call` pass.
    """
    server = connection.settings_dict
    host = server["HOST"].replace("/", "%2F")
    environment = {
        **os.environ,
        "DJANGO_SETTINGS_MODULE": "waplus.settings",
        "EMAIL_URL": f"filemail:///{mails}",
        "DATABASE_URL": f"postgres://{server['USER']}:{server['PASSWORD']}@{host}:{server['PORT']}/{server['NAME']}",
    }
    worker = subprocess.Popen(
        [sys.executable, "-c", _WORKER, sweep, step, where, str(call)],
        env=environment,
        cwd=settings.BASE_DIR,
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        assert worker.stdout.readline() == "here\n"
        worker.send_signal(signal.SIGKILL)
        assert worker.wait(20) == -signal.SIGKILL
    finally:
        worker.kill()
        worker.stdout.close()


def mails_in(folder: Path) -> int:
    """How many mails were handed over to a folder."""
    return sum(file.read_text().count("Message-ID:") for file in folder.iterdir()) if folder.exists() else 0


def run_out(model: type[models.Model]) -> None:
    """Let leases that are held be over."""
    model.objects.filter(lease_until__isnull=False).update(lease_until=timezone.now() - timedelta(seconds=1))
