"""Names that members give chats, on the page of the contact."""

from uuid import UUID

from django.contrib import messages
from django.http import Http404
from django.shortcuts import redirect
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from accounts import actors
from accounts.page_access import member_page, refused_at
from crm.models import Chat, Contact
from crm.pages.chat_name_forms import ChatNameForm
from crm.pages.contact_page import contact_page, page_contact
from crm.services import chats


def _chat(contact: Contact, chat_id: UUID) -> Chat | None:
    """A chat of the contact, or a group that it is in."""
    return (
        contact.chats.filter(pk=chat_id).first()
        or Chat.objects.for_workspace(contact.workspace).filter(pk=chat_id, members__contact=contact).first()
    )


@require_POST
@member_page()
def name_chat(request, membership, contact_id, chat_id):
    """Give a chat a name of the team's own, or take it away."""
    contact = page_contact(membership, contact_id)
    chat = _chat(contact, chat_id)
    if chat is None:
        raise Http404
    form = ChatNameForm(request.POST, auto_id=f"chat-{chat_id}-%s")
    if form.is_valid():
        with refused_at(form):
            chats.update_chat(
                workspace=membership.workspace,
                chat_id=chat_id,
                actor=actors.person(request.user),
                own_name=form.cleaned_data["own_name"],
            )
            messages.success(request, _("The name is saved."))
            return redirect("contact", contact_id)
    return contact_page(request, membership, contact, refused_chat=(form, chat))
