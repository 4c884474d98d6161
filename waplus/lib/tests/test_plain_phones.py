"""Plain spellings are read as the general reader reads them, or left to it."""

import phonenumbers
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from waplus.lib.phones import InvalidPhone, parse_phone
from waplus.lib.plain_phones import plain_digits, read_phone

REGIONS = sorted(phonenumbers.SUPPORTED_REGIONS)
KINDS = (0, 1, 2, 3, 4, 5, 6)


def general(text: str, region: str | None) -> str | None:
    try:
        return parse_phone(text, region)
    except InvalidPhone:
        return None


@st.composite
def spellings(draw) -> tuple[str, str | None]:
    """A number near a valid one of some country, in one of the ways in which people write."""
    region = draw(st.sampled_from(REGIONS))
    example = phonenumbers.example_number_for_type(region, draw(st.sampled_from(KINDS)))
    example = example or phonenumbers.example_number(region)
    digits = list(phonenumbers.national_significant_number(example))
    for place, digit in draw(st.lists(st.tuples(st.integers(0, 20), st.integers(0, 9)), max_size=4)):
        digits[place % len(digits)] = str(digit)
    national = draw(st.sampled_from(["", "", "", "0", "1", "8"])) + "".join(digits)
    code = str(example.country_code)
    cut = draw(st.integers(1, 4))
    return draw(
        st.sampled_from(
            [
                (f"+{code}{national}", None),
                (f"+{code} ({national[:cut]}) {national[cut:]}", "BR"),
                (f"00{code}{national}", region),
                (f"{code}{national}", region),
                (national, region),
                (f"({national[:cut]}) {national[cut:-2]}-{national[-2:]}", region),
                (national, None),
            ]
        )
    )


@settings(max_examples=600, deadline=None)
@given(spellings())
def test_agrees_with_general_reader(spelled):
    text, region = spelled
    quick = plain_digits(text, region)
    assert quick is None or quick == general(text, region)


@settings(max_examples=300, deadline=None)
@given(
    st.text(alphabet="+0123456789 ()-./x#٣", max_size=22), st.sampled_from([None, "BR", "DE", "US", "GB", "IT", "AR"])
)
def test_agrees_over_any_text(text, region):
    quick = plain_digits(text, region)
    assert quick is None or quick == general(text, region)


@pytest.mark.parametrize(
    ("text", "region", "digits"),
    [
        ("+49 151 12345678", None, "4915112345678"),
        ("0049-151-12345678", "BR", "4915112345678"),
        ("(11) 98765-4321", "BR", "5511987654321"),
        ("11987654321", "BR", "5511987654321"),
    ],
)
def test_reads_plain_spellings_itself(text, region, digits):
    assert plain_digits(text, region) == digits


@pytest.mark.parametrize(
    "text", ["+49 (0)151 12345678", "0151 12345678", "+49 151 12345678 ext. 5", "tel:+4915112345678", ""]
)
def test_leaves_the_rest_to_the_general_reader(text):
    assert plain_digits(text, "DE") is None
    if text:
        assert read_phone(text, "DE") == "4915112345678"
    else:
        with pytest.raises(InvalidPhone):
            read_phone(text, "DE")
