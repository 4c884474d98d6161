"""Quick replies on devices: pulled whole, each as one row, so that they are there without a connection."""

from crm.services.sync.kinds import Kind, register_kind
from messaging.models import QuickReply, QuickReplyFolder

# A private one that becomes the team's is a change for everybody; the other way round it is gone for the others.
_THE_TEAMS_OR_OWN = "(row.owner_id IS NULL OR row.owner_id = %s)"


def register() -> None:
    """Register the kinds; called once at start. Ranks never change, because tokens carry them."""
    register_kind(Kind("quick_reply_folder", QuickReplyFolder, 500, hidden=("folded",)))
    hidden = ("shortcut_key", "search_text", "created_by")
    register_kind(Kind("quick_reply", QuickReply, 510, hidden=hidden, visible=_THE_TEAMS_OR_OWN))
