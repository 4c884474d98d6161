"""An opt-out against a hand-out of the same chat, on connections of their own: in every order, and by chance."""

import threading
from collections import Counter

import pytest
from django.db import transaction

from crm.tests.people import make_contact
from messaging.models import DispatchAttempt, QueuedMessage, Suppression
from messaging.services.dispatch import claiming, reporting
from messaging.tests.calls import CHAT
from messaging.tests.seen import message, upload
from messaging.tests.test_dispatch_races import ROUNDS, Cast, offsets, together
from waplus.lib.errors import Refused

pytestmark = pytest.mark.django_db(transaction=True)

OTHER = "5511987650000@c.us"
WAIT = 10


class Gate:
    """Stops a thread at a place until another one has done its part."""

    def __init__(self):
        self.reached, self.opened = threading.Event(), threading.Event()

    def stop(self) -> None:
        self.reached.set()
        assert self.opened.wait(WAIT), "the other side never came to its end: it waits for this one"

    def pass_after(self, act):
        """Do something while the other thread stands at the gate, then let it go on."""
        assert self.reached.wait(WAIT)
        try:
            return act()
        finally:
            self.opened.set()


@pytest.fixture
def cast(acme, alice, number, clock, put) -> Cast:
    """A number that has been sent from, so that opt-out words count."""
    put("sent", minutes=-60, chat_jid=OTHER, sending_at=clock.now)
    return Cast(acme, alice, number, clock)


@pytest.fixture(params=["a word", "by hand", "by hand, the contact"])
def opt_out(request, number, acme, bob_device):
    """Let somebody opt out, over HTTP and in a way that the test is repeated for."""

    def hear(chat_jid: str = CHAT):
        item = message(f"3EB0{chat_jid[:13]}", chat_jid=chat_jid, text="STOP", live=True, seconds=3600)
        assert upload(bob_device, number, [item]) == {"messages": ["not_needed"]}

    def write(chat_jid: str = CHAT):
        assert bob_device.client.post("/api/v1/suppressions/", {"jid": chat_jid}).status_code == 201

    def write_contact(chat_jid: str = CHAT):
        contact = make_contact(acme, chat_jid)
        assert bob_device.client.post("/api/v1/suppressions/", {"contact": str(contact.pk)}).status_code == 201

    return {"a word": hear, "by hand": write}.get(request.param, write_contact)


@pytest.fixture
def waiting(put):
    """A message that may go now, and one behind it in the same chat."""
    return lambda chat_jid=CHAT: [put(chat_jid=chat_jid, minutes=minutes) for minutes in (-2, -1)]


def ends() -> list[tuple[str, str]]:
    rows = QueuedMessage.objects.exclude(chat_jid=OTHER).order_by("due_at")
    return list(rows.values_list("state", "reason_code"))


SKIPPED = ("skipped", "opted_out")


def assert_nothing_goes_any_more(cast: Cast) -> None:
    assert cast.claim() == []
    assert not QueuedMessage.objects.filter(state__in=["queued", "leased"]).exclude(chat_jid=OTHER).exists()


def test_hands_out_nothing_after_opt_out(cast, waiting, opt_out):
    waiting()
    opt_out()
    assert cast.claim() == []
    assert ends() == [SKIPPED, SKIPPED]
    assert not DispatchAttempt.objects.exists()


def test_refuses_sending_after_opt_out(cast, waiting, opt_out):
    waiting()
    handed = cast.claim()
    opt_out()
    for one in handed:
        with pytest.raises(Refused, match="wrong_state"):
            cast.report(one, "sending")
    assert ends() == [SKIPPED, SKIPPED]
    assert list(DispatchAttempt.objects.values_list("outcome", flat=True)) == ["withdrawn"] * 2
    assert_nothing_goes_any_more(cast)


def test_refuses_repeated_sending_after_opt_out(cast, waiting, opt_out):
    """Its answer was lost, so nothing was sent; if it was after all, that wins."""
    waiting()
    first, second = cast.claim()
    assert cast.report(first, "sending").state == "sending"
    opt_out()
    for one in (first, second):
        with pytest.raises(Refused, match="wrong_state"):
            cast.report(one, "sending")
    assert ends() == [SKIPPED, SKIPPED]
    assert list(DispatchAttempt.objects.values_list("outcome", flat=True)) == ["withdrawn"] * 2
    assert_nothing_goes_any_more(cast)
    assert cast.report(first, "sent").state == "sent"
    assert ends() == [("sent", ""), SKIPPED]
    assert DispatchAttempt.objects.get(message=first.pk).outcome == "sent"


def test_refuses_sending_of_what_was_claimed_while_opt_out_was_committed(cast, waiting, opt_out, monkeypatch):
    """The claim has looked before the opt-out, and leases after it: the last check is that of “sending”."""
    waiting()
    gate, judge = Gate(), claiming.judge

    def look(*args, **values):
        gate.stop()
        return judge(*args, **values)

    monkeypatch.setattr(claiming, "judge", look)
    handed, _ = together(cast.claim, lambda: gate.pass_after(opt_out))
    assert len(handed) == 2
    for one in handed:
        with pytest.raises(Refused, match="wrong_state"):
            cast.report(one, "sending")
    assert ends() == [SKIPPED, SKIPPED]
    assert_nothing_goes_any_more(cast)


def test_refuses_sending_that_waited_while_opt_out_was_committed(cast, waiting, opt_out, monkeypatch):
    """It has locked its message and has not looked yet."""
    waiting()
    first, _ = cast.claim()
    gate, is_suppressed = Gate(), reporting.is_suppressed

    def look(*args, **values):
        gate.stop()
        return is_suppressed(*args, **values)

    monkeypatch.setattr(reporting, "is_suppressed", look)
    refused, _ = together(lambda: cast.report(first, "sending"), lambda: gate.pass_after(opt_out))
    assert (refused.code, ends()[0]) == ("wrong_state", SKIPPED)


def test_permission_from_before_holds_for_one_message_alone(cast, waiting, opt_out, monkeypatch):
    """“Sending” has looked and is about to commit: the opt-out does not wait for it, and the next message is refused."""
    waiting()
    first, second = cast.claim()
    gate, is_suppressed = Gate(), reporting.is_suppressed

    def look(*args, **values):
        found = is_suppressed(*args, **values)
        if not gate.opened.is_set():
            gate.stop()
        return found

    monkeypatch.setattr(reporting, "is_suppressed", look)
    told, _ = together(lambda: cast.report(first, "sending"), lambda: gate.pass_after(opt_out))
    assert told.state == "sending"
    with pytest.raises(Refused, match="wrong_state"):
        cast.report(second, "sending")
    assert cast.report(first, "sent").state == "sent"
    assert ends() == [("sent", ""), SKIPPED]
    assert_nothing_goes_any_more(cast)


@pytest.mark.parametrize("what", ["claim", "sending"])
def test_opt_out_that_is_not_committed_keeps_nobody_waiting(cast, waiting, opt_out, what):
    """It is written and not committed: the other side goes by what is so, and what comes after it by the opt-out."""
    waiting()
    handed = cast.claim() if what == "sending" else []
    gate = Gate()

    def stop_before_commit():
        with transaction.atomic():
            opt_out()
            gate.stop()

    act = (lambda: cast.report(handed[0], "sending")) if what == "sending" else cast.claim
    _, answer = together(stop_before_commit, lambda: gate.pass_after(act))
    assert Suppression.objects.filter(part_of=None).count() == 1
    if what == "sending":
        assert answer.state == "sending"
        with pytest.raises(Refused, match="wrong_state"):
            cast.report(handed[1], "sending")
        return
    assert len(answer) == 2
    for one in answer:
        with pytest.raises(Refused, match="wrong_state"):
            cast.report(one, "sending")
    assert ends() == [SKIPPED, SKIPPED]


def test_nothing_that_begins_after_opt_out_is_sent(cast, waiting, opt_out):
    """By chance: a device works off a chat while its person opts out. Whatever began after the commit is refused."""
    endings = Counter()
    for turn in range(ROUNDS):
        chat_jid = f"55119800000{turn:02}@c.us"
        waiting(chat_jid)
        committed = threading.Event()

        def leave(chat_jid=chat_jid, committed=committed):
            opt_out(chat_jid)
            committed.set()

        def work(committed=committed):
            sent_after = sent = 0
            for one in cast.claim():
                was_committed = committed.is_set()
                try:
                    cast.report(one, "sending")
                except Refused:
                    continue
                sent += 1
                sent_after += was_committed
                cast.report(one, "sent")
            return sent, sent_after

        _, (sent, sent_after) = together(leave, work, offsets=offsets(turn))
        assert sent_after == 0
        assert cast.claim() == []
        states = QueuedMessage.objects.filter(chat_jid=chat_jid).values_list("state", flat=True)
        assert Counter(states) == Counter({"sent": sent, "skipped": 2 - sent})
        endings[sent] += 1
    assert endings[0] and endings[2]
