"""Links to stretches of synced conversations: made, revoked, opened, and deleted some time after their end."""

from messaging.services.sharing.links import (
    Stretch,
    check_password,
    create_share,
    delete_old_shares,
    find_share,
    record_opening,
    revoke_share,
)
from messaging.services.sharing.showing import Shown, shown_messages, title_of

__all__ = [
    "Shown",
    "Stretch",
    "check_password",
    "create_share",
    "delete_old_shares",
    "find_share",
    "record_opening",
    "revoke_share",
    "shown_messages",
    "title_of",
]
