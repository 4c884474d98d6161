"""Filters: the same rows as a person would pick by hand, refusals that say where, and nobody else's ids."""

import datetime as dt
from decimal import Decimal
from uuid import UUID

import pytest
from django.utils import timezone
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from crm.filters import contacts_matching, parse_filter
from crm.filters.compiled import matching
from crm.models import Chat, Contact, ContactTag, GroupMember, ImportBatch, ImportRow, Tag
from crm.models.contacts import search_words
from crm.tests.records import (
    add_account,
    add_chat,
    add_contact,
    add_field,
    add_note,
    add_stage,
    add_tag,
    hold,
    wear,
)
from waplus.lib.errors import Refused
from waplus.lib.ids import uuid7
from waplus.lib.phones import match_key
from waplus.lib.text import fold

pytestmark = pytest.mark.django_db

ZONE = "America/Sao_Paulo"


class World:
    """A workspace with a few dozen contacts that differ in everything a filter can ask for."""

    def __init__(self, workspace, alice, bob):
        self.workspace, self.alice, self.bob = workspace, alice, bob
        self.tags = [add_tag(workspace, name) for name in ("VIP", "Lead", "Café", "Never worn")]
        self.stages = [add_stage(workspace, name) for name in ("New", "Won")]
        self.fields = {
            "text": add_field(workspace, "City", "text"),
            "number": add_field(workspace, "Size", "number"),
            "date": add_field(workspace, "Since", "date"),
            "choice": add_field(workspace, "Segment", "choice", "Retail Public"),
            "multiple": add_field(workspace, "Interests", "multiple", "Red Blue Green"),
            "boolean": add_field(workspace, "Active", "boolean"),
            "money": add_field(workspace, "Revenue", "money"),
        }
        self.account, self.second = add_account(workspace), add_account(workspace, "4915100000000")
        self.group = add_chat(self.account, kind="group", name="Club")
        self.batch = ImportBatch.objects.create(workspace=workspace, file_name="a.csv", state="finished")
        for index in range(36):
            self._add(index)
        add_contact(workspace, "In the bin", deleted_at=timezone.now())

    def _add(self, n: int) -> None:
        now = timezone.now()
        names = ("Ana Souza", "Łukasz", "王小明", "Иван", "محمد علي", "100% Rabatt_x", "")
        numbers = ("", f"55119{80000000 + n}", f"551180{100000 + n:06d}", f"4915112345{n:03d}")
        contact = add_contact(
            self.workspace,
            names[n % 7],
            number=numbers[n % 4],
            email=f"person{n}@Example.com" if n % 3 == 0 else "",
            at=now - dt.timedelta(days=n * 3),
            owner=(None, self.alice, self.bob)[n % 3],
            stage=(None, *self.stages)[n % 3 if n % 2 else 0],
        )
        wear(contact, *[tag for index, tag in enumerate(self.tags[:3]) if n >> index & 1])
        raws = {
            "text": ("Köln", "São Paulo", "北京市"),
            "number": (n, -1.5, "1e3"),
            "date": ("2024-02-29", (now.date() - dt.timedelta(days=n)).isoformat(), "1969-12-31"),
            "choice": ("retail", "public"),
            "multiple": (["red"], ["red", "blue"], ["green", "blue"]),
            "boolean": (True, False),
            "money": ("10.50", n),
        }
        for index, (kind, values) in enumerate(raws.items()):
            if (n + index) % 3:
                hold(contact, self.fields[kind], values[n % len(values)])
        if n % 5 == 0:
            add_note(contact, "Called about the Größe 报价单")
        if n % 4 == 1:
            last = now - dt.timedelta(days=n, hours=1)
            add_chat(
                self.account if n % 8 == 1 else self.second,
                contact,
                name="x",
                unread_count=n % 3,
                last_message_at=last if n % 5 else None,
                last_inbound_at=last if n % 7 else None,
                awaiting_reply=n % 3 == 1,
                archived=n % 6 == 1,
            )
        if n % 6 == 2:
            GroupMember.objects.create(
                workspace=self.workspace, chat=self.group, jid=f"{n}@c.us", contact=contact, name="x"
            )
        if n % 4 == 3:
            ImportRow.objects.create(
                workspace=self.workspace, batch=self.batch, row_number=n, outcome="created", contact_id=contact.pk
            )


@pytest.fixture
def world(acme, alice, bob) -> World:
    return World(acme, alice, bob)


# --- By hand: the same language, in Python over loaded rows ----------------------------------------


def span_holds(span: dict, value) -> bool:
    now = timezone.now()
    zone = dt.timezone(dt.timedelta(hours=-3)) if span.get("zone") == ZONE else dt.UTC  # São Paulo has no summer time

    def midnight(day: dt.date) -> dt.datetime:
        return dt.datetime.combine(day, dt.time(), zone)

    today = now.astimezone(zone).date()
    if value is None:
        return False
    tests = []
    if "after" in span:
        tests.append(value >= midnight(dt.date.fromisoformat(span["after"])))
    if "before" in span:
        tests.append(value < midnight(dt.date.fromisoformat(span["before"])))
    if "last_days" in span:
        tests.append(value >= midnight(today - dt.timedelta(days=span["last_days"])))
    if "older_than_days" in span:
        tests.append(value < midnight(today - dt.timedelta(days=span["older_than_days"])))
    return all(tests)


def chat_holds(leaf: str, value, chat: Chat) -> bool:
    if leaf == "unread":
        return (chat.unread_count > 0) == value
    if leaf == "awaiting_reply":
        if isinstance(value, dict):
            long_ago = timezone.now() - dt.timedelta(hours=value["hours"])
            return chat.awaiting_reply and chat.last_inbound_at is not None and chat.last_inbound_at <= long_ago
        return chat.awaiting_reply == value
    if leaf == "last_message":
        return chat.last_message_at is None if "never" in value else span_holds(value, chat.last_message_at)
    if leaf == "kind":
        return chat.kind in (value["any"] if isinstance(value, dict) else [value])
    if leaf == "archived":
        return chat.archived == value
    return str(chat.whatsapp_account_id) in (value["any"] if isinstance(value, dict) else [value])


def number_holds(value: dict, contact: Contact) -> bool:
    rows = [row for row in contact.identities.all() if row.kind in ("phone", "c_us")]
    if "has" in value:
        return bool(rows) == value["has"]
    if "country" in value:
        return any(row.match_key.startswith(value["country"]) for row in rows)
    digits = "".join(each for each in value["contains"] if each.isdigit()).lstrip("0")
    return any(
        part in text for part in (digits, match_key(digits)) for row in rows for text in (row.value, row.match_key)
    )


def field_holds(value: dict, contact: Contact) -> bool:
    rows = {row.field_id: row for row in contact.field_values.all()}
    row = rows.get(UUID(value["id"]))
    how = next(name for name in value if name not in ("id", "zone"))
    raw = value[how]
    if how == "set":
        return row is not None
    if how == "empty":
        return row is None
    if how == "is_not":
        return not (row is not None and equals(row, raw))
    if row is None:
        return False
    if how == "is":
        return equals(row, raw)
    if how == "any":
        return any(equals(row, each) for each in raw)
    if how == "all":
        return set(raw) <= set(row.value)
    if how == "contains":
        return raw in row.value if row.field.kind == "multiple" else fold(raw) in row.text
    number, day = row.number, (timezone.now().date() - dt.date(1970, 1, 1)).days
    if how == "last_days":
        return day - raw <= number <= day
    if how == "next_days":
        return day <= number <= day + raw
    bounds = [number_of(row, each) for each in (raw if how == "between" else [raw])]
    if how == "between":
        return bounds[0] <= number <= bounds[1]
    return number < bounds[0] if how == "less" else number > bounds[0]


def number_of(row, raw) -> Decimal:
    if row.field.kind == "date":
        return Decimal((dt.date.fromisoformat(raw) - dt.date(1970, 1, 1)).days)
    return Decimal(str(raw))


def equals(row, raw) -> bool:
    kind = row.field.kind
    if kind == "multiple":
        return raw in row.value
    if kind in ("choice", "boolean"):
        return row.value == raw
    if kind == "text":
        return row.text == fold(raw)
    return row.number == number_of(row, raw)


def words_hold(query: str, contact: Contact) -> bool:
    def has(word: str, text: str) -> bool:
        return (f" {word}" if len(word) < 3 else word) in text

    def somewhere(word: str) -> bool:
        texts = [contact.search_text, *(row.search_text for row in contact.notes.all())]
        texts += [f" {row.tag.folded}" for row in contact.contact_tags.all()]
        texts += [f" {row.text}" for row in contact.field_values.all() if row.text]
        return any(has(word, text) for text in texts)

    return all(somewhere(word) for word in search_words(query))


def assigned_holds(value, actual, viewer) -> bool:
    values = value["any"] if isinstance(value, dict) else [value]
    return any(actual == (viewer.pk if each == "me" else UUID(each) if each else None) for each in values)


def contact_leaf_holds(leaf: str, value, contact: Contact, world: World) -> bool:
    worn = {str(row.tag_id) for row in contact.contact_tags.all()}
    if leaf == "tag":
        if "none" in value:
            return not worn
        return bool(worn & set(value["any"])) if "any" in value else set(value["all"]) <= worn
    if leaf == "owner":
        return assigned_holds(value, contact.owner_id, world.alice)
    if leaf == "stage":
        return assigned_holds(value, contact.stage_id, world.alice)
    if leaf in ("created", "changed"):
        return span_holds(value, contact.created_at if leaf == "created" else contact.updated_at)
    if leaf == "email":
        return bool(contact.email) == value["has"] if "has" in value else contact.email.lower() == value["is"].lower()
    if leaf == "import":
        return ImportRow.objects.filter(batch=value, contact_id=contact.pk).exists()
    if leaf == "ids":
        return str(contact.pk) in value
    if leaf == "group":
        return contact.group_memberships.filter(chat=value).exists()
    return {"q": words_hold, "field": field_holds, "number": number_holds}[leaf](value, contact)


CHAT_LEAVES = {"unread", "awaiting_reply", "last_message", "kind", "archived", "whatsapp_account"}


def holds(tree: dict, row, world: World) -> bool:
    if not tree:
        return True
    (name, value), *_ = tree.items()
    if name == "and":
        return all(holds(each, row, world) for each in value)
    if name == "or":
        return any(holds(each, row, world) for each in value)
    if name == "not":
        return not holds(value, row, world)
    if name in CHAT_LEAVES:
        if isinstance(row, Chat):
            return chat_holds(name, value, row)
        kinds = (value["any"] if isinstance(value, dict) else [value]) if name == "kind" else []
        in_group = "group" in kinds and row.group_memberships.exists()
        return in_group or any(chat_holds(name, value, chat) for chat in row.chats.all())
    contact = row.contact if isinstance(row, Chat) else row
    return contact is not None and contact_leaf_holds(name, value, contact, world)


# --- Random trees -----------------------------------------------------------------------------------


def leaves_of(world: World) -> st.SearchStrategy:
    tags = [str(tag.pk) for tag in world.tags]
    some_tags = st.lists(st.sampled_from(tags), min_size=1, max_size=3)
    fields = {kind: str(field.pk) for kind, field in world.fields.items()}
    day = st.sampled_from(["2024-02-29", "1969-12-31", (timezone.now().date() - dt.timedelta(days=7)).isoformat()])
    recent = st.dates(timezone.now().date() - dt.timedelta(days=120), timezone.now().date()).map(dt.date.isoformat)
    days = st.integers(0, 100)
    span = st.one_of(
        st.fixed_dictionaries({"after": recent, "zone": st.sampled_from(["UTC", ZONE])}),
        st.fixed_dictionaries({"before": recent}),
        st.fixed_dictionaries({"last_days": days, "zone": st.sampled_from(["UTC", ZONE])}),
        st.fixed_dictionaries({"older_than_days": days}),
    )

    def field(kind: str, operations: dict) -> st.SearchStrategy:
        return st.one_of(
            *(st.fixed_dictionaries({"id": st.just(fields[kind]), how: value}) for how, value in operations.items())
        )

    always = {"set": st.just(True), "empty": st.just(True)}
    number = st.sampled_from([-1.5, 0, 7, 12, 1000, "12"])
    ordered = dict.fromkeys(("is", "is_not", "less", "more"), number)
    dated = dict.fromkeys(("is", "is_not", "less", "more"), day)
    text = st.sampled_from(["koln", "São Paulo", "paulo", "北京", "nothing"])
    colours = st.sampled_from(["red", "blue", "green"])
    several = st.lists(colours, min_size=1, max_size=2)
    any_field = st.one_of(
        field(
            "text",
            {"is": text, "is_not": text, "contains": text, "any": st.lists(text, min_size=1, max_size=2), **always},
        ),
        field("number", {**ordered, "between": st.tuples(number, number).map(list), **always}),
        field("money", {"is": st.sampled_from(["10.5", 12]), "more": number, **always}),
        field("date", {**dated, "last_days": days, "next_days": days, **always}),
        field("choice", {"is": st.sampled_from(["retail", "public"]), "is_not": st.just("retail"), **always}),
        field("multiple", {"contains": colours, "any": several, "all": several, **always}),
        field("boolean", {"is": st.booleans(), "is_not": st.booleans(), **always}),
    )
    people = st.sampled_from([None, "me", str(world.alice.pk), str(world.bob.pk)])
    stages = st.sampled_from([None, *(str(stage.pk) for stage in world.stages)])
    ids = [str(contact.pk) for contact in Contact.objects.all()[:20]]
    query = st.sampled_from(
        ["ana", "an", "so ana", "小明", "明", "vip", "le", "groß", "报价", "8000", "55", "100%", "_x", "köln", "café"]
    )
    return st.one_of(
        st.fixed_dictionaries({"q": query}),
        st.fixed_dictionaries({"tag": st.one_of(st.fixed_dictionaries({"any": some_tags}), st.fixed_dictionaries({"all": some_tags}), st.just({"none": True}))}),
        st.fixed_dictionaries({"field": any_field}),
        st.fixed_dictionaries({"owner": st.one_of(people, st.fixed_dictionaries({"any": st.lists(people, min_size=1, max_size=3)}))}),
        st.fixed_dictionaries({"stage": st.one_of(stages, st.fixed_dictionaries({"any": st.lists(stages, min_size=1, max_size=3)}))}),
        st.fixed_dictionaries({"created": span}),
        st.fixed_dictionaries({"changed": span}),
        st.fixed_dictionaries({"number": st.sampled_from([{"has": True}, {"has": False}, {"country": "55"}, {"country": "49"}, {"contains": "1180"}, {"contains": "5511980000004"}, {"contains": "+49 (151) 12"}])}),
        st.fixed_dictionaries({"email": st.sampled_from([{"has": True}, {"has": False}, {"is": "PERSON3@example.com"}])}),
        st.just({"import": str(world.batch.pk)}),
        st.just({"group": str(world.group.pk)}),
        st.fixed_dictionaries({"ids": st.lists(st.sampled_from(ids), min_size=1, max_size=5)}),
        st.fixed_dictionaries({"unread": st.booleans()}),
        st.fixed_dictionaries({"awaiting_reply": st.sampled_from([True, False, {"hours": 100}])}),
        st.fixed_dictionaries({"last_message": st.one_of(span, st.just({"never": True}))}),
        st.fixed_dictionaries({"kind": st.sampled_from(["person", "group", {"any": ["group", "person"]}])}),
        st.fixed_dictionaries({"archived": st.booleans()}),
        st.fixed_dictionaries({"whatsapp_account": st.sampled_from([str(world.account.pk), {"any": [str(world.second.pk)]}])}),
    )  # fmt: skip


def trees_of(world: World) -> st.SearchStrategy:
    def grow(inner):
        some = st.lists(inner, min_size=1, max_size=3)
        return st.one_of(
            st.fixed_dictionaries({"and": some}),
            st.fixed_dictionaries({"or": some}),
            st.fixed_dictionaries({"not": inner}),
        )

    return st.recursive(leaves_of(world), grow, max_leaves=6)


EVERY = settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


@given(data=st.data())
@EVERY
def test_random_filters_select_what_a_person_would(world, data):
    tree = data.draw(trees_of(world))
    found = parse_filter(world.workspace, tree)
    rows = Contact.objects.alive().prefetch_related(
        "identities", "contact_tags__tag", "field_values__field", "notes", "chats", "group_memberships"
    )
    expected = {contact.pk for contact in rows if holds(tree, contact, world)}
    assert set(contacts_matching(world.workspace, found, world.alice).values_list("pk", flat=True)) == expected
    again = parse_filter(world.workspace, found.data)
    assert again.data == found.data
    for driver in found.drivers(world.alice):
        held = Contact.objects.raw(f"SELECT id FROM ({driver.select.text}) driver", driver.select.params)
        assert expected <= {row.pk for row in held}
    if exact := found.exact(world.alice):
        held = {row.pk for row in Contact.objects.raw(f"SELECT id FROM ({exact.text}) exact", exact.params)}
        assert expected == held & {contact.pk for contact in rows}


@given(data=st.data())
@EVERY
def test_random_filters_select_chats_that_a_person_would(world, data):
    tree = data.draw(trees_of(world))
    found = parse_filter(world.workspace, tree, "chats")
    expected = {chat.pk for chat in Chat.objects.select_related("contact") if holds(tree, chat, world)}
    chats = Chat.objects.for_workspace(world.workspace)
    assert set(matching(chats, found, world.alice).values_list("pk", flat=True)) == expected
    along = found.along(world.alice)
    held = Chat.objects.raw(f"SELECT id FROM crm_chat WHERE {along.text}", along.params)
    assert expected <= {chat.pk for chat in held}


JSON = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(), st.floats(), st.text(max_size=8), st.sampled_from(["me", "2026-01-01"])),
    lambda inner: st.one_of(
        st.lists(inner, max_size=3),
        st.dictionaries(st.sampled_from(["and", "or", "not", "q", "tag", "any", "all", "none", "field", "id", "is", "owner", "created", "after", "last_days", "number", "contains", "ids", "last_message", "zone", "x\x00", "\ud800"]), inner, max_size=3),
    ),
    max_leaves=8,
)  # fmt: skip


@given(raw=JSON)
@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_malformed_filters_are_refused_and_never_break(acme, alice, raw):
    for target in ("contacts", "chats"):
        try:
            found = parse_filter(acme, raw, target)
        except Refused as refused:
            assert refused.code == "invalid" and refused.fields
            assert all(error.field.startswith("filter") for error in refused.fields)
        else:
            rows = Contact.objects if target == "contacts" else Chat.objects
            assert list(matching(rows.for_workspace(acme), found, alice)) == []


# --- Refusals ---------------------------------------------------------------------------------------


def refusal(workspace, tree) -> list[tuple[str, str]]:
    with pytest.raises(Refused) as caught:
        parse_filter(workspace, tree)
    return [(error.field, error.code) for error in caught.value.fields]


def test_refusals_name_the_place(world):
    text, tag = str(world.fields["text"].pk), str(world.tags[0].pk)
    nested: dict = {"unread": True}
    for _ in range(8):
        nested = {"not": nested}
    assert refusal(world.workspace, {"and": [{"q": "x"}, {"or": [{"colour": "red"}]}]}) == [
        ("filter.and.1.or.0.colour", "unknown_field")
    ]
    assert refusal(world.workspace, {"tag": {"any": [tag, "nonsense"]}}) == [("filter.tag.any.1", "invalid")]
    assert refusal(world.workspace, {"tag": {"any": [], "all": []}}) == [("filter.tag", "invalid")]
    assert refusal(world.workspace, {"field": {"id": text, "less": 3}}) == [("filter.field.less", "invalid_choice")]
    assert refusal(world.workspace, {"created": {"after": "2026-02-30"}}) == [("filter.created.after", "invalid")]
    assert refusal(world.workspace, {"created": {"last_days": 1, "zone": "Mars/Base"}}) == [
        ("filter.created.zone", "invalid_time_zone")
    ]
    assert refusal(world.workspace, nested)[0][1] == "too_deep"
    assert refusal(world.workspace, {"or": [{"q": f"word{n}"} for n in range(51)]}) == [("filter.or.50.q", "too_many")]
    assert refusal(world.workspace, {"ids": [str(uuid7())] * 1001}) == [("filter.ids", "too_many")]


def test_foreign_ids_are_refused_like_missing_ones(world, other):
    foreign, missing = add_tag(other, "VIP"), uuid7()
    refusals = []
    for id in (foreign.pk, missing):
        with pytest.raises(Refused) as caught:
            parse_filter(world.workspace, {"tag": {"any": [str(id)]}})
        refusals.append([(error.field, error.code, error.detail) for error in caught.value.fields])
    assert (
        refusals[0]
        == refusals[1]
        == [("filter.tag.any.0", "does_not_exist", "Nothing with this id is visible to you.")]
    )
    field, stage, account = add_field(other, "City", "text"), add_stage(other, "New"), add_account(other)
    chat = add_chat(account, kind="group")
    batch = ImportBatch.objects.create(workspace=other, file_name="a.csv", state="finished")
    for tree in (
        {"field": {"id": str(field.pk), "set": True}},
        {"stage": str(stage.pk)},
        {"whatsapp_account": str(account.pk)},
        {"group": str(chat.pk)},
        {"import": str(batch.pk)},
        {"owner": str(uuid7())},
    ):
        assert [code for _, code in refusal(world.workspace, tree)] == ["does_not_exist"]


def test_filter_never_shows_other_workspaces_rows(world, other):
    theirs = add_contact(other, "Theirs")
    for tree in ({}, {"ids": [str(theirs.pk)]}, {"not": {"q": "nothing"}}):
        found = parse_filter(world.workspace, tree)
        assert not contacts_matching(world.workspace, found).filter(pk=theirs.pk).exists()


def test_saved_filter_survives_its_tag(world):
    tree = {"or": [{"tag": {"any": [str(world.tags[0].pk)]}}, {"email": {"is": "person3@example.com"}}]}
    ContactTag.objects.filter(tag=world.tags[0]).delete()
    Tag.objects.filter(pk=world.tags[0].pk).delete()
    found = parse_filter(world.workspace, tree, lenient=True)
    assert [(error.field, error.code) for error in found.dead] == [("filter.or.0.tag.any.0", "does_not_exist")]
    assert [contact.email for contact in contacts_matching(world.workspace, found)] == ["person3@Example.com"]
    assert found.data == tree


def test_saved_filter_survives_its_field(world):
    field = world.fields["date"]
    tree = {"not": {"field": {"id": str(field.pk), "last_days": 3, "zone": ZONE}}}
    parse_filter(world.workspace, tree)
    field.delete()
    found = parse_filter(world.workspace, tree, lenient=True)
    assert [error.field for error in found.dead] == ["filter.not.field.id"]
    assert contacts_matching(world.workspace, found).count() == 36
    assert found.data == tree


def test_me_is_whoever_looks(world):
    found = parse_filter(world.workspace, {"owner": "me"})
    assert found.depends_on_viewer
    for person, count in ((world.alice, 12), (world.bob, 12), (None, 0)):
        assert contacts_matching(world.workspace, found, person).count() == count


def test_normal_form_is_one(world):
    a, b = sorted(str(tag.pk) for tag in world.tags[:2])
    one = {"and": [{"tag": {"any": [b, a, b]}}, {"and": [{"unread": True}, {"tag": {"any": [a, b]}}]}]}
    assert parse_filter(world.workspace, one).data == {"and": [{"tag": {"any": [a, b]}}, {"unread": True}]}
    assert parse_filter(world.workspace, {"not": {"not": {"unread": True}}}).data == {"unread": True}
    assert parse_filter(world.workspace, {"or": [{"unread": True}]}).data == {"unread": True}
