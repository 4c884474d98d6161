"""Phone numbers: what people type, and which spellings mean the same person.

A number is kept as digits with the country code and without the plus sign
(E.164 without `+`), which is how WhatsApp spells it. WhatsApp's own form may be
an invalid number by the national plan, so what WhatsApp observed is never
rewritten; two forms are compared by their match key instead. A match key never
crosses a country code.
"""

import re

import phonenumbers
from django.core.exceptions import ValidationError

from waplus.lib.text import strip_invisible

REGIONS = frozenset(phonenumbers.SUPPORTED_REGIONS)


def validate_region(value: str) -> None:
    """Refuse what is no country with a telephone plan; an empty value is none."""
    if value and value not in REGIONS:
        raise ValidationError("This is not an ISO 3166 country code such as BR.", code="invalid_country")


class InvalidPhone(ValueError):
    """The text is no phone number; the message is a sentence for people."""


# What people write before an extension, which WhatsApp has no use for.
_EXTENSION = re.compile(r"(?i)[\s,;]*\b(ext|extn|extension|ramal|r\.|x|#)\s*[.:]?\s*\d{1,6}$")


def parse_phone(text: str, region: str | None = None) -> str:
    """Digits of a number that a person typed; `region` (ISO 3166 alpha-2) serves numbers without a country code.

    Non-ASCII digits, odd spaces, brackets, letters on keys and extensions are
    understood. A leading `00` is taken for `+` wherever that gives a possible
    number: in some countries (Brazil) a carrier's code stands there instead,
    but an address book that writes `0055 …` means the country. Raises
    `InvalidPhone`.
    """
    cleaned = _EXTENSION.sub("", " ".join(strip_invisible(text).split()))
    if not cleaned:
        raise InvalidPhone("There is no number.")
    if len(cleaned) > 100:
        raise InvalidPhone("This is too long for a phone number.")
    if cleaned.startswith("00"):
        try:
            return _possible("+" + cleaned[2:], None)
        except InvalidPhone:
            pass
    return _possible(cleaned, region)


def _possible(text: str, region: str | None) -> str:
    try:
        number = phonenumbers.parse(text, region)
    except phonenumbers.NumberParseException as error:
        if error.error_type == phonenumbers.NumberParseException.INVALID_COUNTRY_CODE and not region:
            raise InvalidPhone(
                "The number has no country code: write it as +49 151 …, or choose a default country."
            ) from error
        raise InvalidPhone("This does not look like a phone number.") from error
    digits = phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164).lstrip("+")
    if any(_is_valid(form) for form in spellings(digits)):
        return digits
    raise InvalidPhone("There is no such number in its country: look for missing or doubled digits.")


def _is_valid(digits: str) -> bool:
    try:
        return phonenumbers.is_valid_number(phonenumbers.parse(f"+{digits}"))
    except phonenumbers.NumberParseException:
        return False


# Plans under which one number is registered in two forms: what to recognise, and the two forms of it, the shorter first.
_TWO_FORMS = (
    (re.compile(r"55([1-9]\d)9?([6-9]\d{7})"), "55{}{}", "55{}9{}"),  # Brazil's mobiles
    (re.compile(r"521?(\d{10})"), "52{}", "521{}"),  # Mexico
    (re.compile(r"549?(\d{10})"), "54{}", "549{}"),  # Argentina
)
_TWO_FORM_CODES = frozenset({"55", "52", "54"})


def _forms(digits: str) -> tuple[str, ...]:
    """Both forms of a number, the shorter first; a number of another plan has one."""
    if digits[:2] not in _TWO_FORM_CODES:
        return (digits,)
    for plan, short, long in _TWO_FORMS:
        if found := plan.fullmatch(digits):
            return short.format(*found.groups()), long.format(*found.groups())
    return (digits,)


def match_key(digits: str) -> str:
    """What all spellings of one number have in common; for most countries the digits themselves.

    Brazil: mobile numbers from before the ninth digit (they start with 6 to 9)
    are registered with or without it; landlines (2 to 5) never got one. Mexico:
    accounts from before 2019 carry `1` behind the country code. Argentina:
    WhatsApp writes `9` behind it, people often do not.
    """
    return _forms(digits)[0]


def match_key_sql(digits: str) -> str:
    """SQL of the same match key, of an SQL expression that gives digits."""
    plans: dict[str, str] = {}
    for plan, short, _long in _TWO_FORMS:
        form = short
        for number in range(1, plan.groups + 1):
            form = form.replace("{}", f"\\{number}", 1)
        plans[short[:2]] = f"regexp_replace({digits}, '^(?:{plan.pattern})$', '{form}')"
    cases = " ".join(f"WHEN '{code}' THEN {key}" for code, key in plans.items())
    return f"CASE left({digits}, 2) {cases} ELSE {digits} END"


def spellings(digits: str) -> list[str]:
    """All forms under which WhatsApp may have registered a number, itself first."""
    return [digits, *(form for form in _forms(digits) if form != digits)]


# Brazil's rule from the other side: a nine before a landline, or a mobile written like one.
_NINE = ((re.compile(r"55([1-9]\d)9([2-5]\d{7})"), "55{}{}"), (re.compile(r"55([1-9]\d)([2-5]\d{7})"), "55{}9{}"))


def lookalikes(digits: str, region: str | None = None) -> list[str]:
    """Numbers that people write for this one by mistake, none of which it matches: reasons to ask, never to join.

    The nine of Brazil's mobiles at a landline, the zero for calls within a
    country behind its code, and the code of `region` (ISO 3166) left out.
    """
    forms = [other.format(*found.groups()) for plan, other in _NINE if (found := plan.fullmatch(digits))]
    for length in (1, 2, 3):
        code, rest = digits[:length], digits[length:]
        if code.isdecimal() and int(code) in phonenumbers.COUNTRY_CODE_TO_REGION_CODE and not code.startswith("0"):
            forms.append(code + rest.lstrip("0") if rest.startswith("0") else f"{code}0{rest}")
    code = str(phonenumbers.country_code_for_region(region) or "") if region else ""
    if code:
        forms.append(code + digits.lstrip("0"))
        if digits.startswith(code):
            forms += [digits.removeprefix(code), "0" + digits.removeprefix(code)]
    key = match_key(digits)
    return [form for form in dict.fromkeys(forms) if len(form) >= 8 and match_key(form) != key]


def calling_code(digits: str) -> int | None:
    """The country code of a number; None for what is no number of any plan."""
    try:
        return phonenumbers.parse(f"+{digits}").country_code
    except phonenumbers.NumberParseException:
        return None


def format_phone(digits: str) -> str:
    """Digits for people's eyes: `+55 11 98765-4321`; unknown plans stay `+digits`."""
    try:
        number = phonenumbers.parse(f"+{digits}")
    except phonenumbers.NumberParseException:
        return f"+{digits}"
    return phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.INTERNATIONAL)
