"""Tabs in the browser: kept from what a list shows, changed, ordered, deleted."""

from uuid import UUID

from django import forms
from django.contrib import messages
from django.http import HttpRequest
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_POST, require_safe

from accounts import actors
from accounts.models import Membership
from accounts.page_access import member_page, refused_at, told
from crm.models import Tab, TabTarget
from crm.pages.chat_list import asked_chats
from crm.pages.contact_list import asked_state
from crm.pages.filter_rows import Subject, subjects
from crm.pages.list_pages import found_by
from crm.pages.list_state import ListState, OpenTab
from crm.pages.ordering import moved
from crm.pages.tab_strip import asked_tab, page_tab, tab_strip
from crm.services import tabs
from crm.services.naming import MAX_NAME
from waplus.lib.errors import Refused


class TabForm(forms.Form):
    """A tab's name, and whether the team sees it."""

    name = forms.CharField(
        label=gettext_lazy("Name"), max_length=MAX_NAME, widget=forms.TextInput(attrs={"autocomplete": "off"})
    )
    shared = forms.BooleanField(label=gettext_lazy("The whole team sees it"), required=False)


class NewTabForm(TabForm):
    """A new tab. The id is made with the form, so that sending it twice makes one tab."""

    id = forms.UUIDField(widget=forms.HiddenInput)


def _state(request: HttpRequest, membership: Membership, target: str) -> ListState:
    return asked_chats(request, membership) if target == TabTarget.CHATS else asked_state(request, membership)


def _page(request: HttpRequest, membership: Membership, refused: tuple[UUID, TabForm] | None = None):
    known = {target: subjects(membership.workspace, target) for target in TabTarget.values}
    rows = tab_strip(membership, budget=None)
    for row in rows:
        tab = row["tab"]
        row["form"] = refused[1] if refused and refused[0] == tab.pk else _form_of(tab)
        if tab.owner_id != membership.user.pk:
            del row["form"].fields["shared"]
        opened = OpenTab.of(tab, known[tab.target], ())
        row["words"] = _words(opened, known[tab.target])
        row["dead"] = bool(opened.found.dead)
    return render(request, "crm/tabs.html", {"rows": rows})


def _form_of(tab: Tab) -> TabForm:
    return TabForm(initial={"name": tab.name, "shared": tab.shared}, auto_id=_auto_id(tab.pk))


def _auto_id(tab_id: UUID) -> str:
    return f"tab-{tab_id}-%s"


def _words(opened: OpenTab, known: dict[str, Subject]) -> str:
    """What a tab shows, in words."""
    if opened.said is None:
        return _("A filter that only the extension can change")
    return opened.said.words(known) or _("Everything")


@require_safe
@member_page()
def tab_list(request, membership):
    """The person's tabs and the team's, in their order."""
    return _page(request, membership)


@require_safe
@member_page()
def strip(request, membership):
    """The strip of tabs above a list, with everything counted that can be counted in time."""
    target = request.GET.get("target", "")
    target = target if target in TabTarget.values else TabTarget.CONTACTS
    tab = asked_tab(request, membership, target)
    found = {"strip": tab_strip(membership, budget=None), "target": target, "open_tab": tab}
    return render(request, "crm/parts/tab_strip.html", found)


@require_POST
@member_page()
def save_tab(request, membership, target):
    """Keep what a list shows as a tab, and open it."""
    state, form = _state(request, membership, target), NewTabForm(request.POST)
    if not form.is_valid():
        messages.error(request, _("Write a name for the tab, of at most %(most)s characters.") % {"most": MAX_NAME})
        return redirect(state.path + state.address())
    try:
        tab, _is_new = tabs.create_tab(
            workspace=membership.workspace,
            user=membership.user,
            actor=actors.person(request.user),
            target=target,
            filter=found_by(membership, state, with_query=True).data,
            sort=state.sort,
            **form.cleaned_data,
        )
    except Refused as refusal:
        messages.error(request, refusal.detail)
        return redirect(state.path + state.address())
    messages.success(request, _("The tab “%(name)s” is there.") % {"name": tab.name})
    return redirect(f"{state.path}?tab={tab.pk}")


@require_POST
@member_page()
def refilter_tab(request, membership, tab_id):
    """Let a tab show what its list shows just now."""
    tab = page_tab(membership, tab_id)
    state = _state(request, membership, tab.target)
    try:
        tabs.update_tab(
            workspace=membership.workspace,
            user=membership.user,
            tab_id=tab.pk,
            actor=actors.person(request.user),
            filter=found_by(membership, state, with_query=True).data,
            sort=state.sort,
        )
    except Refused as refusal:
        messages.error(request, refusal.detail)
        return redirect(state.path + state.address())
    messages.success(request, _("The tab “%(name)s” shows this from now on.") % {"name": tab.name})
    return redirect(f"{state.path}?tab={tab.pk}")


@require_POST
@member_page()
def edit_tab(request, membership, tab_id):
    """Rename a tab, share it, or take it back."""
    tab = page_tab(membership, tab_id)
    form = TabForm(request.POST, auto_id=_auto_id(tab_id))
    if form.is_valid():
        values = dict(form.cleaned_data)
        if tab.owner_id != membership.user.pk:
            # Another one's shared tab: the form did not offer it.
            del values["shared"]
        with refused_at(form):
            tabs.update_tab(
                workspace=membership.workspace,
                user=membership.user,
                tab_id=tab_id,
                actor=actors.person(request.user),
                **values,
            )
            messages.success(request, _("The tab is saved."))
            return redirect("tabs")
    return _page(request, membership, (tab_id, form))


@require_POST
@member_page()
def move_tab(request, membership, tab_id, direction):
    """Move a tab one place up or down."""
    order = [tab.pk for tab in tabs.tabs_in_order(workspace=membership.workspace, user=membership.user)]
    ids = moved(order, tab_id, direction)
    with told(request):
        tabs.reorder_tabs(
            workspace=membership.workspace, user=membership.user, actor=actors.person(request.user), ids=ids
        )
    return redirect("tabs")


@require_POST
@member_page()
def delete_tab(request, membership, tab_id):
    """Delete a tab; what it showed stays."""
    with told(request, _("The tab is deleted. What it showed stays.")):
        tabs.delete_tab(
            workspace=membership.workspace, user=membership.user, tab_id=tab_id, actor=actors.person(request.user)
        )
    return redirect("tabs")
