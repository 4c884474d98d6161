"""The prepared join that every API request starts with."""

import pytest
from django.db import connection

from accounts.services.tokens import _ACCESS, check_access


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


@pytest.mark.django_db
def test_names_another_statement_otherwise():
    assert _ACCESS.statement.name.startswith("waplus_")
    assert "$1" in _ACCESS.statement.sql
    assert "%s" not in _ACCESS.statement.sql
