"""Pages of contacts as JSON: the request that is asked most."""

from functools import cache
from uuid import UUID

from accounts.models import User, Workspace
from crm.filters import Filter
from crm.search.lists import encode_cursor, page_of_contacts, place_of
from crm.search.orders import Segment, segments_of
from crm.search.scans import Place
from crm.services.contact_documents import DOCUMENT, contact_documents
from waplus.lib.prepared import PreparedStatement

# Orders along an index of contacts alone: without a query and a filter their page is one prepared statement.
PLAIN = {"name", "-name", "updated_at", "-updated_at", "changed", "-changed"}


@cache
def plain_page(segment: Segment, continued: bool, limit: int) -> PreparedStatement:
    """A page of a whole workspace. The limit is a literal, so that the planner knows that it is after few rows."""
    compare = "<" if segment.descending else ">"
    behind = f"AND ({segment.key}, id) {compare} (%s, %s)" if continued else ""
    return PreparedStatement(
        f"SELECT {DOCUMENT}, {segment.key}, id FROM crm_contact "
        f"WHERE workspace_id = %s AND deleted_at IS NULL AND merged_into_id IS NULL {behind} "
        f"ORDER BY {segment.key} {segment.direction}, id {segment.direction} LIMIT {limit}"
    )


def contacts_page(
    *,
    workspace: Workspace,
    viewer: User | None,
    query: str = "",
    found: Filter | None = None,
    sort: str = "",
    limit: int,
    cursor: str = "",
) -> tuple[list[str], str | None]:
    """One page of contacts as JSON texts, and the cursor of the next page.

    A page may be short and have a next one (see `crm.search.scans`).
    """
    whole = not query and (found is None or not found.data)
    if whole and (sort or "name") in PLAIN:
        return _plain(workspace, sort or "name", limit, cursor)
    ids, following = contact_ids_page(
        workspace=workspace, viewer=viewer, query=query, found=found, sort=sort, limit=limit, cursor=cursor
    )
    documents = contact_documents(workspace_id=workspace.pk, contact_ids=ids)
    return [documents[id] for id in ids if id in documents], following


def contact_ids_page(
    *,
    workspace: Workspace,
    viewer: User | None,
    query: str = "",
    found: Filter | None = None,
    sort: str = "",
    limit: int,
    cursor: str = "",
) -> tuple[list[UUID], str | None]:
    """The ids of one page in order, and the cursor of the next page."""
    filtered = found is not None and bool(found.data)
    return page_of_contacts(
        workspace=workspace,
        query=query,
        condition=found.condition(viewer) if filtered else None,
        drivers=found.drivers(viewer) if filtered else (),
        sort=sort,
        limit=limit,
        cursor=cursor,
    )


def _plain(workspace: Workspace, sort: str, limit: int, cursor: str) -> tuple[list[str], str | None]:
    segments = segments_of(workspace, sort)
    place = place_of(cursor, sort, segments)
    key = place.key if place and place.key else ()
    rows = plain_page(segments[0], bool(key), limit + 1).fetch([workspace.pk, *key])
    documents = [row[0] for row in rows[:limit]]
    if len(rows) <= limit:
        return documents, None
    return documents, encode_cursor(sort, Place(0, rows[limit - 1][1:3]))
