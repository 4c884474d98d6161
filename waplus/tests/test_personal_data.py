"""The data map and the database agree, and the check that says so can fail."""

import uuid

import pytest
from allauth.usersessions.models import UserSession
from django.contrib.sessions.models import Session
from django.db import models
from django.db.models import JSONField

from accounts import actors
from accounts.models import Event
from accounts.services.people import update_profile
from waplus.lib import personal_data
from waplus.lib.personal_data import Category, Erase, Export, PersonalData, Recipient, declarations

NOT_YET = {Category.GOOGLE, Category.INSTALLED_EXTENSIONS}
SECRETS = {"password", "token_hash", "secret_hash", "auth_hash", "session_key", "session_data"}


def wrong(is_wrong) -> list[str]:
    """`model.field` of every declared field of which a rule does not hold."""
    return [
        f"{declaration.model}.{name}"
        for declaration in declarations()
        for name, field in declaration.fields.items()
        if is_wrong(declaration.model_class()._meta.get_field(name), field)
    ]


def test_every_stored_field_is_declared():
    assert personal_data.undeclared() == set()


def test_every_declared_field_is_stored():
    assert personal_data.vanished() == set()


def test_a_forgotten_declaration_is_found(monkeypatch):
    """Positive control: without one declaration the check names its fields."""
    monkeypatch.delitem(personal_data._declared, "crm.contact")
    assert "crm.contact.name" in personal_data.undeclared()


def test_a_forgotten_field_is_found(monkeypatch):
    declaration = personal_data._declared["accounts.user"]
    monkeypatch.setattr(declaration, "fields", {k: v for k, v in declaration.fields.items() if k != "email"})
    assert personal_data.undeclared() == {"accounts.user.email"}


def test_a_model_that_nobody_declared_is_found(monkeypatch):
    class Diary(models.Model):
        secret = models.TextField()

        class Meta:
            app_label = "made_up"

    def installed(**kwargs):
        return [Diary]

    monkeypatch.setattr(personal_data.apps, "get_models", installed)
    assert personal_data.undeclared() == {"made_up.diary.id", "made_up.diary.secret"}


def test_a_field_that_went_away_is_found(monkeypatch):
    declaration = personal_data._declared["accounts.user"]
    monkeypatch.setattr(declaration, "fields", {**declaration.fields, "fax": declaration.fields["email"]})
    assert personal_data.vanished() == {"accounts.user.fax"}


def test_a_model_is_declared_once():
    class Again(PersonalData):
        model = "Accounts.User"

    with pytest.raises(ValueError, match="declared twice"):
        personal_data.declare(Again)


@pytest.mark.django_db
@pytest.mark.parametrize("declaration", list(declarations()), ids=lambda declaration: declaration.model)
def test_subjects_lead_somewhere(declaration):
    """Each path is a real one: the query runs; only purely technical models belong to nobody."""
    personal = {field.category for field in declaration.fields.values()} - {Category.TECHNICAL}
    assert declaration.subjects or not personal
    assert set(declaration.subjects) <= {"person", "contact", "workspace", "instance", "email"}
    for kind in declaration.subjects:
        subject = "nobody@example.com" if kind == "email" else uuid.uuid4()
        assert list(declaration.rows_of(kind, subject)) == []
    assert list(declaration.rows_of("unheard-of", uuid.uuid4())) == []


def test_a_purpose_is_a_sentence():
    def no_sentence(column, field):
        words = field.purpose.split()
        return len(words) < 3 or not words[0][0].isupper() or not words[-1].endswith(".")

    assert wrong(no_sentence) == []


def test_json_documents_state_their_keys():
    assert wrong(lambda column, field: isinstance(column, JSONField) and not field.json_keys) == []


def test_secrets_leave_in_no_export_and_reach_no_colleague():
    def given_away(column, field):
        kept = {Recipient.TEAM, Recipient.STAFF}.isdisjoint(field.recipients) and field.export is not Export.PLAIN
        return column.name in SECRETS and not (field.category is Category.AUTHENTICATION and kept)

    assert wrong(given_away) == []
    assert len(wrong(lambda column, field: column.name in SECRETS)) > len(SECRETS)


def test_texts_of_messages_and_of_address_books_do_not_reach_staff():
    def shown(column, field):
        return column.name in ("body", "search_text") and Recipient.STAFF in field.recipients

    assert wrong(shown) == []


def test_what_is_emptied_can_be_empty():
    """`CLEARED` is only true of a column that the database lets be empty."""
    assert wrong(lambda column, field: field.erase is Erase.CLEARED and not (column.null or column.blank)) == []


def test_every_category_that_the_product_has_is_in_use():
    used = {field.category for declaration in declarations() for field in declaration.fields.values()}
    assert used == set(Category) - NOT_YET


@pytest.mark.django_db
def test_rows_of_a_person(alice, bob):
    users = personal_data._declared["accounts.user"]
    assert list(users.rows_of("person", alice.pk)) == [alice]


@pytest.mark.django_db
def test_events_of_a_person_are_those_by_and_about_them(alice, bob):
    update_profile(user=alice, actor=actors.person(bob), name="Alicia")
    events = personal_data._declared["accounts.event"]
    event = Event.objects.get(kind="person.updated")
    assert list(events.rows_of("person", alice.pk)) == [event]
    assert list(events.rows_of("person", bob.pk)) == [event]


@pytest.mark.django_db
def test_sessions_of_a_person_are_found_through_their_devices(alice, bob, client):
    client.force_login(alice)
    key = client.session.session_key
    UserSession.objects.create(user=alice, session_key=key, ip="192.0.2.1", user_agent="Chrome")
    sessions = personal_data._declared["sessions.session"]
    assert list(sessions.rows_of("person", alice.pk)) == [Session.objects.get(pk=key)]
    assert not sessions.rows_of("person", bob.pk).exists()
