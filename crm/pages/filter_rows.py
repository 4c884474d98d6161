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
from crm.models import ChatKind, CustomField, FieldKind, ImportBatch, Stage, TabTarget, Tag, WhatsAppAccount
from crm.pages.members import active_members
from crm.pages.value_forms import living_fields
from waplus.lib.text import whole_number

MAX_ROWS = 20
MAX_VALUE = 200
MAX_DAYS = 36_500
NOBODY = "none"
ME = "me"
# Ways of comparing that need no value.
BARE = ("yes", "no", "set", "empty")


@dataclass(frozen=True)
class Row:
    """One condition as it was sent. Without a value, where one is needed, it is not finished and filters nothing."""

    field: str
    op: str
    value: str = ""


@dataclass(frozen=True)
class Subject:
    """What a condition can be about: its ways of comparing, and how its value is entered.

    `input` is `select` (with `choices`), `days`, `number`, `date` or `text`.
    `field` is set for a field of the workspace's own.
    """

    key: str
    label: str
    ops: tuple[tuple[str, str], ...]
    input: str = "text"
    choices: tuple[tuple[str, str], ...] = ()
    field: CustomField | None = None

    def op_of(self, op: str) -> str:
        """The way of comparing that was asked for, or the first one."""
        return op if op in dict(self.ops) else self.ops[0][0]

    def input_of(self, op: str) -> str:
        """How the value of a comparison is entered; `none` where there is nothing to enter."""
        if op in BARE:
            return "none"
        return "days" if op in ("within", "longer", "next") else self.input

    def words(self, row: Row) -> str:
        """The condition in words, for a chip: `Tag is VIP`."""
        op = dict(self.ops)[self.op_of(row.op)]
        kind = self.input_of(row.op)
        value = "" if kind == "none" else dict(self.choices).get(row.value, row.value)
        if kind == "days":
            value = _("%(days)s days") % {"days": value}
        return " ".join(filter(None, (self.label, op, value)))


def _is() -> tuple[tuple[str, str], ...]:
    return (("is", _("is")), ("not", _("is not")))


def _days() -> tuple[tuple[str, str], ...]:
    return (("within", _("in the last")), ("longer", _("not in the last")))


def _has() -> tuple[tuple[str, str], ...]:
    return (("yes", _("is there")), ("no", _("is missing")))


def _ops_of(kind: str) -> tuple[tuple[str, str], ...]:
    """How a field of the workspace's own is compared."""
    there = (("set", _("is filled in")), ("empty", _("is empty")))
    compared = (("is", _("is")), ("more", _("is more than")), ("less", _("is less than")))
    return {
        FieldKind.TEXT: (("contains", _("contains")), ("is", _("is")), *there),
        FieldKind.URL: (("contains", _("contains")), *there),
        FieldKind.NUMBER: (*compared, *there),
        FieldKind.MONEY: (*compared, *there),
        FieldKind.DATE: (
            ("is", _("is on")),
            ("more", _("is after")),
            ("less", _("is before")),
            ("within", _("in the last")),
            ("next", _("in the next")),
            *there,
        ),
        FieldKind.CHOICE: (*_is(), *there),
        FieldKind.MULTIPLE: (("contains", _("contains")), *there),
        FieldKind.BOOLEAN: (*_is(), *there),
    }[FieldKind(kind)]


def _own(field: CustomField) -> Subject:
    choices, kind = (), "text"
    if field.kind in (FieldKind.CHOICE, FieldKind.MULTIPLE):
        choices, kind = tuple((option["id"], option["label"]) for option in field.options), "select"
    elif field.kind == FieldKind.BOOLEAN:
        choices, kind = (("true", _("Yes")), ("false", _("No"))), "select"
    elif field.kind in (FieldKind.NUMBER, FieldKind.MONEY):
        kind = "number"
    elif field.kind == FieldKind.DATE:
        kind = "date"
    return Subject(str(field.pk), field.name, _ops_of(field.kind), kind, choices, field)


def subjects(workspace: Workspace, target: str = TabTarget.CONTACTS) -> dict[str, Subject]:
    """Everything that a list of contacts or chats can be filtered by, by key, in the order of the menu."""
    tags = Tag.objects.for_workspace(workspace).order_by("position", "id").values_list("id", "name")
    stages = Stage.objects.for_workspace(workspace).order_by("position", "id").values_list("id", "name")
    members = [(str(user.pk), str(user)) for user in active_members(workspace)]
    people = [
        Subject("tag", _("Tag"), _is(), "select", (*_choices(tags), (NOBODY, _("No tag")))),
        Subject("stage", _("Stage"), _is(), "select", (*_choices(stages), (NOBODY, _("No stage")))),
        Subject("owner", _("Owner"), _is(), "select", ((ME, _("Me")), *members, (NOBODY, _("Nobody")))),
    ]
    talk = _of_chats(workspace)
    known = [*talk, *people] if target == TabTarget.CHATS else [*people, *talk, *_of_contacts(workspace)]
    return {subject.key: subject for subject in known}


def _of_chats(workspace: Workspace) -> list[Subject]:
    accounts = WhatsAppAccount.objects.for_workspace(workspace).order_by("id")
    numbers = tuple((str(account.pk), str(account)) for account in accounts)
    yes_no = (("yes", _("yes")), ("no", _("no")))
    return [
        Subject("last_message", _("Last message"), _days()),
        Subject("awaiting_reply", _("Awaits a reply"), yes_no),
        Subject("unread", _("Unread messages"), yes_no),
        Subject(
            "kind", _("Kind of chat"), _is(), "select", tuple((value, str(label)) for value, label in ChatKind.choices)
        ),
        Subject("archived", _("Archived chat"), yes_no),
        Subject("whatsapp_account", _("WhatsApp number"), _is(), "select", numbers),
    ]


def _of_contacts(workspace: Workspace) -> list[Subject]:
    imports = ImportBatch.objects.for_workspace(workspace).filter(state="finished").order_by("-id")
    return [
        Subject("created", _("Added"), _days()),
        Subject("changed", _("Changed"), _days()),
        Subject("number", _("Number"), (*_has(), ("contains", _("contains")))),
        Subject("email", _("E-mail address"), _has()),
        Subject("import", _("Import"), _is(), "select", _choices(imports.values_list("id", "file_name")[:50])),
        *(_own(field) for field in living_fields(workspace)),
    ]


def _choices(rows: Iterable[tuple[UUID, str]]) -> tuple[tuple[str, str], ...]:
    return tuple((str(id), name) for id, name in rows)


def rows_of(params: QueryDict, known: dict[str, Subject]) -> list[Row]:
    """The rows of an address, as far as they are about something known; a name such as `tag` alone is short for "is"."""
    rows = []
    sent = zip(params.getlist("field"), params.getlist("op"), params.getlist("value"), strict=False)
    for field, op, value in list(sent)[:MAX_ROWS]:
        if subject := known.get(field):
            rows.append(Row(field, subject.op_of(op), _plain(value)))
    for field in ("tag", "stage", "owner", "import"):
        rows.extend(Row(field, "is", _plain(value)) for value in params.getlist(field)[:MAX_ROWS] if value)
    return rows[:MAX_ROWS]


def _plain(value: str) -> str:
    return " ".join(value.replace("\x00", " ").split())[:MAX_VALUE]


def is_finished(row: Row, known: dict[str, Subject]) -> bool:
    """Whether a row can filter: it has a value, and one that its subject knows."""
    subject = known[row.field]
    kind = subject.input_of(row.op)
    if kind == "select":
        return row.value in dict(subject.choices)
    if kind == "days":
        return whole_number(row.value, 1, MAX_DAYS) is not None
    return kind == "none" or bool(row.value)
