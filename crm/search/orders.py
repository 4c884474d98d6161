"""Orders of a list of contacts: each is a row of segments, and each segment is read along an index.

A segment has a key and the id, in one direction; rows without a value stand in
a segment of their own behind the others, ordered by their id, whichever the
direction. Orders by owner and by stage have a segment for each of these. Everything is written as comparisons of rows that begin with the
workspace: then no plan can prefer another index that merely has the id in
order and would read other workspaces' rows first.
"""

from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal
from uuid import UUID

from accounts.models import Membership
from crm.filters.sql import TRUE, Sql, all_of, beside, exists, none_of
from crm.models import CustomField, FieldKind, Stage
from crm.models.chats import LISTED_AT_SQL
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


CONTACTS = "crm_contact"
# An order that does not follow the table fetches a page of it for every row.
ACROSS = 10
ALIVE = Sql("crm_contact.deleted_at IS NULL AND crm_contact.merged_into_id IS NULL")


@dataclass(frozen=True)
class Segment:
    """Contacts that are read along one index.

    `table` is what is read: `crm_contact`, or rows beside contacts under the
    name `ordering`. `key` is the SQL of what they are ordered by, empty for the
    contact's id alone, and `workspace` and `id` the columns beside it in the
    index. `within` is what the index is read for, `once` which of the rows that
    it brings count, and `member` whether a contact stands in the segment at all,
    for those without a key.
    """

    key: str = ""
    descending: bool = False
    decode: Callable[[str], object] = _no_key
    table: str = CONTACTS
    workspace: str = "crm_contact.workspace_id"
    id: str = "crm_contact.id"
    within: Sql = TRUE
    once: Sql = TRUE
    member: Sql = TRUE
    # Of whom it is, where segments come and go: what they are ordered by is the same for all of its rows.
    group: UUID | None = None
    # What a walk pays for a row, in rows of the table of contacts that are read one after the other.
    cost: int = 1

    @property
    def contact(self) -> str:
        """The column with the contact's id."""
        return "crm_contact.id" if self.table == CONTACTS else "ordering.contact_id"

    def order(self) -> str:
        columns = [self.workspace, *([self.key] if self.key else []), self.id]
        return ", ".join(f"{column} {self.direction}" for column in columns)

    @property
    def direction(self) -> str:
        return "DESC" if self.descending else "ASC"

    def between(self, workspace_id: UUID, behind: tuple | None) -> Sql:
        """The rows of a workspace, behind a key (value, id) if one is given."""
        sign = "<" if self.descending else ">"
        if self.key:
            whole = Sql(f"{self.workspace} = %s", (workspace_id,))
            return all_of([whole, Sql(f"({self.key}, {self.id}) {sign} (%s, %s)", behind)]) if behind else whole
        bound = Sql(f"{self.workspace} {'>=' if self.descending else '<='} %s", (workspace_id,))
        if behind:
            return all_of([bound, Sql(f"({self.workspace}, {self.id}) {sign} (%s, %s)", (workspace_id, behind[1]))])
        edge = LAST_ID if self.descending else NO_ID
        return all_of([bound, Sql(f"({self.workspace}, {self.id}) {sign}= (%s, %s)", (workspace_id, edge))])


NEWEST = (Segment(descending=True),)


def _newest_with(table: str, alive: str, newer: str, cost: int) -> Segment:
    """Contacts that have a row in a table, each once, the newest contact first; read along the table's own index."""
    another = exists(
        Sql(
            f"FROM {table} another WHERE another.workspace_id = ordering.workspace_id "
            f"AND another.contact_id = ordering.contact_id AND {alive.format(alias='another')} AND {newer}"
        )
    )
    return Segment(
        descending=True,
        table=table,
        workspace="ordering.workspace_id",
        id="ordering.contact_id",
        # Not in `once`: a walk that stops between two rows of a contact would go on behind both.
        within=all_of([Sql(alive.format(alias="ordering")), none_of(another)]),
        member=beside(table, "member", Sql(alive.format(alias="member"))),
        cost=cost,
    )


NEWEST_WITH_FIELDS = _newest_with("crm_fieldvalue", "{alias}.text <> ''", "another.field_id > ordering.field_id", 14)
NEWEST_WITH_NOTES = _newest_with(
    "crm_note",
    "{alias}.deleted_at IS NULL",
    "(another.created_at, another.id) > (ordering.created_at, ordering.id)",
    4,
)


def _own(column: str, decode) -> Callable[..., tuple[Segment, ...]]:
    return lambda workspace, descending: (
        Segment(f"crm_contact.{column}", descending, decode, within=ALIVE, cost=ACROSS),
    )


def _created(workspace, descending: bool) -> tuple[Segment, ...]:
    return (Segment(descending=descending),)


def _last_message(workspace, descending: bool) -> tuple[Segment, ...]:
    """By the latest message of any of a contact's chats; those with none behind."""
    at = "{alias}.last_message_at IS NOT NULL"
    later = exists(
        Sql(
            "FROM crm_chat later WHERE later.workspace_id = ordering.workspace_id "
            f"AND later.contact_id = ordering.contact_id AND {at.format(alias='later')} "
            "AND (later.last_message_at, later.id) > (ordering.last_message_at, ordering.id)"
        )
    )
    listed_at = LISTED_AT_SQL.format(alias="ordering")
    return (
        Segment(
            listed_at,
            descending,
            moment,
            "crm_chat",
            "ordering.workspace_id",
            "ordering.id",
            within=Sql(f"{listed_at} > '1970-01-01'"),
            once=all_of([Sql("ordering.contact_id IS NOT NULL"), none_of(later)]),
            cost=ACROSS,
        ),
        Segment(member=none_of(beside("crm_chat", "chatted", Sql(at.format(alias="chatted"))))),
    )


def _of_field(field: CustomField, descending: bool) -> tuple[Segment, ...]:
    """By the value in a custom field; contacts without one behind."""
    numbered = field.kind in NUMBERED
    has = "{alias}.number IS NOT NULL" if numbered else "{alias}.text <> ''"

    def held(alias: str) -> Sql:
        return Sql(f"{alias}.field_id = %s AND {has.format(alias=alias)}", (field.pk,))

    return (
        Segment(
            "ordering.number" if numbered else "ordering.text",
            descending,
            _number if numbered else str,
            "crm_fieldvalue",
            "ordering.workspace_id",
            "ordering.contact_id",
            within=held("ordering"),
            cost=ACROSS,
        ),
        Segment(member=none_of(beside("crm_fieldvalue", "valued", held("valued")))),
    )


def _grouped(column: str, groups: list[UUID], descending: bool) -> tuple[Segment, ...]:
    """By what a contact is assigned to, in the given order and within one by id; the others behind."""
    own = f"crm_contact.{column}"
    segments = [
        Segment(
            own,
            descending,
            UUID,
            within=all_of([ALIVE, Sql(f"{own} IS NOT NULL AND {own} = %s", (group,))]),
            group=group,
            cost=ACROSS,
        )
        for group in (reversed(groups) if descending else groups)
    ]
    grouped = Sql(f"({own} IS NOT NULL AND {own} = ANY(%s::uuid[]))", (groups,))
    return (*segments, Segment(member=none_of(grouped)))


def _owner(workspace, descending: bool) -> tuple[Segment, ...]:
    """By the names of the members who look after contacts."""
    members = Membership.objects.for_workspace(workspace).order_by("user__name", "user__email", "user_id")
    return _grouped("owner_id", list(members.values_list("user_id", flat=True)), descending)


def _stage(workspace, descending: bool) -> tuple[Segment, ...]:
    """By the order of the stages."""
    stages = Stage.objects.for_workspace(workspace).order_by("position", "id")
    return _grouped("stage_id", list(stages.values_list("pk", flat=True)), descending)


_SORTS = {
    "name": _own("sort_name", str),
    "updated_at": _own("updated_at", moment),
    "changed": _own("updated_at", moment),
    "created": _created,
    "last_message": _last_message,
    "owner": _owner,
    "stage": _stage,
}
SORT_NAMES = [name for each in _SORTS for name in (each, f"-{each}")]


def segments_of(workspace, sort: str) -> tuple[Segment, ...]:
    """The segments of an order by name (`name`, `-changed`, `field:<id>` …); refuses what there is none of."""
    name, descending = sort.removeprefix("-"), sort.startswith("-")
    if name in _SORTS:
        return _SORTS[name](workspace, descending)
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
