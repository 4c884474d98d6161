"""What an extension uploads, in one line each, and what is stored of it."""

from datetime import UTC, datetime, timedelta

from django.utils import timezone

from crm.models import Chat
from messaging.models import ConversationMessage, ConversationRule, MessageReaction
from messaging.services.conversations.storing import _STATE

PERSON = "5511987654321@c.us"
LID = "157163732254124@lid"
GROUP = "120363041234567890@g.us"
NOON = datetime(2026, 6, 1, 12, tzinfo=UTC)


def at(seconds: float = 0) -> str:
    """A moment so many seconds before noon of the test's day, where its clock begins."""
    return (NOON - timedelta(seconds=3600 - seconds)).isoformat()


def message(id: str = "3EB0AA01", *, seconds: float = 0, chat_jid: str = PERSON, **values) -> dict:
    """An item of `messages`: received, and sent so many seconds after eleven o'clock."""
    item = {"chat_jid": chat_jid, "message_id": id, "from_me": False, "type": "chat", "sent_at": at(seconds)}
    return {name: value for name, value in (item | values).items() if value is not None}


def key(id: str = "3EB0AA01", chat_jid: str = PERSON, **values) -> dict:
    return {"chat_jid": chat_jid, "message_id": id, "from_me": False} | values


def post(device, number, messages=(), **lists):
    """Upload, and the whole answer."""
    payload = {"whatsapp_account": str(number.pk), "messages": list(messages), **lists}
    return device.client.post("/api/v1/conversations/messages/", payload)


def upload(device, number, messages=(), **lists) -> dict[str, list[str]]:
    """Upload; the outcomes by list, where it has any."""
    answer = post(device, number, messages, **lists)
    assert answer.status_code == 200, answer.json()
    return {
        name: [one["code"] if one["outcome"] == "refused" else one["outcome"] for one in outcomes]
        for name, outcomes in answer.json().items()
        if outcomes
    }


def chat(number, jid: str = PERSON, contact=None) -> Chat:
    """A chat that the CRM knows."""
    kind = "group" if jid.endswith("g.us") else "person"
    return Chat.objects.create(
        workspace=number.workspace, whatsapp_account=number, jid=jid, kind=kind, contact=contact, search_text=""
    )


def switch(target, *, content: bool = True, metadata: bool = True, kind: str = "account") -> ConversationRule:
    """A rule as it stands in the database."""
    column = {"account": "whatsapp_account"}.get(kind, kind)
    return ConversationRule.objects.create(
        workspace=target.workspace,
        kind=kind,
        metadata_on=metadata,
        content_on=content,
        changed_at=timezone.now(),
        **{column: target},
    )


def stored() -> list[tuple]:
    """Messages in order: bare id, type, text (None without content)."""
    rows = ConversationMessage.objects.order_by("sent_at", "message_id")
    return [(row.message_id, row.type, row.text if row.has_content else None) for row in rows]


def end_state() -> tuple:
    """Everything that is stored of conversations, without what names rows."""
    columns = (
        "chat__jid",
        "message_id",
        "from_me",
        "participant",
        *(n for n in _STATE if n not in ("seen_in", "media_details")),
    )
    rows = sorted(map(repr, ConversationMessage.objects.values_list(*columns, "search_text", "media_details")))
    reactions = sorted(MessageReaction.objects.values_list("message__message_id", "reactor", "emoji", "reacted_at"))
    return rows, reactions
