"""Health: what probes of an installation read."""

import pytest
from django.core.cache import cache
from django.db import OperationalError, connection
from django.db.migrations.loader import MigrationLoader
from django.db.migrations.recorder import MigrationRecorder

from waplus import health

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def unseen(monkeypatch):
    monkeypatch.setattr(health, "_seen", {"migrated": False})


def test_is_alive_without_asking_anybody(client, django_assert_num_queries):
    with django_assert_num_queries(0):
        answer = client.get("/health/live")
    assert (answer.status_code, answer.json()) == (200, {"status": "alive"})


def test_is_ready(client):
    answer = client.get("/health/ready")
    assert (answer.status_code, answer.json()) == (
        200,
        {"status": "ready", "checks": {"database": "ok", "cache": "ok"}},
    )


def test_is_not_ready_without_database(client, monkeypatch):
    def away():
        raise OperationalError("no route to canary-host")

    monkeypatch.setattr(connection, "cursor", away)
    answer = client.get("/health/ready")
    assert answer.status_code == 503
    assert answer.json() == {"status": "not ready", "checks": {"database": "unreachable", "cache": "ok"}}
    assert client.get("/health/live").status_code == 200


def test_is_not_ready_before_migrations(client):
    newest = MigrationLoader(connection).graph.leaf_nodes("accounts")[0]
    MigrationRecorder(connection).record_unapplied(*newest)
    answer = client.get("/health/ready")
    assert answer.status_code == 503
    assert answer.json()["checks"]["database"] == "migrations are missing"
    MigrationRecorder(connection).record_applied(*newest)
    assert client.get("/health/ready").status_code == 200


def test_is_not_ready_with_a_cache_that_forgets_or_is_away(client, monkeypatch):
    monkeypatch.setattr(cache, "get", lambda *args: None, raising=False)
    assert client.get("/health/ready").json()["checks"]["cache"] == "forgets"

    def away(*args):
        raise ConnectionRefusedError

    monkeypatch.setattr(cache, "set", away, raising=False)
    answer = client.get("/health/ready")
    assert (answer.status_code, answer.json()["checks"]["cache"]) == (503, "unreachable")


def test_answers_are_kept_by_nobody_and_change_nothing(client):
    for path in ("/health/live", "/health/ready"):
        assert "no-store" in client.get(path)["Cache-Control"]
        assert client.head(path).status_code == 200
        assert client.post(path).status_code == 405
