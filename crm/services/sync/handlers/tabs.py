"""Tabs: another one's private tab is as unknown as none at all."""

from crm.filters import parse_filter
from crm.services import tabs
from crm.services.sync.handlers.registry import UNCHANGED, Applied, Change, created, handles, moved, update_row


@handles("tab", "create")
def create_tab(change: Change) -> Applied:
    row, is_new = tabs.create_tab(**change.who, user=change.user, id=change.row_id, **change.values)
    return created(row, is_new, change)


@handles("tab", "update")
def update_tab(change: Change) -> Applied:
    whose = {**change.who, "user": change.user, "tab_id": change.row_id}
    row = tabs.tab_of(workspace=change.workspace, user=change.user, tab_id=change.row_id, lock=True)
    if "filter" in change.values:
        change.values["filter"] = parse_filter(change.workspace, change.values["filter"], row.target).data
    return update_row(row, change, lambda **values: tabs.update_tab(**whose, **values))


@handles("tab", "move")
def move_tab(change: Change) -> Applied:
    whose = {**change.who, "user": change.user, "tab_id": change.row_id}
    return moved(change, lambda after: tabs.move_tab(**whose, after=after))


@handles("tab", "delete")
def delete_tab(change: Change) -> Applied:
    if not tabs.visible_tabs(workspace=change.workspace, user=change.user).filter(pk=change.row_id).exists():
        return Applied(change.row_id, UNCHANGED)
    tabs.delete_tab(**change.who, user=change.user, tab_id=change.row_id)
    return Applied(change.row_id)
