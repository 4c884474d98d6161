"""Pages of contacts as JSON, made by the database.

A salesperson's list is the request that is asked most, and a serializer's work
for it costs several times the query's. The document is that of
`ContactSerializer`; a test holds the two together. It is one fixed expression
and not built from ORM functions, whose compilation for each request cost more
than the query itself.
"""

from django.db.models import QuerySet, TextField
from django.db.models.expressions import RawSQL


def _moment(column: str) -> str:
    """A time as the API writes it: RFC 3339 in UTC with microseconds."""
    return f"""to_char(crm_contact.{column} AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"')"""


DOCUMENT = f"""
json_build_object(
    'id', crm_contact.id, 'name', crm_contact.name, 'company', crm_contact.company, 'email', crm_contact.email,
    'identities', coalesce((
        SELECT json_agg(json_build_object('id', i.id, 'kind', i.kind, 'value', i.value) ORDER BY i.id)
        FROM crm_contactidentity i
        WHERE i.workspace_id = crm_contact.workspace_id AND i.contact_id = crm_contact.id
    ), '[]'),
    'created_at', {_moment("created_at")}, 'updated_at', {_moment("updated_at")}
)::text
"""


def as_documents(contacts: QuerySet) -> QuerySet:
    """Annotate contacts with `document`, the text of their JSON."""
    return contacts.annotate(document=RawSQL(DOCUMENT, (), output_field=TextField()))  # noqa: S611  (a constant)
