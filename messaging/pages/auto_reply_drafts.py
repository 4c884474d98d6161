"""A rule of automatic replies as the form shows it, and back: rows of conditions and actions with a field for each detail.

Fields of a row carry its number (`c0-kind`, `c0-words`), so the form works without any script.
"""

from dataclasses import dataclass, field

from django.http import QueryDict
from django.utils.translation import gettext_lazy as _

from accounts.models import Workspace
from messaging.pages.message_parts import MessageParts
from messaging.services.contents import parts_of
from waplus.lib.text import place_in, whole_number

CONDITIONS = {
    "any": _("Every message"),
    "keyword": _("A word stands in it"),
    "pattern": _("It fits a pattern"),
    "first_message": _("It is the first message"),
    "hours": _("Opening hours"),
    "tag": _("The contact’s tags"),
    "field": _("A field of the contact"),
    "last_outbound": _("We have not written for a while"),
}
ACTIONS = {
    "tag": _("Put a tag on"),
    "untag": _("Take a tag off"),
    "assign": _("Give the contact to a member"),
    "remind": _("Make a reminder"),
    "webhook": _("Tell a webhook"),
}
MATCHES = {
    "word": _("as a whole word"),
    "contains": _("anywhere"),
    "starts": _("at the beginning"),
    "exact": _("and nothing else"),
}
DETAILS = ("words", "match", "pattern", "days", "hours", "is", "tag", "op", "field", "value", "outbound", "filter")
ACT_DETAILS = ("tag", "member", "only_if_unowned", "text", "minutes")
MOST = 10
# More than any number of a rule may be.
ANY = 10**9


@dataclass
class Draft:
    """What stands in the form: the plain values, rows of conditions and actions as texts, and what is answered."""

    values: dict = field(default_factory=dict)
    conditions: list[dict] = field(default_factory=list)
    actions: list[dict] = field(default_factory=list)
    parts: MessageParts = field(default_factory=MessageParts)
    errors: list[str] = field(default_factory=list)


def new_draft() -> Draft:
    return Draft(
        values={"name": "", "accounts": [], "kinds": ["person"], "stop": True, "cool_down": "60", "delay": "3"},
        conditions=[{"kind": "keyword", "words": "", "match": "word"}],
    )


def draft_of(rule) -> Draft:
    """A saved rule as the form shows it."""
    return Draft(
        values={
            "name": rule.name,
            "accounts": [str(id) for id in rule.whatsapp_accounts],
            "kinds": list(rule.chat_kinds),
            "stop": rule.stop_after_match,
            "cool_down": str(rule.cool_down_minutes),
            "delay": str(rule.delay_seconds),
        },
        conditions=[_row(condition) for condition in rule.conditions],
        actions=[{name: str(value) for name, value in action.items()} for action in rule.actions],
        parts=MessageParts.of_kept(parts_of(rule)),
    )


def _row(condition: dict) -> dict:
    kind = condition["kind"]
    if kind == "keyword":
        return {"kind": kind, "words": ", ".join(condition["words"]), "match": condition["match"]}
    if kind == "last_outbound":
        return {"kind": kind, "outbound": str(condition["hours"])}
    if kind == "contact":
        return _contact_row(condition["filter"])
    return {name: str(value) for name, value in condition.items()}


def _contact_row(found: dict) -> dict:
    """What the form has words for; any other filter stays as it is, and only the API changes it."""
    lacks = "not" in found
    inner = found["not"] if lacks else found
    tags = inner.get("tag", {}).get("any", [])
    if len(tags) == 1:
        return {"kind": "tag", "op": "lacks" if lacks else "wears", "tag": tags[0]}
    held = inner.get("field", {})
    op = next((op for op in ("is", "contains") if op in held), "")
    if op and not lacks and isinstance(held[op], str):
        return {"kind": "field", "field": held["id"], "op": op, "value": held[op]}
    return {"kind": "filter", "filter": found}


def sent_draft(workspace: Workspace, data: QueryDict, kept: Draft) -> Draft:
    """What was sent by the form. `kept` has the filters that the form cannot say."""
    draft = Draft(
        values={
            "name": data.get("name", ""),
            "accounts": data.getlist("accounts"),
            "kinds": data.getlist("kinds"),
            "stop": "stop" in data,
            "cool_down": data.get("cool_down", ""),
            "delay": data.get("delay", ""),
        },
        parts=MessageParts.of_form(workspace, data),
    )
    for place in range(MOST):
        if kind := data.get(f"c{place}-kind"):
            row = {"kind": kind} | {name: data[f"c{place}-{name}"] for name in DETAILS if f"c{place}-{name}" in data}
            if kind == "filter":
                row = next((each for each in kept.conditions if each["kind"] == "filter"), {"kind": "any"})
            draft.conditions.append(row)
        if kind := data.get(f"a{place}-kind"):
            names = [name for name in ACT_DETAILS if f"a{place}-{name}" in data]
            draft.actions.append({"kind": kind} | {name: data[f"a{place}-{name}"] for name in names})
    return draft


def change_rows(draft: Draft, what: str, data: QueryDict) -> None:
    """Add or take away a row, as a button of the form asked for."""
    what, _colon, place = what.partition(":")
    rows = {"condition": draft.conditions, "action": draft.actions}.get(what.partition("-")[2], [])
    if what == "add-condition" and data.get("new_condition") in CONDITIONS:
        rows.append({"kind": data["new_condition"]})
    elif what == "add-action" and data.get("new_action") in ACTIONS:
        rows.append({"kind": data["new_action"]})
    elif what.startswith("drop-") and (found := place_in(rows, place)) is not None:
        del rows[found]
    del rows[MOST:]


def as_values(draft: Draft) -> dict:
    """The rule that a draft means, as services take it. What is no number stays a text, and is refused there."""
    return {
        "name": draft.values["name"],
        "whatsapp_accounts": draft.values["accounts"],
        "chat_kinds": draft.values["kinds"],
        "stop_after_match": draft.values["stop"],
        "conditions": [_condition(row) for row in draft.conditions],
        "actions": [_action(row) for row in draft.actions],
        "parts": [] if draft.parts.is_empty else draft.parts.values(),
    }


def _number(text: str) -> int | str:
    """A number as services take it, which know its bounds; what is none stays a text, and is refused there."""
    number = whole_number(text.strip(), 0, ANY)
    return text if number is None else number


def _condition(row: dict) -> dict:
    kind = row["kind"]
    if kind == "keyword":
        words = [word.strip() for word in row.get("words", "").replace("\n", ",").split(",")]
        return {"kind": kind, "words": [word for word in words if word], "match": row.get("match", "word")}
    if kind == "pattern":
        return {"kind": kind, "pattern": row.get("pattern", "")}
    if kind == "first_message":
        return {"kind": kind} | ({"days": _number(row["days"])} if row.get("days") else {})
    if kind == "hours":
        return {"kind": kind, "hours": row.get("hours", ""), "is": row.get("is", "outside")}
    if kind == "last_outbound":
        return {"kind": kind, "hours": _number(row.get("outbound", ""))}
    if kind == "tag":
        wears = {"tag": {"any": [row.get("tag", "")]}}
        return {"kind": "contact", "filter": {"not": wears} if row.get("op") == "lacks" else wears}
    if kind == "field":
        op = "contains" if row.get("op") == "contains" else "is"
        return {"kind": "contact", "filter": {"field": {"id": row.get("field", ""), op: row.get("value", "")}}}
    return {"kind": "contact", "filter": row["filter"]} if kind == "filter" else {"kind": kind}


def _action(row: dict) -> dict:
    kind = row["kind"]
    if kind in ("tag", "untag"):
        return {"kind": kind, "tag": row.get("tag", "")}
    if kind == "assign":
        return {"kind": kind, "member": row.get("member", ""), "only_if_unowned": bool(row.get("only_if_unowned"))}
    if kind == "remind":
        member = {"member": row["member"]} if row.get("member") else {}
        return {"kind": kind, "text": row.get("text", ""), "minutes": _number(row.get("minutes", "")), **member}
    return {"kind": kind}
