"""A word alone stops messages, in every spelling of it, and a sentence with the word in it does not."""

import pytest

from accounts import actors
from accounts.models import Event
from crm.tests.people import make_contact
from messaging.models import ConsentRecord, OptOutWord, QueuedMessage, Suppression, SuppressionSource
from messaging.services.observed import ObservedMessage, tell_observers
from messaging.services.suppression import is_suppressed, suppress
from messaging.services.suppression.words import (
    DEFAULT_WORDS,
    folded_word,
    needs_text,
    remove_word,
    set_word,
    words_of,
)
from messaging.tests.calls import CHAT
from messaging.tests.test_budget import HOUR, NOW, sent
from waplus.lib.errors import Invalid, NotFound


@pytest.fixture
def by_alice(acme, alice) -> dict:
    return {"workspace": acme, "actor": actors.person(alice)}


@pytest.fixture
def hear(acme, number, bob_device, bob):
    """Let Bob's device see a message of somebody."""

    def hear(text, **values) -> None:
        message = {
            "whatsapp_account_id": number.pk,
            "chat_jid": CHAT,
            "chat_id": None,
            "contact_id": None,
            "from_me": False,
            "message_id": "3EB0",
            "participant": "",
            "type": "chat",
            "text": text,
            "sent_at": NOW,
            "is_live": True,
        }
        actor = actors.instance(bob_device.instance, bob)
        tell_observers(acme, actor, [ObservedMessage(**message | values)])

    return hear


@pytest.mark.parametrize(
    "text",
    [
        "STOP",
        "stop",
        " Stop! ",
        "¡Baja!",
        "СТОП",
        "ＳＴＯＰ",
        "🛑 Stop 🛑",
        "parar.",
        "Désinscrire",
        "opt-out",
        "إلغاء",
    ],
)
def test_stop_at_a_word_alone(text, acme, hear):
    hear(text)
    assert is_suppressed(acme, chat_jid=CHAT)
    assert Suppression.objects.get().source == "opt_out_word"
    assert Suppression.objects.get().created_by is None, "it was not Bob who wanted it"
    assert list(ConsentRecord.objects.values_list("kind", "means", "word", "evidence")) == [
        ("withdrawn", "word", folded_word(text), "")
    ]
    assert Event.objects.filter(kind="suppression.created").count() == 1


@pytest.mark.parametrize(
    "text",
    ["Please stop by tomorrow", "non-stop", "stop it", "cancelar a reunião?", "", "🛑", None, "stop" * 40, "s t o p"],
)
def test_go_on_at_anything_else(text, hear):
    hear(text)
    assert not Suppression.objects.exists()


@pytest.mark.parametrize(
    "values",
    [
        {"from_me": True},
        {"is_live": False},
        {"chat_jid": "120363041234567890@g.us", "participant": CHAT},
        {"chat_jid": "120363041234567890@newsletter"},
        {"chat_jid": "status@broadcast"},
    ],
)
def test_hear_only_live_messages_of_persons(values, hear):
    hear("STOP", **values)
    assert not Suppression.objects.exists()


def test_stop_all_ids_of_the_contact(acme, hear):
    contact = make_contact(acme, "+4915112345678", "157163732254124@lid")
    hear("stop", chat_jid="157163732254124@lid", contact_id=contact.pk)
    hear("stop", chat_jid="157163732254124@lid", contact_id=contact.pk)
    assert is_suppressed(acme, chat_jid="4915112345678@c.us")
    assert Suppression.objects.count() == 2
    assert ConsentRecord.objects.get().contact_id == contact.pk


def test_allow_again_by_a_word(acme, hear):
    hear("stop")
    hear("Start!")
    assert not is_suppressed(acme, chat_jid=CHAT)
    assert list(ConsentRecord.objects.order_by("id").values_list("kind", "word")) == [
        ("withdrawn", "stop"),
        ("given", "start"),
    ]
    hear("start")
    assert ConsentRecord.objects.count() == 2


def test_one_letter_allows_nothing_again(acme, hear):
    hear("baja")
    for letter in "abcdefghijklmnopqrstuvwxyz":
        hear(letter)
    assert is_suppressed(acme, chat_jid=CHAT)
    hear("Darme de alta")
    assert not is_suppressed(acme, chat_jid=CHAT)


def test_word_does_not_undo_what_a_member_decided(acme, by_alice, hear):
    suppress(**by_alice, source=SuppressionSource.PERSON, jid=CHAT)
    hear("start")
    hear("start")
    assert is_suppressed(acme, chat_jid=CHAT)
    assert list(ConsentRecord.objects.order_by("id").values_list("kind", "means")) == [
        ("withdrawn", "person"),
        ("given", "word"),
    ]


def test_words_of_other_workspaces_do_not_count(acme, other, charlie, by_alice, hear):
    set_word(workspace=other, actor=actors.person(charlie), word="Genug", kind="out")
    hear("genug")
    assert not Suppression.objects.exists()
    set_word(**by_alice, word="GENUG!", kind="out", language="de")
    assert words_of(acme)["genug"] == ("out", "de")
    hear("Genug.")
    assert is_suppressed(acme, chat_jid=CHAT)


def test_take_meaning_of_default_away_and_back(acme, by_alice, hear):
    assert words_of(acme)["stop"] == ("out", "en")
    remove_word(**by_alice, word="Stop")
    assert "stop" not in words_of(acme)
    hear("stop")
    assert not Suppression.objects.exists()
    with pytest.raises(NotFound):
        remove_word(**by_alice, word="stop")
    set_word(**by_alice, word="stop", kind="out", language="en")
    hear("stop")
    assert is_suppressed(acme, chat_jid=CHAT)
    assert OptOutWord.objects.count() == 1


def test_refuse_what_is_no_word(by_alice):
    for word in ("", "🛑", "!?", "a" * 61):
        with pytest.raises(Invalid):
            set_word(**by_alice, word=word, kind="out")
    assert not OptOutWord.objects.exists()


def test_defaults_say_one_thing_each():
    """A word of two languages must not stop in one and allow in the other."""
    assert all(word == folded_word(word) for word in DEFAULT_WORDS)
    for word in ("yes", "no", "ok", "sim", "si", "red", "help"):
        assert word not in DEFAULT_WORDS


def test_texts_are_needed_only_where_we_wrote(acme, number, second_number):
    assert not needs_text(acme, number.pk)
    row = sent(number, HOUR)
    assert needs_text(acme, number.pk)
    assert not needs_text(acme, second_number.pk)
    QueuedMessage.objects.filter(pk=row.pk).update(sending_at="2026-01-01T00:00Z")
    assert not needs_text(acme, number.pk)
