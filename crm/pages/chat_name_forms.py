"""The form of a chat's name."""

from django import forms
from django.utils.translation import gettext_lazy as _

from crm.models import Chat


class ChatNameForm(forms.Form):
    """What the team calls a chat."""

    own_name = forms.CharField(
        label=_("Name in your team"),
        max_length=300,
        required=False,
        help_text=_("Without one it is called as in WhatsApp."),
    )


def with_name_forms(rows: list[Chat], refused: tuple[ChatNameForm, Chat] | None = None) -> list[Chat]:
    """Chats, each with the form of its name."""
    form, named = refused or (None, None)
    for chat in rows:
        fresh = ChatNameForm(initial={"own_name": chat.own_name}, auto_id=f"chat-{chat.pk}-%s")
        chat.form = form if chat == named else fresh
    return rows
