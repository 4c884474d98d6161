"""A decision on an incoming message with 200 rules: median and p99, against inserting the decision's row alone.

150 rules look for five keywords each, 20 for a pattern, 15 go by hours, 15 by
tags of the contact. Every message comes from another chat; a third of them is
answered. A decision is all that the observer does in its transaction: reading
the rules' version, locking the chat, the facts, the verdict, its row, the
answer in the queue. The bare insert is one prepared statement in a transaction.
"""

import statistics
import time
import uuid

from bench._figures import figure

RULES, MESSAGES, WARM = 200, 1_500, 300
MEDIAN_MS, P99_MS = 5.0, 20.0


def run() -> None:
    """Prepare, measure in turn, print, and take everything away."""
    import django

    django.setup()
    from django.core.management import call_command
    from django.db import transaction

    call_command("migrate", verbosity=0)
    workspace, account, contacts = _prepare()
    try:
        ours, bare = [], []
        for turn in range(MESSAGES + WARM):
            if turn == WARM:
                # As autovacuum does in a database that lives: plans made for empty tables are made anew.
                _analyze()
            for times, work in ((ours, _decide), (bare, _insert)):
                arguments = work(workspace, account, contacts, turn)
                started = time.perf_counter()
                with transaction.atomic():
                    arguments()
                if turn >= WARM:
                    times.append((time.perf_counter() - started) * 1000)
        _print(ours, bare, _answered(workspace))
    finally:
        workspace.delete()


def _analyze() -> None:
    from django.db import connection

    with connection.cursor() as cursor:
        cursor.execute("ANALYZE")


def _prepare():
    from accounts import actors
    from accounts.models import User
    from accounts.services.workspaces import create_workspace
    from crm.models import WhatsAppAccount
    from crm.services.contacts import create_contact
    from crm.services.tags import create_tag
    from messaging.services.auto_replies.hours import create_hours
    from messaging.services.auto_replies.rules import create_rule, update_setting

    user = User.objects.create_user(email=f"bench-{uuid.uuid4()}@example.com", name="Bench")
    actor = actors.person(user)
    workspace = create_workspace(owner=user, name="Bench", actor=actor)
    account = WhatsAppAccount.objects.create(workspace=workspace, jid="4915110000000@c.us")
    tag, _ = create_tag(workspace=workspace, actor=actor, name="VIP")
    hours, _ = create_hours(
        workspace=workspace,
        actor=actor,
        name="Night",
        time_zone="America/Sao_Paulo",
        intervals=[{"day": day, "from": "00:00", "to": "00:01"} for day in range(1, 8)],
    )
    update_setting(workspace=workspace, actor=actor, number_per_hour=1000)
    for number in range(RULES):
        if number < 150:
            words = [f"keyword{number}x{word}" for word in range(4)] + [f"topic {number}"]
            match = ("word", "contains", "exact")[number % 3]
            condition = {"kind": "keyword", "words": words, "match": match}
        elif number < 170:
            condition = {"kind": "pattern", "pattern": rf"order\s+#?{number}\d+|(invoice|bill) {number}"}
        elif number < 185:
            condition = {"kind": "hours", "hours": str(hours.pk), "is": "inside"}
        else:
            condition = {"kind": "contact", "filter": {"tag": {"any": [str(tag.pk)]}}}
        create_rule(
            workspace=workspace,
            user=user,
            actor=actor,
            name=f"Rule {number}",
            enabled=True,
            conditions=[condition],
            parts=[{"body": "Hello {{first_name|there}}, we will be back."}],
        )
    contacts = [
        create_contact(
            workspace=workspace,
            actor=actor,
            source="person",
            name=f"Person {number}",
            identities=[{"kind": "phone", "value": f"+4917690{number:06}"}],
        )[0].pk
        for number in range(100)
    ]
    return workspace, account, contacts


TEXT = "Good morning, I saw your page and wonder when my parcel comes, thanks in advance and kind regards from Ana"


def _decide(workspace, account, contacts, turn: int):
    from django.utils import timezone

    from accounts.actors import SYSTEM
    from messaging.services.auto_replies.deciding import decide_on_messages
    from messaging.services.observed import ObservedMessage

    text = f"{TEXT}, keyword{turn % 50 * 3}x1" if turn % 3 == 0 else TEXT
    message = ObservedMessage(
        whatsapp_account_id=account.pk,
        chat_jid=f"4917690{turn:06}@c.us",
        chat_id=None,
        contact_id=contacts[turn] if turn < len(contacts) else None,
        from_me=False,
        message_id=f"BENCH{turn}",
        participant="",
        type="chat",
        text=text,
        sent_at=timezone.now(),
        is_live=True,
    )
    return lambda: decide_on_messages(workspace, SYSTEM, [message])


def _insert(workspace, account, contacts, turn: int):
    import json

    from django.utils import timezone

    from messaging.services.auto_replies.deciding import _DECIDE
    from waplus.lib.ids import uuid7

    now = timezone.now()
    row = {
        "id": str(uuid7()),
        "account": str(account.pk),
        "contact": None,
        "jid": f"4917690{turn:06}@c.us",
        "message_id": f"BARE{turn}",
        "verdict": "no_match",
        "facts": {},
        "rules": [],
        "others": {"text": 200},
        "received_at": now.isoformat(),
    }
    return lambda: _DECIDE.fetch([workspace.pk, now, json.dumps([row])])


def _answered(workspace) -> int:
    from messaging.models import AutoReplyAnswer

    return AutoReplyAnswer.objects.for_workspace(workspace).count()


def _print(ours: list[float], bare: list[float], answered: int) -> None:
    print(f"{MESSAGES:,} messages, {RULES} rules, {answered} answers; ms a message, transaction included")
    print(f"{'':<12} {'median':>8} {'p99':>8} {'worst':>8}")
    for name, times in (("decision", ours), ("bare insert", bare)):
        print(f"{name:<12} {statistics.median(times):>8.2f} {_p99(times):>8.2f} {max(times):>8.2f}")
    print(f"ratio of the medians, decision to bare insert: {statistics.median(ours) / statistics.median(bare):.1f}")
    figure("messaging_auto_reply_median_ms", statistics.median(ours), MEDIAN_MS, at_most=True)
    figure("messaging_auto_reply_p99_ms", _p99(ours), P99_MS, at_most=True)


def _p99(times: list[float]) -> float:
    return sorted(times)[int(len(times) * 0.99)]
