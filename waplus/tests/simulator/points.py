"""Named points at which a process is killed, and how often each was met.

A kill is a file that is made right before it: that keeps count over all
processes, and is the permission as well. A point is killed at by chance, but
not more often than it may be.
"""

import os
import random
import signal
import time
from collections import Counter
from pathlib import Path

FOLDER, QUOTA, CHANCE = "SIMULATOR_POINTS", "SIMULATOR_QUOTA", "SIMULATOR_CHANCE"

_chance = random.Random()


def pass_point(name: str) -> None:
    """Be here, and perhaps go no further: SIGKILL to the own process."""
    folder = os.environ.get(FOLDER)
    if not folder or not (Path(folder) / "armed").exists():
        return
    if _chance.random() < float(os.environ.get(CHANCE, "0.01")) and take(Path(folder), name):
        os.kill(os.getpid(), signal.SIGKILL)
        time.sleep(60)


def take(folder: Path, name: str) -> bool:
    """Whether something may happen at a point once more, noted for good."""
    for number in range(int(os.environ.get(QUOTA, "1"))):
        try:
            os.close(os.open(folder / f"{name.replace('/', '-')} #{number}", os.O_CREAT | os.O_EXCL | os.O_WRONLY))
        except FileExistsError:
            continue
        return True
    return False


def arm(folder: Path) -> None:
    """From now on things happen."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "armed").touch()


def disarm(folder: Path) -> None:
    (folder / "armed").unlink(missing_ok=True)


def counts(folder: Path) -> Counter[str]:
    """How often something happened at each point."""
    return Counter(path.name.rpartition(" #")[0] for path in folder.iterdir() if " #" in path.name)


def environment(folder: Path, quota: int) -> dict[str, str]:
    """What a process is told that may be killed: of the machine's own settings nothing but the path, and where the points are."""
    own = {name: os.environ[name] for name in ("PATH", "HOME", "LANG", "TMPDIR") if name in os.environ}
    return {**own, "PYTHONUNBUFFERED": "1", FOLDER: str(folder), QUOTA: str(quota)}
