"""What events say to people: each floor tells the words of its own kinds at start."""

from django.utils.translation import gettext_lazy as _

_words = {
    "workspace.created": _("created the workspace"),
    "workspace.updated": _("changed the workspace’s settings"),
    "workspace.transferred": _("handed the workspace over"),
    "membership.created": _("joined the workspace"),
    "membership.updated": _("changed a member’s role"),
    "membership.removed": _("removed a member"),
    "membership.left": _("left the workspace"),
    "invitation.sent": _("sent an invitation"),
    "invitation.resent": _("sent an invitation again"),
    "invitation.revoked": _("withdrew an invitation"),
    "instance.linked": _("connected a device"),
    "instance.logged_out": _("logged a device out"),
    "session.revoked": _("was signed out on a device"),
    "workspace.plan_changed": _("changed the plan"),
}
_icons = {
    "workspace": "settings",
    "membership": "team",
    "invitation": "mail",
    "instance": "puzzle",
    "session": "devices",
}


def register_event_words(words: dict, icons: dict[str, str]) -> None:
    """Add words by kind (what the actor did) and icons by type of object."""
    _words.update(words)
    _icons.update(icons)


def words_of(kind: str) -> str:
    """What somebody did; a kind without words is read out as it is."""
    return _words.get(kind) or kind.replace(".", " ").replace("_", " ")


def icon_of(object_type: str) -> str:
    """The icon's name in the sprite."""
    return _icons.get(object_type, "activity")
