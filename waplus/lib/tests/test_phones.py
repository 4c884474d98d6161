"""Phone numbers: what people type, and which spellings mean one person."""

import pytest
from django.core.exceptions import ValidationError

from waplus.lib.phones import InvalidPhone, format_phone, match_key, parse_phone, spellings, validate_region

TYPED = [
    ("+49 151 23456789", None, "4915123456789"),
    ("0049 151 23456789", None, "4915123456789"),
    ("0151/234 567-89", "DE", "4915123456789"),
    ("(0151) 23456789", "DE", "4915123456789"),
    ("+44 (0)20 7946 0958", None, "442079460958"),
    ("1-800-FLOWERS", "US", "18003569377"),
    ("+1 (212) 555-0123 ext. 7", None, "12125550123"),
    ("+1 212 555 0123 x7", None, "12125550123"),
    ("+55 11 98765-4321 ramal 204", None, "5511987654321"),
    ("11987654321", "BR", "5511987654321"),
    ("0055 11 98765 4321", "BR", "5511987654321"),
    ("０８０-１２３４-５６７８", "JP", "818012345678"),
    ("+٩٦٦ ٥٠ ١٢٣ ٤٥٦٧", None, "966501234567"),
    ("+91 ९८७६५ ४३२१०", None, "919876543210"),
    ("\u202a+55\u00a011\u200b 98765\u20114321\u202c", None, "5511987654321"),
    ("＋55 11 98765-4321", None, "5511987654321"),
    ("+39 06 6982", None, "39066982"),  # Italy keeps the zero
    ("+52 1 55 1234 5678", None, "5215512345678"),  # WhatsApp's old Mexican form passes as it stands
    ("+54 11 2345-6789", None, "541123456789"),
    ("+55 11 8765-4321", None, "551187654321"),  # Brazil before the ninth digit
]


@pytest.mark.parametrize(("text", "region", "digits"), TYPED)
def test_reads_what_people_type(text, region, digits):
    assert parse_phone(text, region) == digits


@pytest.mark.parametrize(
    "text",
    ["", "   ", "\u200b", "-", "+", "12", "call me", "+49", "+999 12345678", "+1 111 111 1111", "0" * 50, "1" * 101]
    + ["+49 151 234567890123456", "@", "٣", "+55 11 12345", "4915112345678@c.us"],
)
@pytest.mark.parametrize("region", [None, "DE"])
def test_refuses_what_is_no_number_with_a_sentence(text, region):
    with pytest.raises(InvalidPhone) as refusal:
        parse_phone(text, region)
    assert str(refusal.value).endswith(".")


def test_asks_for_country_where_one_is_needed():
    with pytest.raises(InvalidPhone, match="country code"):
        parse_phone("0151 23456789")


KEYS = [
    # Brazil: mobiles with and without the nine; landlines never had one
    (["5511987654321", "551187654321"], "551187654321"),
    (["5585998765432", "558598765432"], "558598765432"),
    (["5511967654321", "551167654321"], "551167654321"),
    (["551132345678"], "551132345678"),
    (["5511932345678"], "5511932345678"),
    (["5501987654321"], "5501987654321"),  # there is no area 01
    # Mexico: with and without the 1
    (["525512345678", "5215512345678"], "525512345678"),
    (["521234567890", "5211234567890"], "521234567890"),
    # Argentina: with and without the 9
    (["541123456789", "5491123456789"], "541123456789"),
    # everywhere else: the digits
    (["4915112345678"], "4915112345678"),
    (["15512345678"], "15512345678"),
    (["393331234567"], "393331234567"),
]


@pytest.mark.parametrize(("forms", "key"), KEYS)
def test_spellings_of_one_number_share_a_key(forms, key):
    assert {match_key(form) for form in forms} == {key}
    for form in forms:
        assert spellings(form)[0] == form
        assert set(spellings(form)) >= set(forms)
        assert {match_key(other) for other in spellings(form)} == {key}


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("551132345678", "5511932345678"),
        ("5511987654321", "11987654321"),
        ("5215512345678", "15512345678"),
        ("5491123456789", "91123456789"),
        ("525512345678", "545512345678"),
        ("4915112345678", "15112345678"),
        ("5511987654321", "5521987654321"),
        ("551187654321", "541187654321"),
    ],
)
def test_different_numbers_share_no_key(one, other):
    assert match_key(one) != match_key(other)
    assert not set(spellings(one)) & set(spellings(other))


def test_key_of_key_is_key():
    for forms, key in KEYS:
        assert match_key(key) == key
        assert all(match_key(form)[:2] == form[:2] for form in forms)


def test_formats_for_eyes():
    assert format_phone("5511987654321") == "+55 11 98765-4321"
    assert format_phone("4915123456789") == "+49 1512 3456789"
    assert format_phone("0") == "+0"


def test_knows_countries():
    validate_region("BR")
    validate_region("")
    for wrong in ("br", "XX", "BRA", "001"):
        with pytest.raises(ValidationError):
            validate_region(wrong)
