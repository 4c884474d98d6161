"""What is done with contacts of the list: with those that were ticked, or with all that match.

Ticked ones are some dozens: each is changed by itself, so that its timeline
tells of it. All that match are a bulk action, which is confirmed first, with
their number. Putting contacts into the bin is always confirmed.
"""

from collections.abc import Callable
from uuid import UUID

from django import forms
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext
from django.views.decorators.http import require_POST, require_safe

from accounts import actors
from accounts.models import Membership
from accounts.page_access import member_page
from crm.filters import parse_filter
from crm.models import BulkKind
from crm.models.bulk import OPEN_STATES
from crm.pages.bulk_words import change_words, whom_words
from crm.pages.contact_list import asked_state
from crm.pages.exports import file_of
from crm.pages.filter_rows import NOBODY
from crm.pages.list_pages import found_by
from crm.pages.list_state import ListState
from crm.services import bin, contacts, exports, tags
from crm.services.bulk import starting
from waplus.lib.errors import NotFound, Refused
from waplus.lib.ids import uuid7

MAX_SELECTED = 500
ACTIONS = {
    "tag": BulkKind.ADD_TAGS,
    "untag": BulkKind.REMOVE_TAGS,
    "owner": BulkKind.SET_OWNER,
    "stage": BulkKind.SET_STAGE,
    "bin": BulkKind.BIN,
}
EVERYBODY = "all"


class SelectionForm(forms.Form):
    """What is to be done, with which tag, member or stage, and to whom: `scope` is empty, or `all` that match."""

    do = forms.ChoiceField(
        choices=[(name, name) for name in (*ACTIONS, *exports.FORMATS)],
        error_messages={"required": gettext_lazy("Choose what to do with them.")},
    )
    scope = forms.ChoiceField(choices=[(EVERYBODY, EVERYBODY)], required=False)
    tag = forms.UUIDField(required=False)
    owner = forms.CharField(required=False, max_length=36)
    stage = forms.CharField(required=False, max_length=36)

    def _id(self, name: str) -> UUID | None:
        text = self.cleaned_data[name]
        try:
            return None if text in ("", NOBODY) else UUID(text)
        except ValueError as error:
            raise forms.ValidationError(_("Choose one of the list."), code="invalid") from error

    def clean_owner(self) -> UUID | None:
        return self._id("owner")

    def clean_stage(self) -> UUID | None:
        return self._id("stage")

    def clean(self):
        values = super().clean()
        do = values.get("do")
        if do in ("tag", "untag") and not values.get("tag"):
            self.add_error("tag", _("Choose a tag."))
        # Nobody and no stage are choices of their own: what was left alone is neither.
        for name, sentence in (("owner", _("Choose an owner.")), ("stage", _("Choose a stage."))):
            if do == name and not self.data.get(name) and not self.errors:
                self.add_error(name, sentence)
        return values

    @property
    def arguments(self) -> dict:
        """What the bulk action of it works with."""
        do = self.cleaned_data["do"]
        if do in ("tag", "untag"):
            return {"tags": [self.cleaned_data["tag"]]}
        return {do: self.cleaned_data[do]} if do in ("owner", "stage") else {}


class ConfirmationForm(SelectionForm):
    """The same, agreed to: the id of the action, and the number of contacts that was shown."""

    id = forms.UUIDField()
    agreed = forms.IntegerField(min_value=0)


def ticked_contacts(request: HttpRequest) -> list[UUID]:
    """The ids that were ticked; what is no id was never offered."""
    found = []
    for text in request.POST.getlist("contact")[:MAX_SELECTED]:
        try:
            found.append(UUID(text))
        except ValueError:
            continue
    return list(dict.fromkeys(found))


def _refusal(form: SelectionForm, selected: list[UUID]) -> str:
    """Why nothing can be done, or nothing."""
    if not form.is_valid():
        return next(iter(form.errors.values()))[0]
    return "" if selected or form.cleaned_data["scope"] else _("Select some contacts first.")


def _whom(membership: Membership, state: ListState, form: SelectionForm, selected: list[UUID]) -> dict:
    """The filter of those whom it is about."""
    if form.cleaned_data["scope"]:
        return found_by(membership, state, with_query=True).data
    return {"ids": sorted(map(str, selected))}


@require_POST
@member_page()
def change_selected(request, membership):
    """Change the contacts that were selected, and go back to the list as it was; or ask first."""
    state = asked_state(request, membership)
    back = redirect(state.path + state.address())
    form, selected = SelectionForm(request.POST), ticked_contacts(request)
    if refusal := _refusal(form, selected):
        messages.error(request, refusal)
        return back
    do, everybody = form.cleaned_data["do"], bool(form.cleaned_data["scope"])
    try:
        if do in exports.FORMATS:
            found = parse_filter(membership.workspace, _whom(membership, state, form, selected))
            return file_of(request, membership, found, do)
        if everybody or do == "bin":
            return _confirmation(request, membership, state, form, selected) or back
    except Refused as refused:
        messages.error(request, refused.detail)
        return back
    _change_each(request, selected, _work(request, membership, form))
    return back


def _confirmation(
    request: HttpRequest, membership: Membership, state: ListState, form: SelectionForm, selected: list[UUID]
) -> HttpResponse | None:
    """The page that asks, with the number of contacts; None if there are none."""
    action, whom = ACTIONS[form.cleaned_data["do"]], _whom(membership, state, form, selected)
    count = starting.count_bulk_action(
        workspace=membership.workspace, user=membership.user, action=action, filter=whom, **form.arguments
    )
    if not count:
        messages.warning(request, _("Nobody is left to be changed."))
        return None
    sent = [(name, request.POST.get(name, "")) for name in ("do", "scope", "tag", "owner", "stage")]
    context = {
        "state": state,
        "count": count,
        "words": change_words(membership.workspace, action, form.arguments),
        "whom": whom_words(whom, state.known) if form.cleaned_data["scope"] else "",
        "to_bin": action == BulkKind.BIN,
        "sent": [*sent, *(("contact", id) for id in selected)] if not form.cleaned_data["scope"] else sent,
        "new_id": uuid7(),
    }
    return render(request, "crm/bulk_confirm.html", context)


@require_POST
@member_page()
def start_bulk(request, membership):
    """Do what was agreed to. More contacts than were shown do not go into the bin: then it is asked again."""
    state = asked_state(request, membership)
    back = redirect(state.path + state.address())
    form, selected = ConfirmationForm(request.POST), ticked_contacts(request)
    if refusal := _refusal(form, selected):
        messages.error(request, refusal)
        return back
    values = form.cleaned_data
    if values["do"] not in ACTIONS:
        messages.error(request, _("Choose what is to be done."))
        return back
    if not values["scope"]:
        _change_each(request, selected, _work(request, membership, form))
        return back
    try:
        if values["do"] == "bin" and _grown(membership, state, form):
            messages.warning(request, _("There are more of them by now. Look at the number again."))
            return _confirmation(request, membership, state, form, []) or back
        row, _is_new = starting.start_bulk_action(
            workspace=membership.workspace,
            user=membership.user,
            actor=actors.person(request.user),
            id=values["id"],
            action=ACTIONS[values["do"]],
            filter=_whom(membership, state, form, []),
            **form.arguments,
        )
    except Refused as refused:
        messages.error(request, refused.detail)
        return back
    if row.state in OPEN_STATES:
        return redirect("bulk-action", row.pk)
    _tell(request, row.changed, to_bin=row.action == BulkKind.BIN)
    return back


def _grown(membership: Membership, state: ListState, form: ConfirmationForm) -> bool:
    count = starting.count_bulk_action(
        workspace=membership.workspace,
        user=membership.user,
        action=BulkKind.BIN,
        filter=_whom(membership, state, form, []),
    )
    return count > form.cleaned_data["agreed"]


@require_safe
@member_page()
def count_matching(request, membership):
    """How many contacts match what the list shows, exactly, for the tick that means all of them."""
    state = asked_state(request, membership)
    try:
        whom = found_by(membership, state, with_query=True).data
        count = starting.count_bulk_action(
            workspace=membership.workspace, user=membership.user, action=BulkKind.BIN, filter=whom
        )
    except Refused:
        count = None
    return render(request, "crm/parts/everybody.html", {"count": count})


def _work(request: HttpRequest, membership: Membership, form: SelectionForm) -> Callable[[UUID], object]:
    """What is done with each of them: one service call, which is one transaction with its event."""
    common = {"workspace": membership.workspace, "actor": actors.person(request.user)}
    values = form.cleaned_data
    do = values["do"]
    if do == "bin":
        return lambda id: bin.delete_contact(contact_id=id, **common)
    if do in ("tag", "untag"):
        service = tags.tag_contact if do == "tag" else tags.untag_contact
        return lambda id: service(contact_id=id, tag_id=values["tag"], **common)
    return lambda id: contacts.update_contact(contact_id=id, **{do: values[do]}, **common)


def _change_each(request: HttpRequest, selected: list[UUID], work: Callable[[UUID], object]) -> None:
    changed, refused = 0, ""
    for contact_id in selected:
        try:
            work(contact_id)
        except NotFound:
            continue
        except Refused as refusal:
            refused = refusal.detail
            continue
        changed += 1
    if changed:
        _tell(request, changed, to_bin=request.POST.get("do") == "bin")
    if refused:
        messages.error(request, refused)
    elif changed < len(selected):
        messages.warning(request, _("Some of them are no longer there."))


def _tell(request: HttpRequest, changed: int, *, to_bin: bool) -> None:
    if to_bin:
        sentence = ngettext(
            "%(count)s contact is in the bin, from where it can be taken back.",
            "%(count)s contacts are in the bin, from where they can be taken back.",
            changed,
        )
    elif changed:
        sentence = ngettext("%(count)s contact is changed.", "%(count)s contacts are changed.", changed)
    else:
        sentence = _("Nothing had to be changed: they were all like that.")
    messages.success(request, sentence % {"count": changed})
