"""Tags of languages (BCP 47), as far as a chat needs them: language, script, region."""

import re
from collections.abc import Sequence

_TAG = re.compile(r"([a-z]{2,3})(?:-([a-z]{4}))?(?:-([a-z]{2}|[0-9]{3}))?", re.IGNORECASE)


def canonical_language(tag: str) -> str:
    """A tag in its usual spelling: `PT_br` is `pt-BR`, `zh-hant` is `zh-Hant`. Raises `ValueError`."""
    found = _TAG.fullmatch(tag.strip().replace("_", "-"))
    if found is None or not tag.isascii():
        raise ValueError("This is no tag of a language such as en or pt-BR.")
    language, script, region = found.groups()
    return "-".join(filter(None, (language.lower(), script and script.title(), region and region.upper())))


def closest_language(wanted: str, there: Sequence[str], default: str) -> str:
    """The tag among those that are there that serves who wants a language.

    The very tag; else one of the same language, the shortest first (`pt-BR` is
    served by `pt`, then by `pt-PT`); else the default, or the first.
    """
    try:
        wanted = canonical_language(wanted)
    except ValueError:
        wanted = ""
    if wanted in there:
        return wanted
    language = wanted.partition("-")[0]
    akin = [tag for tag in there if tag.partition("-")[0] == language]
    if akin:
        return min(akin, key=lambda tag: (not wanted.startswith(tag), len(tag), tag))
    return default if default in there else there[0]
