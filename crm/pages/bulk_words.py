"""Bulk actions in words: what they do, to whom, and how far they are."""

from collections.abc import Iterable
from uuid import UUID

from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from accounts.models import Workspace
from crm.models import BulkAction, BulkKind, CustomField, Stage, Tag
from crm.models.bulk import OPEN_STATES
from crm.pages.filter_language import said_by
from crm.pages.filter_rows import Subject
from crm.pages.members import active_members

# So many are told of above a list.
SHOWN = 5
_PATTERNS = {
    BulkKind.ADD_TAGS: gettext_lazy("Put on: %(what)s"),
    BulkKind.REMOVE_TAGS: gettext_lazy("Take off: %(what)s"),
    BulkKind.SET_OWNER: gettext_lazy("Owner: %(what)s"),
    BulkKind.SET_STAGE: gettext_lazy("Stage: %(what)s"),
    BulkKind.SET_FIELD: gettext_lazy("Fill in: %(what)s"),
}


def _ids(arguments: dict) -> list[str]:
    named = [arguments[name] for name in ("owner", "stage", "field") if arguments.get(name)]
    return [*arguments.get("tags", []), *named]


def _names(workspace: Workspace, ids: Iterable[str]) -> dict[str, str]:
    """What the ids of actions are called: a statement for each kind of thing."""
    wanted, names = [UUID(id) for id in ids], {}
    if wanted:
        for model in (Tag, Stage, CustomField):
            names.update(model.objects.for_workspace(workspace).filter(pk__in=wanted).values_list("pk", "name"))
        names.update((user.pk, str(user)) for user in active_members(workspace))
    return {str(id): name for id, name in names.items()}


def action_words(action: str, arguments: dict, names: dict[str, str]) -> str:
    """What an action does, in words."""
    if action not in _PATTERNS:
        return str(BulkKind(action).label)
    nothing = {BulkKind.SET_OWNER: _("nobody"), BulkKind.SET_STAGE: _("no stage")}.get(action, "")
    what = ", ".join(names.get(id, _("something deleted")) for id in _ids(arguments)) or nothing
    return _PATTERNS[action] % {"what": what}


def describe(workspace: Workspace, rows: list[BulkAction]) -> list[BulkAction]:
    """Give actions their `words`, whether each is open (`is_open`), how many contacts
    were like that before (`alike`), and how many were never looked at (`left`).
    """
    names = _names(workspace, {id for row in rows for id in _ids(row.arguments)})
    for row in rows:
        row.words = action_words(row.action, row.arguments, names)
        row.is_open = row.state in OPEN_STATES
        row.alike = row.done - row.changed - row.refused
        row.left = (row.total or 0) - row.done
    return rows


def change_words(workspace: Workspace, action: str, arguments: dict) -> str:
    """The same for an action that has not begun."""
    kept = {name: [str(id) for id in ids] if name == "tags" else ids and str(ids) for name, ids in arguments.items()}
    return action_words(action, kept, _names(workspace, _ids(kept)))


def whom_words(data: dict, known: dict[str, Subject]) -> str:
    """Whom a filter means, in words."""
    if set(data) == {"ids"}:
        count = len(data["ids"])
        return ngettext("%(count)s selected contact", "%(count)s selected contacts", count) % {"count": count}
    said = said_by(data, known)
    if said is None:
        return _("A filter that the form has no words for")
    return said.words(known) or _("All contacts")


def open_actions(workspace: Workspace) -> list[BulkAction]:
    """The actions that wait or run, for the strip above a list."""
    found = BulkAction.objects.for_workspace(workspace).filter(state__in=OPEN_STATES).order_by("-id")
    return describe(workspace, list(found[:SHOWN]))


def outcome_page(row: BulkAction) -> tuple[str, str] | None:
    """Where what an action did can be looked at: the words of a link, and its address."""
    if row.action in (BulkKind.BIN, BulkKind.RESTORE):
        return (_("See the bin"), reverse("bin")) if row.action == BulkKind.BIN else None
    for name, words in (("stage", _("See who is there")), ("owner", _("See their contacts"))):
        if row.arguments.get(name):
            return words, f"{reverse('contacts')}?{name}={row.arguments[name]}"
    if row.action == BulkKind.ADD_TAGS and len(row.arguments["tags"]) == 1:
        return _("See who wears it"), f"{reverse('contacts')}?tag={row.arguments['tags'][0]}"
    return None
