"""The page of a budget: what is used up, what waits for it, and its settings."""

from datetime import date, time

import pytest
from django.urls import reverse

from messaging.models import SendingBudget
from messaging.pages.budget import GROUPS
from messaging.services.budget.changes import SETTINGS

pytestmark = pytest.mark.django_db

VALUES = {
    "spacing_seconds": "10",
    "jitter_seconds": "5",
    "max_per_hour": "60",
    "max_per_day": "",
    "max_new_per_day": "20",
    "quiet_from": "22:00",
    "quiet_until": "07:30",
    "zone": "America/Sao_Paulo",
    "warm_up_from": "2026-06-01",
    "warm_up_start": "30",
    "warm_up_days": "10",
    "min_reply_percent": "",
}


@pytest.fixture
def address(number) -> str:
    return reverse("number-budget", args=[number.pk])


def settings_of() -> dict:
    return SendingBudget.objects.values(*SETTINGS).get()


def test_shows_every_setting_once():
    assert sorted(name for _title, _help, names in GROUPS for name in names) == sorted(SETTINGS)


def test_changes_budget(client, alice, address):
    client.force_login(alice)
    assert client.post(address, VALUES, follow=True).redirect_chain == [(address, 302)]
    assert settings_of() == {
        "spacing_seconds": 10,
        "jitter_seconds": 5,
        "max_per_hour": 60,
        "max_per_day": None,
        "max_new_per_day": 20,
        "quiet_from": time(22),
        "quiet_until": time(7, 30),
        "zone": "America/Sao_Paulo",
        "warm_up_from": date(2026, 6, 1),
        "warm_up_start": 30,
        "warm_up_days": 10,
        "min_reply_percent": None,
    }
    page = " ".join(client.get(address).content.decode().split())
    assert "Day 1 of 10" in page
    assert "<span>30 on the first day</span>" in page


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"max_per_hour": "0"}, "greater than or equal to 1"),
        ({"quiet_from": "", "quiet_until": "07:30"}, "Quiet hours have a beginning and an end, or neither."),
        ({"quiet_until": "22:00"}, "Quiet hours last 16 hours at most"),
        ({"zone": "Mars"}, "Select a valid choice"),
        ({"warm_up_days": ""}, "This field is required."),
    ],
)
def test_says_what_is_wrong(client, alice, address, changes, sentence):
    client.force_login(alice)
    before = settings_of()
    answer = client.post(address, VALUES | changes)
    assert answer.status_code == 200
    assert sentence in answer.content.decode()
    assert settings_of() == before


def test_members_look_and_admins_change(client, bob, charlie, other, address):
    before = settings_of()
    client.force_login(bob)
    page = client.get(address).content.decode()
    assert "In the last hour" in page and 'name="max_per_hour"' not in page
    client.post(address, VALUES)
    client.force_login(charlie)
    assert client.get(address).status_code == client.post(address, VALUES).status_code == 404
    assert settings_of() == before


def test_shows_what_waits_and_lets_new_contacts_go_on(client, alice, number, address, put, clock):
    until = clock.advance(0).replace(hour=15)
    SendingBudget.objects.update(cold_paused_until=until, cold_pause_code="420", cold_pauses=1)
    put(minutes=-1, not_before=until, held_by="cold_paused")
    client.force_login(alice)
    page = " ".join(client.get(address).content.decode().split())
    assert "WhatsApp refused a message (420)." in page
    assert "WhatsApp refused something, so messages to new contacts rest" in page
    assert '<span class="badge">1 message</span>' in page
    assert client.post(address, {"do": "resume"}).status_code == 302
    assert SendingBudget.objects.get().cold_paused_until is None
