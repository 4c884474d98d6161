"""Synced messages taken in a second, in batches of 500, as a share of a bare COPY of the same rows.

An extension reads back the conversations of a number with content: 40 chats,
texts of 5 to 60 words, one in ten with a file. Each batch is one transaction,
as in the product: through the service, and over HTTP with one connection. The
raw limit is a COPY of exactly the rows that the service wrote, 500 at a time,
each committed, into the same table with the same indexes and constraints.
Measured in turn, each time from an empty conversation; the figure is the
service's, HTTP is printed beside.
"""

import contextlib
import io
import json
import random
import statistics
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

from bench import _messaging_data
from bench._figures import figure
from bench._load import Connection, request_bytes, served

GOAL = 0.4
ROUNDS, BATCHES, BATCH, CHATS = 5, 12, 500, 40
_WORDS = (
    *(
        "hello",
        "obrigado",
        "amanhã",
        "price",
        "pedido",
        "entrega",
        "Termin",
        "gracias",
        "order",
        "invoice",
        "ok",
        "foto",
    ),
    *("quando", "please", "the", "bom", "dia", "kann", "ich", "mañana", "später", "and", "for", "you", "we", "send"),
)
_TABLE = "messaging_conversationmessage"


def run() -> None:
    """Prepare, measure in turn, print."""
    with _messaging_data.workspace(numbers=1, contacts=100, suppressed=0) as data, _switched_on(data):
        batches = [_batch(number) for number in range(BATCHES)]
        rounds = list(_rounds(data, batches))
    print(f"{BATCHES * BATCH:,} messages in batches of {BATCH}; messages/s")
    print(f"{'round':<8} {'service':>10} {'over HTTP':>10} {'bare COPY':>10} {'ratio':>6} {'HTTP':>6}")
    for number, (ours, http, raw) in enumerate(rounds, 1):
        print(f"{number:<8} {ours:>10,.0f} {http:>10,.0f} {raw:>10,.0f} {ours / raw:>6.2f} {http / raw:>6.2f}")
    print(f"over HTTP {statistics.median(http / raw for _, http, raw in rounds):.2f} of the bare COPY")
    figure("messaging_ingest", statistics.median(ours / raw for ours, _, raw in rounds), GOAL)


def _rounds(data, batches: list[dict]) -> Iterator[tuple[float, float, float]]:
    with served("waplus.wsgi:application", {}) as port:
        connection, headers = Connection(port), data.headers()
        requests = [request_bytes("/api/v1/conversations/messages/", headers, _payload(data, one)) for one in batches]
        for turn in range(ROUNDS + 1):
            ours = _rate(data, lambda: [_take(data, batch) for batch in batches])
            copies = _copies(data)
            raw = _rate(data, lambda: [_copy(copy) for copy in copies])  # noqa: B023
            http = _rate(data, lambda: [connection.ask(request) for request in requests])
            if turn:  # the first one warms up
                yield ours, http, raw


def _rate(data, work) -> float:
    """Messages a second from empty tables; whoever does not store them all is no measure."""
    from messaging.models import ConversationMessage

    _empty(data)
    began = time.monotonic()
    work()
    seconds = time.monotonic() - began
    if (count := ConversationMessage.objects.for_workspace(data.workspace).count()) != BATCHES * BATCH:
        raise RuntimeError(f"{count:,} messages were stored instead of {BATCHES * BATCH:,}")
    return count / seconds


def _empty(data) -> None:
    """Everything that was stored goes, and its place in tables and indexes with it."""
    tables = ("messaging_messagereaction", _TABLE, "messaging_conversationsync", "messaging_seenmessage")
    with _cursor() as cursor:
        for table in tables:
            cursor.execute(f"DELETE FROM {table} WHERE workspace_id = %s", [data.workspace.pk])
        cursor.execute(f"VACUUM (ANALYZE, INDEX_CLEANUP ON) {', '.join(tables)}")


def _cursor():
    from django.db import connection

    return connection.cursor()


@contextlib.contextmanager
def _switched_on(data) -> Iterator[None]:
    """Everything of the number is switched on, and everything that was stored goes afterwards."""
    from accounts import actors
    from messaging.services.conversations import switching

    rule, _ = switching.switch_chats(
        workspace=data.workspace,
        actor=actors.person(data.user),
        kind="account",
        target_id=data.numbers[0].pk,
        metadata_on=True,
        content_on=True,
    )
    try:
        yield
    finally:
        _empty(data)
        rule.delete()


def _batch(number: int) -> dict:
    """500 messages of five chats, as they are read back, with the stretch that they cover."""
    chance = random.Random(number)
    began = datetime(2026, 1, 1, tzinfo=UTC) + timedelta(hours=number)
    jids = [f"55118{(number * 5 + index) % CHATS:08}@c.us" for index in range(5)]
    messages = []
    for index in range(BATCH):
        jid, mine = jids[index % 5], chance.random() < 0.5
        item = {
            "chat_jid": jid,
            "message_id": f"{'true' if mine else 'false'}_{jid}_3EB0{chance.getrandbits(72):018X}",
            "type": "chat",
            "text": " ".join(chance.choices(_WORDS, k=chance.randint(5, 60))),
            "sent_at": (began + timedelta(seconds=index * 7)).isoformat(),
        }
        if mine:
            item["ack"] = 3
        if index % 10 == 0:
            item |= {"type": "image", "media": {"mime": "image/jpeg", "size": 12345, "width": 800, "height": 600}}
        messages.append(item)
    end = (began + timedelta(hours=1)).isoformat()
    return {
        "messages": messages,
        "covers": [{"chat_jid": jid, "from": began.isoformat(), "to": end} for jid in jids],
    }


def _payload(data, batch: dict) -> bytes:
    return json.dumps({"whatsapp_account": str(data.numbers[0].pk), **batch}).encode()


def _take(data, batch: dict) -> None:
    from accounts import actors
    from messaging.services.conversations.ingest import take_messages

    take_messages(
        workspace=data.workspace,
        actor=actors.person(data.user),
        account_id=data.numbers[0].pk,
        lists={"messages": batch["messages"]},
        covers=batch["covers"],
    )


def _copies(data) -> list[str]:
    """What the service has written, as COPY reads it, in batches of its own order."""
    with _cursor() as cursor:
        text = io.StringIO()
        cursor.copy_expert(
            f"COPY (SELECT * FROM {_TABLE} WHERE workspace_id = '{data.workspace.pk}' ORDER BY id) TO STDOUT", text
        )
    lines = text.getvalue().splitlines(keepends=True)
    return ["".join(lines[start : start + BATCH]) for start in range(0, len(lines), BATCH)]


def _copy(rows: str) -> None:
    from django.db import transaction

    with transaction.atomic(), _cursor() as cursor:
        cursor.copy_expert(f"COPY {_TABLE} FROM STDIN", io.StringIO(rows))
