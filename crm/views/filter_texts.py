"""Filters in a query string."""

import json

from waplus.lib.errors import Invalid

MAX_FILTER = 8_000


def filter_text(raw):
    """The filter that a parameter carries as JSON; what a body brought as an object already stays as it is."""
    if not isinstance(raw, str):
        return raw
    if len(raw) > MAX_FILTER:
        sentence = f"A filter in a query string has at most {MAX_FILTER:,} characters; a body may have a longer one."
        raise Invalid("filter", "max_length", sentence)
    if not raw:
        return None
    try:
        return json.loads(raw)
    except (ValueError, RecursionError):
        raise Invalid("filter", "invalid", "This is no JSON.") from None
