"""Orders of a list of contacts: each is a row of segments, and each segment is read along an index.

A segment has a key and the id, in one direction; rows without a value stand in
a segment of their own behind the others, ordered by their id, whichever the
direction. Everything is written as comparisons of rows that begin with the
workspace: then no plan can prefer another index that merely has the id in
order and would read other workspaces' rows first.
"""

from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal
from uuid import UUID

from crm.filters.sql import TRUE, Sql, all_of, exists, none_of
from crm.models import CustomField, FieldKind
from waplus.lib.api.pagination import moment
from waplus.lib.errors import Invalid

NO_ID = UUID(int=0)
LAST_ID = UUID(int=(1 << 128) - 1)
NUMBERED = {FieldKind.NUMBER, FieldKind.DATE, FieldKind.BOOLEAN, FieldKind.MONEY}


def _no_key(text: str) -> None:
    if text:
        raise ValueError(text)


def _number(text: str) -> Decimal:
    value = Decimal(text)
    if not value.is_finite() or abs(value.adjusted()) > 40:
        raise ValueError(text)
    return value


CONTACTS = Sql("crm_contact")


@dataclass(frozen=True)
class Segment:
    """Contacts that are read along one index.

    `key` is the SQL of what they are ordered by, empty for the id alone, and
    `workspace` and `id` the columns beside it in its index; `join` is what
    stands beside `crm_contact`, `within` what all of its rows fulfil.
    """

    key: str = ""
    descending: bool = False
    decode: Callable[[str], object] = _no_key
    join: Sql = CONTACTS
    workspace: str = "crm_contact.workspace_id"
    id: str = "crm_contact.id"
    within: Sql = TRUE

    @property
    def columns(self) -> list[str]:
        return [self.workspace, *([self.key] if self.key else []), self.id]

    def order(self) -> str:
        return ", ".join(f"{column} {self.direction}" for column in self.columns)

    @property
    def direction(self) -> str:
        return "DESC" if self.descending else "ASC"

    def between(self, workspace_id: UUID, behind: tuple | None) -> Sql:
        """The rows of a workspace, behind a key (value, id) if one is given."""
        sign = "<" if self.descending else ">"
        bound = Sql(f"{self.workspace} {'>=' if self.descending else '<='} %s", (workspace_id,))
        if behind is None:
            edge = LAST_ID if self.descending else NO_ID
            start = Sql(f"({self.workspace}, {self.id}) {sign}= (%s, %s)", (workspace_id, edge))
            if self.key:
                start = Sql(f"{self.workspace} = %s", (workspace_id,))
                return start
            return all_of([bound, start])
        value, row_id = behind
        if self.key:
            return Sql(
                f"{self.workspace} = %s AND ({self.key}, {self.id}) {sign} (%s, %s)", (workspace_id, value, row_id)
            )
        return all_of([bound, Sql(f"({self.workspace}, {self.id}) {sign} (%s, %s)", (workspace_id, row_id))])


NEWEST = (Segment(descending=True),)


def _newest_with(table: str, alive: str, newer: str) -> Segment:
    """Contacts that have a row in a table, each once, the newest contact first; read along the table's own index."""
    another = exists(
        Sql(
            f"FROM {table} another WHERE another.workspace_id = ordering.workspace_id "
            f"AND another.contact_id = ordering.contact_id AND {alive.format(alias='another')} AND {newer}"
        )
    )
    return Segment(
        descending=True,
        join=Sql(
            f"{table} ordering JOIN crm_contact ON crm_contact.id = ordering.contact_id "
            "AND crm_contact.workspace_id = ordering.workspace_id"
        ),
        workspace="ordering.workspace_id",
        id="ordering.contact_id",
        within=all_of([Sql(alive.format(alias="ordering")), none_of(another)]),
    )


NEWEST_WITH_FIELDS = _newest_with("crm_fieldvalue", "{alias}.text <> ''", "another.field_id > ordering.field_id")
NEWEST_WITH_NOTES = _newest_with(
    "crm_note",
    "{alias}.deleted_at IS NULL",
    "(another.created_at, another.id) > (ordering.created_at, ordering.id)",
)


def _own(column: str, decode) -> Callable[[bool], tuple[Segment, ...]]:
    return lambda descending: (Segment(f"crm_contact.{column}", descending, decode),)


def _created(descending: bool) -> tuple[Segment, ...]:
    return (Segment(descending=descending),)


def _last_message(descending: bool) -> tuple[Segment, ...]:
    """By the latest message of any of a contact's chats; those with none behind."""
    later = exists(
        Sql(
            "FROM crm_chat later WHERE later.workspace_id = ordering.workspace_id "
            "AND later.contact_id = ordering.contact_id AND later.last_message_at IS NOT NULL "
            "AND (later.last_message_at, later.id) > (ordering.last_message_at, ordering.id)"
        )
    )
    chatted = exists(
        Sql(
            "FROM crm_chat chatted WHERE chatted.workspace_id = crm_contact.workspace_id "
            "AND chatted.contact_id = crm_contact.id AND chatted.last_message_at IS NOT NULL"
        )
    )
    join = Sql(
        "crm_chat ordering JOIN crm_contact ON crm_contact.id = ordering.contact_id "
        "AND crm_contact.workspace_id = ordering.workspace_id"
    )
    return (
        Segment(
            "ordering.last_message_at",
            descending,
            moment,
            join,
            "ordering.workspace_id",
            "ordering.id",
            all_of([Sql("ordering.contact_id IS NOT NULL AND ordering.last_message_at IS NOT NULL"), none_of(later)]),
        ),
        Segment(within=none_of(chatted)),
    )


def _of_field(field: CustomField, descending: bool) -> tuple[Segment, ...]:
    """By the value in a custom field; contacts without one behind."""
    numbered = field.kind in NUMBERED
    column = "number" if numbered else "text"
    has = Sql("{alias}.number IS NOT NULL" if numbered else "{alias}.text <> ''")
    valued = exists(
        Sql(
            "FROM crm_fieldvalue valued WHERE valued.workspace_id = crm_contact.workspace_id "
            f"AND valued.contact_id = crm_contact.id AND valued.field_id = %s AND {has.text.format(alias='valued')}",
            (field.pk,),
        )
    )
    join = Sql(
        "crm_fieldvalue ordering JOIN crm_contact ON crm_contact.id = ordering.contact_id "
        "AND crm_contact.workspace_id = ordering.workspace_id"
    )
    within = Sql(f"ordering.field_id = %s AND {has.text.format(alias='ordering')}", (field.pk,))
    return (
        Segment(
            f"ordering.{column}",
            descending,
            _number if numbered else str,
            join,
            "ordering.workspace_id",
            "ordering.contact_id",
            within,
        ),
        Segment(within=none_of(valued)),
    )


_SORTS = {
    "name": _own("sort_name", str),
    "updated_at": _own("updated_at", moment),
    "changed": _own("updated_at", moment),
    "created": _created,
    "last_message": _last_message,
}
SORT_NAMES = [name for each in _SORTS for name in (each, f"-{each}")]


def segments_of(workspace, sort: str) -> tuple[Segment, ...]:
    """The segments of an order by name (`name`, `-changed`, `field:<id>` …); refuses what there is none of."""
    name, descending = sort.removeprefix("-"), sort.startswith("-")
    if name in _SORTS:
        return _SORTS[name](descending)
    if name.startswith("field:"):
        try:
            field_id = UUID(name.removeprefix("field:"))
        except ValueError:
            field_id = None
        field = CustomField.objects.for_workspace(workspace).filter(pk=field_id, retired_at=None).first()
        if field is not None:
            return _of_field(field, descending)
    raise Invalid("sort", "invalid_choice", f"Sort by one of: {', '.join(SORT_NAMES)}, or field:<id of a field>.")


__all__ = ["NEWEST", "NEWEST_WITH_FIELDS", "NEWEST_WITH_NOTES", "SORT_NAMES", "Segment", "segments_of"]
