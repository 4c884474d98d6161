"""Migrations apply to a database in which people have worked already."""

import subprocess
import sys
import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest

from waplus.local import addresses
from waplus.tests.end_to_end.product import connect, environment_of, fresh_database

# What was there before the CRM's records came.
BEFORE = (("accounts", "0002"), ("crm", "0001"), ("messaging", "0001"))
# What was there before answers hung on contacts.
BEFORE_ANSWERS = ("messaging", "0027")
JID, OTHER = "5511987654321@c.us", "5511987650000@c.us"
IDS = {
    name: str(uuid.uuid4())
    for name in ("workspace", "contact", "identity", "account", "message", "absorbed", "rule", "known", "unknown")
}


def migrate(folder: Path, database: str, *arguments: str) -> None:
    subprocess.run(
        [sys.executable, "manage.py", "migrate", "--verbosity=0", *arguments],
        env=environment_of(folder, database),
        cwd=addresses.PROJECT,
        check=True,
        timeout=500,
    )


@pytest.fixture(scope="module")
def server(tmp_path_factory) -> Iterator:
    """A connection to a database that earlier versions were used with, brought to this one."""
    folder = tmp_path_factory.mktemp("migrations")
    with fresh_database() as database:
        for app, number in BEFORE:
            migrate(folder, database, app, number)
        server = connect(database)
        with server.cursor() as cursor:
            write_contact(cursor)
        migrate(folder, database, *BEFORE_ANSWERS)
        with server.cursor() as cursor:
            write_answers(cursor)
        migrate(folder, database)
        yield server
        server.close()


def write_contact(cursor) -> None:
    """A contact with a number, and a message that waits for its time."""
    cursor.execute(
        "INSERT INTO accounts_workspace (id, name, plan_id, default_country, created_at) "
        "SELECT %s, 'Acme', id, 'BR', now() FROM accounts_plan LIMIT 1",
        [IDS["workspace"]],
    )
    cursor.execute(
        "INSERT INTO crm_contact (id, workspace_id, name, company, email, search_text, created_at, updated_at) "
        "VALUES (%s, %s, 'José Łuk', 'Padaria', '', 'jose luk padaria 5511987654321', now(), now())",
        [IDS["contact"], IDS["workspace"]],
    )
    cursor.execute(
        "INSERT INTO crm_contactidentity "
        "(id, workspace_id, contact_id, kind, value, match_key, holds_key, source, observed_at) "
        "VALUES (%s, %s, %s, 'phone', '+5511987654321', '551187654321', true, 'person', now())",
        [IDS["identity"], IDS["workspace"], IDS["contact"]],
    )
    cursor.execute(
        "INSERT INTO crm_whatsappaccount (id, workspace_id, jid, lid, name, created_at) "
        "VALUES (%s, %s, '5511911112222@c.us', '', 'Shop', now())",
        [IDS["account"], IDS["workspace"]],
    )
    cursor.execute(
        "INSERT INTO messaging_scheduledmessage (id, workspace_id, whatsapp_account_id, contact_id, chat_jid, body, "
        "wall_time, time_zone, due_at, lateness_minutes, state, created_at, updated_at) VALUES "
        "(%s, %s, %s, %s, '5511987654321@c.us', 'Hello', '2027-01-01 09:00', 'UTC', '2027-01-01 09:00+00', 60, "
        "'waiting', now(), now())",
        [IDS["message"], IDS["workspace"], IDS["account"], IDS["contact"]],
    )


def write_answers(cursor) -> None:
    """One answer to somebody who has gone into another contact since, and one in a chat with nobody."""
    cursor.execute(
        """
        INSERT INTO messaging_autoreplyrule
        (id, workspace_id, name, enabled, position, whatsapp_accounts, chat_kinds, conditions, actions,
         stop_after_match, cool_down_minutes, delay_seconds, created_at, updated_at)
        VALUES (%(rule)s, %(workspace)s, 'Away', true, 0, '{}', '{person}', '[]', '[]', true, 60, 3, now(), now());
        INSERT INTO messaging_autoreplydecision
        (id, workspace_id, whatsapp_account_id, contact_id, chat_jid, message_id, verdict, facts, rules, others,
         received_at, decided_at)
        SELECT d.id::uuid, %(workspace)s, %(account)s, d.contact::uuid, d.jid, d.jid, 'answered', '{}', '[]', '{}',
               now(), now()
        FROM (VALUES (%(known)s, %(contact)s, %(jid)s), (%(unknown)s, NULL, %(other)s)) AS d (id, contact, jid);
        INSERT INTO messaging_autoreplyanswer
        (id, workspace_id, decision_id, rule_id, whatsapp_account_id, chat_key, replied, answered_at)
        SELECT gen_random_uuid(), %(workspace)s, d.id::uuid, %(rule)s, %(account)s, d.key, true, now()
        FROM (VALUES (%(known)s, %(absorbed)s), (%(unknown)s, %(other)s)) AS d (id, key)
        """,
        {**IDS, "jid": JID, "other": OTHER},
    )


def test_keeps_contacts_of_earlier_version(server):
    with server.cursor() as cursor:
        cursor.execute("SELECT sort_name, search_text, version, deleted_at, merged_into_id FROM crm_contact")
        assert cursor.fetchall() == [("jose luk", " jose luk padaria 5511987654321", 1, None, None)]
        cursor.execute("SELECT value, match_key, holds_key, last_seen_at FROM crm_contactidentity")
        assert cursor.fetchall() == [("+5511987654321", "551187654321", True, None)]
        cursor.execute(
            "SELECT r.contact_id::text, r.chat_jid, r.state, p.position, p.body FROM messaging_scheduledrecipient r "
            "JOIN messaging_contentpart p ON p.scheduled_message_id = r.scheduled_message_id"
        )
        assert cursor.fetchall() == [(IDS["contact"], "5511987654321@c.us", "waiting", 0, "Hello")]
        # The triggers are there: what was stored before is stamped from now on.
        cursor.execute("UPDATE crm_contact SET name = 'Joseph' RETURNING version, field_versions")
        assert cursor.fetchall() == [(2, {"name": 2})]


def test_answers_learn_whose_they_are(server):
    """From their decisions, which merges have always moved."""
    with server.cursor() as cursor:
        cursor.execute(
            "SELECT contact_id::text, chat_jid, chat_key FROM messaging_autoreplyanswer ORDER BY contact_id NULLS LAST"
        )
        assert cursor.fetchall() == [(IDS["contact"], JID, IDS["contact"]), (None, OTHER, OTHER)]
