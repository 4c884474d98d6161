"""The data map of chats that cannot be written to."""

from dataclasses import replace
from uuid import UUID

from django.db.models import Q

from crm.models import Chat
from messaging.personal_data.vocabulary import CHAT, DEVICE, METADATA
from waplus.lib.personal_data import WORKSPACE, Correct, PersonalData, declare, technical


def _chats_with(contact_id: UUID) -> Q:
    return Q(chat_jid__in=Chat.objects.filter(contact=contact_id).values("jid"))


@declare
class UnreachableChatData(PersonalData):
    model = "messaging.UnreachableChat"
    subjects = {"contact": _chats_with, "workspace": "workspace", "instance": "instance"}
    fields = {
        "id": technical("Names the row."),
        "workspace": WORKSPACE,
        "whatsapp_account": replace(METADATA, purpose="Tells which number cannot write there."),
        "chat_jid": replace(CHAT, purpose="Tells which chat cannot be written to.", correct=Correct.NEVER),
        **dict.fromkeys(
            ("code", "since"), replace(METADATA, purpose="Keeps messages from being sent where they cannot arrive.")
        ),
        "instance": replace(DEVICE, purpose="Tells which device found it out."),
    }
