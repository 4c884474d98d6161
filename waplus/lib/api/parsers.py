"""Strict JSON: what PostgreSQL cannot store or a client cannot have meant is refused before a serializer sees it."""

import codecs
import json

from rest_framework.exceptions import ParseError
from rest_framework.parsers import BaseParser

MAX_DEPTH = 20


class Unacceptable(ValueError):
    """What is JSON and is refused all the same, with our own words."""


def _refuse_constant(name: str):
    raise Unacceptable(f"{name} is no number")


def _unique(pairs: list[tuple]) -> dict:
    result = dict(pairs)
    if len(result) != len(pairs):
        raise Unacceptable("a name stands twice in one object")
    return result


def _inspect(value, depth: int = 0) -> None:
    if depth > MAX_DEPTH:
        raise Unacceptable("it is nested too deeply")
    if isinstance(value, str):
        if "\x00" in value:
            raise Unacceptable("there is a NUL character in it")
        value.encode()  # an unpaired surrogate has no UTF-8
    elif isinstance(value, dict):
        for key, item in value.items():
            _inspect(key, depth)
            _inspect(item, depth + 1)
    elif isinstance(value, list):
        for item in value:
            _inspect(item, depth + 1)


def read_json(text: str):
    """A value from strict JSON; raises `ValueError` or `RecursionError`, as `Unacceptable` where the text is JSON all the same."""
    value = json.loads(text, parse_constant=_refuse_constant, object_pairs_hook=_unique)
    _inspect(value)
    return value


class StrictJSONParser(BaseParser):
    """UTF-8 JSON without NaN, NUL, unpaired surrogates, doubled names or deep nesting; the root is an object."""

    media_type = "application/json"

    def parse(self, stream, media_type=None, parser_context=None):
        try:
            text = codecs.decode(stream.read(), "utf-8")
            value = read_json(text) if text else {}
        except Unacceptable as error:
            raise ParseError(f"The body is not acceptable JSON: {error}.") from error
        except json.JSONDecodeError as error:
            raise ParseError(f"The body is not JSON: line {error.lineno}, column {error.colno}.") from error
        except UnicodeError as error:
            raise ParseError("The body is not UTF-8 throughout.") from error
        except (ValueError, RecursionError) as error:
            raise ParseError("The body has a number that is too long, or is nested too deeply.") from error
        if not isinstance(value, dict):
            raise ParseError("The body must be a JSON object.")
        return value
