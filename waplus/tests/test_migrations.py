"""Migrations apply to a database in which people have worked already."""

import subprocess
import sys
import uuid
from pathlib import Path

import pytest

from waplus.local import addresses
from waplus.tests.end_to_end.product import connect, environment_of, fresh_database

pytestmark = pytest.mark.django_db

# What was there before the CRM's records came.
BEFORE = (("accounts", "0002"), ("crm", "0001"), ("messaging", "0001"))


def migrate(folder: Path, database: str, *arguments: str) -> None:
    subprocess.run(
        [sys.executable, "manage.py", "migrate", "--verbosity=0", *arguments],
        env=environment_of(folder, database),
        cwd=addresses.PROJECT,
        check=True,
        timeout=120,
    )


def test_keeps_contacts_of_earlier_version(tmp_path):
    workspace, contact, identity, account, message = (uuid.uuid4() for _ in range(5))
    with fresh_database() as database:
        for app, number in BEFORE:
            migrate(tmp_path, database, app, number)
        server = connect(database)
        with server.cursor() as cursor:
            cursor.execute(
                "INSERT INTO accounts_workspace (id, name, plan_id, default_country, created_at) "
                "SELECT %s, 'Acme', id, 'BR', now() FROM accounts_plan LIMIT 1",
                [str(workspace)],
            )
            cursor.execute(
                "INSERT INTO crm_contact (id, workspace_id, name, company, email, search_text, created_at, updated_at) "
                "VALUES (%s, %s, 'José Łuk', 'Padaria', '', 'jose luk padaria 5511987654321', now(), now())",
                [str(contact), str(workspace)],
            )
            cursor.execute(
                "INSERT INTO crm_contactidentity "
                "(id, workspace_id, contact_id, kind, value, match_key, holds_key, source, observed_at) "
                "VALUES (%s, %s, %s, 'phone', '+5511987654321', '551187654321', true, 'person', now())",
                [str(identity), str(workspace), str(contact)],
            )
            cursor.execute(
                "INSERT INTO crm_whatsappaccount (id, workspace_id, jid, lid, name, created_at) "
                "VALUES (%s, %s, '5511911112222@c.us', '', 'Shop', now())",
                [str(account), str(workspace)],
            )
            cursor.execute(
                "INSERT INTO messaging_scheduledmessage (id, workspace_id, whatsapp_account_id, contact_id, chat_jid, body, "
                "wall_time, time_zone, due_at, lateness_minutes, state, created_at, updated_at) VALUES "
                "(%s, %s, %s, %s, '5511987654321@c.us', 'Hello', '2027-01-01 09:00', 'UTC', '2027-01-01 09:00+00', 60, "
                "'waiting', now(), now())",
                [str(message), str(workspace), str(account), str(contact)],
            )
        migrate(tmp_path, database)
        with server.cursor() as cursor:
            cursor.execute("SELECT sort_name, search_text, version, deleted_at, merged_into_id FROM crm_contact")
            assert cursor.fetchall() == [("jose luk", " jose luk padaria 5511987654321", 1, None, None)]
            cursor.execute("SELECT value, match_key, holds_key, last_seen_at FROM crm_contactidentity")
            assert cursor.fetchall() == [("+5511987654321", "551187654321", True, None)]
            cursor.execute(
                "SELECT r.contact_id::text, r.chat_jid, r.state, p.position, p.body FROM messaging_scheduledrecipient r "
                "JOIN messaging_contentpart p ON p.scheduled_message_id = r.scheduled_message_id"
            )
            assert cursor.fetchall() == [(str(contact), "5511987654321@c.us", "waiting", 0, "Hello")]
            # The triggers are there: what was stored before is stamped from now on.
            cursor.execute("UPDATE crm_contact SET name = 'Joseph' RETURNING version, field_versions")
            assert cursor.fetchall() == [(2, {"name": 2})]
        server.close()
