"""The demo's words: tags, stages, custom fields of each kind, and tabs."""

from dataclasses import dataclass

from accounts.actors import Actor
from accounts.models import User, Workspace
from crm.models import Colour, CustomField, FieldKind, Stage, StageOutcome, TabTarget, Tag
from crm.services.custom_fields import create_field
from crm.services.stages import create_stage
from crm.services.tabs import create_tab
from crm.services.tags import create_tag
from waplus.demo import people

_TAG_COLOURS = (Colour.PURPLE, Colour.BLUE, Colour.RED, Colour.PINK, Colour.GREEN, Colour.YELLOW)
_STAGES = (
    (Colour.GREY, StageOutcome.OPEN),
    (Colour.BLUE, StageOutcome.OPEN),
    (Colour.ORANGE, StageOutcome.OPEN),
    (Colour.GREEN, StageOutcome.WON),
    (Colour.RED, StageOutcome.LOST),
)
_FIELDS = (
    ("City", FieldKind.TEXT, (), ""),
    ("Orders", FieldKind.NUMBER, (), ""),
    ("Birthday", FieldKind.DATE, (), ""),
    ("Source", FieldKind.CHOICE, people.SOURCES, ""),
    ("Interests", FieldKind.MULTIPLE, people.INTERESTS, ""),
    ("Website", FieldKind.URL, (), ""),
    ("Newsletter", FieldKind.BOOLEAN, (), ""),
    ("Spent", FieldKind.MONEY, (), "BRL"),
)


@dataclass(frozen=True)
class Vocabulary:
    """What was made, by name."""

    tags: dict[str, Tag]
    stages: dict[str, Stage]
    fields: dict[str, CustomField]


def make_vocabulary(*, workspace: Workspace, actor: Actor) -> Vocabulary:
    """Make tags, stages and fields in their order."""
    to = {"workspace": workspace, "actor": actor}
    tags = {
        name: create_tag(**to, name=name, colour=colour)[0]
        for name, colour in zip(people.TAGS, _TAG_COLOURS, strict=True)
    }
    stages = {
        name: create_stage(**to, name=name, colour=colour, outcome=outcome)[0]
        for name, (colour, outcome) in zip(people.STAGES, _STAGES, strict=True)
    }
    fields = {
        name: create_field(
            **to,
            name=name,
            kind=kind,
            options=[{"label": label, "colour": colour} for label, colour in zip(options, _TAG_COLOURS, strict=False)],
            currency=currency,
        )[0]
        for name, kind, options, currency in _FIELDS
    }
    return Vocabulary(tags, stages, fields)


def make_tabs(*, workspace: Workspace, user: User, actor: Actor, words: Vocabulary) -> None:
    """Make tabs of the team, and one that is the person's own."""
    to = {"workspace": workspace, "user": user, "actor": actor}
    vip, spent = str(words.tags["VIP"].pk), str(words.fields["Spent"].pk)
    create_tab(**to, name="Waiting for us", filter={"awaiting_reply": True}, sort="-last_message", shared=True)
    create_tab(**to, name="VIP", filter={"tag": {"any": [vip]}}, sort=f"-field:{spent}", shared=True)
    create_tab(**to, name="Nobody’s", filter={"owner": None}, shared=True)
    create_tab(**to, name="My customers", filter={"owner": "me"})
    create_tab(**to, name="Groups", target=TabTarget.CHATS, filter={"kind": "group"}, shared=True)
