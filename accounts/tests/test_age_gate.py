"""The age gate: full years to the day, one plain refusal, and no trace of the date."""

import re
from datetime import UTC, date, datetime, timedelta

import pytest
from django.contrib.sessions.models import Session
from django.core import signing
from django.db import connection
from django.utils import timezone
from rest_framework.test import APIClient

from accounts.age_gate import COOKIE, age_on
from accounts.models import User
from conftest import PASSWORD

SIGN_UP = "/_allauth/app/v1/auth/signup"
TODAY = datetime(2026, 3, 1, 12, tzinfo=UTC)

AGES = [
    (date(2010, 3, 1), date(2026, 3, 1), 16),
    (date(2010, 3, 2), date(2026, 3, 1), 15),
    (date(2010, 2, 28), date(2026, 3, 1), 16),
    (date(2026, 3, 1), date(2026, 3, 1), 0),
    (date(2009, 12, 31), date(2026, 1, 1), 16),
    # 29 February: the birthday of a common year is 1 March
    (date(2008, 2, 29), date(2024, 2, 28), 15),
    (date(2008, 2, 29), date(2024, 2, 29), 16),
    (date(2010, 2, 28), date(2026, 2, 27), 15),
    (date(2008, 2, 29), date(2025, 2, 28), 16),
    (date(2008, 2, 29), date(2025, 3, 1), 17),
]


@pytest.mark.parametrize(("born", "day", "age"), AGES)
def test_counts_full_years(born, day, age):
    assert age_on(born, day) == age


@pytest.fixture
def first_of_march(monkeypatch):
    """What the gate takes for today; the rest of the program keeps its clock."""
    from accounts import age_gate

    class Clock:
        now = staticmethod(lambda: TODAY)

    monkeypatch.setattr(age_gate, "timezone", Clock)


def sign_up(born, client=None, email="dora@example.com", **more):
    payload = {"email": email, "password": PASSWORD, "birth_date": str(born), "name": "Dora", **more}
    return (client or APIClient()).post(SIGN_UP, payload, format="json")


def problem_of(answer) -> tuple:
    return tuple((error["param"], error["code"], error["message"]) for error in answer.json()["errors"])


pytestmark = pytest.mark.django_db


def test_lets_in_on_the_birthday_and_not_the_day_before(first_of_march, settings):
    assert settings.MINIMUM_AGE == 16
    answer = sign_up("2010-03-02")
    assert answer.status_code == 400
    assert [problem[:2] for problem in problem_of(answer)] == [("birth_date", "age_not_accepted")]
    assert not User.objects.exists()
    assert sign_up("2010-03-01").status_code == 401  # the address waits to be proven
    assert User.objects.count() == 1


def test_born_on_leap_day_waits_for_first_of_march(first_of_march, settings):
    settings.MINIMUM_AGE = 18
    assert sign_up("2008-02-29").status_code == 401
    assert User.objects.count() == 1


def test_refused_browser_stays_refused_with_a_good_date(first_of_march):
    client = APIClient()
    first = sign_up("2015-01-01", client)
    assert first.cookies[COOKIE]["httponly"] is True
    assert first.cookies[COOKIE]["max-age"] == 24 * 3600
    again = sign_up("1990-01-01", client, email="other@example.com")
    assert again.status_code == 400
    assert problem_of(again) == problem_of(first), "the second refusal must not say more than the first"
    assert not User.objects.exists()
    assert sign_up("1990-01-01").status_code == 401, "another browser is no concern of this one"


def test_page_holds_the_gate_too(client):
    def post(born):
        return client.post(
            "/accounts/signup/", {"email": "dora@example.com", "password1": PASSWORD, "birth_date": born, "name": "D"}
        )

    for born in (str(timezone.now().date() - timedelta(days=365 * 10)), "1990-01-01"):
        assert post(born).status_code == 200
        assert not User.objects.exists()
    client.cookies.clear()
    assert post("1990-01-01").status_code == 302
    assert User.objects.count() == 1


def test_forged_mark_means_nothing(first_of_march):
    client = APIClient()
    client.cookies[COOKIE] = "1:forged:forged"
    assert sign_up("1990-01-01", client).status_code == 401


def test_refuses_dates_that_are_none(first_of_march):
    for born in ("", "yesterday", "2026-03-02", "1899-12-31", "1990-02-30", "0001-01-01", "9999-12-31"):
        client = APIClient()
        answer = sign_up(born, client)
        assert (born, answer.status_code) == (born, 400)
        assert [problem[0] for problem in problem_of(answer)] == ["birth_date"]
        assert COOKIE not in answer.cookies, "a slip of the pen turns nobody away"
    answer = APIClient().post(SIGN_UP, {"email": "dora@example.com", "password": PASSWORD}, format="json")
    assert [problem[:2] for problem in problem_of(answer)] == [("birth_date", "required")]
    assert not User.objects.exists()


def test_date_is_kept_nowhere():
    sign_up("1987-06-05")
    assert User.objects.count() == 1
    with connection.cursor() as cursor:
        for table in connection.introspection.table_names(cursor):
            cursor.execute(f"SELECT count(*) FROM \"{table}\" AS t WHERE t::text LIKE '%1987-06-05%'")
            assert cursor.fetchone() == (0,), table
    sessions = [str(session.get_decoded()) for session in Session.objects.all()]
    assert sessions
    assert "1987" not in "".join(re.sub(r"[0-9a-f-]{32,}|[0-9.]{12,}", "", text) for text in sessions)
    assert not [field.name for field in User._meta.get_fields() if "birth" in field.name or "born" in field.name]


def test_refusal_keeps_nothing_of_person(first_of_march):
    answer = sign_up("2015-01-01", email="child@example.com")
    assert signing.loads(answer.cookies[COOKIE].value, salt="accounts.age_gate") == 1
    with connection.cursor() as cursor:
        for table in connection.introspection.table_names(cursor):
            cursor.execute(f"SELECT count(*) FROM \"{table}\" AS t WHERE t::text LIKE '%child@example.com%'")
            assert cursor.fetchone() == (0,), table
