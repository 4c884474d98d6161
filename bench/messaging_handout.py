"""Messages handed out a second over HTTP by eight claimers, as a share of bare `FOR UPDATE SKIP LOCKED`.

100,000 due messages of eight numbers, each of a contact; some of these must not
be written to. Eight instances claim a hundred at a time until nothing is left,
from a web server as the image starts it, which a few claims have warmed up.
The bare way does the same update on the same rows of the same table, with its
indexes, over eight connections, and neither checks nor answers anything. Each
begins with the rows as the other found them.
"""

import itertools
import json
import statistics
import threading
import time

from bench import _messaging_data
from bench._figures import figure
from bench._load import Connection, request_bytes, served

GOAL = 0.5
CLAIMERS, MESSAGES, BATCH, ROUNDS = 8, 100_000, 100, 5
WARM_UP = 20_000

_FILL = """
INSERT INTO messaging_queuedmessage (
    id, workspace_id, source, origin_id, occurrence_at, position, whatsapp_account_id, contact_id, chat_jid, body,
    message_id, due_at, not_before, held_by, expires_at, on_late, recipient_zone, state, fence, is_new_contact,
    reason_code, reason, queued_at
)
SELECT gen_random_uuid(), %(workspace)s, 'direct', gen_random_uuid(), now(), 0,
       (%(numbers)s::uuid[])[1 + n %% %(count)s], ('00000000-0000-7000-8000-' || lpad(to_hex(n), 12, '0'))::uuid,
       (4915100000000 + n) || '@c.us', 'Hello Maria ' || n || ', your order is ready. See you soon!',
       '3EB0' || upper(lpad(to_hex(n), 18, '0')), now() - interval '1 hour' + n * interval '1 millisecond',
       now() - interval '1 hour' + n * interval '1 millisecond', '', now() + interval '1 day', 'skip', '', 'queued', 0,
       FALSE, '', '', now()
FROM generate_series(1, %(messages)s) n
"""
_BARE = """
UPDATE messaging_queuedmessage m
SET state = 'leased', fence = m.fence + 1, claim_id = %s, instance_id = %s, claimed_at = now(), held_by = '',
    not_before = m.not_before, is_new_contact = FALSE, lease_until = now() + interval '60 seconds'
FROM (
    SELECT id FROM messaging_queuedmessage
    WHERE whatsapp_account_id = %s AND state = 'queued' AND broadcast_id IS NULL AND not_before <= now()
    ORDER BY not_before, due_at, origin_id, position LIMIT %s FOR UPDATE SKIP LOCKED
) picked WHERE m.id = picked.id
"""


def run() -> None:
    """Prepare, measure in turn, print."""
    with _messaging_data.workspace(numbers=CLAIMERS, contacts=MESSAGES, suppressed=MESSAGES // 100) as data:
        headers = [data.headers() for _ in range(CLAIMERS)]
        with served("waplus.wsgi:application", {"DJANGO_SETTINGS_MODULE": "waplus.settings"}, processes=2) as port:
            _fill(data, WARM_UP)
            _over_http(data, port, headers, WARM_UP)
            rounds = []
            for number in range(ROUNDS):
                ways = [lambda: _over_http(data, port, headers), lambda: _bare(data)]
                pair = {}
                for way in ways if number % 2 else reversed(ways):
                    _fill(data)
                    pair[way] = way()
                rounds.append(tuple(pair[way] for way in ways))
    print(f"{MESSAGES:,} due messages, {CLAIMERS} claimers of {BATCH}; rows/s, {ROUNDS} rounds")
    print(f"{'round':<8} {'over HTTP':>10} {'bare':>10} {'ratio':>6}")
    for number, (ours, raw) in enumerate(rounds, 1):
        print(f"{number:<8} {ours:>10,.0f} {raw:>10,.0f} {ours / raw:>6.2f}")
    figure("messaging_handout", statistics.median(ours / raw for ours, raw in rounds), GOAL)


def _fill(data, messages: int = MESSAGES) -> None:
    from django.db import connection, transaction

    params = {"workspace": data.workspace.pk, "numbers": [str(one.pk) for one in data.numbers], "messages": messages}
    with connection.cursor() as cursor:
        cursor.execute("TRUNCATE messaging_queuedmessage CASCADE; TRUNCATE messaging_dispatcher")
        with transaction.atomic():
            cursor.execute("SET LOCAL session_replication_role = 'replica'")
            cursor.execute(_FILL, {**params, "count": CLAIMERS})
        cursor.execute("VACUUM (ANALYZE) messaging_queuedmessage")
        cursor.execute("CHECKPOINT")


def _over_http(data, port: int, headers: list[dict[str, str]], messages: int = MESSAGES) -> float:
    """Rows a second until every claimer has what there is for its number."""
    from waplus.lib.ids import uuid7

    handed = itertools.count()

    def work(index: int) -> None:
        connection = Connection(port)
        while True:
            body = {"claim_id": str(uuid7()), "whatsapp_account": str(data.numbers[index].pk), "limit": BATCH}
            answer = connection.ask(request_bytes("/api/v1/dispatch/claim/", headers[index], json.dumps(body).encode()))
            count = answer.count(b'"wait_ms"')
            for _ in range(count):
                next(handed)
            if not count:
                return

    seconds = _together(work)
    count = next(handed)
    if count < messages * 98 // 100:
        raise RuntimeError(f"only {count:,} messages were handed out")
    return messages / seconds


def _bare(data) -> float:
    import psycopg2
    from django.db import connection

    from accounts.models import ExtensionInstance
    from waplus.lib.ids import uuid7

    instance = str(ExtensionInstance.objects.order_by("-id").values_list("pk", flat=True)[0])
    params = connection.get_connection_params()
    params.pop("cursor_factory", None)

    def work(index: int) -> None:
        with psycopg2.connect(**params) as opened, opened.cursor() as cursor:
            while True:
                cursor.execute(_BARE, [str(uuid7()), instance, str(data.numbers[index].pk), BATCH])
                opened.commit()
                if not cursor.rowcount:
                    return

    return MESSAGES / _together(work)


def _together(work) -> float:
    """Seconds until all claimers are done."""
    threads = [threading.Thread(target=work, args=(index,)) for index in range(CLAIMERS)]
    began = time.monotonic()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return time.monotonic() - began
