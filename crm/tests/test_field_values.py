"""Values of custom fields: whatever comes becomes canonical or is refused with a sentence, never lost and never halved."""

import datetime as dt
import json
from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from accounts.models import Event
from accounts.tests.together import assert_refused
from crm.models import CustomField, FieldValue
from crm.services.field_values import Canonical, InvalidValue, canonical_value
from waplus.lib.ids import uuid7

CONTACTS = "/api/v1/contacts/"
FIELDS = "/api/v1/custom-fields/"

RED, BLUE, OLD = (str(uuid7()) for _ in range(3))
OPTIONS = [
    {"id": RED, "label": "Rot", "colour": "red", "retired": False},
    {"id": BLUE, "label": "Bläu", "colour": "blue", "retired": False},
    {"id": OLD, "label": "Alt", "colour": "grey", "retired": True},
]
KINDS = ("text", "number", "date", "choice", "multiple", "url", "boolean", "money")


def field(kind: str, currency: str = "") -> CustomField:
    options = OPTIONS if kind in ("choice", "multiple") else []
    return CustomField(name="F", kind=kind, options=options, currency=currency or ("EUR" if kind == "money" else ""))


TAKEN = [
    ("text", " Grüße\u200b\r\nzwei ", Canonical("Grüße\nzwei", "grusse zwei")),
    ("text", "x" * 2000, Canonical("x" * 2000, "x" * 500)),
    ("number", 1, Canonical("1", number=Decimal(1))),
    ("number", 0.1, Canonical("0.1", number=Decimal("0.1"))),
    ("number", "1e3", Canonical("1000", number=Decimal(1000))),
    ("number", "-0.0", Canonical("0", number=Decimal(0))),
    ("number", "007.50", Canonical("7.5", number=Decimal("7.5"))),
    ("number", "٤٢", Canonical("42", number=Decimal(42))),
    ("number", "9" * 22 + "." + "9" * 8, Canonical("9" * 22 + "." + "9" * 8, number=Decimal("9" * 22 + "." + "9" * 8))),
    ("number", 10**22 - 1, Canonical("9" * 22, number=Decimal(10**22 - 1))),
    ("number", 1e21, Canonical("1" + "0" * 21, number=Decimal(10**21))),
    ("date", "2026-02-28", Canonical("2026-02-28", number=Decimal(20512))),
    ("date", "1969-12-31", Canonical("1969-12-31", number=Decimal(-1))),
    ("date", dt.datetime(2026, 2, 28, 23, 59), Canonical("2026-02-28", number=Decimal(20512))),
    ("choice", RED, Canonical(RED, "rot")),
    ("choice", " BLAU ", Canonical(BLUE, "blau")),
    ("multiple", [BLUE, "rot", BLUE], Canonical([RED, BLUE], "rot blau")),
    ("multiple", "Rot", Canonical([RED], "rot")),
    ("url", "Example.COM/Path?x=1", Canonical("https://example.com/Path?x=1", "https://example.com/path?x=1")),
    ("url", "HTTP://example.com", Canonical("http://example.com", "http://example.com")),
    ("boolean", True, Canonical(True, number=Decimal(1))),
    ("boolean", "No", Canonical(False, number=Decimal(0))),
    ("money", "12.5", Canonical("12.50", number=Decimal("12.50"))),
    ("money", -3, Canonical("-3.00", number=Decimal(-3))),
    ("money", 0.1, Canonical("0.10", number=Decimal("0.10"))),
]


@pytest.mark.parametrize(("kind", "raw", "canonical"), TAKEN, ids=range(len(TAKEN)))
def test_takes(kind, raw, canonical):
    found = canonical_value(field(kind), raw)
    assert found == canonical
    assert type(found.value) is type(canonical.value)


REFUSED = [
    ("text", 7, "not_a_text"),
    ("text", ["a"], "not_a_text"),
    ("text", "x" * 2001, "max_length"),
    ("text", "a\ud800", "invalid"),
    ("number", True, "not_a_number"),
    ("number", "1,5", "not_a_number"),
    ("number", "1_000", "not_a_number"),
    ("number", "NaN", "not_a_number"),
    ("number", float("inf"), "not_a_number"),
    ("number", "1" * 101, "not_a_number"),
    ("number", 10**22, "too_large"),
    ("number", 10**5000, "not_a_number"),
    ("number", "1e999", "too_large"),
    ("number", "1e-9", "too_precise"),
    ("number", "1e-999", "too_precise"),
    ("number", [1], "not_a_number"),
    ("date", "2026-02-29", "not_a_date"),
    ("date", "20260228", "not_a_date"),
    ("date", "2026-W01-1", "not_a_date"),
    ("date", "28.02.2026", "not_a_date"),
    ("date", "0000-01-01", "not_a_date"),
    ("date", 20260228, "not_a_date"),
    ("date", "٢٠٢٦-٠٢-٢٨", "not_a_date"),
    ("choice", "green", "not_an_option"),
    ("choice", OLD, "retired"),
    ("choice", "alt", "retired"),
    ("choice", [RED], "not_an_option"),
    ("multiple", [RED, OLD], "retired"),
    ("multiple", [RED, None], "not_an_option"),
    ("multiple", [[RED]], "not_an_option"),
    ("multiple", {"a": 1}, "not_a_list"),
    ("multiple", [RED] * 4, "not_a_list"),
    ("url", "javascript:alert(1)", "not_a_url"),
    ("url", "data:text/html,x", "not_a_url"),
    ("url", "ftp://example.com", "not_a_url"),
    ("url", "https://user:pw@example.com", "not_a_url"),
    ("url", "https://user@example.com", "not_a_url"),
    ("url", "https://[::1", "not_a_url"),
    ("url", "https://exa mple.com", "not_a_url"),
    ("url", "https://example.com/" + "x" * 2000, "max_length"),
    ("url", 7, "not_a_url"),
    ("boolean", 1, "not_a_boolean"),
    ("boolean", "maybe", "not_a_boolean"),
    ("money", "12.345", "too_precise"),
    ("money", "12 €", "not_a_number"),
]


@pytest.mark.parametrize(("kind", "raw", "code"), REFUSED, ids=range(len(REFUSED)))
def test_refuses(kind, raw, code):
    with pytest.raises(InvalidValue) as refusal:
        canonical_value(field(kind), raw)
    assert refusal.value.code == code
    assert str(refusal.value).endswith(".")


@pytest.mark.parametrize(
    ("currency", "raw", "value"), [("JPY", 12, "12"), ("KWD", "1.5", "1.500"), ("BRL", "1.50", "1.50")]
)
def test_money_has_the_digits_of_its_currency(currency, raw, value):
    assert canonical_value(field("money", currency), raw).value == value
    with pytest.raises(InvalidValue):
        canonical_value(field("money", currency), f"{value}{'' if '.' in value else '.'}1")


@pytest.mark.parametrize("kind", KINDS)
def test_nothing_is_nothing(kind):
    for nothing in (None, "", "  ", "\u200b", [], ()):
        assert canonical_value(field(kind), nothing) is None


def test_retired_option_may_stay_where_it_is():
    assert canonical_value(field("choice"), OLD, OLD).value == OLD
    assert canonical_value(field("multiple"), [OLD, RED], [OLD]).value == [RED, OLD]
    with pytest.raises(InvalidValue):
        canonical_value(field("multiple"), [OLD, RED], [RED])


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.sampled_from([RED, BLUE, OLD, "rot"]),
    lambda children: st.lists(children, max_size=4) | st.dictionaries(st.text(max_size=3), children, max_size=3),
    max_leaves=6,
)
NEARLY = st.one_of(
    st.from_regex(r"[+-]?[0-9]{1,24}(\.[0-9]{0,9})?([eE][+-]?[0-9]{1,3})?", fullmatch=True),
    st.dates().map(str),
    st.decimals(allow_nan=False, allow_infinity=False).map(str),
    st.from_regex(r"(https?://)?[a-zA-Z0-9.:/?#@%\[\]-]{1,40}\.com[/?#]?[ -~]{0,20}", fullmatch=True),
    st.lists(st.sampled_from([RED, BLUE, OLD, "rot", "ROT"]), max_size=3),
)


@settings(max_examples=400, deadline=None)
@given(kind=st.sampled_from(KINDS), raw=JSON | NEARLY)
def test_whatever_comes_is_canonical_or_refused(kind, raw):
    one = field(kind)
    try:
        canonical = canonical_value(one, raw)
    except InvalidValue as refusal:
        assert str(refusal)
        return
    if canonical is None:
        assert raw is None or not raw or not raw.strip("\u200b") or canonical_value(one, raw) is None
        return
    assert canonical_value(one, canonical.value) == canonical
    assert json.loads(json.dumps(canonical.value)) == canonical.value
    assert len(canonical.text) <= 500
    assert canonical.number is None or (abs(canonical.number) < 10**22 and canonical.number.as_tuple().exponent >= -8)


# --- On contacts ----------------------------------------------------------------------------------


def make(device, kind: str, name: str = "F", **values) -> dict:
    answer = device.client.post(FIELDS, {"name": name, "kind": kind, **values})
    assert answer.status_code == 201, answer.json()
    return answer.json()


@pytest.mark.django_db
def test_columns_for_sorting_follow_the_value(alice_device):
    fields = {
        kind: make(alice_device, kind, kind, **({"currency": "EUR"} if kind == "money" else {}))
        for kind in ("text", "date", "money", "boolean")
    }
    raw = {"text": "É", "date": "1970-01-03", "money": 5, "boolean": False}
    contact = alice_device.client.post(
        CONTACTS, {"name": "Ana", "fields": {fields[kind]["id"]: value for kind, value in raw.items()}}
    ).json()
    stored = {row.field.kind: (row.value, row.text, row.number) for row in FieldValue.objects.select_related("field")}
    assert stored == {
        "text": ("É", "e", None),
        "date": ("1970-01-03", "", Decimal(2)),
        "money": ("5.00", "", Decimal(5)),
        "boolean": (False, "", Decimal(0)),
    }
    path = f"{CONTACTS}{contact['id']}/"
    answer = alice_device.client.patch(path, {"fields": {fields["boolean"]["id"]: "yes", fields["text"]["id"]: ""}})
    assert answer.json()["fields"] == {
        fields["date"]["id"]: "1970-01-03",
        fields["money"]["id"]: "5.00",
        fields["boolean"]["id"]: True,
    }
    assert FieldValue.objects.get(field=fields["boolean"]["id"]).version == 2


@pytest.mark.django_db
def test_one_wrong_value_writes_none(alice_device):
    good, bad, worse = (
        make(alice_device, "text", "A"),
        make(alice_device, "number", "B"),
        make(alice_device, "date", "C"),
    )
    contact = alice_device.client.post(CONTACTS, {"name": "Ana"}).json()
    events = Event.objects.count()
    body = assert_refused(
        alice_device.client.patch(
            f"{CONTACTS}{contact['id']}/",
            {"name": "B", "fields": {good["id"]: "x", bad["id"]: "x", worse["id"]: "x"}},
        ),
        "invalid",
    )
    assert {error["field"]: error["code"] for error in body["errors"]} == {
        f"fields.{bad['id']}": "not_a_number",
        f"fields.{worse['id']}": "not_a_date",
    }
    assert alice_device.client.get(f"{CONTACTS}{contact['id']}/").json() == contact
    assert (FieldValue.objects.count(), Event.objects.count()) == (0, events)


@pytest.mark.django_db
def test_no_json_breaks_a_contact(alice_device):
    ids = [make(alice_device, kind, kind, **({"currency": "EUR"} if kind == "money" else {}))["id"] for kind in KINDS]
    contact = alice_device.client.post(CONTACTS, {"name": "Ana"}).json()
    nasty = [
        "x\ud800",
        1e308,
        -(10**400),
        [[[]]],
        {"a": {}},
        [None],
        "\x00",
        True,
        "9" * 5000,
        {"": ""},
        "\u2028",
        0.1 + 0.2,
    ]
    for raw in nasty:
        for id in ids:
            body = json.dumps({"fields": {id: raw}})
            answer = alice_device.client.patch(f"{CONTACTS}{contact['id']}/", body, content_type="application/json")
            assert answer.status_code in (200, 400), (raw, answer.content)
    for wrong in ([], "x", 7, None, {"": "x"}, {"x": "y"}, {str(uuid7()): "x"}):
        answer = alice_device.client.patch(f"{CONTACTS}{contact['id']}/", {"fields": wrong})
        assert answer.status_code == 400, wrong
