"""The language of filters: one tree of JSON for lists, tabs, bulk actions, exports and audiences (docs/filters.md).

    found = parse_filter(workspace, {"and": [{"tag": {"any": [id]}}, {"not": {"owner": None}}]}, "contacts")
    contacts_matching(workspace, found, viewer=user)      # a queryset
    found.condition(viewer=user)                          # SQL over crm_contact, with parameters

Ids are looked up in the workspace; an id from elsewhere is refused in the same
words as one that never was. A saved filter is read with `lenient=True`: what
has gone since matches nothing and stands in `dead`.
"""

from crm.filters.compiled import Filter, contacts_matching
from crm.filters.nodes import CHATS, CONTACTS
from crm.filters.parsing import parse_filter

__all__ = ["CHATS", "CONTACTS", "Filter", "contacts_matching", "parse_filter"]
