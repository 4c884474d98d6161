"""From a text to its pieces: literal text, and places for variables."""

import re
from dataclasses import dataclass

from crm.services.naming import folded_name
from messaging.models.scheduled import MAX_BODY
from waplus.lib.text import strip_invisible

MAX_VARIABLES = 50
MAX_FALLBACK = 1_000
MAX_VARIABLE_NAME = 120
FIELD = "field."

_TOKEN = re.compile(r"\\\{\{|\\\}\}|\{\{|\}\}")


class TemplateError(ValueError):
    """Why a text is no template: a stable code and a sentence."""

    def __init__(self, code: str, sentence: str):
        self.code = code
        super().__init__(sentence)


@dataclass(frozen=True)
class Literal:
    """Text that stands as it is."""

    text: str


@dataclass(frozen=True)
class Place:
    """A place for a variable. Without a fallback (None) the text cannot be rendered where the variable is missing."""

    name: str
    fallback: str | None

    @property
    def key(self) -> str:
        """The name without differences of case, accents and spaces."""
        return key_of(self.name)


def key_of(name: str) -> str:
    """What two spellings of a variable have in common: fields are named as people name them, in any case."""
    head, dot, field = name.partition(".")
    if dot and f"{head.strip().lower()}." == FIELD:
        return FIELD + folded_name(strip_invisible(field).strip())
    return name.lower()


def parse(text: str) -> list[Literal | Place]:
    """The pieces of a text, in order; adjacent literals are one. Raises `TemplateError`."""
    if len(text) > MAX_BODY:
        raise TemplateError("max_length", f"A text has at most {MAX_BODY:,} characters.")
    pieces: list[Literal | Place] = []
    literal: list[str] = []
    at = escaped = places = 0
    while token := _TOKEN.search(text, at):
        literal.append(text[at : token.start()])
        at = token.end()
        if token[0] == "}}" and not escaped:
            raise TemplateError(
                "unbalanced_braces", f"At character {token.start() + 1}, “}}}}” ends what no “{{{{” has begun."
            )
        if token[0] != "{{":
            literal.append(token[0].removeprefix("\\"))
            escaped = escaped + 1 if token[0] == "\\{{" else max(escaped - 1, 0)
            continue
        end = text.find("}}", at)
        if end < 0 or "{{" in text[at:end]:
            raise TemplateError(
                "unbalanced_braces",
                f"At character {token.start() + 1}, “{{{{” is not closed; “}}}}” is missing, or write “\\{{{{” to show it.",
            )
        places += 1
        if places > MAX_VARIABLES:
            raise TemplateError("too_many_variables", f"A text has at most {MAX_VARIABLES} variables.")
        pieces += [Literal("".join(literal)), _place(text[at:end])]
        literal, at = [], end + 2
    literal.append(text[at:])
    pieces.append(Literal("".join(literal)))
    return [piece for piece in pieces if piece != Literal("")]


def _place(inside: str) -> Place:
    name, has_fallback, fallback = inside.partition("|")
    name, fallback = " ".join(name.split()), fallback.strip()
    if not name:
        raise TemplateError("unknown_variable", "Between “{{” and “}}” stands the name of a variable.")
    if len(name) > MAX_VARIABLE_NAME:
        raise TemplateError("unknown_variable", f"No variable has a name of more than {MAX_VARIABLE_NAME} characters.")
    if len(fallback) > MAX_FALLBACK:
        raise TemplateError("max_length", f"The text behind “|” has at most {MAX_FALLBACK:,} characters.")
    return Place(name, fallback if has_fallback else None)


def variables_of(text: str) -> list[str]:
    """The variables of a text, each once, as they are written first. Raises `TemplateError`."""
    named: dict[str, str] = {}
    for piece in parse(text):
        if isinstance(piece, Place):
            named.setdefault(piece.key, piece.name)
    return list(named.values())
