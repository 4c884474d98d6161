"""The lease on a number: one device sends from it, and it is handed over by silence, by choice, or given up."""

from datetime import timedelta

import pytest

from accounts.models import Plan
from conftest import make_device
from messaging.models import Dispatcher
from messaging.services.dispatch import settle_expired_leases
from messaging.services.scheduling import queue_due_messages
from messaging.tests.calls import (
    ask,
    choose,
    claim,
    kinds,
    nothing_happens,
    problem,
    queued,
    report,
    scheduled,
    state_of,
    story,
)
from waplus.lib.ids import uuid7

pytestmark = pytest.mark.django_db


def lease(device, number) -> dict:
    return ask(device, number).json()["lease"]


def dispatcher(device, number) -> dict:
    return device.client.get(f"/api/v1/whatsapp-accounts/{number.pk}/dispatcher/").json()


def switch(device, number, what: str):
    return device.client.post(f"/api/v1/whatsapp-accounts/{number.pk}/dispatcher/{what}/")


def test_hands_number_to_first_that_asks(alice_device, bob_device, number):
    first, second = lease(alice_device, number), lease(bob_device, number)
    assert first == {
        "is_yours": True,
        "instance": str(alice_device.instance.pk),
        "epoch": 1,
        "until": "2026-06-01T12:01:00Z",
    }
    assert second == first | {"is_yours": False}
    assert dispatcher(bob_device, number)["instance"] == str(alice_device.instance.pk)


def test_renews_lease_with_claims_and_sending(alice_device, bob_device, number, clock):
    queued(alice_device, number)
    [message] = claim(alice_device, number)
    clock.advance(50)
    assert report(alice_device, message, "sending").status_code == 200
    clock.advance(59)
    assert lease(bob_device, number)["is_yours"] is False
    assert lease(alice_device, number)["epoch"] == 1


def test_hands_number_over_when_its_device_is_silent(alice_device, bob_device, number, clock):
    queued(alice_device, number)
    [stale] = claim(alice_device, number)
    clock.advance(59)
    assert lease(bob_device, number)["is_yours"] is False
    clock.advance(1)
    settle_expired_leases()
    [message] = claim(bob_device, number)
    assert (message["id"], message["fence"]) == (stale["id"], 2)
    assert Dispatcher.objects.get().epoch == 2
    assert lease(alice_device, number)["is_yours"] is False


def test_tells_refused_device_when_to_ask_again(alice_device, bob_device, number, clock):
    ask(alice_device, number)
    clock.advance(57)
    assert ask(bob_device, number).json()["next_claim_ms"] == 3000


def test_hands_number_to_chosen_device(alice_device, bob_device, number):
    """What was handed out and not begun goes along; what is being sent stays where it is, and its chat waits."""
    for index in range(3):
        scheduled(alice_device, number, chat_jid=f"551190000000{index}@c.us", body=str(index))
    queue_due_messages()
    sending, *others = claim(alice_device, number)
    report(alice_device, sending, "sending")
    answer = choose(alice_device, number, bob_device)
    assert (answer.status_code, answer.json()["instance"], answer.json()["epoch"]) == (
        *(200, str(bob_device.instance.pk)),
        2,
    )
    assert [state_of(message) for message in (sending, *others)] == ["sending", "queued", "queued"]
    assert [story(message) for message in others] == [[(1, "handed_over", "")]] * 2
    again = claim(bob_device, number)
    assert [(message["id"], message["fence"]) for message in again] == [(message["id"], 2) for message in others]
    assert report(alice_device, sending, "sent").status_code == 200
    with nothing_happens():
        for message in others:
            assert problem(report(alice_device, message, "sending"))[:2] == (409, "stale_fence")
    assert "dispatcher.chosen" in kinds(Dispatcher.objects.get().pk)


def test_keeps_device_without_number_from_sending(alice_device, bob_device, number, clock):
    """Its lease of the message would still hold, but the number is another one's: here only the number's row says so."""
    queued(alice_device, number)
    [message] = claim(alice_device, number)
    Dispatcher.objects.update(instance=bob_device.instance, epoch=2)
    with nothing_happens():
        assert problem(report(alice_device, message, "sending"))[:2] == (409, "number_taken")
    assert state_of(message) == "leased"


def test_chooses_same_device_again_without_effect(alice_device, number):
    queued(alice_device, number)
    [message] = claim(alice_device, number)
    with nothing_happens():
        assert choose(alice_device, number).json()["epoch"] == 1
    assert state_of(message) == "leased"


def test_refuses_device_of_another_workspace(alice_device, charlie_device, bob_device, bob, acme, number):
    ask(alice_device, number)
    signed_out = make_device(bob, acme)
    signed_out.pair.session.__class__.objects.filter(pk=signed_out.pair.session.pk).update(
        revoked_at=signed_out.instance.seen_at
    )
    with nothing_happens():
        for chosen in (charlie_device, signed_out):
            assert problem(choose(alice_device, number, chosen)) == (400, "invalid", ("instance", "does_not_exist"))
        answer = alice_device.client.put(
            f"/api/v1/whatsapp-accounts/{number.pk}/dispatcher/", {"instance": str(uuid7())}
        )
        assert problem(answer) == (400, "invalid", ("instance", "does_not_exist"))
    assert dispatcher(alice_device, number)["instance"] == str(alice_device.instance.pk)


def test_hides_dispatcher_of_another_workspace(charlie_device, alice_device, number):
    ask(alice_device, number)
    path = f"/api/v1/whatsapp-accounts/{number.pk}/dispatcher/"
    with nothing_happens():
        for answer in (
            charlie_device.client.get(path),
            charlie_device.client.put(path, {"instance": str(charlie_device.instance.pk)}),
            charlie_device.client.delete(path),
            switch(charlie_device, number, "pause"),
            switch(charlie_device, number, "resume"),
        ):
            assert problem(answer)[:2] == (404, "not_found")
    assert Dispatcher.objects.get().paused_at is None


def test_gives_number_up(alice_device, bob_device, number):
    queued(alice_device, number)
    [message] = claim(alice_device, number)
    path = f"/api/v1/whatsapp-accounts/{number.pk}/dispatcher/"
    with nothing_happens():
        assert problem(bob_device.client.delete(path))[:2] == (409, "number_taken")
    answer = alice_device.client.delete(path)
    assert (answer.status_code, answer.json()["instance"]) == (200, None)
    assert [again["id"] for again in claim(bob_device, number)] == [message["id"]]


def test_hands_out_nothing_while_number_is_paused(alice_device, bob_device, number, clock):
    row = queued(alice_device, number)
    assert switch(bob_device, number, "pause").json()["paused_at"] == "2026-06-01T12:00:00Z"
    answer = ask(alice_device, number).json()
    assert (answer["messages"], answer["hold"]) == ([], "paused")
    clock.advance(600)
    assert switch(bob_device, number, "resume").json()["paused_at"] is None
    assert [message["id"] for message in claim(alice_device, number)] == [str(row.pk)]
    assert kinds(Dispatcher.objects.get().pk) == ["dispatcher.paused", "dispatcher.resumed"]


def test_keeps_device_from_sending_when_number_is_paused_meanwhile(alice_device, number):
    queued(alice_device, number)
    [message] = claim(alice_device, number)
    switch(alice_device, number, "pause")
    with nothing_happens():
        assert problem(report(alice_device, message, "sending"))[:2] == (409, "wrong_state")
    switch(alice_device, number, "resume")
    assert report(alice_device, message, "sending").status_code == 200


def test_hands_out_nothing_of_numbers_beyond_plan(alice_device, number, second_number, clock, team_plan):
    """The older numbers are those within; the messages of the others wait for a larger plan."""
    Plan.objects.filter(pk=team_plan.pk).update(max_whatsapp_numbers=1)
    type(number).objects.filter(pk=second_number.pk).update(created_at=clock() + timedelta(seconds=1))
    for each in (number, second_number):
        queued(alice_device, each)
    assert len(claim(alice_device, number)) == 1
    answer = ask(alice_device, second_number).json()
    assert (answer["messages"], answer["hold"]) == ([], "plan")
    Plan.objects.filter(pk=team_plan.pk).update(max_whatsapp_numbers=2)
    assert len(claim(alice_device, second_number)) == 1
