"""Pages of contacts as JSON, made by the database.

A salesperson's list is the request that is asked most, and a serializer's work
for it costs several times the query's. The document is that of
`ContactSerializer`; a test holds the two together.
"""

from functools import cache

from django.db.models import TextField
from django.db.models.expressions import RawSQL

from accounts.models import Workspace
from crm.models import Contact
from waplus.lib.api.pagination import PageRequest, Sort
from waplus.lib.prepared import PreparedStatement


def _moment(column: str) -> str:
    """A time as the API writes it: RFC 3339 in UTC with microseconds."""
    return f"""to_char(crm_contact.{column} AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"')"""


DOCUMENT = f"""
json_build_object(
    'id', crm_contact.id, 'name', crm_contact.name, 'profile_name', crm_contact.profile_name, 'company', crm_contact.company, 'email', crm_contact.email,
    'identities', coalesce((
        SELECT json_agg(json_build_object('id', i.id, 'kind', i.kind, 'value', i.value) ORDER BY i.id)
        FROM crm_contactidentity i
        WHERE i.workspace_id = crm_contact.workspace_id AND i.contact_id = crm_contact.id
    ), '[]'),
    'created_at', {_moment("created_at")}, 'updated_at', {_moment("updated_at")}
)::text
"""


@cache
def _plain(sort: Sort, continued: bool, limit: int) -> PreparedStatement:
    """A page of a whole workspace. The limit is a literal, so that the planner knows that it is after few rows."""
    compare, direction = ("<", "DESC") if sort.descending else (">", "ASC")
    behind = f"AND {sort.column} {compare}= %s AND ({sort.column} {compare} %s OR id {compare} %s)" if continued else ""
    return PreparedStatement(
        f"SELECT {DOCUMENT}, {sort.column}, id FROM crm_contact "
        f"WHERE workspace_id = %s AND deleted_at IS NULL AND merged_into_id IS NULL {behind} "
        f"ORDER BY {sort.column} {direction}, id {direction} LIMIT {limit}"
    )


def contacts_page(*, workspace: Workspace, page: PageRequest, query: str) -> tuple[list[str], str | None]:
    """One page of contacts as JSON texts, and the cursor of the next page.

    The list without a query is prepared; with one it goes through the ORM's
    filters, whose shape changes with the words.
    """
    if query:
        contacts = Contact.objects.for_workspace(workspace).alive().search(query)
        contacts = contacts.annotate(document=RawSQL(DOCUMENT, (), output_field=TextField()))  # noqa: S611  (a constant)
        rows = list(page.rows(contacts).values_list("document", page.sort.column, "id"))
    else:
        key = (page.key[0], *page.key) if page.key else ()
        statement = _plain(page.sort, bool(key), page.limit + 1)
        rows = statement.fetch([workspace.pk, *key])
    documents = [row[0] for row in rows[: page.limit]]
    if len(rows) <= page.limit:
        return documents, None
    _, value, row_id = rows[page.limit - 1]
    return documents, page.cursor_behind(value, row_id)
