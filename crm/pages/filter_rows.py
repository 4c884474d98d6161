"""The conditions of a filter as people see and change them: rows of what, how, and with which value.

A form sends every row as three fields of one name each (`field`, `op`, `value`),
so that an address says the whole filter and works without any script.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from uuid import UUID

from django.http import QueryDict
from django.utils.translation import gettext as _

from accounts.models import Workspace
from crm.models import Stage, Tag
from crm.pages.members import active_members

MAX_ROWS = 20
MAX_VALUE = 200
NOBODY = "none"


@dataclass(frozen=True)
class Row:
    """One condition as it was sent. Without a value, where one is needed, it is not finished and filters nothing."""

    field: str
    op: str
    value: str = ""


@dataclass(frozen=True)
class Subject:
    """What a condition can be about: its ways of comparing, and how its value is entered.

    `input` is `select` (with `choices`), `days`, `number`, `date`, `text` or `none`.
    """

    key: str
    label: str
    ops: tuple[tuple[str, str], ...]
    input: str
    choices: tuple[tuple[str, str], ...] = ()
    group: str = ""

    def op_of(self, op: str) -> str:
        """The way of comparing that was asked for, or the first one."""
        return op if op in dict(self.ops) else self.ops[0][0]

    def needs_value(self, op: str) -> bool:
        return self.input != "none" and op not in ("empty", "filled")

    def words(self, row: Row) -> str:
        """The condition as a sentence without a verb, for a chip: `Tag is VIP`."""
        op = dict(self.ops)[self.op_of(row.op)]
        value = dict(self.choices).get(row.value, row.value) if self.needs_value(row.op) else ""
        if self.input == "days" and value:
            value = _("%(days)s days") % {"days": value}
        return " ".join(filter(None, (self.label, op, value)))


def _is() -> tuple[tuple[str, str], ...]:
    return (("is", _("is")), ("not", _("is not")))


def _days() -> tuple[tuple[str, str], ...]:
    return (("within", _("in the last")), ("longer", _("not in the last")))


def subjects(workspace: Workspace) -> dict[str, Subject]:
    """Everything that the list can be filtered by, by key, in the order of the menu."""
    tags = Tag.objects.for_workspace(workspace).order_by("position", "id").values_list("id", "name")
    stages = Stage.objects.for_workspace(workspace).order_by("position", "id").values_list("id", "name")
    members = [(str(user.pk), str(user)) for user in active_members(workspace)]
    known = [
        Subject("tag", _("Tag"), _is(), "select", _choices(tags)),
        Subject("stage", _("Stage"), _is(), "select", (*_choices(stages), (NOBODY, _("No stage")))),
        Subject("owner", _("Owner"), _is(), "select", (*members, (NOBODY, _("Nobody")))),
        Subject("created", _("Added"), _days(), "days"),
        Subject("changed", _("Changed"), _days(), "days"),
    ]
    return {subject.key: subject for subject in known}


def _choices(rows: Iterable[tuple[UUID, str]]) -> tuple[tuple[str, str], ...]:
    return tuple((str(id), name) for id, name in rows)


def rows_of(params: QueryDict, known: dict[str, Subject]) -> list[Row]:
    """The rows of an address, as far as they are about something known; `tag`, `stage` and `owner` alone are short for "is"."""
    rows = []
    sent = zip(params.getlist("field"), params.getlist("op"), params.getlist("value"), strict=False)
    for field, op, value in list(sent)[:MAX_ROWS]:
        if subject := known.get(field):
            rows.append(Row(field, subject.op_of(op), _plain(value)))
    for field in ("tag", "stage", "owner"):
        rows.extend(Row(field, "is", _plain(value)) for value in params.getlist(field)[:MAX_ROWS] if value)
    return rows[:MAX_ROWS]


def _plain(value: str) -> str:
    return " ".join(value.replace("\x00", " ").split())[:MAX_VALUE]


def is_finished(row: Row, known: dict[str, Subject]) -> bool:
    """Whether a row can filter: it has a value, and one that its subject knows."""
    subject = known[row.field]
    if not subject.needs_value(row.op):
        return True
    if subject.input == "select":
        return row.value in dict(subject.choices)
    if subject.input == "days":
        return row.value.isascii() and row.value.isdigit() and 1 <= int(row.value[:6]) <= 36_500
    return bool(row.value)
