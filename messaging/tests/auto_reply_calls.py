"""Incoming messages of a test in one line each, and what was decided on them."""

import itertools
from datetime import timedelta

from django.db import transaction
from django.utils import timezone

from accounts import actors
from accounts.models import Membership, Role
from messaging.models import AutoReplyChat, AutoReplyDecision, AutoReplyRule, MessageSource, QueuedMessage
from messaging.services.auto_replies.rules import create_rule
from messaging.services.auto_replies.words import decision_sentence
from messaging.services.observed import ObservedMessage, tell_observers
from messaging.tests.calls import CHAT

_ids = itertools.count(1)
ANY = [{"kind": "any"}]


def words(*keywords: str, match: str = "word") -> list[dict]:
    return [{"kind": "keyword", "words": list(keywords), "match": match}]


def add_rule(workspace, *, says: str | list[str] = "Hello!", conditions=None, **values) -> AutoReplyRule:
    """A rule that is switched on, answers every message with one text, and rests for no time."""
    owner = Membership.objects.get(workspace=workspace, role=Role.OWNER).user
    texts = [says] if isinstance(says, str) else says
    made = {"name": f"Rule {next(_ids)}", "enabled": True, "cool_down_minutes": 0, "delay_seconds": 0} | values
    rule, _ = create_rule(
        workspace=workspace,
        user=owner,
        actor=actors.person(owner),
        conditions=ANY if conditions is None else conditions,
        parts=[{"body": text} for text in texts if text],
        **made,
    )
    return rule


def message(number, text: str | None = "hi", **values) -> ObservedMessage:
    """An incoming message of this moment; `age` is in seconds."""
    given = {
        "whatsapp_account_id": number.pk,
        "chat_jid": CHAT,
        "chat_id": None,
        "contact_id": None,
        "from_me": False,
        "message_id": f"AB{next(_ids):018X}",
        "participant": "",
        "type": "chat",
        "text": text,
        "sent_at": timezone.now() - timedelta(seconds=values.pop("age", 0)),
        "is_live": True,
    }
    return ObservedMessage(**given | values)


def receive(number, text: str | None = "hi", **values) -> AutoReplyDecision | None:
    """Let a message come in, and what was decided on it."""
    seen = message(number, text, **values)
    see(number, seen)
    return AutoReplyDecision.objects.filter(whatsapp_account=number, message_id=seen.message_id).first()


def see(number, *messages: ObservedMessage) -> None:
    with transaction.atomic():
        tell_observers(number.workspace, actors.SYSTEM, messages)


def write(number, text: str = "I am here", **values) -> None:
    """A member writes in WhatsApp itself."""
    see(number, message(number, text, from_me=True, **values))


def said(decision: AutoReplyDecision | None) -> str:
    return "" if decision is None else decision_sentence(decision)


def answers(number=None) -> list[str]:
    """The texts of all automatic answers in the queue, in their order."""
    found = QueuedMessage.objects.filter(source=MessageSource.AUTO_REPLY).order_by("due_at", "origin_id", "position")
    return list((found.filter(whatsapp_account=number) if number else found).values_list("body", flat=True))


def chat_row(number, chat_jid: str = CHAT) -> AutoReplyChat:
    return AutoReplyChat.objects.get(whatsapp_account=number, chat_jid=chat_jid)
