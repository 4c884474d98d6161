"""Which variables there are in a workspace, and what they say."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from difflib import get_close_matches
from zoneinfo import ZoneInfo

from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from accounts.models import User, Workspace
from crm.models import CustomField, FieldKind
from crm.services.custom_fields import fields_in_order
from messaging.services.templating.parsing import FIELD, Literal, Place, TemplateError, key_of, parse
from waplus.lib.errors import Invalid

# What counts as nothing, and is cut off around values and texts: white space of every width, and what has no width.
BLANK = (
    "\t\n\v\f\r\x1c\x1d\x1e\x1f \x85\xa0\u1680\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a"
    "\u200b\u200e\u200f\u2028\u2029\u202a\u202b\u202c\u202d\u202e\u202f\u205f\u2060\u2066\u2067\u2068\u2069\u3000\ufeff"
)
# In place of a variable's name, where it is no variable that keeps a text from being rendered.
EMPTY = "(empty)"
TOO_LONG = "(too long)"
JOINT = ", "

# What every workspace has, with what a picker says of it.
OF_CONTACT = {
    "first_name": _("First name"),
    "name": _("Name"),
    "profile_name": _("Name in WhatsApp"),
    "company": _("Company"),
    "email": _("E-mail address"),
    "phone": _("Phone number"),
}
OF_OURS = {
    "sender.name": _("Your name"),
    "workspace.name": _("Workspace"),
    "date": _("Today"),
}
BUILT_IN = OF_CONTACT | OF_OURS


@dataclass(frozen=True)
class Variable:
    """A variable that a workspace can use: how it is written, and what people call it."""

    name: str
    label: str


class Fields:
    """The custom fields of a workspace by what a variable may call them: by name, or by id where a name has a `|`."""

    def __init__(self, workspace: Workspace):
        self._all = fields_in_order(workspace=workspace)
        self._by_key = {}
        # Several retired ones may have one name; a living one goes before them.
        for field in sorted(self._all, key=lambda field: field.retired_at is None):
            self._by_key[FIELD + field.folded] = self._by_key[FIELD + str(field.pk)] = field

    def find(self, key: str) -> CustomField | None:
        """The field that a variable's key means, retired or not."""
        return self._by_key.get(key)

    def living(self, key: str) -> CustomField | None:
        """The field that a variable's key means, unless it is retired: then no text says what is in it."""
        field = self.find(key)
        return field if field is not None and field.retired_at is None else None

    def names(self) -> list[str]:
        """How the fields that are in use are written."""
        return [
            FIELD + (str(field.pk) if set("|{}") & set(field.name) else field.name)
            for field in self._all
            if field.retired_at is None
        ]


def known_variables(workspace: Workspace) -> list[Variable]:
    """Every variable that may be used, in the order that a picker shows them."""
    fields = Fields(workspace)
    built_in = [Variable(name, str(label)) for name, label in BUILT_IN.items()]
    return built_in + [Variable(name, fields.living(key_of(name)).name) for name in fields.names()]


def problem_of(place: Place, fields: Fields) -> str:
    """What is wrong with a variable, as a sentence; nothing if it is known."""
    if place.key in BUILT_IN or fields.living(place.key):
        return ""
    if fields.find(place.key):
        return f"The field “{fields.find(place.key).name}” of “{{{{{place.name}}}}}” is retired."
    known = {key_of(name): name for name in (*BUILT_IN, *fields.names())}
    near = get_close_matches(place.key, known, n=1, cutoff=0) or list(known)[:1]
    return f"“{{{{{place.name}}}}}” is not known here; the nearest that is known is “{{{{{known[near[0]]}}}}}”."


def problems_of(workspace: Workspace, texts: Sequence[str], *, fields: Fields | None = None) -> list[str]:
    """What is wrong with texts, each sentence once: variables that are not known (any more), or braces."""
    fields, problems = fields or Fields(workspace), []
    for text in texts:
        try:
            pieces = parse(text)
        except TemplateError as error:
            problems.append(str(error))
            continue
        problems += [problem_of(piece, fields) for piece in pieces if isinstance(piece, Place)]
    return list(dict.fromkeys(filter(None, problems)))


def check_text(workspace: Workspace, text: str, *, field: str, fields: Fields | None = None) -> None:
    """Refuse a text that is no template or names a variable that the workspace does not have.

    Codes: `unknown_variable`, `unbalanced_braces`, `too_many_variables`, `max_length`. `fields` spares the
    query to who checks many texts.
    """
    try:
        places = [piece for piece in parse(text) if isinstance(piece, Place)]
    except TemplateError as error:
        raise Invalid(field, error.code, str(error)) from None
    if not places:
        return
    fields = fields or Fields(workspace)
    for place in places:
        if problem := problem_of(place, fields):
            raise Invalid(field, "unknown_variable", problem)


def pieces_of(text: str) -> list[Literal | Place]:
    """The pieces of a text that is to be rendered. A text that is no template is refused, as when it is saved."""
    try:
        return parse(text)
    except TemplateError as error:
        raise Invalid("body", error.code, str(error)) from None


def our_values(workspace: Workspace, sender: User | None, on: date | None) -> dict[str, str]:
    """The variables that are the same for every contact; what is not known is empty.

    The date is `on`, or today in the sender's zone (UTC without one), written as 2026-12-31.
    """
    day = on or timezone.now().astimezone(ZoneInfo(sender.time_zone if sender else "UTC"))
    return {
        "sender.name": (sender.name if sender else "").strip(BLANK),
        "workspace.name": workspace.name.strip(BLANK),
        "date": (day.date() if isinstance(day, datetime) else day).isoformat(),
    }


def field_text(field: CustomField, value) -> str:
    """A custom field's value as it stands in a text, the same wherever people live.

    Numbers with a point (1234.5), money with its currency behind (12.50 EUR),
    dates as 2026-12-31, `yes` and `no`, the labels of options.
    """
    if field.kind == FieldKind.BOOLEAN:
        return "yes" if value else "no"
    if field.kind in (FieldKind.CHOICE, FieldKind.MULTIPLE):
        labels = labels_of(field)
        return JOINT.join(labels[id] for id in (value if isinstance(value, list) else [value]) if id in labels)
    text = str(value).strip(BLANK)
    return f"{text} {field.currency}" if text and field.kind == FieldKind.MONEY else text


def labels_of(field: CustomField) -> dict[str, str]:
    """Labels of a field's options by their ids, retired ones too: contacts may have them."""
    return {option["id"]: option["label"].strip(BLANK) for option in field.options}
