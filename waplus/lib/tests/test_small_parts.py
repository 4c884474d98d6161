"""Ids, versions and hints: small parts with sharp edges."""

import logging
from uuid import UUID, uuid4

import pytest
from django.core.exceptions import ValidationError
from kombu.exceptions import OperationalError

from waplus.lib import hints
from waplus.lib.api.versions import version_key
from waplus.lib.errors import CODES, Invalid, NotFound, Refused
from waplus.lib.hints import hint_after_commit
from waplus.lib.ids import uuid7, validate_uuid7


def test_ids_are_uuid7_and_sort_by_making():
    ids = [uuid7() for _ in range(1000)]
    assert all(type(id) is UUID and id.version == 7 for id in ids)
    assert sorted(ids) == ids
    assert len(set(ids)) == 1000


@pytest.mark.parametrize(
    "id", [uuid4(), UUID(int=0), UUID(int=2**128 - 1), UUID("01234567-89ab-7def-0123-456789abcdef")]
)
def test_refuses_ids_that_are_no_uuid7(id):
    with pytest.raises(ValidationError):
        validate_uuid7(id)


def test_accepts_uuid7():
    validate_uuid7(uuid7())


def test_versions_compare_by_number():
    ordered = ["0", "0.9", "0.10", "1", "1.0.0.1", "1.2", "1.10", "2", "10"]
    keys = [version_key(text) for text in ordered]
    assert keys == sorted(keys)
    assert version_key("1") == version_key("1.0.0.0")
    for wrong in ("", "1.", ".1", "1.2.3.4.5", "1.x", "v1", "-1", "1 ", "1234567", "1\n"):
        assert version_key(wrong) is None


def test_refusals_have_known_codes():
    for code in CODES:
        assert Refused(code).status == CODES[code].status
    assert Invalid("name", "required", "A name, please.").fields[0].field == "name"
    assert NotFound().detail == NotFound().detail
    with pytest.raises(KeyError):
        Refused("made_up")


def test_codes_speak_in_sentences():
    for code, known in CODES.items():
        assert code.replace("_", "").isalpha()
        assert code == code.lower()
        assert 400 <= known.status <= 599
        assert known.title[0].isupper() and not known.title.endswith(".")
        assert known.advice.endswith(".")


@pytest.mark.django_db
def test_hint_is_sent_after_commit_only(monkeypatch, django_capture_on_commit_callbacks):
    sent = []
    monkeypatch.setattr(hints.current_app, "send_task", lambda name, **options: sent.append((name, options)))
    with django_capture_on_commit_callbacks(execute=True):
        hint_after_commit("some.sweep")
        assert sent == []
    assert sent == [("some.sweep", {"expires": 60, "retry": False})]


@pytest.mark.django_db
def test_broker_that_is_away_costs_nothing_but_the_hint(monkeypatch, caplog, django_capture_on_commit_callbacks):
    def away(name, **options):
        raise OperationalError("no route to broker")

    monkeypatch.setattr(hints.current_app, "send_task", away)
    with caplog.at_level(logging.WARNING), django_capture_on_commit_callbacks(execute=True):
        hint_after_commit("some.sweep")
    assert "no hint for some.sweep" in caplog.text
