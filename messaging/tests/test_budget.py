"""What a number may send, counted over everything that it sent."""

from datetime import UTC, date, datetime, time, timedelta

import pytest
from django.db import connection
from hypothesis import given
from hypothesis import strategies as st

from accounts import actors
from accounts.models import Event
from crm.models import Chat
from crm.tests.people import make_contact
from messaging.models import Broadcast, HeldBy, QueuedMessage, SendingBudget
from messaging.services.budget import (
    BudgetNow,
    Hold,
    budget_now,
    is_new_sql,
    note_whatsapp_error,
    quiet_until_sql,
    update_budget,
    verdict,
)
from messaging.services.budget.state import ensure_budget, warmed
from waplus.lib.errors import Invalid, NotFound
from waplus.lib.ids import uuid7


@pytest.fixture(autouse=True)
def without_budget(request):
    """The numbers begin as new ones do; elsewhere in these tests nothing limits them."""
    for name in {"number", "second_number", "foreign_number"} & set(request.fixturenames):
        request.getfixturevalue(name)
    if "number" in request.fixturenames:
        SendingBudget.objects.all().delete()


NOW = datetime(2026, 6, 1, 12, tzinfo=UTC)
HOUR, DAY = timedelta(hours=1), timedelta(days=1)
LEASED = {"state": "leased", "fence": 1, "claimed_at": NOW}


def put(number, *, jid="", **values) -> QueuedMessage:
    """A row of the queue as it stands after whatever happened to it."""
    now = NOW
    row = {
        "workspace": number.workspace,
        "source": "scheduled",
        "origin_id": uuid7(),
        "occurrence_at": now,
        "whatsapp_account": number,
        "chat_jid": jid or f"{5_500_000_000_000 + QueuedMessage.objects.count()}@c.us",
        "message_id": f"3EB0{QueuedMessage.objects.count():018X}",
        "due_at": now,
        "not_before": now,
        "expires_at": now + DAY,
        "queued_at": now,
    }
    return QueuedMessage.objects.create(**row | values)


def sent(number, ago: timedelta, **values) -> QueuedMessage:
    return put(number, **{"state": "sent", "sending_at": NOW - ago, "sent_at": NOW - ago, **values})


def settings_of(number, **values) -> SendingBudget:
    """A budget without any limit but those named."""
    plain = {
        **dict.fromkeys(("spacing_seconds", "jitter_seconds"), 0),
        **dict.fromkeys(("max_per_hour", "max_per_day", "max_new_per_day", "quiet_from", "quiet_until"), None),
        **dict.fromkeys(("warm_up_from", "min_reply_percent"), None),
    }
    ensure_budget(number, NOW)
    SendingBudget.objects.filter(whatsapp_account=number).update(**plain | values)
    return SendingBudget.objects.get(whatsapp_account=number)


def test_make_safe_budget_at_the_first_look(number, alice):
    alice.time_zone = "America/Sao_Paulo"
    alice.save()
    budget = budget_now(number, NOW)
    row = SendingBudget.objects.get()
    assert (row.zone, row.warm_up_from, row.quiet_from, row.quiet_until) == (
        "America/Sao_Paulo", date(2026, 6, 1), time(21), time(8),
    )  # fmt: skip
    assert (budget.left_hour, budget.left_day, budget.left_new) == (180, 50, 5)
    assert (budget.spacing, budget.jitter, budget.warm_up_day) == (8.0, 7.0, 1)
    assert budget.day_ends_at == datetime(2026, 6, 2, 3, tzinfo=UTC)
    assert budget_now(number, NOW) == budget
    assert SendingBudget.objects.count() == 1


def test_take_number_with_old_chats_for_grown_up(number):
    Chat.objects.create(
        workspace=number.workspace, whatsapp_account=number, jid="5511987654321@c.us", kind="person", search_text="",
        last_message_at=NOW - timedelta(days=31),
    )  # fmt: skip
    assert ensure_budget(number, NOW).warm_up_from is None


def test_count_hour_day_and_what_is_handed_out(number, second_number):
    settings_of(number, max_per_hour=5, max_per_day=10, zone="UTC")
    for ago in (HOUR * 13, HOUR * 11, HOUR + timedelta(seconds=1), timedelta(minutes=59), timedelta(minutes=1)):
        sent(number, ago)
    sent(second_number, timedelta(minutes=1))
    put(number)
    put(number, **LEASED, lease_until=NOW + HOUR)
    put(number, **LEASED, lease_until=NOW - HOUR)  # nobody holds it any more
    budget = budget_now(number, NOW)
    assert (budget.used_hour, budget.left_hour) == (3, 2)
    assert (budget.used_day, budget.left_day) == (5, 5)
    assert budget.hour_ends_at == NOW + timedelta(minutes=1)
    assert budget.day_ends_at == datetime(2026, 6, 2, tzinfo=UTC)
    settings_of(number, max_per_hour=2)
    assert (budget_now(number, NOW).left_hour, budget_now(number, NOW).left_day) == (0, None)


def test_count_new_contacts_once_whatever_they_got(number):
    settings_of(number, max_new_per_day=3)
    for _ in range(2):
        sent(number, HOUR, jid="111111@c.us", is_new_contact=True)
    sent(number, HOUR, jid="222222@c.us")
    sent(number, DAY, jid="333333@c.us", is_new_contact=True)
    put(number, jid="444444@c.us", is_new_contact=True, **LEASED, lease_until=NOW + HOUR)
    put(number, jid="444444@c.us", is_new_contact=True, **LEASED, lease_until=NOW + HOUR)
    budget = budget_now(number, NOW)
    assert (budget.used_new, budget.left_new) == (2, 1)


def test_hold_cold_messages_while_too_few_answer(number, acme):
    settings_of(number, min_reply_percent=10)
    rows = [sent(number, timedelta(days=6), is_new_contact=True) for _ in range(19)]
    assert budget_now(number, NOW).cold_held_until is None
    rows.append(sent(number, timedelta(days=6, hours=23), is_new_contact=True))
    held = budget_now(number, NOW)
    assert (held.cold_held_by, held.cold_held_until) == (HeldBy.REPLY_RATIO, NOW + HOUR)
    assert (held.asked, held.answered) == (20, 0)
    QueuedMessage.objects.filter(pk=rows[0].pk).update(replied_at=NOW)
    assert budget_now(number, NOW).cold_held_by == HeldBy.REPLY_RATIO
    chat = {"workspace": acme, "whatsapp_account": number, "kind": "person", "search_text": ""}
    Chat.objects.create(**chat, jid=rows[1].chat_jid, last_inbound_at=NOW)
    free = budget_now(number, NOW)
    assert (free.answered, free.cold_held_until, free.cold_held_by) == (2, None, "")


def test_warm_up_in_equal_steps():
    today = date(2026, 6, 1)
    days = [warmed(today - timedelta(days=n), 50, 14, today, 1_500, 40) for n in range(-1, 16)]
    assert days[0] == (None, 1_500, 40)
    assert days[1] == (1, 50, 5), "a share of 40 would be 1"
    assert days[3] == (3, 257, 6)
    assert days[8] == (8, 775, 20)
    assert days[14] == (14, 1_396, 37)
    assert days[15] == days[16] == (None, 1_500, 40)
    assert [day for _, day, _ in days[1:]] == sorted(day for _, day, _ in days[1:])
    assert warmed(None, 50, 14, today, None, None) == (None, None, None)
    assert warmed(today, 50, 14, today, None, None) == (1, 50, None)
    assert warmed(today, 50, 14, today, 30, 0) == (1, 30, 0)
    assert warmed(today, 50, 14, today, 1_500, 3) == (1, 50, 3)


def test_rest_longer_after_each_error(number, clock):
    for hours in (1, 2, 4):
        until = note_whatsapp_error(number, "463")
        assert until == clock() + timedelta(hours=hours)
        assert note_whatsapp_error(number, "463") == until, "what was on its way does not prolong it"
        budget = budget_now(number, clock())
        assert (budget.cold_held_by, budget.cold_held_until) == (HeldBy.COLD_PAUSED, until)
        clock.advance(hours * 3600)
        assert budget_now(number, clock()).cold_held_until is None
    clock.advance(8 * 24 * 3600)
    assert note_whatsapp_error(number, "463") == clock() + HOUR
    assert Event.objects.filter(kind="sending_budget.paused").count() == 4


def test_person_ends_the_rest(number, acme, alice):
    note_whatsapp_error(number, "463")
    update_budget(workspace=acme, actor=actors.person(alice), account_id=number.pk, resume_cold=True)
    assert budget_now(number, NOW).cold_held_until is None


def test_refuse_odd_settings(number, acme, alice, foreign_number):
    by = {"workspace": acme, "actor": actors.person(alice), "account_id": number.pk}
    before = ensure_budget(number, NOW).updated_at
    odd = [
        ({"quiet_from": None}, ("quiet_until", "required")),
        ({"quiet_from": time(8), "quiet_until": time(8)}, ("quiet_until", "too_long")),
        ({"quiet_from": time(6), "quiet_until": time(22, 1)}, ("quiet_until", "too_long")),
        ({"quiet_from": time(21, 0, 1)}, ("quiet_from", "invalid")),
    ]
    for values, expected in odd:
        with pytest.raises(Invalid) as refusal:
            update_budget(**by, **values)
        assert (refusal.value.fields[0].field, refusal.value.fields[0].code) == expected
    with pytest.raises(NotFound):
        update_budget(**by | {"account_id": foreign_number.pk}, max_per_day=1)
    assert SendingBudget.objects.get().updated_at == before
    update_budget(**by, quiet_from=None, quiet_until=None, max_per_day=7)
    assert budget_now(number, NOW).quiet == {}
    assert Event.objects.get(kind="sending_budget.updated").changed == ["max_per_day", "quiet_from", "quiet_until"]
    update_budget(**by, max_per_day=7)
    assert Event.objects.filter(kind="sending_budget.updated").count() == 1


def test_look_costs_one_statement(number, django_assert_num_queries):
    budget_now(number, NOW)
    with django_assert_num_queries(1):
        budget_now(number, NOW)


# --- One message under a budget -------------------------------------------------------------------

LATER = NOW + HOUR
NIGHT = BudgetNow(quiet={"Asia/Tokyo": LATER}, zone="UTC")


def said(source, *, is_new=False, zone="", **budget) -> tuple[str, datetime] | None:
    found = verdict(source=source, is_new=is_new, recipient_zone=zone, budget=BudgetNow(**budget), now=NOW)
    return found and (found.code.value, found.until)


@given(
    source=st.sampled_from(["direct", "auto_reply"]),
    is_new=st.booleans(),
    left=st.one_of(st.none(), st.integers(0, 3)),
    zone=st.sampled_from(["", "Asia/Tokyo"]),
)
def test_who_waits_in_front_of_a_screen_never_waits(source, is_new, left, zone):
    full = {"left_hour": left, "left_day": left, "left_new": left, "hour_ends_at": LATER, "day_ends_at": LATER}
    cold = {"cold_held_until": LATER, "cold_held_by": HeldBy.COLD_PAUSED, "quiet": {"Asia/Tokyo": LATER, "UTC": LATER}}
    assert said(source, is_new=is_new, zone=zone, **full, **cold) is None


def test_hold_by_kind_of_message():
    night = {"quiet": {"Asia/Tokyo": LATER}}
    assert said("broadcast", zone="Asia/Tokyo", **night) == ("quiet_hours", LATER)
    assert said("broadcast", **night) is None
    assert said("broadcast", **{"quiet": {"UTC": LATER}}) == ("quiet_hours", LATER), "the number's zone serves"
    assert said("scheduled", zone="Asia/Tokyo", **night) is None, "a person chose the minute"
    assert said("scheduled", is_new=True, zone="Asia/Tokyo", **night) == ("quiet_hours", LATER)
    for code, known_waits in ((HeldBy.COLD_PAUSED, True), (HeldBy.REPLY_RATIO, False)):
        cold = {"cold_held_until": LATER, "cold_held_by": code}
        assert said("scheduled", is_new=True, **cold) == (code, LATER)
        assert said("scheduled", **cold) is None
        assert said("broadcast", **cold) == ((code, LATER) if known_waits else None)
    new = {"left_new": 0, "day_ends_at": LATER}
    assert said("scheduled", is_new=True, **new) == ("new_contacts", LATER)
    assert said("scheduled", **new) is None
    assert said("scheduled", left_hour=0, hour_ends_at=LATER) == ("hour", LATER)
    assert said("scheduled", left_day=0, day_ends_at=LATER) == ("day", LATER)
    assert said("scheduled", left_hour=1, left_day=1, left_new=1) is None


def test_longest_of_several_reasons_is_told():
    found = verdict(
        source="scheduled",
        is_new=True,
        recipient_zone="",
        now=NOW,
        budget=BudgetNow(left_hour=0, hour_ends_at=NOW + HOUR, left_day=0, left_new=0, day_ends_at=NOW + 2 * HOUR),
    )
    assert found == Hold(HeldBy.NEW_CONTACTS, NOW + 2 * HOUR)


# --- The same in SQL ------------------------------------------------------------------------------


def asked(sql: str, row: QueuedMessage, **params):
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT {sql} FROM messaging_queuedmessage q WHERE id = %(id)s", {"id": row.pk, **params})
        return cursor.fetchone()[0]


def test_tell_new_contacts_from_known_ones(number, second_number, acme):
    contact = make_contact(acme, "+5511987654321")
    row = put(number, jid="5511987654321@c.us", contact=contact)
    chat = {"workspace": acme, "kind": "person", "search_text": ""}
    assert asked(is_new_sql(), row)
    Chat.objects.create(**chat, whatsapp_account=second_number, jid=row.chat_jid, last_message_at=NOW)
    assert asked(is_new_sql(), row), "known to another number only"
    known = Chat.objects.create(**chat, whatsapp_account=number, jid="157163732254124@lid", contact=contact)
    assert asked(is_new_sql(), row), "a chat without any message"
    for column in ("last_message_at", "last_inbound_at", "last_outbound_at"):
        Chat.objects.filter(pk=known.pk).update(**{column: NOW})
        assert not asked(is_new_sql(), row), column
        Chat.objects.filter(pk=known.pk).update(**{column: None})
    Chat.objects.filter(pk=known.pk).update(contact=None, jid=row.chat_jid, last_outbound_at=NOW)
    assert not asked(is_new_sql(), row)
    assert not asked(is_new_sql(), put(number, jid="120363041234567890@g.us"))


def test_later_parts_are_no_new_contact(number):
    first = put(number, jid="111111@c.us")
    second = put(number, jid="111111@c.us", origin_id=first.origin_id, position=1)
    assert asked(is_new_sql(), second)
    QueuedMessage.objects.filter(pk=first.pk).update(sending_at=NOW)
    assert not asked(is_new_sql(), second)


def test_quiet_hours_in_postgresql_as_in_python(number):
    broadcast = Broadcast.objects.create(workspace=number.workspace, whatsapp_account=number, name="News")
    settings_of(number, quiet_from=time(21), quiet_until=time(8), zone="Asia/Kolkata")
    cases = 0
    for now in (NOW, NOW + 6 * HOUR, NOW + 12 * HOUR):
        budget = budget_now(number, now)
        for zone in ("", "Asia/Tokyo", "America/Sao_Paulo", "Australia/Lord_Howe", "Somewhere/Else"):
            for source in ("direct", "scheduled", "broadcast", "auto_reply"):
                for is_new in (True, False):
                    row = put(number, source=source, recipient_zone=zone, broadcast=broadcast)
                    if not is_new:
                        Chat.objects.create(
                            workspace=number.workspace, whatsapp_account=number, jid=row.chat_jid, kind="person",
                            search_text="", last_message_at=NOW,
                        )  # fmt: skip
                    held = verdict(
                        source=source, is_new=is_new, recipient_zone=zone,
                        budget=BudgetNow(quiet=budget.quiet, zone=budget.zone), now=now,
                    )  # fmt: skip
                    found = asked(quiet_until_sql(), row, quiet=budget.quiet_param)
                    assert found == (held and held.until), (now, zone, source, is_new)
                    cases += found is not None
    assert cases == 21
    assert asked(quiet_until_sql(), row, quiet=BudgetNow().quiet_param) is None
