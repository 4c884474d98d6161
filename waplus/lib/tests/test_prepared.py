"""The prepared join that every API request starts with."""

import pytest
from django.db import connection

from accounts.services.tokens import _access, check_access
from waplus.lib.prepared import PreparedStatement


@pytest.mark.django_db
def test_answers_instances_with_all_fields(alice_device, django_assert_num_queries):
    check_access(alice_device.pair.access_token)
    with django_assert_num_queries(1):
        access = check_access(alice_device.pair.access_token)
        assert access.user.email == "alice@example.com"
        assert access.workspace.plan.code == "team"
        assert access.membership.user is access.user
        assert access.instance.get_deferred_fields() == set()


@pytest.mark.django_db(transaction=True)
def test_survives_lost_connection(alice_device):
    check_access(alice_device.pair.access_token)
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_backend_pid()")
        (pid,) = cursor.fetchone()
    other = connection.copy()
    try:
        with other.cursor() as cursor:
            cursor.execute("SELECT pg_terminate_backend(%s, 5000)", [pid])
    finally:
        other.close()
    connection.health_check_done = False  # as at the start of the next request
    assert check_access(alice_device.pair.access_token).user.email == "alice@example.com"


@pytest.mark.django_db(transaction=True)
def test_plans_once_where_that_is_wanted():
    counted = "SELECT generic_plans, custom_plans FROM pg_prepared_statements WHERE name = %s"
    sql = "SELECT count(*) FROM pg_class WHERE relname = %s"
    for planned_once, expected in ((False, (0, 3)), (True, (3, 0))):
        # The comment makes another statement of it.
        statement = PreparedStatement(f"{sql} /* {planned_once} */", planned_once=planned_once)
        assert [statement.fetch(["pg_class"]) for _ in range(3)] == [[(1,)]] * 3
        with connection.cursor() as cursor:
            cursor.execute(counted, [statement.name])
            assert cursor.fetchall() == [expected]
            cursor.execute("SHOW plan_cache_mode")
            assert cursor.fetchall() == [("auto",)]


@pytest.mark.django_db
def test_names_another_statement_otherwise():
    assert _access().statement.name.startswith("waplus_")
    assert "$1" in _access().statement.sql
    assert "%s" not in _access().statement.sql
