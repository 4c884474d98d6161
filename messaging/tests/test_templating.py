"""Texts with variables: what is refused when saved, and what a contact reads."""

from datetime import UTC, date, datetime

import pytest

from accounts import actors
from conftest import make_person
from crm.models import ContactIdentity, FieldValue
from crm.services.custom_fields import create_field, retire_field, update_field
from crm.tests.records import add_contact
from messaging.models.scheduled import MAX_BODY
from messaging.services.templating import (
    EMPTY,
    TOO_LONG,
    Literal,
    MissingVariable,
    Place,
    TemplateError,
    check_text,
    known_variables,
    parse,
    problems_of,
    render_for,
    variables_of,
)
from waplus.lib.errors import Invalid

pytestmark = pytest.mark.django_db


@pytest.fixture
def anna(acme):
    return add_contact(acme, "Anna Maria Müller", number="4915112345678", company="Bäckerei", email="anna@example.com")


def add_field(workspace, name, kind="text", **values):
    return create_field(workspace=workspace, actor=actors.SYSTEM, name=name, kind=kind, **values)[0]


def hold(contact, field, value):
    FieldValue.objects.create(workspace=contact.workspace, contact=contact, field=field, value=value)


def render(contact, text, sender=None, **values):
    return render_for(contact.workspace, text, contact=contact, sender=sender, **values)


def missing(contact, text, **values) -> str:
    with pytest.raises(MissingVariable) as refusal:
        render(contact, text, **values)
    return refusal.value.name


def refusal(workspace, text) -> tuple:
    with pytest.raises(Invalid) as refused:
        check_text(workspace, text, field="parts.0.body")
    error = refused.value.fields[0]
    assert error.field == "parts.0.body"
    return error.code, error.detail


# What is a template


@pytest.mark.parametrize(
    ("text", "pieces"),
    [
        ("", []),
        ("Hello", [Literal("Hello")]),
        ("Hi {{name}}!", [Literal("Hi "), Place("name", None), Literal("!")]),
        ("{{ name \n|  dear friend }}", [Place("name", "dear friend")]),
        ("{{name|}}", [Place("name", "")]),
        ("{{name|a|b}}", [Place("name", "a|b")]),
        ("{{name|{x}}}", [Place("name", "{x"), Literal("}")]),
        ("{{field. Date  of  birth }}", [Place("field. Date of birth", None)]),
        (r"\{{name}} and {{name}}", [Literal("{{name}} and "), Place("name", None)]),
        (r"a \}} b \\ \n", [Literal(r"a }} b \\ \n")]),
        ("{name} {% now %} }", [Literal("{name} {% now %} }")]),
    ],
)
def test_parse_template(text, pieces):
    assert parse(text) == pieces


@pytest.mark.parametrize(
    ("text", "code", "at"),
    [
        ("Hi {{name", "unbalanced_braces", "character 4"),
        ("Hi {{name {{company}}", "unbalanced_braces", "character 4"),
        ("Hi name}}", "unbalanced_braces", "character 8"),
        ("{{name}} }}", "unbalanced_braces", "character 10"),
        (r"\{{a}} }}", "unbalanced_braces", "character 8"),
        ("{{}}", "unknown_variable", "the name of a variable"),
        ("{{ |x}}", "unknown_variable", "the name of a variable"),
        ("{{%s}}" % ("x" * 121), "unknown_variable", "120 characters"),
        ("{{name|%s}}" % ("x" * 1001), "max_length", "1,000 characters"),
        ("{{name}}" * 51, "too_many_variables", "50 variables"),
        ("x" * (MAX_BODY + 1), "max_length", "65,536 characters"),
    ],
)
def test_refuse_what_is_no_template(acme, text, code, at):
    with pytest.raises(TemplateError) as refused:
        parse(text)
    assert refused.value.code == code
    assert at in str(refused.value)
    assert refusal(acme, text) == (code, str(refused.value))


def test_take_templates_up_to_the_limits(acme):
    check_text(acme, "{{name}}" * 50, field="body")
    check_text(acme, "{{name|%s}}" % ("x" * 1000), field="body")
    check_text(acme, "x" * MAX_BODY, field="body")


def test_name_variables_of_a_text_once_each():
    assert variables_of("{{Name}} {{company|x}} {{name}} {{field.A}} {{FIELD.a}}") == ["Name", "company", "field.A"]


@pytest.mark.parametrize(
    ("written", "near"),
    [
        ("frist_name", "first_name"),
        ("Firstname", "first_name"),
        ("fone", "phone"),
        ("birthday", "field.Birthday"),
        ("field.birtday", "field.Birthday"),
        ("name.__class__", "name"),
        ("sender.password", "sender.name"),
        ("sender", "sender.name"),
    ],
)
def test_refuse_unknown_variable_with_the_nearest_known_one(acme, written, near):
    add_field(acme, "Birthday", "date")
    code, sentence = refusal(acme, f"Hi {{{{{written}}}}}")
    assert code == "unknown_variable"
    assert f"“{{{{{written}}}}}” is not known here" in sentence
    assert f"“{{{{{near}}}}}”" in sentence


def test_refuse_a_field_of_another_workspace(acme, other):
    field = add_field(other, "Secret")
    assert refusal(acme, "{{field.Secret}}")[0] == "unknown_variable"
    assert refusal(acme, f"{{{{field.{field.pk}}}}}")[0] == "unknown_variable"


def test_list_known_variables(acme, other):
    add_field(acme, "Birthday", "date")
    piped = add_field(acme, "A|B")
    retire_field(workspace=acme, field_id=add_field(acme, "Old").pk, actor=actors.SYSTEM)
    add_field(other, "Secret")
    known = [(variable.name, variable.label) for variable in known_variables(acme)]
    assert known[0] == ("first_name", "First name")
    assert known[-2:] == [("field.Birthday", "Birthday"), (f"field.{piped.pk}", "A|B")]
    assert len(known) == 11
    for name, _ in known:
        check_text(acme, f"{{{{{name}}}}}", field="body")


# What a contact reads


def test_render_everything(acme, anna, bob):
    add_text = "{{name}}|{{first_name}}|{{company}}|{{email}}|{{phone}}|{{sender.name}}|{{workspace.name}}|{{date}}"
    assert (
        render(anna, add_text, sender=bob, on=date(2026, 3, 4))
        == "Anna Maria Müller|Anna|Bäckerei|anna@example.com|+4915112345678|Bob|Acme|2026-03-04"
    )


def test_render_name_in_whatsapp_where_nobody_gave_one(acme):
    contact = add_contact(acme, profile_name="  José\u00a0da Silva ")
    assert render(contact, "{{first_name}}, {{name}}, {{profile_name}}") == (
        "José, José\u00a0da Silva, José\u00a0da Silva"
    )


def test_render_date_in_the_zone_of_the_sender(anna, bob, clock):
    clock.now = datetime(2026, 6, 1, 23, 30, tzinfo=UTC)
    bob.time_zone = "Asia/Tokyo"
    assert render(anna, "{{date}}", sender=bob) == "2026-06-02"
    assert render(anna, "{{date}}") == "2026-06-01"


@pytest.mark.parametrize(
    ("kind", "value", "text"),
    [
        ("text", " two\nlines ", "two\nlines"),
        ("number", "1234.5", "1234.5"),
        ("money", "1234.50", "1234.50 EUR"),
        ("date", "2026-12-31", "2026-12-31"),
        ("boolean", True, "yes"),
        ("boolean", False, "no"),
        ("url", "https://example.com/?a=1", "https://example.com/?a=1"),
        ("choice", "r", "Rot"),
        ("multiple", ["b", "r"], "Blau, Rot"),
    ],
)
def test_render_field(acme, anna, kind, value, text):
    field = add_field(acme, "Field A", kind, currency="EUR" if kind == "money" else "")
    if kind in ("choice", "multiple"):
        field.options = [{"id": "r", "label": "Rot", "retired": True}, {"id": "b", "label": "Blau", "retired": False}]
        field.save()
    hold(anna, field, value)
    assert render(anna, "{{field.field a}} {{field.Field A|x}} " + f"{{{{field.{field.pk}}}}}") == " ".join([text] * 3)


@pytest.mark.parametrize("blank", ["", " ", "\u00a0\u2003", "\u200b\ufeff", "\t\n"])
def test_take_white_space_for_nothing(acme, blank):
    contact = add_contact(acme, blank, profile_name=blank, company=blank)
    hold(contact, add_field(acme, "A"), blank)
    assert render(contact, "Hi {{first_name|you}} of {{company|a company}} {{field.A|-}}") == "Hi you of a company -"
    assert missing(contact, "Hi {{company}} {{field.A}}") == "company"
    assert missing(contact, "Hi {{field.A}} {{company}}") == "field.A"


def test_render_empty_fallback_as_nothing(acme, anna):
    assert render(anna, "Hi{{profile_name|}} there") == "Hi there"


def test_refuse_a_text_that_says_nothing(anna):
    assert missing(anna, " {{profile_name|}} ") == EMPTY
    assert missing(anna, "") == EMPTY
    assert render(anna, "{{profile_name|}}", may_be_empty=True) == ""


def test_refuse_a_text_that_becomes_too_long(acme, anna):
    hold(anna, add_field(acme, "A"), "x" * 2000)
    assert len(render(anna, "{{field.A}}" * 32)) == 64_000
    assert missing(anna, "{{field.A}}" * 33) == TOO_LONG


def test_render_phone_that_is_no_leaked_lid(acme, clock):
    contact = add_contact(acme, "Anna")
    for kind, value in [("lid", "157@lid"), ("c_us", "157@c.us"), ("c_us", "491@c.us"), ("phone", "+492")]:
        ContactIdentity.objects.create(
            workspace=acme,
            contact=contact,
            kind=kind,
            value=value,
            match_key=value,
            source="extension",
            observed_at=clock.now,
        )
    assert render(contact, "{{phone}}") == "+491"


def test_render_without_a_contact(acme, bob):
    text = render_for(acme, "Hi {{name|you}}, {{sender.name}}", contact=None, sender=bob)
    assert text == "Hi you, Bob"
    with pytest.raises(MissingVariable, match="company"):
        render_for(acme, "{{company}}", contact=None, sender=bob)


def test_render_braces_and_code_of_values_as_they_are(acme, anna):
    evil = "{{sender.name}} {0.__class__} {% load x %} %s \\{{ ${7*7}"
    hold(anna, add_field(acme, "A"), evil)
    assert render(anna, r"\{{name}} {{field.A}}") == "{{name}} " + evil


def test_render_for_someone_without_a_name_of_the_sender(anna):
    nobody = make_person("Dora")
    nobody.name = ""
    assert missing(anna, "{{sender.name}}", sender=nobody) == "sender.name"


def test_keep_rendering_when_a_field_is_renamed_or_retired(acme, anna):
    field = add_field(acme, "City")
    hold(anna, field, "Köln")
    texts = ["{{field.City}}", "in {{field.City|your town}}", f"{{{{field.{field.pk}|x}}}}"]
    assert [render(anna, text) for text in texts] == ["Köln", "in Köln", "Köln"]
    assert problems_of(acme, texts) == []
    update_field(workspace=acme, field_id=field.pk, actor=actors.SYSTEM, name="Town")
    assert missing(anna, texts[0]) == "field.City"
    assert [render(anna, text) for text in texts[1:]] == ["in your town", "Köln"]
    assert problems_of(acme, texts) == [
        "“{{field.City}}” is not known here; the nearest that is known is “{{field.Town}}”."
    ]
    retire_field(workspace=acme, field_id=field.pk, actor=actors.SYSTEM)
    assert [render(anna, text) for text in texts[1:]] == ["in your town", "x"]
    assert problems_of(acme, ["{{field.Town}}"]) == ["The field “Town” of “{{field.Town}}” is retired."]
