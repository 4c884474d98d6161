"""Numbers in plain spellings, thirty times as fast as the general reader.

An import reads a million numbers, and nearly all are plain: `+49 151 1234567`,
or the national number alone. For those the general reader's rules come down to
one pattern of the country's plan. What is not plain is left to
`waplus.lib.phones.parse_phone`, and a test holds the two to the same answers.
"""

import re
from functools import cache

from phonenumbers import COUNTRY_CODE_TO_REGION_CODE, PhoneMetadata, PhoneNumberDesc

from waplus.lib.phones import InvalidPhone, parse_phone

_PUNCTUATION = {ord(character): None for character in " ().-/"}
# The most frequent first.
_KINDS = (
    *("mobile", "fixed_line", "toll_free", "premium_rate", "shared_cost", "voip", "personal_number"),
    *("pager", "uan", "voicemail"),
)


def read_phone(text: str, region: str | None = None) -> str:
    """The same answers and the same `InvalidPhone` as `parse_phone`."""
    return plain_digits(text, region) or parse_phone(text, region)


def plain_digits(text: str, region: str | None) -> str | None:
    """The digits of a valid number in a plain spelling; None where the general reader must look."""
    digits = text.translate(_PUNCTUATION)
    if not digits.isascii() or len(text) > 40:
        return None
    if digits[:1] == "+" and text[:1] == "+":
        return _international(digits[1:])
    if not digits.isdigit() or text[:1] in "./-":
        return None
    if digits[:2] == "00":
        return _international(digits[2:])
    return _national(digits, region) if region else None


def _international(digits: str) -> str | None:
    if not digits.isdigit():
        return None
    for length in (2, 1, 3):
        code = digits[:length]
        plan = _plan_of_code(code)
        if plan is not None:
            national = digits[length:]
            return digits if plan.fullmatch(national) else None
    return None


def _national(digits: str, region: str) -> str | None:
    plan, code, prefixes = _plan_of_region(region)
    if plan is None or digits.startswith(code) or (prefixes is not None and prefixes.match(digits)):
        return None
    return code + digits if plan.fullmatch(digits) else None


@cache
def _plan_of_code(code: str) -> re.Pattern | None:
    regions = COUNTRY_CODE_TO_REGION_CODE.get(int(code), ()) if code[:1] not in ("", "0") else ()
    # The first region of several is the main one, which the general reader tries first.
    if not regions or regions[0] == "001":
        return None
    return _plan_of_region(regions[0])[0]


@cache
def _plan_of_region(region: str) -> tuple[re.Pattern | None, str, re.Pattern | None]:
    """The pattern of a country's valid numbers, its code, and what may stand before a number there."""
    metadata = PhoneMetadata.metadata_for_region(region, None)
    if metadata is None:
        return None, "", None
    general = _pattern_of(metadata.general_desc)
    kinds = "|".join(filter(None, (_pattern_of(getattr(metadata, kind)) for kind in _KINDS)))
    # A number that begins like the prefix of its country is for the general reader.
    trunk = f"(?!{metadata.national_prefix_for_parsing})" if metadata.national_prefix_for_parsing else ""
    plan = re.compile(f"(?!0){trunk}(?={general})(?:{kinds})") if general and kinds else None
    prefixes = re.compile(metadata.international_prefix) if metadata.international_prefix else None
    return plan, str(metadata.country_code), prefixes


def _pattern_of(desc: PhoneNumberDesc | None) -> str:
    if desc is None or not desc.national_number_pattern:
        return ""
    lengths = "|".join(rf"\d{{{length}}}" for length in desc.possible_length if length > 0)
    within = rf"(?=(?:{lengths})\Z)" if lengths else ""
    return rf"{within}(?:{desc.national_number_pattern})\Z"


__all__ = ["InvalidPhone", "plain_digits", "read_phone"]
