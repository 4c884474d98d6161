"""What filters of contacts say of the few contacts in a batch."""

from collections.abc import Iterable
from uuid import UUID

from django.db import connection

from accounts.models import Workspace
from messaging.services.auto_replies.compiled import Rules

_FROM = (
    " FROM unnest(%s::uuid[]) AS given (id) LEFT JOIN crm_contact ON crm_contact.workspace_id = %s "
    "AND crm_contact.id = given.id AND crm_contact.deleted_at IS NULL AND crm_contact.merged_into_id IS NULL"
)


def contact_matches(
    workspace: Workspace, rules: Rules, places: Iterable[int], contacts: Iterable[UUID | None]
) -> dict[UUID | None, dict[int, bool]]:
    """Which of some filters each contact matches, in one query. Nobody (None) has no tag, no field and no owner."""
    contacts, places = list(contacts), sorted(places)
    if not places:
        return {contact: {} for contact in contacts}
    conditions = [rules.filters[place].condition() for place in places]
    columns = ", ".join(f"coalesce(({each.text}), FALSE)" for each in conditions)
    params = [param for each in conditions for param in each.params]
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT given.id, {columns}{_FROM}", [*params, contacts, workspace.pk])
        return {row[0]: dict(zip(places, row[1:], strict=True)) for row in cursor.fetchall()}
