"""What a scheduled message says to each of its recipients: variables filled in at the time it is queued."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date

from accounts.models import User, Workspace
from crm.models import Contact
from messaging.models import ContentPart
from messaging.services.templating import EMPTY, TOO_LONG, MissingVariable, check_text, render_for
from waplus.lib.errors import Invalid

MISSING_VARIABLE = "missing_variable"


@dataclass(frozen=True)
class Said:
    """The texts of the parts by their position, or why nothing can be sent (a sentence)."""

    bodies: Mapping[int, str]
    problem: str = ""


def check_parts(workspace: Workspace, parts: Iterable[Mapping]) -> None:
    """Refuse texts with variables that do not exist."""
    for index, part in enumerate(parts):
        check_text(workspace, part["body"], field=f"parts.{index}.body")


def has_variables(body: str) -> bool:
    """Whether a text has anything to fill in, or braces that are written with a backslash."""
    return "{{" in body or "}}" in body


def say(
    *, workspace: Workspace, parts: Iterable[ContentPart], contact: Contact | None, sender: User | None, on: date
) -> Said:
    """The texts for a contact. All of them or none: half a message is never sent."""
    bodies = {}
    for part in parts:
        if not has_variables(part.body):
            bodies[part.position] = part.body
            continue
        try:
            bodies[part.position] = render_for(
                workspace, part.body, contact=contact, sender=sender, on=on, may_be_empty=part.media_id is not None
            )
        except MissingVariable as missing:
            return Said({}, sentence_of(missing.name))
        except Invalid as refused:
            return Said({}, refused.fields[0].detail)
    return Said(bodies)


def sentence_of(missing: str) -> str:
    """Why a text could not be sent, for people."""
    if missing == EMPTY:
        return "With its variables filled in, the text is empty."
    if missing == TOO_LONG:
        return "With its variables filled in, the text is too long."
    return f"The contact has nothing for “{missing}”, and the text says nothing instead of it."
