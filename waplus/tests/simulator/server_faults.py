"""Points of the server's processes: before and after every commit, named by who commits."""

import sys
from types import FrameType

from waplus.tests.simulator.points import pass_point

_OF_OURS = ("/accounts/", "/crm/", "/messaging/", "/waplus/periodic")


def install() -> None:
    """Put a point before and after each commit of this process."""
    from django.db.backends.base.base import BaseDatabaseWrapper

    commit, role = BaseDatabaseWrapper._commit, _role()

    def with_points(self):
        name = f"{role}: {_who(sys._getframe(1))}"
        pass_point(f"{name}, before its commit")
        result = commit(self)
        pass_point(f"{name}, after its commit")
        return result

    if role:
        BaseDatabaseWrapper._commit = with_points


def _role() -> str:
    line = " ".join(sys.argv)
    return next((name for word, name in _ROLES.items() if word in line), "")


_ROLES = {"gunicorn": "web", " beat": "beat", " worker": "worker"}


def _who(frame: FrameType | None) -> str:
    """The view, task or service that a commit belongs to."""
    while frame is not None:
        path = frame.f_code.co_filename
        if any(part in path for part in _OF_OURS) and "/tests/" not in path and "/lib/" not in path:
            owner = frame.f_locals.get("self")
            owner = f"{type(owner).__name__}." if "/views/" in path and owner is not None else ""
            return owner + frame.f_code.co_name
        frame = frame.f_back
    return "a library"
