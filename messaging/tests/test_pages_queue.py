"""The pages of the queue and of a number."""

from datetime import timedelta

import pytest
from django.urls import reverse

from accounts import actors
from messaging.models import (
    DispatchAttempt,
    Dispatcher,
    DispatchState,
    QueuedMessage,
    SendingBudget,
    UnreachableChat,
)
from messaging.services.presence import note_presence
from messaging.services.reachability import note_failure
from messaging.services.warnings import warn_in_time
from messaging.tests.calls import CHAT

pytestmark = pytest.mark.django_db


def shown(client, view="waiting", **query) -> list:
    answer = client.get(reverse("queue"), {"show": view, **query})
    assert answer.status_code == 200
    return [row.pk for row in answer.context["rows"]]


@pytest.fixture
def member(client, bob, acme):
    client.force_login(bob)
    return client


def test_shows_each_view(member, put):
    later, sooner = put(minutes=30), put(minutes=10)
    rows = {state: put(state, minutes=-10) for state in DispatchState.values if state != "queued"}
    assert shown(member) == [sooner.pk, later.pk]
    assert set(shown(member, "sending")) == {rows["leased"].pk, rows["sending"].pk}
    assert shown(member, "late") == [rows["late"].pk]
    assert shown(member, "unknown") == [rows["outcome_unknown"].pk]
    assert shown(member, "failed") == [rows["failed"].pk]
    assert set(shown(member, "today")) == {rows[state].pk for state in ("sent", "delivered", "read", "played")}
    views = {key: count for key, _, count, _ in member.get(reverse("queue")).context["views"]}
    assert views == {"waiting": 2, "sending": 2, "late": 1, "unknown": 1, "failed": 1, "skipped": None, "today": 4}


def test_shows_why_messages_of_last_days_were_skipped(member, put):
    skipped = put("skipped", minutes=-10, reason="They asked not to be contacted.")
    put("skipped", minutes=-9 * 24 * 60)
    assert shown(member, "skipped") == [skipped.pk]
    page = member.get(reverse("queue"), {"show": "skipped"}).content.decode()
    assert "They asked not to be contacted." in page
    skipped.delete()
    assert "Nothing was skipped" in member.get(reverse("queue"), {"show": "skipped"}).content.decode()


def test_shows_budget_beside_number(member, acme, number, put, clock):
    SendingBudget.objects.update(max_per_day=100)
    put(minutes=-1, not_before=clock() + timedelta(hours=5), held_by="quiet_hours")
    answer = member.get(reverse("number", args=[number.pk]))
    assert [(meter["used"], meter["limit"]) for meter in answer.context["meters"]] == [
        (None, None),
        (0, 100),
        (None, None),
    ]
    page = " ".join(answer.content.decode().split())
    assert "1 message waits." in page
    assert "It is night where the message would arrive: 1." in page
    assert reverse("number-budget", args=[number.pk]) in page


def test_today_begins_at_the_persons_midnight(member, bob, put, clock):
    """Noon in UTC is a quarter to six in the evening in Kathmandu."""
    bob.time_zone = "Asia/Kathmandu"
    bob.save()
    midnight = clock() - timedelta(hours=17, minutes=45)
    put("sent", sent_at=midnight - timedelta(seconds=1), minutes=-18 * 60)
    today = put("sent", sent_at=midnight, minutes=-18 * 60)
    assert shown(member, "today") == [today.pk]


def test_filters_by_number(member, put, second_number):
    put()
    other = put(account=second_number)
    assert shown(member, number=str(second_number.pk)) == [other.pk]


def test_shows_nothing_of_others(member, charlie, client, put, foreign_number, number):
    mine, foreign = put(), put(account=foreign_number)
    assert shown(member) == [mine.pk]
    assert shown(member, number=str(foreign_number.pk)) == [mine.pk]  # as unknown as no number
    for name, args in [("queue-message", foreign.pk), ("number", foreign_number.pk)]:
        assert member.get(reverse(name, args=[args])).status_code == 404
    for name in ("pause-number", "resume-number"):
        assert member.post(reverse(name, args=[foreign_number.pk])).status_code == 404
    for name in ("call-off-message", "decide-message"):
        assert member.post(reverse(name, args=[foreign.pk]), {"decision": "skip"}).status_code == 404
    foreign.refresh_from_db()
    assert foreign.state == "queued"
    assert not Dispatcher.objects.exists()


def test_pages_by_keyset(member, put):
    rows = [put(minutes=index) for index in range(35)]
    answer = member.get(reverse("queue"))
    assert [row.pk for row in answer.context["rows"]] == [row.pk for row in rows[:30]]
    assert shown(member, cursor=answer.context["next_cursor"]) == [row.pk for row in rows[30:]]
    assert member.get(reverse("queue"), {"cursor": "nonsense"}).url == reverse("queue")
    assert member.get(reverse("queue"), {"show": "nonsense"}).url == reverse("queue")


def test_shows_a_page_with_a_fixed_count_of_queries(member, put, django_assert_max_num_queries):
    for index in range(20):
        put(minutes=index, chat_jid=f"55119876{index:05}@c.us")
    with django_assert_max_num_queries(20):
        member.get(reverse("queue"))


def waits(client) -> str:
    return client.get(reverse("queue")).context["rows"][0].waits


def test_says_why_a_message_waits(acme, alice, alice_device, member, number, put, clock):
    message = put()
    assert waits(member) == "No device is there to send it"
    note_presence(number.pk, alice_device.instance.pk, clock())
    assert waits(member) == "It goes out in a moment"
    QueuedMessage.objects.update(not_before=clock() + timedelta(hours=9), held_by="quiet_hours")
    assert waits(member) == "It is night where the message would arrive"
    assert "goes on June 1, 2026, 9 p.m." in member.get(reverse("queue")).content.decode()
    QueuedMessage.objects.update(held_by="in_bin")
    assert waits(member) == "Its contact is in the bin"
    QueuedMessage.objects.update(held_by="")
    assert waits(member) == "Its time has not come"
    member.post(reverse("pause-number", args=[number.pk]))
    assert waits(member) == "Sending from this number is paused"
    assert "Olá &lt;b&gt;" in member.get(reverse("queue-message", args=[message.pk])).content.decode()


def test_marks_unreachable_chats(acme, alice, member, number, put):
    put()
    note_failure(workspace=acme, account_id=number.pk, chat_jid=CHAT, code="blocked", actor=actors.person(alice))
    assert "Cannot be reached" in member.get(reverse("queue")).content.decode()
    page = member.get(reverse("number", args=[number.pk])).content.decode()
    assert "They have blocked this number" in page
    row = UnreachableChat.objects.get()
    assert member.post(reverse("reach-again", args=[row.pk])).url == reverse("number", args=[number.pk])
    assert not UnreachableChat.objects.exists()
    assert member.post(reverse("reach-again", args=[row.pk])).status_code == 404


@pytest.mark.parametrize(("decision", "state"), [("send", "queued"), ("skip", "skipped")])
def test_decides_late_message(member, put, decision, state):
    message = put("late", minutes=-90)
    answer = member.post(reverse("decide-message", args=[message.pk]), {"decision": decision, "show": "late"})
    assert answer.url == reverse("queue") + "?show=late"
    message.refresh_from_db()
    assert message.state == state


@pytest.mark.parametrize(("decision", "state"), [("sent", "sent"), ("not_sent", "queued")])
def test_decides_unknown_message(member, put, decision, state):
    message = put("outcome_unknown", minutes=-9)
    answer = member.post(reverse("decide-message", args=[message.pk]), {"decision": decision})
    assert answer.url == reverse("queue-message", args=[message.pk])
    message.refresh_from_db()
    assert message.state == state


@pytest.mark.parametrize("decision", ["send", "sent", "nonsense", ""])
def test_decides_nothing_about_what_is_sent(member, put, decision):
    message = put("delivered")
    before = QueuedMessage.objects.values().get()
    member.post(reverse("decide-message", args=[message.pk]), {"decision": decision})
    assert QueuedMessage.objects.values().get() == before


def test_cancels_what_waits(member, put):
    waiting, gone = put(), put("leased")
    for message in (waiting, gone):
        member.post(reverse("call-off-message", args=[message.pk]), follow=True)
    assert dict(QueuedMessage.objects.values_list("pk", "state")) == {waiting.pk: "cancelled", gone.pk: "leased"}


def test_tells_the_story_of_a_message(acme, alice_device, member, put, clock):
    message = put("failed", reason="WhatsApp could not send it.", reason_code="other")
    for fence, outcome in enumerate(["lease_expired", "failed"], start=1):
        DispatchAttempt.objects.create(
            workspace=acme,
            message=message,
            fence=fence,
            instance=alice_device.instance,
            claimed_at=clock(),
            ended_at=clock(),
            outcome=outcome,
        )
    page = member.get(reverse("queue-message", args=[message.pk])).content.decode()
    assert "Fell silent" in page
    assert page.count("Chrome 140") == 2
    assert "WhatsApp could not send it." in page
    assert "hx-trigger" not in page.split('id="message"')[1].split(">")[0]  # nothing changes any more


def test_shows_number_with_devices_and_warnings(acme, alice, alice_device, bob_device, member, number, put, clock):
    put()
    warn_in_time()
    note_presence(number.pk, alice_device.instance.pk, clock())
    note_presence(number.pk, bob_device.instance.pk, clock() - timedelta(minutes=10))
    page = member.get(reverse("number", args=[number.pk]))
    assert [(one.instance, one.is_alive, one.may_be_chosen) for one in page.context["presences"]] == [
        (alice_device.instance, True, True),
        (bob_device.instance, False, True),
    ]
    assert "and no device is there to send it." in page.content.decode()
    assert "1 message is due at" in member.get(reverse("queue")).content.decode()


def test_chooses_device(acme, alice_device, bob_device, charlie_device, member, number, clock):
    for device in (alice_device, bob_device):
        note_presence(number.pk, device.instance.pk, clock())
    address = reverse("choose-device", args=[number.pk])
    member.post(address, {"instance": str(bob_device.instance.pk)})
    assert Dispatcher.objects.get().instance == bob_device.instance
    presences = member.get(reverse("number", args=[number.pk])).context["presences"]
    assert {one.instance: (one.is_holder, one.may_be_chosen) for one in presences} == {
        alice_device.instance: (False, True),
        bob_device.instance: (True, False),
    }
    member.post(address, {"instance": str(charlie_device.instance.pk)})
    assert Dispatcher.objects.get().instance == bob_device.instance
    assert member.post(address, {"instance": "nonsense"}).status_code == 404


def test_pauses_and_resumes_number(member, number):
    member.post(reverse("pause-number", args=[number.pk]))
    assert Dispatcher.objects.get().paused_at is not None
    assert "Sending is paused since" in member.get(reverse("number", args=[number.pk])).content.decode()
    member.post(reverse("resume-number", args=[number.pk]))
    assert Dispatcher.objects.get().paused_at is None


def test_says_what_to_do_when_there_is_nothing(client, charlie, other):
    client.force_login(charlie)
    assert "No number yet" in client.get(reverse("queue")).content.decode()


def test_says_that_a_view_is_empty(member, number):
    for view in ("waiting", "sending", "late", "unknown", "failed", "today"):
        page = member.get(reverse("queue"), {"show": view}).content.decode()
        assert '<div class="empty">' in page
        assert "No number yet" not in page


@pytest.mark.parametrize("name", ["queue", "number"])
def test_leads_strangers_to_the_login(client, number, name):
    args = [number.pk] if name == "number" else []
    assert client.get(reverse(name, args=args)).url.startswith("/accounts/login/")
