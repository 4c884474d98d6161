"""Changes that are committed but not yet readable, because an older transaction is still writing.

Readers of changes read below the snapshot horizon (ADR 10). A client that is
woken before the horizon has passed its change pulls nothing and goes back to
sleep with the change unread. So a wake-up waits here until it is of use.
"""

import re
from uuid import UUID

# As the trigger on events writes it: a workspace and a 64-bit transaction id.
_PAYLOAD = re.compile(r"([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}):([0-9]{1,20})", re.ASCII)


class Pending:
    """The newest transaction of each workspace that nobody was woken for yet."""

    def __init__(self):
        self._newest: dict[UUID, int] = {}

    def __bool__(self) -> bool:
        return bool(self._newest)

    def note(self, payload: str) -> bool:
        """Take a notification; false if it is none of ours."""
        found = _PAYLOAD.fullmatch(payload)
        if found is None:
            return False
        workspace_id, xid = UUID(found[1]), int(found[2])
        self._newest[workspace_id] = max(xid, self._newest.get(workspace_id, 0))
        return True

    def release(self, horizon: int) -> list[UUID]:
        """Hand out the workspaces all of whose changes lie below the horizon, the oldest transaction that still runs."""
        ready = [workspace_id for workspace_id, xid in self._newest.items() if xid < horizon]
        for workspace_id in ready:
            del self._newest[workspace_id]
        return ready

    def clear(self) -> None:
        self._newest.clear()
