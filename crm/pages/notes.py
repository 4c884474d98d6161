"""Notes on a contact: written, changed, pinned, put into the bin and taken back."""

from django.contrib import messages
from django.shortcuts import redirect
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from accounts import actors
from accounts.page_access import member_page, refused_at, told
from crm.pages.contact_page import contact_page, page_contact
from crm.pages.note_forms import NoteForm
from crm.services import notes


@require_POST
@member_page()
def write_note(request, membership, contact_id):
    """Write a note."""
    form = NoteForm(request.POST)
    if form.is_valid():
        with refused_at(form):
            notes.write_note(
                workspace=membership.workspace,
                contact_id=contact_id,
                actor=actors.person(request.user),
                **form.cleaned_data,
            )
            messages.success(request, _("The note is kept."))
            return redirect("contact", contact_id)
    return contact_page(request, membership, page_contact(membership, contact_id), note_form=form)


@require_POST
@member_page()
def edit_note(request, membership, contact_id, note_id):
    """Change what a note says; what it said before stays in its history."""
    form = NoteForm(request.POST, auto_id=f"note-{note_id}-%s")
    if form.is_valid():
        with refused_at(form):
            notes.edit_note(
                workspace=membership.workspace,
                note_id=note_id,
                actor=actors.person(request.user),
                text=form.cleaned_data["text"],
            )
            messages.success(request, _("The note is saved."))
            return redirect("contact", contact_id)
    return contact_page(request, membership, page_contact(membership, contact_id), refused_note=(form, note_id))


@require_POST
@member_page()
def pin_note(request, membership, contact_id, note_id):
    """Pin a note to the top, or take the pin out."""
    pinned = request.POST.get("pinned") == "true"
    with told(request):
        notes.edit_note(
            workspace=membership.workspace, note_id=note_id, actor=actors.person(request.user), pinned=pinned
        )
    return redirect("contact", contact_id)


@require_POST
@member_page()
def delete_note(request, membership, contact_id, note_id):
    """Put a note into the bin."""
    with told(request, _("The note is in the bin.")):
        notes.delete_note(workspace=membership.workspace, note_id=note_id, actor=actors.person(request.user))
    return redirect("contact", contact_id)
