"""Texts with variables: `Hello {{first_name|there}}`. Checked when saved, rendered for one contact or for a set in SQL.

docs/templates.md has the rules. A template is read by a parser of its own and
filled with texts: nothing in it is ever run, looked up as an attribute, or
given to a template engine.
"""

from messaging.services.templating.parsing import Literal, Place, TemplateError, parse, variables_of
from messaging.services.templating.rendering import MissingVariable, Rendered, fill, render_for, values_for
from messaging.services.templating.sql import SqlTemplate, as_sql
from messaging.services.templating.variables import (
    EMPTY,
    TOO_LONG,
    Variable,
    check_text,
    known_variables,
    problems_of,
)

__all__ = [
    "EMPTY",
    "TOO_LONG",
    "Literal",
    "MissingVariable",
    "Place",
    "Rendered",
    "SqlTemplate",
    "TemplateError",
    "Variable",
    "as_sql",
    "check_text",
    "fill",
    "known_variables",
    "parse",
    "problems_of",
    "render_for",
    "values_for",
    "variables_of",
]
