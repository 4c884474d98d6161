"""Filters in a query string."""

from waplus.lib.api.parsers import read_json
from waplus.lib.errors import Invalid

# Encoded it has to fit into the longest request line that the web server reads, 8,190 bytes.
MAX_FILTER = 4_000


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
        return read_json(raw)
    except (ValueError, RecursionError):
        raise Invalid("filter", "invalid", "This is no JSON.") from None
