"""Reminders in the browser."""

from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from django.urls import reverse
from django.utils import timezone

from crm.models import Reminder
from crm.pages.recurrence import CHOICES, in_words
from crm.tests.test_pages_contacts import add, said
from waplus.lib.ids import uuid7
from waplus.lib.recurrence import parse_rule


@pytest.fixture
def ana(acme, alice):
    return add(acme, alice, "Ana Lima")


def values(user, **changes) -> dict:
    return {
        "id": uuid7(),
        "text": "Ask about the offer",
        "wall_time": "2030-05-06T09:00",
        "rrule": "",
        "assignee": user.pk,
        **changes,
    }


def make(client, user, **changes) -> Reminder:
    sent = values(user, **changes)
    client.post(reverse("reminders"), sent)
    return Reminder.objects.get(pk=sent["id"])


def heaps(client, **query) -> dict[str, list[str]]:
    response = client.get(reverse("reminders"), query)
    return {heap["key"]: [row.text for row in heap["rows"]] for heap in response.context["heaps"] if heap["rows"]}


def test_list_nothing_says_what_to_do(client, alice, acme):
    client.force_login(alice)
    assert "Nothing is waiting" in client.get(reverse("reminders")).content.decode()


def test_set_reminder_in_own_zone(client, alice, acme):
    alice.time_zone = "America/Sao_Paulo"
    alice.save()
    client.force_login(alice)
    sent = values(alice, rrule="FREQ=WEEKLY")
    response = client.post(reverse("reminders"), sent, follow=True)
    assert said(response) == ["The reminder is set."]
    client.post(reverse("reminders"), sent)
    reminder = Reminder.objects.get()
    assert reminder.id == sent["id"]
    assert reminder.time_zone == "America/Sao_Paulo"
    assert reminder.due_at.isoformat() == "2030-05-06T12:00:00+00:00"
    assert reminder.rrule == "FREQ=WEEKLY"


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"text": ""}, "text"),
        ({"wall_time": "tomorrow"}, "wall_time"),
        ({"wall_time": "2030-05-06T09:00+02:00"}, "wall_time"),
        ({"wall_time": "9999-05-06T09:00"}, "wall_time"),
        ({"rrule": "FREQ=SECONDLY"}, "rrule"),
        ({"assignee": str(uuid7())}, "assignee"),
    ],
)
def test_set_wrong_reminder(client, alice, acme, changes, field):
    client.force_login(alice)
    response = client.post(reverse("reminders"), values(alice, **changes))
    assert list(response.context["form"].errors) == [field]
    assert not Reminder.objects.exists()


def test_set_reminder_on_contact(client, alice, ana):
    client.force_login(alice)
    response = client.post(reverse("reminders"), values(alice, contact=ana.pk), follow=True)
    assert response.redirect_chain == [(reverse("contact", args=[ana.pk]), 302)]
    assert "Ask about the offer" in response.content.decode()
    response = client.post(reverse("reminders"), values(alice, contact=ana.pk, text=""))
    assert list(response.context["reminder_form"].errors) == ["text"]
    assert Reminder.objects.get().contact == ana


def test_list_reminders_by_time_and_person(client, alice, bob, acme):
    client.force_login(alice)
    now = timezone.now().astimezone(ZoneInfo("UTC")).replace(tzinfo=None)
    make(client, alice, text="late", wall_time=(now - timedelta(days=2)).strftime("%Y-%m-%dT%H:%M"))
    make(client, alice, text="later")
    make(client, bob, text="Bob’s")
    assert heaps(client) == {"overdue": ["late"], "upcoming": ["later"]}
    assert sorted(heaps(client, who="everybody")["upcoming"]) == ["Bob’s", "later"]


def test_do_reminder(client, alice, acme):
    client.force_login(alice)
    reminder = make(client, alice)
    client.post(reverse("do-reminder", args=[reminder.pk]), {"occurrence": "2030-05-06T09:00:00"})
    assert heaps(client) == {"done": ["Ask about the offer"]}
    client.post(reverse("reopen-reminder", args=[reminder.pk]))
    assert heaps(client) == {"upcoming": ["Ask about the offer"]}


def test_do_recurring_reminder_twice_is_once(client, alice, acme):
    client.force_login(alice)
    reminder = make(client, alice, rrule="FREQ=DAILY")
    seen = reminder.occurrence_wall
    for _ in range(2):
        client.post(reverse("do-reminder", args=[reminder.pk]), {"occurrence": seen.isoformat()})
    reminder.refresh_from_db()
    assert reminder.state == "open"
    assert reminder.occurrence_wall - seen == timedelta(days=1)


@pytest.mark.parametrize("until", ["hour", "tomorrow", "week"])
def test_snooze_reminder(client, alice, acme, until):
    client.force_login(alice)
    reminder = make(client, alice)
    client.post(reverse("snooze-reminder", args=[reminder.pk]), {"until": until})
    reminder.refresh_from_db()
    now = timezone.now()
    assert now < reminder.due_at <= now + timedelta(days=8)
    assert (reminder.due_at.weekday() == 0 and reminder.due_at.hour == 9) or until != "week"


def test_edit_reminder(client, alice, bob, acme):
    client.force_login(alice)
    reminder = make(client, alice, rrule="FREQ=DAILY")
    sent = values(bob, text="Call", wall_time="2030-05-06T09:00", rrule="FREQ=DAILY")
    client.post(reverse("edit-reminder", args=[reminder.pk]), sent)
    reminder.refresh_from_db()
    assert (reminder.text, reminder.assignee, reminder.wall_time) == ("Call", bob, datetime(2030, 5, 6, 9))
    response = client.post(reverse("edit-reminder", args=[reminder.pk]), {**sent, "text": ""})
    assert response.status_code == 200
    reminder.refresh_from_db()
    assert reminder.text == "Call"


def test_delete_reminder(client, alice, acme):
    client.force_login(alice)
    reminder = make(client, alice)
    client.post(reverse("delete-reminder", args=[reminder.pk]))
    assert not Reminder.objects.exists()


def test_reach_reminders_of_others(client, alice, acme, ana, charlie, other):
    client.force_login(alice)
    reminder = make(client, alice)
    client.force_login(charlie)
    assert heaps(client, who="everybody") == {}
    for name in ("edit-reminder", "do-reminder", "snooze-reminder", "reopen-reminder", "delete-reminder"):
        assert client.post(reverse(name, args=[reminder.pk]), values(charlie, until="hour")).status_code == 404
    assert client.post(reverse("reminders"), values(charlie, contact=ana.pk)).status_code == 404
    reminder.refresh_from_db()
    assert reminder.state == "open"
    assert Reminder.objects.count() == 1


def test_say_recurrence_in_words():
    for rule, words in CHOICES:
        assert in_words(rule) == words
        assert not rule or str(parse_rule(rule)) == rule
    assert in_words("FREQ=WEEKLY;INTERVAL=3") == "Every 3 weeks"
    assert in_words("FREQ=MONTHLY;BYDAY=1MO;COUNT=4") == "Every month on certain days, for a time"
    assert in_words("nonsense") == "Repeats"


@pytest.mark.parametrize(
    ("rule", "words"),
    [
        ("FREQ=WEEKLY;BYDAY=MO", "Every week on Monday"),
        ("FREQ=WEEKLY;BYDAY=MO,TH", "Every week on Monday and Thursday"),
        ("FREQ=WEEKLY;INTERVAL=2;BYDAY=SA", "Every 2 weeks on Saturday"),
        ("FREQ=WEEKLY;BYDAY=MO,TU,WE,TH,FR", "Every weekday, Monday to Friday"),
        ("FREQ=MONTHLY;BYDAY=1MO", "Every month on certain days"),
        ("FREQ=WEEKLY;BYDAY=TU;COUNT=3", "Every week on Tuesday, for a time"),
    ],
)
def test_say_rule_in_words(rule, words):
    assert in_words(rule) == words
