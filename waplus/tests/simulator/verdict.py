"""What is compared after a run: what the server tells of every message, and what recipients have seen."""

from collections import Counter, defaultdict
from dataclasses import dataclass, field
from datetime import UTC, datetime

from waplus.tests.simulator.whatsapp import Seen

GONE_OUT = {"sent", "delivered", "read", "played"}
ENDED = GONE_OUT | {"failed", "skipped", "cancelled"}
_ROWS = """
SELECT whatsapp_account_id::text, chat_jid, body, message_id, state, reason_code, due_at, origin_id::text, position, expires_at
FROM messaging_queuedmessage
"""


@dataclass(frozen=True)
class Row:
    """A message as the server tells of it."""

    number: str
    chat: str
    body: str
    message_id: str
    state: str
    reason_code: str
    due_at: datetime
    origin_id: str
    position: int
    expires_at: datetime


@dataclass
class Verdict:
    """Sentences about what must never happen, by kind; and counts of how messages ended."""

    wrong: dict[str, list[str]] = field(default_factory=lambda: defaultdict(list))
    ends: Counter = field(default_factory=Counter)

    def lines(self) -> list[str]:
        kinds = ["seen twice", "lost", "told otherwise", "out of order", "to who opted out", "too late"]
        return [f"{len(self.wrong[kind]):>6}  {kind}" for kind in kinds]


def rows_of(product) -> list[Row]:
    return [Row(*row) for row in product.rows(_ROWS)]


def judge(rows: list[Row], seen: dict[str, list[Seen]], bodies: set[str], opted_out: dict) -> Verdict:
    """Compare."""
    verdict = Verdict()
    by_id = {(row.number, row.message_id): row for row in rows}
    known = {f"{row.chat} {row.body}" for row in rows}
    verdict.wrong["lost"] += [f"{body} is not in the queue" for body in sorted(bodies - known)]
    for row in rows:
        verdict.ends[f"{row.state} {row.reason_code}".strip()] += 1
        if row.state not in ENDED:
            verdict.wrong["lost"].append(f"{row.chat} {row.body} is still {row.state}")
    times = Counter((number, one.chat, one.body) for number, messages in seen.items() for one in messages)
    verdict.wrong["seen twice"] += [f"{key} {count} times" for key, count in times.items() if count > 1]
    for row in rows:
        was_seen = times[row.number, row.chat, row.body] > 0
        if row.state in GONE_OUT and not was_seen:
            verdict.wrong["lost"].append(f"{row.chat} {row.body} is told to be {row.state}, and nobody has seen it")
        if row.state in ENDED - GONE_OUT and was_seen:
            verdict.wrong["told otherwise"].append(f"{row.chat} {row.body} was seen and is told to be {row.state}")
    for number, messages in seen.items():
        _judge_chats(verdict, number, messages, by_id, opted_out)
    return verdict


def _judge_chats(verdict: Verdict, number: str, messages: list[Seen], by_id: dict, opted_out: dict) -> None:
    chats: dict[str, list[Row]] = defaultdict(list)
    for one in messages:
        row = by_id.get((number, one.message_id))
        if row is None or (row.chat, row.body) != (one.chat, one.body):
            verdict.wrong["told otherwise"].append(f"{one} is not what the queue says")
            continue
        chats[one.chat].append(row)
        if one.allowed_at > opted_out.get((number, one.chat), float("inf")):
            verdict.wrong["to who opted out"].append(f"{one}")
        if datetime.fromtimestamp(one.seen_at, UTC) > row.expires_at:
            verdict.wrong["too late"].append(f"{one} after {row.expires_at}")
    for chat, rows in chats.items():
        places = [(row.due_at, row.origin_id, row.position) for row in rows]
        if places != sorted(places):
            verdict.wrong["out of order"].append(f"{number} {chat}: {[row.body for row in rows]}")
