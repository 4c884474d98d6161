"""Folding: what should be found is equal, what is different stays so."""

import pytest

from waplus.lib.text import fold, place_in, strip_invisible, whole_number

SAME = [
    ("José", "jose"),
    ("JOSE\u0301", "jose"),
    ("ＪＯＳＥ", "jose"),
    ("Łukasz", "lukasz"),
    ("Ångström", "angstrom"),
    ("Straße", "strasse"),
    ("STRASSE", "strasse"),
    ("Søn", "son"),
    ("Æsir", "aesir"),
    ("œuvre", "oeuvre"),
    ("İstanbul", "istanbul"),
    ("ıstanbul", "istanbul"),
    ("ﬁle", "file"),
    ("Nguyễn Văn Đức", "nguyen van duc"),
    ("Ёлкина", "елкина"),
    ("ΆΛΦΑ", "αλφα"),
    ("مُحَمَّد", "محمد"),
    ("  a \t b\u00a0c\u3000d ", "a b c d"),
    ("①②", "12"),
    ("№ 5", "no 5"),
]


@pytest.mark.parametrize(("text", "folded"), SAME)
def test_folds_case_accents_and_forms(text, folded):
    assert fold(text) == folded


@pytest.mark.parametrize(
    "text", [text for pair in SAME for text in pair] + ["हिन्दी", "ไทย", "မြန်မာ", "한국어", "👩‍👩‍👧", "王"]
)
def test_folding_again_changes_nothing(text):
    assert fold(fold(text)) == fold(text)


@pytest.mark.parametrize(
    ("one", "other"), [("и", "i"), ("а", "a"), ("कि", "क"), ("กี", "ก"), ("王", "玉"), ("ش", "س"), ("が", "ガ")]
)
def test_keeps_different_letters_apart(one, other):
    assert fold(one) != fold(other)


def test_drops_what_cannot_be_seen():
    assert strip_invisible("\ufeffA\u200bn\u00ada\u200e\u202a\u2066!\x00\x1b\x7f") == "Ana!"
    assert strip_invisible("a\n\tb") == "a\n\tb"
    family = "👩\u200d👩\u200d👧"
    persian = "می\u200cخواهم"
    assert (strip_invisible(family), strip_invisible(persian)) == (family, persian)


def test_reads_whole_number_within_bounds():
    for text, number in (("1", 1), ("365", 365), ("007", 7), ("0" * 5_000 + "12", 12)):
        assert whole_number(text, 1, 365) == number
    assert (whole_number("0", 0, 10), whole_number("000", 0, 10)) == (0, 0)
    for text in ("0", "366", "1000", "", " 1", "+1", "-1", "1.0", "1_0", "²", "٢", "9" * 5_000):
        assert whole_number(text, 1, 365) is None


def test_finds_place_that_form_names():
    rows = "abc"
    assert [place_in(rows, text) for text in ("0", "2", "02")] == [0, 2, 2]
    for text in ("3", "-1", "", " 1", "1.0", "²", "٢", "9" * 5_000):
        assert place_in(rows, text) is None
    assert place_in("", "0") is None
