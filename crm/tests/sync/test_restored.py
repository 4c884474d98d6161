"""A dump that is really loaded, into a database beside and into the very same one."""

import os
import subprocess

import pytest
from django.conf import settings
from django.db import connection

from crm.models import SyncEpoch
from crm.tests.sync.devices import Replica
from crm.tests.sync.server_state import server_state
from crm.tests.sync.test_pulling import make_contact
from waplus.local.machine import MachineError, server_binaries

pytestmark = pytest.mark.django_db(transaction=True)


def tool(name: str, *arguments: str, database: str) -> bytes:
    """Run a program of PostgreSQL's against a database of the tests' server."""
    where = settings.DATABASES["default"]
    try:
        program = server_binaries() / name
    except MachineError:
        pytest.skip("PostgreSQL's programs are not here")
    server = {"PGHOST": where["HOST"], "PGPORT": str(where["PORT"] or 5432), "PGUSER": where["USER"]}
    done = subprocess.run(
        [str(program), *arguments],
        env={**os.environ, **server, "PGPASSWORD": where["PASSWORD"], "PGDATABASE": database},
        check=True,
        capture_output=True,
        timeout=120,
    )
    return done.stdout


def test_dump_loaded_into_the_same_database_is_recognised(acme, alice, alice_device, tmp_path):
    """Nothing is different but who wrote the epoch's row, and what came after the dump is gone."""
    database, path = connection.settings_dict["NAME"], str(tmp_path / "dump")
    kept = make_contact(acme, alice, "before")
    replica = Replica(alice_device.client).pull()
    tool("pg_dump", "--format=custom", "--file", path, database=database)
    lost = make_contact(acme, alice, "after")
    replica.pull()
    assert set(replica.of("contact")) == {str(kept.pk), str(lost.pk)}
    former = SyncEpoch.objects.get().epoch
    connection.close()
    tool("pg_restore", "--clean", "--if-exists", f"--dbname={database}", path, database=database)
    assert SyncEpoch.objects.get().epoch == former
    assert replica.pull().starts == ["other_database"]
    assert SyncEpoch.objects.get().epoch != former
    assert replica.rows == server_state(acme, alice)
    assert set(replica.of("contact")) == {str(kept.pk)}
    make_contact(acme, alice, "new")
    assert replica.pull().rows == server_state(acme, alice)
    assert replica.starts == ["other_database"]
