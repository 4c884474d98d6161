"""A contact as JSON, made by the database: the one shape of a contact, for lists, single answers, export and sync.

A serializer's work for a page costs several times the query's. `ContactSerializer`
describes the document; a test holds the two together.
"""

import json
from functools import cache
from uuid import UUID

from django.db.models import TextField
from django.db.models.expressions import RawSQL

from waplus.lib.api.sql_moments import moment
from waplus.lib.errors import NotFound
from waplus.lib.prepared import PreparedStatement

# An expression over rows of `crm_contact`, of type text. Values of retired fields stay in the database and out of it.
DOCUMENT = f"""
json_build_object(
    'id', crm_contact.id, 'name', crm_contact.name, 'profile_name', crm_contact.profile_name, 'company', crm_contact.company, 'email', crm_contact.email,
    'owner', crm_contact.owner_id, 'stage', crm_contact.stage_id, 'avatar', crm_contact.avatar_id,
    'identities', coalesce((
        SELECT json_agg(json_build_object('id', i.id, 'kind', i.kind, 'value', i.value) ORDER BY i.id)
        FROM crm_contactidentity i
        WHERE i.workspace_id = crm_contact.workspace_id AND i.contact_id = crm_contact.id
    ), '[]'),
    'tags', coalesce((
        SELECT json_agg(t.tag_id ORDER BY t.tag_id) FROM crm_contacttag t
        WHERE t.workspace_id = crm_contact.workspace_id AND t.contact_id = crm_contact.id
    ), '[]'),
    'fields', coalesce((
        SELECT json_object_agg(v.field_id, v.value ORDER BY v.field_id)
        FROM crm_fieldvalue v JOIN crm_customfield f ON f.id = v.field_id AND f.retired_at IS NULL
        WHERE v.workspace_id = crm_contact.workspace_id AND v.contact_id = crm_contact.id
    ), '{{}}'),
    'created_at', {moment("crm_contact.created_at")}, 'updated_at', {moment("crm_contact.updated_at")},
    'deleted_at', {moment("crm_contact.deleted_at")}, 'version', crm_contact.version
)::text
"""


def document_column() -> RawSQL:
    """The document as a column of an ORM query of contacts."""
    return RawSQL(DOCUMENT, (), output_field=TextField())  # noqa: S611  (a constant)


@cache
def _one() -> PreparedStatement:
    return PreparedStatement(f"SELECT {DOCUMENT} FROM crm_contact WHERE workspace_id = %s AND id = %s")


def contact_document(*, workspace_id: UUID, contact_id: UUID) -> dict:
    """The document of a contact as it stands now, in the bin or not; raises `NotFound` when it is gone."""
    rows = _one().fetch([workspace_id, contact_id])
    if not rows:
        raise NotFound
    return json.loads(rows[0][0])


@cache
def _several() -> PreparedStatement:
    return PreparedStatement(f"SELECT id, {DOCUMENT} FROM crm_contact WHERE workspace_id = %s AND id = ANY(%s)")


def contact_documents(*, workspace_id: UUID, contact_ids: list[UUID]) -> dict[UUID, str]:
    """The documents of some contacts as JSON texts by id, in one query; ids without a contact are left out."""
    ids = [UUID(str(each)) for each in contact_ids]
    return dict(_several().fetch([workspace_id, ids])) if ids else {}
