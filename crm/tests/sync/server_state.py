"""What a person's device must hold, told by the ORM: other code than the SQL that makes documents."""

from datetime import UTC, datetime
from uuid import UUID

from django.db.models import Q

from crm.models import Tab
from crm.services.sync.kinds import Kind, kinds


def server_state(workspace, user) -> dict[tuple[str, str], dict]:
    """Every row that this person may see, by kind and id, as documents."""
    return {
        (kind.name, str(row.pk)): document_of(kind, row)
        for kind in kinds()
        for row in kind.model._base_manager.filter(workspace=workspace).filter(visible(kind, user))
    }


def visible(kind: Kind, user) -> Q:
    return Q(shared=True) | Q(owner=user) if kind.model is Tab else Q()


def document_of(kind: Kind, row) -> dict:
    """A row's document, member by member."""
    return {name: _plain(name, getattr(row, field.attname)) for name, field in kind.members.items()}


def _plain(name: str, value):
    if isinstance(value, UUID):
        return str(value)
    if name == "field_versions":
        return {column.removesuffix("_id"): version for column, version in value.items()}
    if isinstance(value, datetime):
        if value.tzinfo is None:
            return value.strftime("%Y-%m-%dT%H:%M:%S")
        return value.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
    return value
