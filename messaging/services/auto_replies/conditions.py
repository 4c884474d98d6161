"""When a rule fits and what it does, as JSON from outside: read and brought into normal form, or refused with the place.

The shapes are in docs/auto-replies.md.
"""

from collections.abc import Callable
from uuid import UUID

import re2

from accounts.models import Membership, Workspace
from crm.filters import parse_filter
from crm.filters.reading import Wrong, boolean, items, text, whole
from crm.models import Tag
from crm.models.reminders import MAX_REMINDER
from messaging.models import BusinessHours
from waplus.lib.errors import UNKNOWN_ID, Invalid, Refused
from waplus.lib.text import fold, strip_invisible

MAX_CONDITIONS = 10
MAX_ACTIONS = 10
MAX_WORDS = 50
MAX_WORD = 100
MAX_PATTERN = 500
MATCHES = ("word", "exact", "contains", "starts")
# Bytes that a pattern's machine may take: enough for 500 characters, too little to hurt.
PATTERN_MEMORY = 1 << 20


def compiled_pattern(pattern: str):
    """A pattern in re2, whatever a person wrote: linear in the text, case ignored. Raises `re2.error`."""
    options = re2.Options()
    options.case_sensitive = False
    options.log_errors = False
    options.max_mem = PATTERN_MEMORY
    return re2.compile(pattern, options=options)


def _pattern(value, path: str, workspace: Workspace) -> str:
    pattern = text(value, path, MAX_PATTERN)
    try:
        compiled_pattern(pattern)
    except re2.error as error:
        why = error.args[0]
        why = why.decode("utf-8", "replace") if isinstance(why, bytes) else str(why)
        raise Wrong(
            path,
            "invalid_pattern",
            f"The pattern cannot be read ({why}). Look-around such as (?=…) and back references such as \\1 do not exist here.",
        ) from None
    return pattern


def _words(value, path: str, workspace: Workspace) -> list[str]:
    found: dict[str, str] = {}
    for index, each in enumerate(items(value, path, MAX_WORDS)):
        word = " ".join(strip_invisible(text(each, f"{path}.{index}", MAX_WORD)).split())
        if not fold(word):
            raise Wrong(f"{path}.{index}", "invalid", "A keyword has at least one visible character.")
        found.setdefault(fold(word), word)
    return list(found.values())


def _one_of(*values: str) -> Callable:
    def read(value, path: str, workspace: Workspace) -> str:
        if value not in values:
            raise Wrong(path, "invalid_choice", f"One of: {', '.join(values)}.")
        return value

    return read


def _from_one(most: int) -> Callable:
    def read(value, path: str, workspace: Workspace) -> int:
        if whole(value, path, most) < 1:
            raise Wrong(path, "invalid", f"This has to be a whole number from 1 to {most:,}.")
        return value

    return read


def _id_of(find: Callable[[Workspace, UUID], bool], sentence: str = UNKNOWN_ID) -> Callable:
    def read(value, path: str, workspace: Workspace) -> str:
        try:
            id = UUID(value) if isinstance(value, str) else value
        except ValueError:
            id = None
        if not isinstance(id, UUID):
            raise Wrong(path, "invalid", "This is no id.")
        if not find(workspace, id):
            raise Wrong(path, "does_not_exist", sentence)
        return str(id)

    return read


def _filter(value, path: str, workspace: Workspace) -> dict:
    if not value:
        raise Wrong(path, "required", "Say something of the contact.")
    found = parse_filter(workspace, value, path=path)
    if found.depends_on_viewer:
        raise Wrong(path, "invalid", "Nobody looks at it, so “me” is nobody here: name a member.")
    return found.data


def _reminder(value, path: str, workspace: Workspace) -> str:
    return strip_invisible(text(value, path, MAX_REMINDER)).strip()


def _flag(value, path: str, workspace: Workspace) -> bool:
    return boolean(value, path)


_tag = _id_of(lambda workspace, id: Tag.objects.for_workspace(workspace).filter(pk=id).exists())
_hours = _id_of(lambda workspace, id: BusinessHours.objects.for_workspace(workspace).filter(pk=id).exists())
_member = _id_of(
    lambda workspace, id: Membership.objects.for_workspace(workspace).filter(user=id).exists(),
    "Nobody with this id is a member of the workspace.",
)

# By kind: what has to stand in it, and what may.
CONDITIONS: dict[str, tuple[dict[str, Callable], dict[str, Callable]]] = {
    "any": ({}, {}),
    "keyword": ({"words": _words, "match": _one_of(*MATCHES)}, {}),
    "pattern": ({"pattern": _pattern}, {}),
    "first_message": ({}, {"days": _from_one(365)}),
    "hours": ({"hours": _hours, "is": _one_of("inside", "outside")}, {}),
    "contact": ({"filter": _filter}, {}),
    "last_outbound": ({"hours": _from_one(24 * 366)}, {}),
}
ACTIONS: dict[str, tuple[dict[str, Callable], dict[str, Callable]]] = {
    "tag": ({"tag": _tag}, {}),
    "untag": ({"tag": _tag}, {}),
    "assign": ({"member": _member}, {"only_if_unowned": _flag}),
    "remind": ({"text": _reminder, "minutes": _from_one(365 * 24 * 60)}, {"member": _member}),
    "webhook": ({}, {}),
}


def clean_conditions(workspace: Workspace, value) -> list[dict]:
    """Conditions in normal form; each kind stands once, but `contact`, `keyword` and `pattern` may stand several times."""
    if not value:
        raise Invalid("conditions", "required", "Say when the rule fits; {“kind”: “any”} is every message.")
    return _clean(workspace, value, "conditions", CONDITIONS, MAX_CONDITIONS)


def clean_actions(workspace: Workspace, value) -> list[dict]:
    """Actions in normal form."""
    return _clean(workspace, value or [], "actions", ACTIONS, MAX_ACTIONS)


def _clean(workspace: Workspace, value, path: str, known: dict, most: int) -> list[dict]:
    try:
        rows = items(value, path, most) if value else []
        return [_one(workspace, each, f"{path}.{index}", known) for index, each in enumerate(rows)]
    except Wrong as wrong:
        refusal = Refused("invalid", wrong.error.detail)
        refusal.fields = [wrong.error]
        raise refusal from None


def _one(workspace: Workspace, value, path: str, known: dict) -> dict:
    kind = value.get("kind") if isinstance(value, dict) else None
    if not isinstance(kind, str) or kind not in known:
        raise Wrong(f"{path}.kind", "invalid_choice", f"One of: {', '.join(known)}.")
    needed, allowed = known[kind]
    for name in value:
        if name != "kind" and name not in needed and name not in allowed:
            names = ", ".join(("kind", *needed, *allowed))
            raise Wrong(path, "unknown_field", f"Known here: {names}.")
    found = {"kind": kind}
    for name, read in needed.items():
        if name not in value:
            raise Wrong(f"{path}.{name}", "required", "This is needed.")
        found[name] = read(value[name], f"{path}.{name}", workspace)
    for name, read in allowed.items():
        if value.get(name) is not None:
            found[name] = read(value[name], f"{path}.{name}", workspace)
    return found
