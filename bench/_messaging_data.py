"""A workspace for benchmarks of messaging: numbers, contacts with identities, people on the do-not-contact list.

Made by statements over whole sets, with triggers and foreign-key checks at
rest; the benchmark that makes it takes it away again.
"""

import contextlib
from collections.abc import Iterator
from dataclasses import dataclass

from bench._crm_data import PASSWORD, log_in, setup

NAME = "Bench: messaging"


@dataclass(frozen=True)
class MessagingData:
    """The workspace, its owner, and its WhatsApp numbers."""

    workspace: object
    user: object
    numbers: list

    def headers(self) -> dict[str, str]:
        """Of a request of a new extension instance in the owner's name."""
        return {"Authorization": f"Bearer {log_in(self.user, self.workspace)}"}


@contextlib.contextmanager
def workspace(*, numbers: int, contacts: int, suppressed: int) -> Iterator[MessagingData]:
    """The workspace with so many numbers without a budget, contacts, and of these so many that must not be written to."""
    setup()
    from django.core.management import call_command

    call_command("migrate", verbosity=0)
    remove()
    data = _make(numbers)
    _add_contacts(data, contacts, suppressed)
    try:
        yield data
    finally:
        remove()


def _make(numbers: int) -> MessagingData:
    from accounts import actors
    from accounts.models import Plan, User
    from accounts.services import plans, workspaces
    from crm.models import WhatsAppAccount
    from messaging.models import SendingBudget

    plan = Plan.objects.get(code="business")
    plan.requests_per_minute = plan.max_contacts = plan.max_broadcast_recipients = 100_000_000
    plan.max_whatsapp_numbers = plan.max_scheduled_messages = 100_000_000
    plan.save()
    owner = User.objects.create_user("bench-messaging@example.com", PASSWORD, name="Bench Owner")
    made = workspaces.create_workspace(owner=owner, name=NAME, actor=actors.person(owner), default_country="BR")
    plans.change_plan(workspace=made, plan=plan, actor=actors.SYSTEM)
    made.refresh_from_db()
    rows = [WhatsAppAccount.objects.create(workspace=made, jid=f"55119{n:08}@c.us") for n in range(numbers)]
    for row in rows:
        SendingBudget.objects.create(
            workspace=made,
            whatsapp_account=row,
            spacing_seconds=0,
            jitter_seconds=0,
            max_per_hour=None,
            max_per_day=None,
            max_new_per_day=None,
            quiet_from=None,
            quiet_until=None,
            min_reply_percent=None,
        )
    return MessagingData(made, owner, rows)


_CONTACTS = """
INSERT INTO crm_contact (id, workspace_id, name, profile_name, company, email, sort_name, search_text, created_at, updated_at)
SELECT ('00000000-0000-7000-8000-' || lpad(to_hex(n), 12, '0'))::uuid, %(workspace)s,
       CASE WHEN n %% 5 > 0 THEN 'Maria ' || n ELSE '' END, '', CASE WHEN n %% 3 = 0 THEN 'Company ' || n ELSE '' END,
       '', 'maria ' || n, ' maria ' || n, now(), now()
FROM generate_series(1, %(count)s) n
"""
_IDENTITIES = """
INSERT INTO crm_contactidentity (id, workspace_id, contact_id, kind, value, match_key, holds_key, source, observed_at)
SELECT gen_random_uuid(), %(workspace)s, ('00000000-0000-7000-8000-' || lpad(to_hex(n), 12, '0'))::uuid, 'c_us',
       (4915100000000 + n) || '@c.us', (4915100000000 + n)::text, TRUE, 'extension', now()
FROM generate_series(1, %(count)s) n
"""


def _add_contacts(data: MessagingData, contacts: int, suppressed: int) -> None:
    from django.db import connection, transaction

    from messaging.services.suppression.keys import hash_sql, key_version, pads

    params = {"workspace": data.workspace.pk, "count": contacts, "suppressed": suppressed, "version": key_version()}
    with connection.cursor() as cursor:
        with transaction.atomic():
            cursor.execute("SET LOCAL session_replication_role = 'replica'")
            cursor.execute(_CONTACTS, params)
            cursor.execute(_IDENTITIES, params)
            cursor.execute(
                f"INSERT INTO messaging_suppression (id, workspace_id, key_hash, key_version, source, note, created_at)"
                f" SELECT gen_random_uuid(), %(workspace)s, {hash_sql('i.match_key')}, %(version)s, 'import', '', now()"
                " FROM crm_contactidentity i WHERE i.workspace_id = %(workspace)s"
                " ORDER BY i.contact_id DESC LIMIT %(suppressed)s",
                {**params, **pads()},
            )
        for table in ("crm_contact", "crm_contactidentity", "messaging_suppression"):
            cursor.execute(f"VACUUM (ANALYZE) {table}")


def remove() -> None:
    """Take the workspace and its owner away, whatever an interrupted run left."""
    from django.apps import apps
    from django.db import connection, transaction

    from accounts.models import User, Workspace

    found = Workspace.objects.filter(name=NAME).first()
    with transaction.atomic(), connection.cursor() as cursor:
        if found is not None:
            cursor.execute("SET LOCAL session_replication_role = 'replica'")
            for model in apps.get_models():
                if "workspace" in {field.name for field in model._meta.local_fields}:
                    cursor.execute(f"DELETE FROM {model._meta.db_table} WHERE workspace_id = %s", [found.pk])
            cursor.execute("DELETE FROM accounts_workspace WHERE id = %s", [found.pk])
        cursor.execute("SET LOCAL session_replication_role = 'origin'")
        User.objects.filter(email="bench-messaging@example.com").delete()
