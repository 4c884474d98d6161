"""Scheduled messages in the browser: the calendar, a new message, and what may be done to one."""

from datetime import UTC, datetime

import pytest
from django.urls import reverse

from messaging.models import ScheduledMessage
from messaging.services.scheduling import queue_due_messages
from messaging.tests.calls import CHAT
from messaging.tests.schedules import make_schedule
from messaging.tests.test_addressing import add_chat
from messaging.tests.test_scheduling import add_contact
from waplus.lib.ids import uuid7

pytestmark = pytest.mark.django_db


@pytest.fixture
def page(client, alice):
    alice.time_zone = "Europe/Berlin"
    alice.save(update_fields=["time_zone"])
    client.force_login(alice)
    return client


def values(number, **changes) -> dict:
    return {
        "id": str(uuid7()),
        "whatsapp_account": str(number.pk),
        "body": "Hello {{first_name|there}}",
        "wall_time": "2026-06-02T09:00",
        "time_zone": "Europe/Berlin",
        "clock": "sender",
        "rrule": "",
        "lateness_minutes": "60",
        "on_late": "skip",
        **changes,
    }


def text_of(answer) -> str:
    return answer.content.decode()


def post(client, name: str, message, **payload):
    return client.post(reverse(name, args=[message.pk]), payload)


def test_calendar_without_anything_says_what_to_do(page, acme):
    assert "Nothing is scheduled" in text_of(page.get(reverse("scheduled")))


@pytest.mark.parametrize("view", ["month", "week"])
def test_shows_times_in_zone_of_person_and_of_recipient(page, number, view):
    make_schedule(
        number,
        chat_jid=CHAT,
        body="Bom dia",
        due_at=datetime(2026, 6, 3, 12, tzinfo=UTC),
        wall_time=datetime(2026, 6, 3, 9),
        time_zone="America/Sao_Paulo",
    )
    shown = text_of(page.get(reverse("scheduled"), {"view": view, "day": "2026-06-03"}))
    assert "Bom dia" in shown
    assert ">14:00</time>" in shown
    assert "09:00 Sao Paulo" in shown
    assert "Bom dia" not in text_of(page.get(reverse("scheduled"), {"view": view, "day": "2026-08-03"}))


def test_calendar_puts_message_on_day_of_person(page, number):
    """Half past eleven at night in UTC is tomorrow in Berlin."""
    make_schedule(number, chat_jid=CHAT, due_at=datetime(2026, 6, 10, 23, 30, tzinfo=UTC))
    answer = page.get(reverse("scheduled"), {"view": "week", "day": "2026-06-10"})
    [week] = answer.context["calendar"].weeks
    assert [day.day.day for day in week if day.entries] == [11]


@pytest.mark.parametrize("day", ["nonsense", "0001-01-01", "9999-12-31", "2026-02-31"])
def test_calendar_takes_no_day_for_today(page, acme, day):
    assert page.get(reverse("scheduled"), {"day": day}).context["calendar"].first.isoformat() == "2026-06-01"


def test_hides_messages_of_another_workspace(page, acme, foreign_number):
    foreign = make_schedule(foreign_number, chat_jid=CHAT, body="secret")
    assert "secret" not in text_of(page.get(reverse("scheduled")))
    for name in ("scheduled-message", "cancel-scheduled", "pause-scheduled", "resume-scheduled", "skip-scheduled"):
        assert post(page, name, foreign).status_code == 404


def test_finds_recipients_and_keeps_those_that_are_chosen(page, acme, number):
    diana = add_contact(acme, ("phone", "+4915112345678"))
    add_chat(number, "120363041234567890@g.us", None, kind="group").__class__.objects.update(name="Diana's group")
    answer = page.get(reverse("find-recipients"), {"q": "Diana"})
    assert [row["value"] for row in answer.context["found"]] == [
        f"contact:{diana.pk}",
        "chat:120363041234567890@g.us",
    ]
    answer = page.get(reverse("find-recipients"), {"q": "Diana", "to": [f"contact:{diana.pk}", "contact:x", "chat:y"]})
    assert [row["value"] for row in answer.context["chosen"]] == [f"contact:{diana.pk}"]
    assert [row["value"] for row in answer.context["found"]] == ["chat:120363041234567890@g.us"]


def test_schedules_series(page, acme, alice, number):
    diana = add_contact(acme, ("phone", "+4915112345678"))
    payload = values(number, to=f"contact:{diana.pk}", rrule="FREQ=WEEKLY", ends="count", ends_count="4")
    answer = page.post(reverse("new-scheduled"), payload)
    message = ScheduledMessage.objects.get()
    assert answer.headers["Location"] == reverse("scheduled-message", args=[message.pk])
    assert (str(message.pk), message.rrule, message.created_by) == (payload["id"], "FREQ=WEEKLY;COUNT=4", alice)
    assert (message.recipients.get().contact, message.parts.get().body) == (diana, payload["body"])
    page.post(reverse("new-scheduled"), payload)
    assert ScheduledMessage.objects.count() == 1
    shown = text_of(page.get(answer.headers["Location"]))
    assert "Diana" in shown
    assert "Every week" in shown


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"to": ""}, "1 to 100 recipients"),
        ({"body": " "}, "A part has a text or a file."),
        ({"body": "{{nickname}}"}, "nickname"),
        ({"time_zone": "Mars"}, "Choose a time zone"),
        ({"wall_time": "2026-05-01T09:00"}, "This time has passed"),
        ({"rrule": "FREQ=DAILY", "ends": "count"}, "Say how many times."),
    ],
)
def test_says_what_is_wrong(page, acme, number, changes, sentence):
    diana = add_contact(acme, ("phone", "+4915112345678"))
    answer = page.post(reverse("new-scheduled"), values(number, **{"to": f"contact:{diana.pk}", **changes}))
    assert answer.status_code == 200
    assert sentence in text_of(answer)
    assert not ScheduledMessage.objects.exists()


def test_changes_message(page, number):
    message = make_schedule(
        number, chat_jid=CHAT, body="old", wall_time=datetime(2026, 6, 2, 9, 0, 30), time_zone="Europe/Berlin"
    )
    answer = page.post(reverse("scheduled-message", args=[message.pk]), values(number, body="new"))
    assert answer.status_code == 302
    message.refresh_from_db()
    assert (message.parts.get().body, message.wall_time.second) == ("new", 30)


def test_pauses_resumes_skips_and_cancels_series(page, number, clock):
    message = make_schedule(
        number,
        chat_jid=CHAT,
        rrule="FREQ=DAILY",
        wall_time=datetime(2026, 6, 2, 9),
        due_at=datetime(2026, 6, 2, 9, tzinfo=UTC),
    )
    states = []
    for name in ("pause-scheduled", "resume-scheduled", "skip-scheduled", "cancel-scheduled"):
        assert post(page, name, message).headers["Location"] == reverse("scheduled-message", args=[message.pk])
        message.refresh_from_db()
        states.append((message.state, message.due_at.day))
    assert states == [("paused", 2), ("waiting", 2), ("waiting", 3), ("cancelled", 3)]
    assert "Let it go on" not in text_of(page.get(reverse("scheduled-message", args=[message.pk])))


def test_leaves_out_one_of_next_times(page, number):
    message = make_schedule(
        number,
        chat_jid=CHAT,
        rrule="FREQ=WEEKLY;COUNT=4",
        wall_time=datetime(2026, 6, 2, 9),
        time_zone="America/Sao_Paulo",
        due_at=datetime(2026, 6, 2, 12, tzinfo=UTC),
    )
    address = reverse("scheduled-message", args=[message.pk])
    assert [time.wall.day for time in page.get(address).context["next_times"]] == [2, 9, 16, 23]
    assert "Tuesday, June 16, 2026, 9 a.m." in text_of(page.get(address))
    assert 'value="2026-06-16T09:00:00"' in text_of(page.get(address))
    assert post(page, "skip-scheduled", message, wall_time="2026-06-16T09:00:00").status_code == 302
    message.refresh_from_db()
    assert (message.excluded, message.due_at.day) == ([datetime(2026, 6, 16, 9)], 2)
    assert [time.wall.day for time in page.get(address).context["next_times"]] == [2, 9, 23]
    post(page, "pause-scheduled", message)
    assert page.get(address).context["next_times"] == []


def test_day_of_month_shows_as_many_as_fit(page, number):
    for minute in range(8):
        make_schedule(number, chat_jid=CHAT, body=f"no. {minute}", due_at=datetime(2026, 6, 3, 12, minute, tzinfo=UTC))
    shown = text_of(page.get(reverse("scheduled"), {"day": "2026-06-01"}))
    assert ("no. 5" in shown, "no. 6" in shown) == (True, False)
    assert '<a href="?view=week&amp;day=2026-06-03">2 more</a>' in shown
    assert "no. 7" in text_of(page.get(reverse("scheduled"), {"view": "week", "day": "2026-06-03"}))


def test_says_why_message_can_no_longer_be_cancelled(page, acme, number):
    message = make_schedule(number, chat_jid=CHAT, due_at=datetime(2026, 6, 1, 12, tzinfo=UTC))
    queue_due_messages()
    message.occurrences.update(state="sent")
    shown = text_of(page.post(reverse("cancel-scheduled", args=[message.pk]), follow=True))
    assert "can no longer be changed" in shown
