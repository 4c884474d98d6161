"""Changes that are committed but not yet readable, because an older transaction is still writing.

Readers of changes read below the snapshot horizon (ADR 10). A client that is
woken before the horizon has passed its change pulls nothing and goes back to
sleep with the change unread. So a wake-up waits here until it is of use.
"""

import re
from bisect import bisect_left, insort
from uuid import UUID

# As the trigger on events writes it: a workspace and a 64-bit transaction id.
_PAYLOAD = re.compile(r"([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}):([0-9]{1,20})", re.ASCII)
# Transactions that are told apart for one workspace; further ones wait for the newest.
MOST = 100


class Pending:
    """The transactions of each workspace that nobody was woken for yet.

    All of them and not only the newest: where somebody writes without a pause,
    the newest one is always still ahead of the horizon.
    """

    def __init__(self):
        self._waiting: dict[UUID, list[int]] = {}
        self._gap: int | None = None

    def __bool__(self) -> bool:
        return bool(self._waiting) or self._gap is not None

    def note(self, payload: str) -> bool:
        """Take a notification; false if it is none of ours."""
        found = _PAYLOAD.fullmatch(payload)
        if found is None:
            return False
        xids = self._waiting.setdefault(UUID(found[1]), [])
        insort(xids, int(found[2]))
        if len(xids) > MOST:
            del xids[-2]
        return True

    def release(self, horizon: int) -> list[UUID]:
        """Hand out the workspaces with changes below the horizon, the oldest transaction that still runs."""
        ready = [workspace_id for workspace_id, xids in self._waiting.items() if xids[0] < horizon]
        for workspace_id in ready:
            xids = self._waiting[workspace_id]
            del xids[: bisect_left(xids, horizon)]
            if not xids:
                del self._waiting[workspace_id]
        return ready

    def begin(self, next_xid: int) -> None:
        """Forget everything, because listening begins anew.

        Transactions below `next_xid` may have committed unheard and still be
        ahead of the horizon.
        """
        self._waiting.clear()
        self._gap = next_xid

    def is_over_gap(self, horizon: int) -> bool:
        """Whether all that went unheard can be read by now; true once."""
        if self._gap is None or horizon < self._gap:
            return False
        self._gap = None
        return True
