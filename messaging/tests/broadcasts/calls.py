"""Broadcasts of tests in one line each: people, drafts, starts, and what is queued."""

from collections import Counter

from crm.models import Chat, ContactIdentity
from crm.tests.records import add_contact
from messaging.models import Broadcast, BroadcastExclusion, QueuedMessage
from messaging.services.broadcasts.starting import start_waiting_broadcasts
from waplus.lib.ids import uuid7

BROADCASTS = "/api/v1/broadcasts/"
EVERYBODY = {"include": [{"filter": {}}]}


def add_people(workspace, *names: str, first: int = 5511987650000, **columns) -> list:
    """Contacts with a number each, in the order of their ids."""
    return [add_contact(workspace, name, number=str(first + index), **columns) for index, name in enumerate(names)]


def add_identity(contact, kind: str, value: str, match_key: str = "") -> ContactIdentity:
    return ContactIdentity.objects.create(
        workspace=contact.workspace,
        contact=contact,
        kind=kind,
        value=value,
        match_key=match_key or value.lstrip("+").partition("@")[0],
        source="extension",
        observed_at=contact.created_at,
        holds_key=False,
    )


def add_chat(account, contact, jid: str, **columns) -> Chat:
    return Chat.objects.create(
        workspace=account.workspace, whatsapp_account=account, jid=jid, kind="person", contact=contact, **columns
    )


def post(device, path: str = "", **payload):
    return device.client.post(f"{BROADCASTS}{path}", payload, format="json")


def draft(device, number, status: int = 201, **values) -> dict:
    """A draft to everybody, unless it is said otherwise."""
    payload = {
        "id": str(uuid7()),
        "name": "Spring",
        "whatsapp_account": str(number.pk),
        "parts": [{"body": "Hello {{first_name|there}}!"}],
        "audience": EVERYBODY,
        "time_zone": "UTC",
    }
    answer = post(device, **payload | values)
    assert answer.status_code == status, answer.json()
    return answer.json()


def act(device, broadcast, action: str, status: int = 200) -> dict:
    answer = post(device, f"{broadcast['id']}/{action}/")
    assert answer.status_code == status, answer.json()
    return answer.json()


def started(device, number, **values) -> Broadcast:
    """A broadcast that runs."""
    row = draft(device, number, **values)
    act(device, row, "start")
    assert start_waiting_broadcasts() == 1, Broadcast.objects.get(pk=row["id"]).problem
    return Broadcast.objects.get(pk=row["id"])


def read(device, broadcast, path: str = "", **query) -> dict:
    id = broadcast["id"] if isinstance(broadcast, dict) else broadcast.pk
    answer = device.client.get(f"{BROADCASTS}{id}/{path}", query)
    assert answer.status_code == 200, answer.json()
    return answer.json()


def texts(broadcast) -> list[tuple]:
    """What is queued: chat and text, in the order in which it goes."""
    rows = QueuedMessage.objects.filter(broadcast=broadcast).order_by("not_before", "id")
    return list(rows.values_list("chat_jid", "body"))


def states(broadcast) -> Counter:
    return Counter(QueuedMessage.objects.filter(broadcast=broadcast).values_list("state", flat=True))


def left_out(broadcast) -> dict[str, str]:
    """Names of who was left out, with the reason."""
    rows = BroadcastExclusion.objects.filter(broadcast=broadcast).values_list("contact__name", "reason", "detail")
    return {name: f"{reason}: {detail}" if detail else reason for name, reason, detail in rows}
