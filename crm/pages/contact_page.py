"""The page of a contact, which many small forms change a part of and show again."""

from uuid import UUID

from django.db.models import F, Q
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render

from accounts.models import Membership, User
from crm.models import Contact, GroupMember, MergeSuggestion, Reminder, ReminderState
from crm.pages.chat_name_forms import with_name_forms
from crm.pages.contact_forms import DetailsForm, NumberForm
from crm.pages.members import active_members
from crm.pages.note_forms import new_note_form, notes_of
from crm.pages.reminder_forms import new_form, with_forms
from crm.pages.value_forms import ValuesForm
from crm.services import contacts
from crm.services.reminders.lists import reminders_in
from crm.services.stages import stages_in_order
from crm.services.suggestions import open_suggestions
from crm.services.tags import tags_in_order
from waplus.lib.errors import NotFound

# Rows of a part of the page; whoever has more is found in the chats themselves.
SHOWN = 30
LATEST_FIRST = (F("last_message_at").desc(nulls_last=True), "-id")


def page_contact(membership: Membership, contact_id: UUID) -> Contact:
    """The contact of a page's address; what is not theirs, in the bin or merged away is not found."""
    try:
        return contacts.contact_of(workspace=membership.workspace, contact_id=contact_id)
    except NotFound as error:
        raise Http404 from error


def _suggested(contact: Contact) -> list[MergeSuggestion]:
    """Who else may be this person: suggestions with the other one of the two as `twin`."""
    found = open_suggestions(contact.workspace).filter(Q(one=contact) | Q(other=contact))
    rows = list(found.prefetch_related("one__identities", "other__identities").order_by("-id")[:5])
    for suggestion in rows:
        suggestion.twin = suggestion.other if suggestion.one_id == contact.pk else suggestion.one
    return rows


def _reminders(request: HttpRequest, contact: Contact, members: list[User], refused: tuple | None) -> list[Reminder]:
    """What is to be done about the contact, the earliest first, and what was done last."""
    found = reminders_in(workspace=contact.workspace).filter(contact=contact)
    waiting = list(found.filter(state=ReminderState.OPEN).order_by("due_at", "id")[:50])
    done = list(found.filter(state=ReminderState.DONE).order_by("-done_at", "-id")[:3])
    form, reminder_id = refused or (None, None)
    return with_forms([*waiting, *done], members, form, reminder_id)


def _groups(contact: Contact, refused: tuple | None) -> list[GroupMember]:
    """The groups that the contact is in, by name."""
    rows = list(contact.group_memberships.select_related("chat").order_by("chat__name", "id")[:SHOWN])
    with_name_forms([row.chat for row in rows], refused)
    return rows


def contact_page(request: HttpRequest, membership: Membership, contact: Contact, **forms_shown) -> HttpResponse:
    """The page of a contact; a refused form is passed by its name and shown again with its errors."""
    initial = {name: getattr(contact, name) for name in DetailsForm.base_fields}
    members = active_members(membership.workspace)
    chats = list(contact.chats.select_related("whatsapp_account").order_by(*LATEST_FIRST)[:SHOWN])
    refused_chat = forms_shown.pop("refused_chat", None)
    return render(
        request,
        "crm/contact.html",
        {
            "contact": contact,
            "identities": contact.identities.select_related("whatsapp_account").order_by("id"),
            "chats": with_name_forms(chats, refused_chat),
            "groups": _groups(contact, refused_chat),
            "details_form": DetailsForm(initial=initial),
            "number_form": NumberForm(),
            "notes": notes_of(contact, forms_shown.pop("refused_note", None)),
            "note_form": new_note_form(),
            "stages": stages_in_order(workspace=membership.workspace),
            "members": members,
            "worn_tags": contact.contact_tags.select_related("tag").order_by("tag__position", "tag__id"),
            "all_tags": tags_in_order(workspace=membership.workspace),
            "values_form": ValuesForm.of(contact),
            "suggested": _suggested(contact),
            "merges": contact.merges_kept.filter(undone_at=None)
            .select_related("absorbed", "merged_by")
            .order_by("-id"),
            "reminders": _reminders(request, contact, members, forms_shown.pop("refused_reminder", None)),
            "reminder_form": new_form(request.user, members),
            **forms_shown,
        },
    )
