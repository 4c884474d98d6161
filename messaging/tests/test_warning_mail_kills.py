"""Workers that send mails of warnings, killed with SIGKILL at each step: nobody is mailed twice, and who may be, is."""

from datetime import timedelta

import pytest
from django.core import mail
from django.db import transaction
from django.utils import timezone

from accounts.tests.together import at_once, linger
from conftest import join, make_person
from messaging.models import MessageSource, WarningMail
from messaging.services.queueing import NewMessage, queue_messages
from messaging.services.warnings import send_warning_mails, warn_in_time
from messaging.services.warnings.mail import WarningMails
from messaging.tests.calls import CHAT
from waplus.lib.ids import uuid7
from waplus.tests.killing import kill_at, mails_in, run_out

pytestmark = pytest.mark.django_db(transaction=True)

SWEEPS = "messaging.services.warnings"
MAILS = "messaging.services.warnings.mail.WarningMails"


@pytest.fixture(autouse=True)
def clock():
    """Processes have the time of day, so this file has it, too."""
    return timezone.now


@pytest.fixture
def waits(acme, number):
    """Puts a message of somebody's into the queue that nobody is there to send."""

    def put(person) -> None:
        due_at = timezone.now() + timedelta(minutes=5)
        row = NewMessage(
            source=MessageSource.SCHEDULED,
            origin_id=uuid7(),
            whatsapp_account_id=number.pk,
            chat_jid=CHAT,
            body="Olá",
            due_at=due_at,
            expires_at=due_at + timedelta(hours=1),
            created_by_id=person.pk,
        )
        with transaction.atomic():
            queue_messages(workspace=acme, rows=[row])

    return put


def states() -> list[tuple[str, int]]:
    return list(WarningMail.objects.values_list("state", "attempts"))


@pytest.mark.parametrize(
    ("name", "where", "left", "mails_of_dead", "then", "ended"),
    [
        # Leased, nothing said yet: another worker sends it.
        ("_lease", "behind", ("waiting", 1), 0, {"delivered": 1}, ("delivered", 2)),
        ("_deliver", "before", ("waiting", 1), 0, {"delivered": 1}, ("delivered", 2)),
        ("_begin_sending", "before", ("waiting", 1), 0, {"delivered": 1}, ("delivered", 2)),
        # Inside the transaction that says "sending": nothing of it was written.
        ("message", "behind", ("waiting", 1), 0, {"delivered": 1}, ("delivered", 2)),
        # "Sending" is written: whether the server has it, nobody knows. It is not sent again.
        ("_begin_sending", "behind", ("sending", 1), 0, {}, ("unknown", 1)),
        ("_end", "before", ("sending", 1), 1, {}, ("unknown", 1)),
        # Inside the transaction that says "delivered": it was handed over, and that is not written.
        ("note_delivered", "behind", ("sending", 1), 1, {}, ("unknown", 1)),
        # It is written that it was delivered.
        ("_end", "behind", ("delivered", 1), 1, {}, ("delivered", 1)),
    ],
)
def test_mails_at_most_once_when_worker_is_killed(
    waits, alice, tmp_path, name, where, left, mails_of_dead, then, ended
):
    waits(alice)
    warn_in_time()
    kill_at(f"{SWEEPS}.send_warning_mails", f"{MAILS}.{name}", where, mails=tmp_path / "mail")
    assert (states(), mails_in(tmp_path / "mail")) == ([left], mails_of_dead)
    assert send_warning_mails() == {}  # the lease holds
    run_out(WarningMail)
    assert send_warning_mails() == then
    assert send_warning_mails() == {}
    assert states() == [ended]
    assert len(mail.outbox) == then.get("delivered", 0)


@pytest.mark.parametrize("where", ["before", "behind"])
def test_warns_anew_when_sweep_is_killed(waits, alice, tmp_path, where):
    """Warning, event and mails are one transaction: a sweep that is killed in it leaves nothing, and the next one warns."""
    waits(alice)
    kill_at(f"{SWEEPS}.warn_in_time", "messaging.services.warnings.sweep.hint_after_commit", where, mails=tmp_path)
    assert WarningMail.objects.count() == 0
    assert warn_in_time()["no_instance"] == 1
    assert send_warning_mails() == {"delivered": 1}
    assert warn_in_time()["no_instance"] == 0
    assert send_warning_mails() == {}
    assert len(mail.outbox) == 1


def test_mails_each_once_from_many_workers(acme, waits, alice, monkeypatch):
    linger(monkeypatch, WarningMails, "_lease")
    linger(monkeypatch, WarningMails, "_begin_sending")
    people = [alice]
    for number in range(7):
        people.append(make_person(f"Helper {number}"))
        join(acme, people[-1])
    for person in people:
        waits(person)
    warn_in_time()
    answers = at_once(*[send_warning_mails] * 5)
    assert sum(answer.get("delivered", 0) for answer in answers) == 8
    assert sorted(message.to[0] for message in mail.outbox) == sorted(person.email for person in people)
    assert sum(bool(answer) for answer in answers) > 1  # several did really work
