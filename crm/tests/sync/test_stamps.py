"""What nobody may forget: every synced table has its triggers, its kind, and the versions that its model names."""

import re

import pytest
from django.apps import apps
from django.db import connection

from crm.models import Tombstone
from crm.models.synced import StampedModel, SyncedModel
from crm.services.sync.kinds import ALWAYS_HIDDEN, kinds
from crm.tests.sync.test_pulling import make_contact

pytestmark = pytest.mark.django_db

MODELS = [model for model in apps.get_models() if issubclass(model, StampedModel)]
_TRACKED = re.compile(r"IF NEW\.(\w+) IS DISTINCT FROM OLD\.\1 THEN NEW\.field_versions")


def function_of(name: str) -> str:
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_get_functiondef(%s::regproc)", [name])
        return cursor.fetchone()[0]


def triggers_of(table: str) -> dict[str, str]:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT tgname, pg_get_triggerdef(oid) FROM pg_trigger WHERE tgrelid = %s::regclass AND NOT tgisinternal "
            "AND tgenabled = 'O'",
            [table],
        )
        return dict(cursor.fetchall())


def test_every_stamped_model_is_a_kind():
    assert {kind.model for kind in kinds()} == set(MODELS)
    assert len(MODELS) >= 13


@pytest.mark.parametrize("kind", kinds(), ids=lambda kind: kind.name)
def test_table_is_stamped(kind):
    table = kind.table
    triggers = triggers_of(table)
    assert "BEFORE UPDATE" in triggers[f"{table}_stamp"]
    assert "AFTER DELETE" in triggers[f"{table}_bury"]
    assert f"SELECT workspace_id, '{kind.name}', id FROM gone" in function_of(f"{table}_bury")
    stamp = function_of(f"{table}_stamp")
    assert "NEW.changed_xid := pg_current_xact_id();" in stamp
    tracked = _TRACKED.findall(stamp)
    if issubclass(kind.model, SyncedModel):
        assert "NEW.version := OLD.version + 1;" in stamp
        assert tracked == list(kind.model.versioned) != []
    else:
        assert tracked == []


@pytest.mark.parametrize("kind", kinds(), ids=lambda kind: kind.name)
def test_versions_are_of_columns_that_exist(kind):
    columns = {field.column for field in kind.model._meta.concrete_fields}
    assert set(getattr(kind.model, "versioned", ())) <= columns
    names = {field.name for field in kind.model._meta.concrete_fields}
    assert set(kind.hidden) <= names - set(ALWAYS_HIDDEN)


@pytest.mark.parametrize("kind", kinds(), ids=lambda kind: kind.name)
def test_changes_are_read_through_an_index_of_their_own(kind):
    columns = [list(index.fields) for index in kind.model._meta.indexes if index.fields]
    assert ["workspace", "changed_xid", "id"] in columns


def stamps(table: str = "crm_contact") -> list[tuple]:
    with connection.cursor() as cursor:
        cursor.execute(
            f"SELECT name, version, field_versions::text, changed_xid = pg_current_xact_id() FROM {table} ORDER BY name"
        )
        return cursor.fetchall()


@pytest.mark.django_db(transaction=True)
def test_bulk_sql_is_stamped(acme, alice):
    for name in "ab":
        make_contact(acme, alice, name=name)
    with connection.cursor() as cursor:
        cursor.execute("BEGIN")
        assert stamps() == [("a", 1, "{}", False), ("b", 1, "{}", False)]
        cursor.execute("UPDATE crm_contact SET company = 'X' WHERE name = 'a'")
        cursor.execute("UPDATE crm_contact SET company = company")
        assert stamps() == [("a", 2, '{"company": 2}', True), ("b", 1, "{}", False)]
        cursor.execute("DELETE FROM crm_contact WHERE name = 'b'")
        cursor.execute("SELECT kind, changed_xid = pg_current_xact_id() FROM crm_tombstone")
        assert cursor.fetchall() == [("contact", True)]
        cursor.execute("COMMIT")
    assert Tombstone.objects.get().workspace_id == acme.pk
