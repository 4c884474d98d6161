"""Merging in the browser: find the other one, see what would happen, merge, undo; and suggestions of pairs."""

from uuid import UUID

from django import forms
from django.contrib import messages
from django.http import Http404
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import ngettext_lazy
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from accounts import actors
from accounts.page_access import member_page, refused_at, told
from crm.models import Contact, Merge
from crm.pages.contact_page import page_contact
from crm.pages.list_state import query_of
from crm.services import suggestions
from crm.services.contact_pages import contact_ids_page
from crm.services.merging import COLUMNS, merge_contacts, undo_merge
from waplus.lib.api.pagination import PageRequest, Sort
from waplus.lib.errors import Refused
from waplus.lib.ids import uuid7

FOUND = 12
NEWEST = {"newest": Sort("id", descending=True, decode=UUID)}


class MergeForm(forms.Form):
    """Which of the two stays. The id is made with the form, so that sending it twice merges once."""

    id = forms.UUIDField(widget=forms.HiddenInput)
    kept = forms.UUIDField()


class KeptForm(forms.Form):
    """Which of a suggestion's two stays; nothing is the older one."""

    kept = forms.UUIDField(required=False)


def _with_all(contacts):
    return contacts.select_related("owner", "stage").prefetch_related("identities", "contact_tags__tag")


@require_safe
@member_page()
def find_other(request, membership, contact_id):
    """Search for the contact that is the same person."""
    contact = page_contact(membership, contact_id)
    query = query_of(request.GET)
    found = []
    if query:
        ids, _more = contact_ids_page(
            workspace=membership.workspace, viewer=membership.user, query=query, limit=FOUND + 1
        )
        others = _with_all(Contact.objects.for_workspace(membership.workspace)).in_bulk(ids)
        found = [others[id] for id in ids if id in others and id != contact_id][:FOUND]
    return render(request, "crm/merge_find.html", {"contact": contact, "query": query, "found": found})


def _lines(kept: Contact, absorbed: Contact) -> list[dict]:
    """For each column of a contact: what the two have, and what the one that stays will have."""
    labels = {
        "name": _("Name"),
        "profile_name": _("Profile name"),
        "company": _("Company"),
        "email": _("E-mail address"),
        "owner_id": _("Owner"),
        "stage_id": _("Stage"),
    }
    lines = []
    for column in COLUMNS:
        if column not in labels:
            continue
        attribute = column.removesuffix("_id")
        mine, theirs = (getattr(one, attribute) or "" for one in (kept, absorbed))
        if mine or theirs:
            lines.append({"label": labels[column], "kept": mine, "absorbed": theirs, "result": mine or theirs})
    return lines


def _moving(absorbed: Contact) -> list[str]:
    """What hangs on the contact that would go, in words."""
    counts = [
        (ngettext_lazy("%d number or ID", "%d numbers and IDs"), absorbed.identities),
        (ngettext_lazy("%d tag", "%d tags"), absorbed.contact_tags),
        (ngettext_lazy("%d value of your fields", "%d values of your fields"), absorbed.field_values),
        (ngettext_lazy("%d note", "%d notes"), absorbed.notes.filter(deleted_at=None)),
        (ngettext_lazy("%d reminder", "%d reminders"), absorbed.reminders),
        (ngettext_lazy("%d chat", "%d chats"), absorbed.chats),
        (ngettext_lazy("%d group", "%d groups"), absorbed.group_memberships),
    ]
    return [words % count for words, rows in counts if (count := rows.count())]


@require_http_methods(["GET", "HEAD", "POST"])
@member_page()
def merge(request, membership, contact_id, other_id):
    """Two contacts side by side, and what merging them would do; a POST does it."""
    contact, other = page_contact(membership, contact_id), page_contact(membership, other_id)
    if contact.pk == other.pk:
        raise Http404
    form = MergeForm(request.POST if request.method == "POST" else None, initial={"id": uuid7()}, auto_id=False)
    if form.is_valid() and form.cleaned_data["kept"] in (contact_id, other_id):
        kept_id = form.cleaned_data["kept"]
        with refused_at(form):
            merge_contacts(
                workspace=membership.workspace,
                actor=actors.person(request.user),
                kept_id=kept_id,
                absorbed_id=other_id if kept_id == contact_id else contact_id,
                id=form.cleaned_data["id"],
            )
            messages.success(request, _("The two are one contact now. You can undo it on this page."))
            return redirect("contact", kept_id)
    both = [
        {"kept": kept, "absorbed": absorbed, "lines": _lines(kept, absorbed), "moving": _moving(absorbed)}
        for kept, absorbed in ((contact, other), (other, contact))
    ]
    return render(request, "crm/merge.html", {"contact": contact, "other": other, "both": both, "form": form})


@require_POST
@member_page()
def undo(request, membership, merge_id):
    """Make two contacts of one again."""
    found = Merge.objects.for_workspace(membership.workspace).filter(pk=merge_id).first()
    if found is None:
        raise Http404
    with told(request, _("They are two contacts again.")):
        undo_merge(workspace=membership.workspace, actor=actors.person(request.user), merge_id=merge_id)
    return redirect("contact", found.kept_id)


@require_safe
@member_page()
def suggestion_list(request, membership):
    """Contacts that may be one person, each pair with the reason."""
    try:
        page = PageRequest.of({"cursor": request.GET.get("cursor"), "limit": "20"}, NEWEST, "newest")
    except Refused:
        return redirect("merge-suggestions")
    found = suggestions.open_suggestions(membership.workspace).prefetch_related(
        "one__identities", "other__identities", "one__contact_tags__tag", "other__contact_tags__tag"
    )
    rows, next_cursor = page.page(list(page.rows(found)))
    return render(
        request,
        "crm/merge_suggestions.html",
        {"suggestions": rows, "next_cursor": next_cursor, "first_page": page.key is None},
    )


@require_POST
@member_page()
def accept_suggestion(request, membership, suggestion_id):
    """Merge the two of a suggestion."""
    form = KeptForm(request.POST)
    kept_id = form.cleaned_data["kept"] if form.is_valid() else None
    with told(request, _("The two are one contact now.")):
        suggestions.accept_suggestion(
            workspace=membership.workspace,
            actor=actors.person(request.user),
            suggestion_id=suggestion_id,
            kept_id=kept_id,
        )
    return redirect("merge-suggestions")


@require_POST
@member_page()
def dismiss_suggestion(request, membership, suggestion_id):
    """Say that the two are two people."""
    with told(request, _("They are not suggested again.")):
        suggestions.dismiss_suggestion(
            workspace=membership.workspace, actor=actors.person(request.user), suggestion_id=suggestion_id
        )
    return redirect("merge-suggestions")
