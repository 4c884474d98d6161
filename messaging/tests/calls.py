"""Requests of an extension in one line each, and what is stored, to see that a refusal changed nothing."""

import json
from contextlib import contextmanager
from datetime import timedelta
from types import SimpleNamespace
from uuid import UUID

from django.utils import timezone

from accounts.models import Event, Resource, Usage
from accounts.services import plans
from messaging.models import ContentPart, DispatchAttempt, QueuedMessage, ScheduledMessage, ScheduledRecipient
from messaging.services.dispatch import attempts_of
from messaging.services.scheduling import queue_due_messages
from waplus.lib.ids import uuid7

CHAT = "5511987654321@c.us"


def wall(seconds: float = 0) -> str:
    """A wall-clock time in UTC, so many seconds from now."""
    return (timezone.now() + timedelta(seconds=seconds)).replace(tzinfo=None).isoformat()


def schedule(device, number, *, seconds: float = 0, **values):
    """Schedule a message in UTC, due so many seconds from now. `contact`, `chat_jid` and `body` are of its one recipient and part."""
    payload = {
        "whatsapp_account": str(number.pk),
        "chat_jid": CHAT,
        "body": "Olá! 👋",
        "wall_time": wall(seconds),
        "time_zone": "UTC",
    }
    payload = in_rows(payload | values)
    return device.client.post(
        "/api/v1/scheduled-messages/", {name: value for name, value in payload.items() if value is not None}
    )


def in_rows(payload: dict) -> dict:
    """A payload whose one recipient and one part are written as rows, where it does not have rows of its own."""
    payload = dict(payload)
    to = {name: payload.pop(name) for name in ("contact", "chat_jid") if payload.get(name) is not None}
    payload.pop("contact", None), payload.pop("chat_jid", None)
    if to:
        payload.setdefault("recipients", [to])
    if (body := payload.pop("body", None)) is not None:
        payload.setdefault("parts", [{"body": body}])
    return payload


def scheduled(device, number, **values) -> dict:
    answer = schedule(device, number, **values)
    assert answer.status_code == 201, answer.json()
    return answer.json()


def queued(device, number, **values) -> QueuedMessage:
    """A message that is due and in the queue."""
    message = scheduled(device, number, **values)
    queue_due_messages()
    return QueuedMessage.objects.get(scheduled_message=message["id"])


def edit(device, message_id, **values):
    return device.client.patch(f"/api/v1/scheduled-messages/{message_id}/", in_rows(values))


def cancel(device, message_id):
    return device.client.delete(f"/api/v1/scheduled-messages/{message_id}/")


def place(message: dict) -> dict:
    """Whom a message with one recipient goes to, and where it is there."""
    [recipient] = message["recipients"]
    return recipient


def read(device, message_id) -> dict:
    return device.client.get(f"/api/v1/scheduled-messages/{message_id}/").json()


def ask(device, number, *, claim_id=None, limit: int = 10):
    """Claim, and the whole answer."""
    payload = {"claim_id": str(claim_id or uuid7()), "whatsapp_account": str(number.pk), "limit": limit}
    return device.client.post("/api/v1/dispatch/claim/", payload)


def claim(device, number, **values) -> list[dict]:
    """What one is handed to send."""
    answer = ask(device, number, **values)
    assert answer.status_code == 200, answer.json()
    return answer.json()["messages"]


def choose(device, number, chosen=None):
    """Choose which device sends from a number: the one that asks, or another one."""
    path = f"/api/v1/whatsapp-accounts/{number.pk}/dispatcher/"
    return device.client.put(path, {"instance": str((chosen or device).instance.pk)})


def take_over(device, number) -> None:
    """From now on this device sends from the number."""
    assert choose(device, number).status_code == 200


def handed(claim) -> list[SimpleNamespace]:
    """The messages of a service's answer, with the names that rows have."""
    return [_row(message) for message in json.loads(claim.messages)]


def to_reconcile(claim) -> list[SimpleNamespace]:
    return [_row(message) for message in json.loads(claim.reconcile)]


def _row(message: dict) -> SimpleNamespace:
    ids = {f"{name}_id": UUID(message[name]) for name in ("scheduled_message", "whatsapp_account") if message[name]}
    return SimpleNamespace(**message, pk=UUID(message["id"]), **ids)


def reconcile(device, number) -> list[dict]:
    """What one is asked to look up."""
    return ask(device, number).json()["reconcile"]


def report(device, message, what: str, *, fence: int | None = None, **values):
    """Report on a message as it was handed out, under its own fence or another one."""
    payload = {"fence": message["fence"] if fence is None else fence, "report": what, **values}
    return device.client.post(f"/api/v1/dispatch/{message['id']}/report/", payload)


def problem(answer) -> tuple:
    """Status and code of a refusal, and field and code of each field that is wrong."""
    body = answer.json()
    return (answer.status_code, body["code"], *((error["field"], error["code"]) for error in body.get("errors", [])))


def state_of(message) -> str:
    return QueuedMessage.objects.get(pk=message["id"]).state


def story(message) -> list[tuple[int, str, str]]:
    """The attempts at a message: fence, outcome, reason."""
    row = QueuedMessage.objects.get(pk=message["id"] if isinstance(message, dict) else message.pk)
    return [(attempt.fence, attempt.outcome, attempt.reason) for attempt in attempts_of(row)]


def kinds(*objects) -> list[str]:
    """Kinds of the events of some objects, in order."""
    ids = [row["id"] if isinstance(row, dict) else row for row in objects]
    return list(Event.objects.filter(object_id__in=ids).order_by("id").values_list("kind", flat=True))


def waiting(workspace) -> int:
    """How much of the plan's scheduled messages is in use."""
    return plans.used_of(workspace=workspace, resource=Resource.SCHEDULED_MESSAGES)


def everything() -> dict:
    return {
        model._meta.label: list(model.objects.order_by("pk").values())
        for model in (ScheduledMessage, ScheduledRecipient, ContentPart, QueuedMessage, DispatchAttempt, Usage, Event)
    }


@contextmanager
def nothing_happens():
    """Whatever is done inside leaves every row of messages, usage and events as it was."""
    before = everything()
    yield
    assert everything() == before
