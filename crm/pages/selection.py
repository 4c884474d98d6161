"""What is done with contacts that were selected in the list, some dozens at a time."""

from collections.abc import Callable
from uuid import UUID

from django import forms
from django.contrib import messages
from django.http import HttpRequest
from django.shortcuts import redirect
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_POST

from accounts import actors
from accounts.models import Membership
from accounts.page_access import member_page
from crm.pages.contact_list import asked_state
from crm.pages.filter_rows import NOBODY
from crm.services import contacts, tags
from waplus.lib.errors import NotFound, Refused

MAX_SELECTED = 500


class SelectionForm(forms.Form):
    """The selected contacts, what is to be done, and with which tag, member or stage."""

    do = forms.ChoiceField(choices=[(name, name) for name in ("tag", "untag", "owner", "stage")])
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
        if values.get("do") in ("tag", "untag") and not values.get("tag"):
            self.add_error("tag", _("Choose a tag."))
        return values


def _selected(request: HttpRequest) -> list[UUID]:
    """The ids that were ticked; what is no id was never offered."""
    found = []
    for text in request.POST.getlist("contact")[:MAX_SELECTED]:
        try:
            found.append(UUID(text))
        except ValueError:
            continue
    return list(dict.fromkeys(found))


def _work(request: HttpRequest, membership: Membership, values: dict) -> Callable[[UUID], object]:
    """What is done with each of them: one service call, which is one transaction with its event."""
    common = {"workspace": membership.workspace, "actor": actors.person(request.user)}
    do = values["do"]
    if do in ("tag", "untag"):
        service = tags.tag_contact if do == "tag" else tags.untag_contact
        return lambda id: service(contact_id=id, tag_id=values["tag"], **common)
    return lambda id: contacts.update_contact(contact_id=id, **{do: values[do]}, **common)


@require_POST
@member_page()
def change_selected(request, membership):
    """Change the contacts that were selected, and go back to the list as it was."""
    state = asked_state(request, membership)
    response = redirect(state.path + state.address())
    form, selected = SelectionForm(request.POST), _selected(request)
    if not selected:
        messages.error(request, _("Select some contacts first."))
    elif not form.is_valid():
        messages.error(request, next(iter(form.errors.values()))[0])
    else:
        _change(request, selected, _work(request, membership, form.cleaned_data))
    return response


def _change(request: HttpRequest, selected: list[UUID], work: Callable[[UUID], object]) -> None:
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
        sentence = ngettext("%(count)s contact is changed.", "%(count)s contacts are changed.", changed)
        messages.success(request, sentence % {"count": changed})
    if refused:
        messages.error(request, refused)
    elif changed < len(selected):
        messages.warning(request, _("Some of them are no longer there."))
