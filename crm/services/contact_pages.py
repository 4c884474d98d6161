"""Pages of contacts as JSON: the request that is asked most."""

from functools import cache

from accounts.models import Workspace
from crm.models import Contact
from crm.services.contact_documents import DOCUMENT, document_column
from waplus.lib.api.pagination import PageRequest, Sort
from waplus.lib.prepared import PreparedStatement


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
        rows = list(
            page.rows(contacts.annotate(document=document_column())).values_list("document", page.sort.column, "id")
        )
    else:
        key = (page.key[0], *page.key) if page.key else ()
        statement = _plain(page.sort, bool(key), page.limit + 1)
        rows = statement.fetch([workspace.pk, *key])
    documents = [row[0] for row in rows[: page.limit]]
    if len(rows) <= page.limit:
        return documents, None
    _, value, row_id = rows[page.limit - 1]
    return documents, page.cursor_behind(value, row_id)
