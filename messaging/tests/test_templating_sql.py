"""A text for a set says to each of them exactly what it says to one."""

import datetime as dt

import pytest
from django.db import connection
from django.utils import timezone
from hypothesis import HealthCheck, given, seed, settings
from hypothesis import strategies as st

from accounts import actors
from crm.models import Contact, ContactIdentity, FieldValue
from crm.services.custom_fields import create_field, retire_field
from crm.tests.records import add_contact
from messaging.services.templating import EMPTY, TOO_LONG, MissingVariable, as_sql, render_for

pytestmark = pytest.mark.django_db

ODD = [
    *("", " ", "\u00a0", "\u200b \ufeff", "Anna", "  Anna  Maria ", "O'Brien", 'say "x"', "C:\\n", "%s %(a)s %%"),
    *(
        "👩‍👩‍👧 Família",
        "שלום עולם",
        "\u200fمحمد علي\u200f",
        "{{name}}",
        "$1 ${x}",
        "two\nlines",
        "é e\u0301",
        "José\u00a0Díaz",
    ),
]
TEXT = st.one_of(
    st.sampled_from(ODD), st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=20)
)
DAY = dt.date(2026, 3, 4)
OPTIONS = [{"label": "Rot"}, {"label": "Blau 'x' \\ 👋"}, {"label": "Grün %s"}]


@pytest.fixture
def fields(acme):
    """One field of each kind, and a retired one, by name."""
    made = {}
    for kind in ("text", "url", "number", "date", "money", "boolean", "choice", "multiple"):
        options = OPTIONS if kind in ("choice", "multiple") else ()
        made[kind], _ = create_field(
            workspace=acme,
            actor=actors.SYSTEM,
            name=f"Die {kind}",
            kind=kind,
            options=options,
            currency="JPY" if kind == "money" else "",
        )
    made["retired"], _ = create_field(workspace=acme, actor=actors.SYSTEM, name="Old", kind="text")
    retire_field(workspace=acme, field_id=made["retired"].pk, actor=actors.SYSTEM)
    return made


def values_of(fields):
    """Values of some of the fields of a contact."""
    ids = [option["id"] for option in fields["choice"].options]
    many = [option["id"] for option in fields["multiple"].options]
    return st.fixed_dictionaries(
        {},
        optional={
            "text": TEXT,
            "url": st.sampled_from(["https://example.com/?q=%C3%A9&x='1'", "http://a.example/"]),
            "number": st.sampled_from(["0", "-1.5", "1234567.00000001"]),
            "date": st.sampled_from(["2026-02-28", "0001-01-01", "9999-12-31"]),
            "money": st.sampled_from(["0", "-12", "1234567"]),
            "boolean": st.booleans(),
            "choice": st.sampled_from([*ids, "gone"]),
            "multiple": st.lists(st.sampled_from([*many, "gone"]), unique=True),
            "retired": TEXT,
        },
    )


NAMES = [
    *("name", "First_Name", "profile_name", "company", "email", "phone", "sender.name", "workspace.name", "date"),
    *(f"field.die {kind}" for kind in ("text", "url", "number", "date", "money", "boolean", "choice", "multiple")),
    *("field.Old", "field.never was", "nonsense"),
]
PIECE = st.one_of(
    st.sampled_from(NAMES).map(lambda name: f"{{{{{name}}}}}"),
    st.tuples(st.sampled_from(NAMES), st.sampled_from(["", "dear 'friend' \\ %s", "👋 שלום"])).map(
        lambda pair: f"{{{{ {pair[0]} | {pair[1]} }}}}"
    ),
    TEXT.map(lambda text: text.replace("{{", "{").replace("}}", "}")),
    st.just(r"\{{name}}"),
)


def add_identities(contact, kinds):
    digits = contact.pk.int % 10**12
    values = {"phone": f"+{digits}", "c_us": f"{digits + 1}@c.us", "lid": f"{digits + 1}@lid", "bsuid": f"BR.{digits}"}
    ContactIdentity.objects.bulk_create(
        ContactIdentity(
            workspace=contact.workspace,
            contact=contact,
            kind=kind,
            value=values[kind],
            match_key=values[kind],
            source="extension",
            observed_at=timezone.now(),
        )
        for kind in kinds
    )


def in_sql(workspace, text, **values) -> dict:
    """What each contact of the workspace reads, or (None, what is missing); by all three ways to ask."""
    template = as_sql(workspace, text, **values)
    with connection.cursor() as cursor:
        cursor.execute(
            f"SELECT c.id, {template.expression}, {template.missing} FROM crm_contact c WHERE c.workspace_id = %(workspace)s",
            {"workspace": workspace.pk, **template.params},
        )
        found = {id: (None if missing else body, missing) for id, body, missing in cursor.fetchall()}
        row, params = template.positional()
        cursor.execute(
            f"SELECT c.id, t.body, t.missing FROM crm_contact c CROSS JOIN LATERAL ({row}) AS t WHERE c.workspace_id = %s",
            [*params, workspace.pk],
        )
        assert found == {id: (None if missing else body, missing) for id, body, missing in cursor.fetchall()}
    return found


def in_python(workspace, text, **values) -> dict:
    found = {}
    for contact in Contact.objects.for_workspace(workspace):
        try:
            found[contact.pk] = (render_for(workspace, text, contact=contact, **values), None)
        except MissingVariable as missing:
            found[contact.pk] = (None, missing.name)
    return found


def test_render_set_as_each_of_it(acme, bob, fields):
    """Some hundred contacts of odd texts, and sixty templates of odd pieces over them."""
    contact_columns = st.fixed_dictionaries(dict.fromkeys(("name", "profile_name", "company", "email"), TEXT))
    crowd = st.tuples(
        contact_columns,
        values_of(fields),
        st.lists(st.sampled_from(["phone", "c_us", "lid", "bsuid"]), unique=True, max_size=4),
    )
    made = []

    @seed(4)
    @settings(max_examples=250, deadline=None, database=None, suppress_health_check=list(HealthCheck))
    @given(crowd)
    def make(drawn):
        columns, held, kinds = drawn
        contact = add_contact(acme, **columns)
        add_identities(contact, kinds)
        FieldValue.objects.bulk_create(
            FieldValue(workspace=acme, contact=contact, field=fields[kind], value=value) for kind, value in held.items()
        )
        made.append(contact)

    make()
    assert len(made) >= 200
    compared = []

    @seed(4)
    @settings(max_examples=60, deadline=None, database=None, suppress_health_check=list(HealthCheck))
    @given(st.lists(PIECE, max_size=6).map("".join), st.booleans(), st.sampled_from([None, bob]))
    def compare(text, may_be_empty, sender):
        values = {"sender": sender, "on": DAY, "may_be_empty": may_be_empty}
        found = in_sql(acme, text, **values)
        assert found == in_python(acme, text, **values)
        compared.extend(found.values())

    compare()
    assert len(compared) >= 200 * 50
    assert sum(missing is None for _, missing in compared) > 1000
    assert sum(missing is not None for _, missing in compared) > 1000


def test_render_every_variable_in_sql_as_in_python(acme, bob, fields):
    contact = add_contact(acme, "Anna Müller", number="4915112345678", company="O'Brien \\ Co", email="a@example.com")
    for kind, value in {
        "text": "👋 x",
        "number": "1.5",
        "date": "2026-01-02",
        "money": "100",
        "boolean": False,
        "choice": fields["choice"].options[1]["id"],
        "multiple": [fields["multiple"].options[0]["id"], fields["multiple"].options[2]["id"]],
    }.items():
        FieldValue.objects.create(workspace=acme, contact=contact, field=fields[kind], value=value)
    text = ";".join(f"{{{{{name}|-}}}}" for name in NAMES)
    assert in_sql(acme, text, sender=bob, on=DAY)[contact.pk] == (
        "Anna Müller;Anna;-;O'Brien \\ Co;a@example.com;+4915112345678;Bob;Acme;2026-03-04;"
        "👋 x;-;1.5;2026-01-02;100 JPY;no;Blau 'x' \\ 👋;Rot, Grün %s;-;-;-",
        None,
    )
    assert in_python(acme, text, sender=bob, on=DAY) == in_sql(acme, text, sender=bob, on=DAY)


def test_refuse_what_is_too_long_or_empty_in_sql(acme, fields):
    contact = add_contact(acme, "Anna")
    FieldValue.objects.create(workspace=acme, contact=contact, field=fields["text"], value="x" * 2000)
    assert in_sql(acme, "{{field.die text}}" * 33)[contact.pk] == (None, TOO_LONG)
    assert in_sql(acme, "{{company|}}")[contact.pk] == (None, EMPTY)
    assert in_sql(acme, "{{company|}}", may_be_empty=True)[contact.pk] == ("", None)


def test_render_several_texts_in_one_statement(acme):
    contact = add_contact(acme, "Anna", company="Acme")
    one, two = as_sql(acme, "Hi {{name}}", prefix="a"), as_sql(acme, "of {{company}}", prefix="b")
    with connection.cursor() as cursor:
        cursor.execute(
            f"SELECT c.id, {one.expression}, {two.expression} FROM crm_contact c WHERE c.workspace_id = %(workspace)s",
            {"workspace": acme.pk, **one.params, **two.params},
        )
        assert cursor.fetchall() == [(contact.pk, "Hi Anna", "of Acme")]


def test_read_values_of_the_own_workspace_alone(acme, other):
    """A field of somebody else's name is another field."""
    ours, _ = create_field(workspace=acme, actor=actors.SYSTEM, name="City", kind="text")
    theirs, _ = create_field(workspace=other, actor=actors.SYSTEM, name="City", kind="text")
    contact, foreign = add_contact(acme, "Anna"), add_contact(other, "Bert")
    FieldValue.objects.create(workspace=acme, contact=contact, field=ours, value="Köln")
    FieldValue.objects.create(workspace=other, contact=foreign, field=theirs, value="Bonn")
    assert in_sql(acme, "{{field.City}}") == {contact.pk: ("Köln", None)}
    assert in_sql(other, "{{field.City}}") == {foreign.pk: ("Bonn", None)}
