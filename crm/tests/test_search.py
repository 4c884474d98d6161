"""Search and ordered lists: what people mean, best first, page by page without loss, along an index."""

import json
import re
from functools import partial

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from accounts.tests.together import assert_refused
from crm.filters import parse_filter
from crm.filters.compiled import contacts_matching
from crm.models import Contact, FieldValue, Stage
from crm.search import scans
from crm.search.lists import page_of_contacts
from crm.tests.plans import plans_of
from crm.tests.records import add_account, add_chat, add_contact, add_field, add_note, add_stage, add_tag, hold, wear
from waplus.lib.errors import Refused
from waplus.lib.text import fold, searchable

CONTACTS = "/api/v1/contacts/"

pytestmark = pytest.mark.django_db


def names(workspace, query: str = "", **kwargs) -> list[str]:
    """Names of all that a list shows, over all of its pages."""
    found, cursor = [], ""
    while cursor is not None:
        ids, cursor = page_of_contacts(workspace=workspace, query=query, cursor=cursor, **kwargs)
        rows = Contact.objects.in_bulk(ids)
        found += [rows[id].name for id in ids]
    return found


def ids_of(workspace, query: str, **kwargs) -> list:
    """The ids of all that a list shows, over all of its pages."""
    found, cursor = [], ""
    while cursor is not None:
        ids, cursor = page_of_contacts(workspace=workspace, query=query, cursor=cursor, **kwargs)
        found += ids
    return found


@pytest.mark.parametrize(
    ("name", "queries"),
    [
        ("José Ângelo", ["jose", "JOSÉ", "angelo", "âng", "an", "j", "jose angelo", "angelo jose"]),
        ("Łukasz Żółć", ["lukasz", "zolc", "ŁUKASZ", "lu", "ż"]),
        ("STRASSE Müller", ["straße", "muller", "MÜLLER", "strasse"]),
        ("Nguyễn Thị Đặng", ["nguyen", "dang", "thi"]),
        ("محمد الحربي", ["محمد", "الحربي", "مح", "حربي"]),
        ("مُحَمَّد", ["محمد"]),
        ("Иван Щёголев", ["иван", "ИВАН", "щеголев", "щ", "голев"]),
        ("王小明", ["王小明", "小明", "明", "王", "王小"]),
        ("東京太郎", ["京太", "太郎", "東京太"]),
        ("สมชาย", ["สมชาย", "ชาย", "มช"]),
        ("김철수", ["김철수", "철수", "수"]),
        ("राहुल शर्मा", ["राहुल", "शर्मा"]),
        ("ＦＵＬＬ Ｗｉｄｔｈ", ["full width", "width"]),
        ("100% Rabatt_x", ["100%", "rabatt_x", "t_x"]),
    ],
)
def test_query_finds_name_in_its_script(acme, name, queries):
    contact = add_contact(acme, name)
    add_contact(acme, "Somebody else")
    for query in queries:
        assert page_of_contacts(workspace=acme, query=query)[0] == [contact.pk], query


@pytest.mark.parametrize("query", ["%", "_", "\\", "100_", "rab%x", "0%r"])
def test_wildcards_are_letters(acme, query):
    add_contact(acme, "100 Rabatt x")
    assert names(acme, query) == []


@pytest.mark.parametrize(
    "query",
    [
        *("+55 (11) 98765-4321", "5511987654321", "551187654321", "0055 11 98765 4321", "98765-4321", "8765", "1198"),
        *("(11) 98765", "011 98765-4321", "٩٨٧٦٥", "+55 11 9 8765‑4321", "\u202a+55 11 98765-4321\u202c"),
    ],
)
def test_query_finds_number_in_its_spellings(acme, query):
    contact = add_contact(acme, "Ana", number="5511987654321")
    add_contact(acme, "Bia", number="4915112345678")
    assert page_of_contacts(workspace=acme, query=query)[0] == [contact.pk]


def test_best_come_first_and_everybody_once(acme):
    tag, city = add_tag(acme, "Gold customers"), add_field(acme, "City", "text")
    noted = add_contact(acme, "Nora")
    add_note(noted, "Ring about gold")
    add_note(noted, "More gold")
    held = add_contact(acme, "Hana")
    hold(held, city, "Goldstadt")
    hold(held, add_field(acme, "Second", "text"), "gold again")
    worn = add_contact(acme, "Wilma")
    wear(worn, tag)
    company = add_contact(acme, "Carl", company="Marigold")
    begins = [add_contact(acme, name) for name in ("Goldie", "Gold Ann")]
    both = add_contact(acme, "Golda")
    add_note(both, "gold")
    wear(both, tag)
    expected = ["Gold Ann", "Golda", "Goldie", "Carl", "Wilma", "Hana", "Nora"]
    assert names(acme, "gold") == expected
    for limit in (1, 2, 3):
        assert names(acme, "gold", limit=limit) == expected
    assert begins[0].pk in page_of_contacts(workspace=acme, query="gold", limit=3)[0]
    assert company.pk not in page_of_contacts(workspace=acme, query="gold", limit=3)[0]


def test_number_itself_comes_before_its_part(acme):
    add_contact(acme, "Part", number="5511987654321")
    exact = add_contact(acme, "Whole", number="4411987654321")
    add_contact(acme, "Part too", email="4411987654321@example.com")
    ids, _ = page_of_contacts(workspace=acme, query="+44 11987654321")
    assert ids[0] == exact.pk and len(ids) == 2


def test_words_may_stand_in_different_places(acme):
    tag, city = add_tag(acme, "Wholesale"), add_field(acme, "City", "text")
    contact = add_contact(acme, "Maria Silva")
    wear(contact, tag)
    hold(contact, city, "Porto")
    add_note(contact, "wants a discount")
    add_contact(acme, "Maria Souza")
    for query in ("maria wholesale", "silva porto", "discount maria", "who por disc"):
        assert names(acme, query) == ["Maria Silva"]
    assert names(acme, "maria souza porto") == []


def test_bin_and_other_workspaces_are_not_found(acme, other, alice):
    add_contact(acme, "Ana Bin", deleted_at=timezone.now())
    add_contact(other, "Ana Elsewhere")
    assert names(acme, "ana") == names(acme) == []


def rows_of(workspace, count: int = 60) -> list:
    """Contacts with repeated names, and values, chats for a part."""
    city, size = add_field(workspace, "City", "text"), add_field(workspace, "Size", "number")
    account = add_account(workspace)
    now, made = timezone.now(), []
    for n in range(count):
        at = now - timezone.timedelta(minutes=n % 7)
        contact = add_contact(workspace, f"Name {n % 9}", at=at)
        if n % 3:
            hold(contact, city, f"City {n % 5}")
        if n % 4:
            hold(contact, size, n % 6 - 2)
        for chat in range(n % 3):
            add_chat(account, contact, last_message_at=None if n % 5 == 0 else at - timezone.timedelta(hours=chat))
        made.append(contact)
    return [city, size]


def test_every_order_returns_each_row_once_while_rows_are_added(acme):
    city, size = rows_of(acme)
    names_of_orders = [
        "name",
        "changed",
        "updated_at",
        "created",
        "last_message",
        "owner",
        "stage",
        f"field:{city.pk}",
        f"field:{size.pk}",
    ]
    for sort in [sign + name for name in names_of_orders for sign in ("", "-")]:
        there = set(Contact.objects.values_list("pk", flat=True))
        seen, cursor = [], ""
        while cursor is not None:
            ids, cursor = page_of_contacts(workspace=acme, sort=sort, limit=7, cursor=cursor)
            seen += ids
            add_contact(acme, f"Name {len(seen) % 9}")
        assert len(seen) == len(set(seen)), sort
        assert there <= set(seen), sort


def test_orders_are_what_they_say(acme):
    city, size = rows_of(acme, 30)

    def order(sort):
        ids, _ = page_of_contacts(workspace=acme, sort=sort, limit=200)
        rows = Contact.objects.in_bulk(ids)
        return [rows[id] for id in ids]

    values = {(row.contact_id, row.field_id): row for row in FieldValue.objects.all()}
    for sign in ("", "-"):
        assert [row.sort_name for row in order(f"{sign}name")] == sorted(
            (row.sort_name for row in Contact.objects.all()), reverse=bool(sign)
        )
        for field, column in ((city, "text"), (size, "number")):
            shown = [values.get((row.pk, field.pk)) for row in order(f"{sign}field:{field.pk}")]
            held = [getattr(value, column) for value in shown if value]
            assert held == sorted(held, reverse=bool(sign)) and None not in shown[: len(held)]
        shown = [
            row.chats.order_by("-last_message_at").exclude(last_message_at=None).first()
            for row in order(f"{sign}last_message")
        ]
        moments = [chat.last_message_at for chat in shown if chat]
        assert moments == sorted(moments, reverse=bool(sign)) and None not in shown[: len(moments)]


def test_contacts_are_sorted_by_owner_and_stage(acme, alice, bob, charlie):
    """By the names of the members, by the order of the stages, and those without one last in either direction."""
    lead, won = add_stage(acme, "Won"), add_stage(acme, "Lead")
    Stage.objects.filter(pk=won.pk).update(position=1)
    rows = [(alice, won), (bob, lead), (None, None), (charlie, lead), (alice, None), (bob, won)]
    for n, (owner, stage) in enumerate(rows):
        add_contact(acme, f"Name {n}", owner=owner, stage=stage)
    for limit in (1, 2, 50):
        # Charlie is no member, so that nobody's contacts and theirs stand together.
        assert names(acme, sort="owner", limit=limit) == [f"Name {n}" for n in (0, 4, 1, 5, 2, 3)]
        assert names(acme, sort="-owner", limit=limit) == [f"Name {n}" for n in (5, 1, 4, 0, 2, 3)]
        assert names(acme, sort="stage", limit=limit) == [f"Name {n}" for n in (1, 3, 0, 5, 2, 4)]
        assert names(acme, sort="-stage", limit=limit) == [f"Name {n}" for n in (5, 0, 3, 1, 2, 4)]


def test_page_goes_on_behind_its_stage_when_stages_move_or_go(acme):
    """A cursor names the stage, not its place."""
    first, second, third = (add_stage(acme, name) for name in ("First", "Second", "Third"))
    for position, stage in enumerate((first, second, third)):
        Stage.objects.filter(pk=stage.pk).update(position=position)
    for n in range(6):
        add_contact(acme, f"Name {n}", stage=(first, second, third)[n % 3])
    ids, cursor = page_of_contacts(workspace=acme, sort="stage", limit=3)
    assert [Contact.objects.get(pk=id).name for id in ids] == ["Name 0", "Name 3", "Name 1"]
    Stage.objects.filter(pk=first.pk).update(position=9)
    ids, following = page_of_contacts(workspace=acme, sort="stage", limit=3, cursor=cursor)
    assert [Contact.objects.get(pk=id).name for id in ids] == ["Name 4", "Name 2", "Name 5"]
    Contact.objects.filter(stage=second).update(stage=None)
    second.delete()
    with pytest.raises(Refused) as refused:
        page_of_contacts(workspace=acme, sort="stage", cursor=cursor)
    assert refused.value.code == "invalid_cursor"


CAPS = st.fixed_dictionaries(
    {
        "FIRST_WALK": st.sampled_from([1, 30, 1_500]),
        "WORTH": st.sampled_from([0, 100, 25_000]),
        "FEW": st.sampled_from([0, 2, 1_000]),
        "NAMED": st.sampled_from([1, 3, 2_500]),
        "SIEVED": st.sampled_from([0, 5, 20_000]),
        "SIEVED_WALK": st.sampled_from([1, 7, 50_000]),
        "FREQUENT": st.sampled_from([1, 1_000]),
    }
)
QUERIES = st.lists(st.sampled_from(["ana", "so", "gold", "vip", "porto", "55", "明"]), max_size=2).map(" ".join)


@pytest.fixture
def town(acme, alice):
    """Contacts with everything that is searched and filtered, some of it twice; the filters and orders to ask for."""
    vip, rare = add_tag(acme, "VIP"), add_tag(acme, "Rare")
    city, size = add_field(acme, "City", "text"), add_field(acme, "Size", "number")
    account, stages = add_account(acme), [add_stage(acme, name) for name in ("Lead", "Won")]
    for n in range(24):
        owner = alice if n % 4 == 1 else None
        at = timezone.now() - timezone.timedelta(minutes=n % 7)
        contact = add_contact(
            acme,
            ("Ana So", "Gold Ana", "王小明", "Bob")[n % 4],
            number=f"5511980000{n:03d}",
            owner=owner,
            at=at,
            stage=(None, *stages)[n % 3],
        )
        if n % 3 == 0:
            wear(contact, vip)
        if n % 8 == 1:
            wear(contact, rare)
        if n % 5 == 0:
            add_note(contact, ("about gold", "明天")[n % 2])
            add_note(contact, "again about Porto")
        if n % 5 > 1:
            hold(contact, city, ("Porto", "Gold Coast", "Ana")[n % 3])
            hold(contact, size, n % 6)
        if n % 7 == 3:
            contact.deleted_at = timezone.now()
            contact.save()
        for chat in range(n % 3):
            at = None if n % 5 == 0 else timezone.now() - timezone.timedelta(hours=chat)
            add_chat(account, contact, last_message_at=at, unread_count=n % 2)
    tagged, valued = {"tag": {"any": [str(vip.pk)]}}, {"field": {"id": str(size.pk), "more": 2}}
    contained = {"field": {"id": str(city.pk), "contains": "por"}}
    filters = [
        {},
        tagged,
        {"tag": {"all": [str(vip.pk), str(rare.pk)]}},
        {"not": tagged},
        {"and": [tagged, valued, {"owner": "me"}]},
        {"or": [{"tag": {"any": [str(rare.pk)]}}, contained]},
        {"and": [contained, {"not": {"unread": True}}]},
        {"or": [{"q": "gold"}, {"last_message": {"never": True}}]},
        {"and": [{"number": {"contains": "98000001"}}, {"unread": True}]},
    ]
    sorts = ["", "name", "changed", "created", "last_message", "owner", "stage", f"field:{city.pk}", f"field:{size.pk}"]
    return acme, filters, sorts


@given(
    query=QUERIES, which=st.integers(0, 8), order=st.integers(0, 8), sign=st.booleans(), limit=st.integers(1, 7), caps=CAPS,
    allowance=st.sampled_from([1, 40, 60_000]),
)  # fmt: skip
@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_every_way_of_searching_finds_the_same(
    town, alice, monkeypatch, query, which, order, sign, limit, caps, allowance
):
    """Whatever the caps are: walking, looking up and sieving bring the same contacts in the same order, and page by page all of them."""
    workspace, filters, sorts = town
    found = parse_filter(workspace, filters[which])
    sort = f"-{sorts[order]}" if sorts[order] and sign else sorts[order]
    kwargs = {"condition": found.condition(alice), "sort": sort} if filters[which] else {"sort": sort}
    expected = ids_of(workspace, query, limit=200, **kwargs)
    matching = contacts_matching(workspace, found, alice)
    if query:
        matching = matching & contacts_matching(workspace, parse_filter(workspace, {"q": query}), alice)
    assert sorted(expected) == sorted(matching.values_list("pk", flat=True))
    with monkeypatch.context() as patch:
        for name, value in caps.items():
            patch.setattr(scans, name, value)
        patch.setattr(scans.Scan.__init__, "__defaults__", (allowance, scans.ALIVE))
        drivers = found.drivers(alice) if filters[which] else ()
        assert ids_of(workspace, query, limit=limit, drivers=drivers, **kwargs) == expected


def test_driver_that_names_contacts_twice_is_not_taken_for_whole(acme, monkeypatch):
    """Its rows are counted, not its contacts: what lies behind the last row that was read would be missed."""
    fields = [add_field(acme, name, "text") for name in ("One", "Two", "Three")]
    for n in range(6):
        contact = add_contact(acme, f"Name {n}")
        for field in fields:
            hold(contact, field, "porto")
    monkeypatch.setattr(scans, "FEW", 9)
    monkeypatch.setattr(scans, "NAMED", 9)
    assert names(acme, "porto") == [f"Name {n}" for n in reversed(range(6))]


def test_filter_and_query_narrow_each_other(acme, alice):
    vip = add_tag(acme, "VIP")
    for n in range(12):
        contact = add_contact(acme, f"{'Ana' if n % 2 else 'Bia'} {n:02d}")
        if n % 3 == 0:
            wear(contact, vip)
    found = parse_filter(acme, {"not": {"tag": {"any": [str(vip.pk)]}}})
    kwargs = {"condition": found.condition(alice), "drivers": found.drivers(alice)}
    assert names(acme, "ana", **kwargs) == ["Ana 01", "Ana 05", "Ana 07", "Ana 11"]
    assert names(acme, "ana", sort="-name", limit=2, **kwargs) == ["Ana 11", "Ana 07", "Ana 05", "Ana 01"]


def test_list_and_search_answer_alike_over_http(alice_device, acme):
    vip = add_tag(acme, "VIP")
    wear(add_contact(acme, "Ana"), vip)
    add_contact(acme, "Ana too")
    tree = {"tag": {"any": [str(vip.pk)]}}
    listed = alice_device.client.get(CONTACTS, {"q": "ana", "filter": json.dumps(tree)}).json()
    searched = alice_device.client.post(f"{CONTACTS}search/", {"q": "ana", "filter": tree}, format="json").json()
    assert listed == searched
    assert [row["name"] for row in listed["results"]] == ["Ana"]


@pytest.mark.parametrize(
    ("params", "field"),
    [
        ({"filter": "{"}, "filter"),
        ({"filter": '{"q": "a", "q": "b"}'}, "filter"),
        ({"filter": '{"q": "\\u0000"}'}, "filter"),
        ({"filter": " " * 4_001}, "filter"),
        ({"filter": '{"colour": 1}'}, "filter.colour"),
        ({"filter": "[" * 5000}, "filter"),
        ({"filter": '"x' + "y" * 9000}, "filter"),
        ({"q": "x\x00"}, "q"),
        ({"q": "x" * 201}, "q"),
        ({"sort": "colour"}, "sort"),
        ({"sort": "field:nonsense"}, "sort"),
        ({"limit": "0"}, "limit"),
        ({"limit": "1e9"}, "limit"),
    ],
)
def test_malformed_list_is_refused(alice_device, params, field):
    errors = assert_refused(alice_device.client.get(CONTACTS, params), "invalid")["errors"]
    assert [error["field"] for error in errors] == [field]


@pytest.mark.parametrize("cursor", ["x", "WyJuYW1lIl0", "é", "bnVsbA", "W10"])
def test_malformed_cursor_is_refused(alice_device, cursor):
    assert_refused(alice_device.client.get(CONTACTS, {"cursor": cursor}), "invalid_cursor")
    assert_refused(alice_device.client.get(CONTACTS, {"cursor": cursor, "q": "ana"}), "invalid_cursor")


def test_cursor_of_other_order_is_refused(alice_device, acme):
    for n in range(3):
        add_contact(acme, f"Ana {n}")
    cursor = alice_device.client.get(CONTACTS, {"limit": 1}).json()["next_cursor"]
    assert_refused(alice_device.client.get(CONTACTS, {"sort": "-name", "cursor": cursor}), "invalid_cursor")


# --- Along an index ---------------------------------------------------------------------------------


def plans_for(call) -> list[str]:
    """The plans of every statement that a call searches with."""
    with CaptureQueriesContext(connection) as captured:
        call()
    return plans_of(captured)


@pytest.fixture
def crowd(acme):
    """Three thousand contacts, so that reading the table is dearer than an index."""
    rows = [
        Contact(
            workspace=acme,
            name=f"Name {n:04d} {'rare' if n == 7 else 'common'}",
            sort_name=f"name {n:04d}",
            search_text=searchable(fold(f"Name {n:04d} {'rare' if n == 7 else 'common'}")),
            created_at="2026-01-01T00:00Z",
            updated_at="2026-01-01T00:00Z",
        )
        for n in range(3000)
    ]
    Contact.objects.bulk_create(rows)
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE crm_contact")
    return acme


LARGE = "crm_(contact|contactidentity|contacttag|fieldvalue|note|chat)"


@pytest.mark.parametrize("query", ["common", "rare", "absent", "ra", "n", "x", "0007", "999", "common rare"])
def test_search_never_reads_the_table(crowd, monkeypatch, query):
    monkeypatch.setattr(scans, "FIRST_WALK", 500)
    monkeypatch.setattr(scans, "NAMED", 50)
    for plan in plans_for(lambda: page_of_contacts(workspace=crowd, query=query)):
        assert not re.search(rf"Seq Scan on {LARGE}\b", plan), plan
        assert "Sort" not in plan or "named" in plan, plan


@pytest.mark.parametrize("sort", ["name", "-name", "changed", "created", "-created", "last_message", "-last_message"])
def test_orders_never_read_the_table(crowd, monkeypatch, sort):
    call = lambda: page_of_contacts(workspace=crowd, query="", sort=sort, limit=50)  # noqa: E731
    for plan in plans_for(call):
        assert not re.search(rf"(Seq Scan on {LARGE}\b)|Sort", plan), plan


@pytest.mark.parametrize("few", [0, 1_000])
def test_filters_never_read_the_table(crowd, alice, monkeypatch, few):
    monkeypatch.setattr(scans, "FEW", few)
    monkeypatch.setattr(scans, "FIRST_WALK", 500)
    tag, field = add_tag(crowd, "VIP"), add_field(crowd, "City", "text")
    for contact in Contact.objects.all()[:40]:
        wear(contact, tag)
        hold(contact, field, "Porto")
    for tree in (
        {"tag": {"any": [str(tag.pk)]}},
        {"and": [{"tag": {"any": [str(tag.pk)]}}, {"field": {"id": str(field.pk), "is": "Porto"}}]},
        {"or": [{"field": {"id": str(field.pk), "contains": "port"}}, {"unread": True}]},
        {"and": [{"archived": True}, {"not": {"kind": "channel"}}]},
        {"last_message": {"last_days": 7}},
    ):
        found = parse_filter(crowd, tree)
        for sort in ("name", "-created", "-last_message", f"field:{field.pk}"):
            asked = {"condition": found.condition(alice), "drivers": found.drivers(alice), "sort": sort}
            for plan in plans_for(partial(page_of_contacts, workspace=crowd, **asked)):
                assert not re.search(rf"Seq Scan on {LARGE}\b", plan), plan
