"""Tabs: saved filters of one person or of the team, in one order."""

from collections.abc import Sequence
from uuid import UUID

from django.db import IntegrityError, transaction
from django.db.models import Q, QuerySet

from accounts.actors import Actor
from accounts.models import User, Workspace
from accounts.services.changes import set_changed
from accounts.services.events import record_event
from crm.filters import Filter, parse_filter
from crm.models import Tab, TabTarget
from crm.search.orders import segments_of
from crm.services.naming import clean_name, move, next_position, reorder
from waplus.lib.errors import UNKNOWN_ID, Invalid, NotFound, Refused
from waplus.lib.ids import uuid7
from waplus.lib.locks import take_turns

MAX_TABS = 500
MAX_SHOWN = 100


def visible_tabs(*, workspace: Workspace, user: User) -> QuerySet:
    """The shared tabs and the person's own: another one's private tab is as unknown as none at all."""
    return Tab.objects.for_workspace(workspace).filter(Q(shared=True) | Q(owner=user))


def tabs_in_order(*, workspace: Workspace, user: User) -> list[Tab]:
    """All tabs that a person sees, as they were ordered."""
    return list(visible_tabs(workspace=workspace, user=user).order_by("position", "id")[:MAX_TABS])


def tab_of(*, workspace: Workspace, user: User, tab_id: UUID, lock: bool = False) -> Tab:
    """A tab that the person sees."""
    tabs = visible_tabs(workspace=workspace, user=user)
    tab = (tabs.select_for_update() if lock else tabs).filter(pk=tab_id).first()
    if tab is None:
        raise NotFound
    return tab


def filter_of(tab: Tab) -> Filter:
    """The tab's filter; parts whose tag or field is gone match nothing and stand in `dead`."""
    return parse_filter(tab.workspace, tab.filter, tab.target, lenient=True)


def _checked(workspace: Workspace, target: str, values: dict) -> dict:
    """Name, filter and order as they are kept."""
    checked = dict(values)
    if "name" in values:
        checked["name"] = clean_name(values["name"])
    if "filter" in values:
        checked["filter"] = parse_filter(workspace, values["filter"], target).data
    if values.get("sort"):
        if target == TabTarget.CHATS:
            raise Invalid("sort", "invalid_choice", "Chats are listed by their latest message.")
        segments_of(workspace, values["sort"])
    return checked


@transaction.atomic
def create_tab(
    *,
    workspace: Workspace,
    user: User,
    actor: Actor,
    name: str,
    target: str = TabTarget.CONTACTS,
    filter: dict | None = None,
    sort: str = "",
    shared: bool = False,
    id: UUID | None = None,
) -> tuple[Tab, bool]:
    """A tab at the end of the order, and whether it is new: a repeat with the same id answers the one that is there."""
    take_turns("crm_tab", workspace.pk)
    if id is not None and (existing := Tab.objects.filter(pk=id).first()):
        return _own(existing, workspace, user), False
    values = _checked(workspace, target, {"name": name, "filter": {} if filter is None else filter, "sort": sort})
    tabs = Tab.objects.for_workspace(workspace)
    if tabs.count() >= MAX_TABS or tabs.filter(owner=user).count() >= MAX_SHOWN:
        raise Refused("limit_reached", f"A person makes at most {MAX_SHOWN} tabs.", extra={"limit": MAX_SHOWN})
    tab = Tab(id=id or uuid7(), workspace=workspace, owner=user, target=target, shared=shared, **values)
    tab.position = next_position(Tab, workspace)
    try:
        with transaction.atomic():
            tab.save(force_insert=True)
    except IntegrityError:
        # Another workspace wrote the same id at the same moment.
        raise Refused("id_taken", field="id") from None
    record_event(kind="tab.created", actor=actor, workspace=workspace, obj=tab)
    return tab, True


def _own(existing: Tab, workspace: Workspace, user: User) -> Tab:
    """What a repeat is answered with, if it is the person's to see."""
    if existing.workspace_id != workspace.pk or not (existing.shared or existing.owner_id == user.pk):
        raise Refused("id_taken", field="id")
    return existing


@transaction.atomic
def update_tab(
    *, workspace: Workspace, user: User, tab_id: UUID, actor: Actor, precondition=lambda tab: None, **values
) -> Tab:
    """Change a tab: a shared one belongs to everybody, but only its owner can make it private again."""
    tab = tab_of(workspace=workspace, user=user, tab_id=tab_id, lock=True)
    precondition(tab)
    if values.get("shared") is False and tab.owner_id != user.pk:
        raise Refused("forbidden", "Only the person who made a tab can keep it for themselves.", field="shared")
    changed = set_changed(tab, _checked(workspace, tab.target, values))
    if changed:
        tab.save(update_fields=changed)
        record_event(kind="tab.updated", actor=actor, workspace=workspace, obj=tab, changed=changed)
        tab.refresh_from_db()
    return tab


@transaction.atomic
def delete_tab(*, workspace: Workspace, user: User, tab_id: UUID, actor: Actor) -> None:
    """Delete a tab; what it showed stays."""
    tab = tab_of(workspace=workspace, user=user, tab_id=tab_id, lock=True)
    record_event(kind="tab.deleted", actor=actor, workspace=workspace, obj=tab)
    tab.delete()


@transaction.atomic
def reorder_tabs(*, workspace: Workspace, user: User, actor: Actor, ids: Sequence[UUID]) -> list[Tab]:
    """Put tabs into an order; answers all that the person sees. Tabs that they do not see keep their places behind."""
    seen = set(visible_tabs(workspace=workspace, user=user).filter(pk__in=ids).values_list("pk", flat=True))
    for index, id in enumerate(ids):
        if id not in seen:
            raise Invalid(f"ids.{index}", "does_not_exist", UNKNOWN_ID)
    if moved := reorder(Tab, workspace, ids):
        record_event(kind="tab.reordered", actor=actor, workspace=workspace, changed=["position"], count=moved)
    return tabs_in_order(workspace=workspace, user=user)


@transaction.atomic
def move_tab(*, workspace: Workspace, user: User, tab_id: UUID, actor: Actor, after: UUID | None) -> bool:
    """Put a tab behind another one that the person sees, or first; answers whether it stood elsewhere."""
    tab_of(workspace=workspace, user=user, tab_id=tab_id)
    if after is not None and not visible_tabs(workspace=workspace, user=user).filter(pk=after).exists():
        raise Invalid("after", "does_not_exist", UNKNOWN_ID)
    moved = move(Tab, workspace, tab_id, after)
    if moved:
        record_event(kind="tab.reordered", actor=actor, workspace=workspace, changed=["position"], count=moved)
    return bool(moved)
