"""Tabs in the browser: kept from a list, opened, changed, ordered, deleted; and whose they are."""

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from accounts import actors
from crm.models import Tab, TabCount
from crm.pages import contact_list, list_pages
from crm.search import chats
from crm.services import tabs
from crm.tests.records import add_account, add_chat, add_contact, add_field, add_stage, add_tag, hold, wear
from crm.tests.test_pages_contacts import said, shown
from waplus.lib.ids import uuid7


def keep(client, *, target="contacts", query="", name="Mine", id=None, **values):
    sent = {"id": id or uuid7(), "name": name, **values}
    return client.post(reverse("save-tab", args=[target]) + query, sent, follow=True)


def make(user, workspace, name="Mine", **fields) -> Tab:
    return tabs.create_tab(workspace=workspace, user=user, actor=actors.person(user), name=name, **fields)[0]


def strip(response) -> list[tuple[str, int | None]]:
    return [(row["tab"].name, row["kept"] and row["kept"].count) for row in response.context["strip"]]


@pytest.fixture
def vip(acme):
    """A tag, with which Ana is tagged and Bruno is not."""
    vip = add_tag(acme, "VIP")
    wear(add_contact(acme, "Ana"), vip)
    add_contact(acme, "Bruno")
    return vip


def test_save_list_as_tab(client, alice, vip):
    client.force_login(alice)
    query = f"?q=an&sort=-name&field=tag&op=is&value={vip.pk}"
    response = keep(client, query=query, name=" My  VIPs ")
    tab = Tab.objects.get()
    assert response.redirect_chain == [(f"{reverse('contacts')}?tab={tab.pk}", 302)]
    assert said(response) == ["The tab “My VIPs” is there."]
    assert (tab.name, tab.sort, tab.shared, tab.owner) == ("My VIPs", "-name", False, alice)
    assert tab.filter == {"and": [{"q": "an"}, {"tag": {"any": [str(vip.pk)]}}]}
    assert shown(response) == ["Ana"]
    assert strip(response) == [("My VIPs", 1)]
    text = response.content.decode()
    assert f'href="{reverse("contacts")}?tab={tab.pk}" aria-current="page"' in text
    assert 'value="an"' in text
    assert "Save in" not in text


def test_saving_twice_makes_one_tab(client, alice, acme):
    client.force_login(alice)
    id = uuid7()
    for _ in range(2):
        keep(client, id=id)
    assert Tab.objects.get().pk == id


def test_save_tab_without_name(client, alice, vip):
    client.force_login(alice)
    response = keep(client, query="?q=ana", name=" ")
    assert said(response) == ["Write a name for the tab, of at most 80 characters."]
    assert response.redirect_chain == [(reverse("contacts") + "?q=ana", 302)]
    assert keep(client, name="x" * 81).status_code == 200
    assert not Tab.objects.exists()


def test_change_what_a_tab_shows(client, alice, acme, vip):
    client.force_login(alice)
    tab = make(alice, acme, filter={"tag": {"any": [str(vip.pk)]}})
    opened = client.get(reverse("contacts"), {"tab": tab.pk})
    assert opened.context["state"].address() == f"?tab={tab.pk}"
    without = opened.context["state"].chips()[0]["without"]
    response = client.get(reverse("contacts") + without)
    assert shown(response) == ["Ana", "Bruno"]
    assert response.context["state"].is_changed
    assert "Save in “Mine”" in response.content.decode()
    other = f"?tab={tab.pk}&changed=1&sort=-updated_at&field=tag&op=not&value={vip.pk}"
    assert shown(client.get(reverse("contacts") + other)) == ["Bruno"]
    response = client.post(reverse("refilter-tab", args=[tab.pk]) + other, follow=True)
    assert said(response) == ["The tab “Mine” shows this from now on."]
    tab.refresh_from_db()
    assert (tab.filter, tab.sort) == ({"not": {"tag": {"any": [str(vip.pk)]}}}, "-updated_at")
    assert shown(response) == ["Bruno"]
    assert response.context["state"].address() == f"?tab={tab.pk}"


def test_same_address_is_no_change(client, alice, acme, vip):
    client.force_login(alice)
    tab = make(alice, acme, filter={"tag": {"any": [str(vip.pk)]}})
    same = f"?tab={tab.pk}&changed=1&field=tag&op=is&value={vip.pk}"
    state = client.get(reverse("contacts") + same).context["state"]
    assert not state.is_changed
    assert state.address() == f"?tab={tab.pk}"


def test_open_tab_that_the_form_has_no_words_for(client, alice, acme, vip):
    """The extension makes any filter; the browser shows it, narrows it, and keeps it whole."""
    client.force_login(alice)
    nested = {"or": [{"and": [{"tag": {"any": [str(vip.pk)]}}, {"owner": None}]}, {"number": {"country": "55"}}]}
    add_contact(acme, "Carla", number="5511987654321")
    tab = make(alice, acme, filter=nested)
    response = client.get(reverse("contacts"), {"tab": tab.pk})
    assert shown(response) == ["Ana", "Carla"]
    assert "The tab’s own filter" in response.content.decode()
    narrowed = f"?tab={tab.pk}&changed=1&field=number&op=yes&value="
    assert shown(client.get(reverse("contacts") + narrowed)) == ["Carla"]
    client.post(reverse("refilter-tab", args=[tab.pk]) + narrowed)
    tab.refresh_from_db()
    assert tab.filter == {"and": [nested, {"number": {"has": True}}]}
    assert shown(client.get(reverse("contacts"), {"tab": tab.pk})) == ["Carla"]


@pytest.mark.parametrize(
    "rows",
    [
        [("tag", "is", "{vip}")],
        [("tag", "not", "{vip}"), ("owner", "is", "me"), ("owner", "not", "none")],
        [("tag", "is", "none"), ("stage", "is", "{stage}")],
        [("created", "within", "7"), ("changed", "longer", "30"), ("last_message", "within", "1")],
        [("awaiting_reply", "yes", ""), ("unread", "no", ""), ("archived", "no", ""), ("kind", "is", "group")],
        [("number", "yes", ""), ("number", "contains", "987"), ("email", "no", "")],
        [("{size}", "more", "5"), ("{size}", "empty", ""), ("{from}", "is", "shop"), ("{from}", "not", "web")],
        [
            ("{born}", "next", "7"),
            ("{born}", "less", "2000-01-01"),
            ("{good}", "is", "true"),
            ("{good}", "not", "true"),
        ],
    ],
)
@pytest.mark.parametrize("match", ["all", "any"])
def test_tab_says_in_the_form_what_it_was_made_of(client, alice, acme, vip, rows, match):
    ids = {
        "{vip}": vip.pk,
        "{stage}": add_stage(acme, "New").pk,
        "{size}": add_field(acme, "Size", "number").pk,
        "{from}": add_field(acme, "From", "choice", "Shop Web").pk,
        "{born}": add_field(acme, "Born", "date").pk,
        "{good}": add_field(acme, "Good", "boolean").pk,
    }
    rows = [tuple(str(ids.get(part, part)) for part in row) for row in rows]
    fields, ops, values = zip(*rows, strict=True)
    client.force_login(alice)
    asked = {"q": "ana", "match": match, "field": fields, "op": ops, "value": values}
    state = client.get(reverse("contacts"), asked).context["state"]
    response = keep(client, query=state.address())
    opened = response.context["state"]
    assert [(row.field, row.op, row.value) for row in opened.rows] == rows
    assert opened.query == "ana"
    assert opened.match == match or len(rows) == 1
    assert not opened.is_changed


def test_rename_share_order_and_delete_tabs(client, alice, bob, acme):
    client.force_login(alice)
    first, second = make(alice, acme, "First"), make(alice, acme, "Second")
    sent = {"name": "Renamed", "shared": "on"}
    assert said(client.post(reverse("edit-tab", args=[first.pk]), sent, follow=True)) == ["The tab is saved."]
    client.post(reverse("move-tab", args=[first.pk, "down"]))
    assert [row["tab"].name for row in client.get(reverse("tabs")).context["rows"]] == ["Second", "Renamed"]
    refused = client.post(reverse("edit-tab", args=[first.pk]), {"name": ""})
    assert "This field is required." in refused.content.decode()
    response = client.post(reverse("delete-tab", args=[second.pk]), follow=True)
    assert said(response) == ["The tab is deleted. What it showed stays."]
    assert list(Tab.objects.values_list("name", "shared")) == [("Renamed", True)]


def test_private_tab_of_others_is_not_found(client, alice, bob, charlie, acme, other):
    private, shared = make(alice, acme, "Private"), make(alice, acme, "Shared", shared=True)
    for user, unseen in ((bob, [private]), (charlie, [private, shared])):
        client.force_login(user)
        for tab in unseen:
            gets = [f"{reverse('contacts')}?tab={tab.pk}", f"{reverse('tab-strip')}?tab={tab.pk}"]
            gets.append(f"{reverse('chats')}?tab={tab.pk}")
            assert [client.get(address).status_code for address in gets] == [404] * 3
            posts = [reverse(name, args=[tab.pk]) for name in ("edit-tab", "refilter-tab", "delete-tab")]
            posts += [reverse("move-tab", args=[tab.pk, "up"]), f"{reverse('export-contacts')}?tab={tab.pk}"]
            posts += [
                f"{reverse('change-selected')}?tab={tab.pk}",
                f"{reverse('save-tab', args=['contacts'])}?tab={tab.pk}",
            ]
            assert [client.post(address, {"name": "stolen"}).status_code for address in posts] == [404] * 7
    client.force_login(bob)
    assert [row["tab"].name for row in client.get(reverse("tabs")).context["rows"]] == ["Shared"]
    assert "Private" not in client.get(reverse("tab-strip")).content.decode()
    assert list(Tab.objects.order_by("position").values_list("name", flat=True)) == ["Private", "Shared"]


def test_shared_tab_is_the_teams_and_its_owner_alone_takes_it_back(client, alice, bob, acme):
    shared = make(alice, acme, "Shared", shared=True)
    client.force_login(bob)
    assert list(client.get(reverse("tabs")).context["rows"][0]["form"].fields) == ["name"]
    client.post(reverse("edit-tab", args=[shared.pk]), {"name": "Better"})
    shared.refresh_from_db()
    assert (shared.name, shared.shared) == ("Better", True)
    client.force_login(alice)
    client.post(reverse("edit-tab", args=[shared.pk]), {"name": "Better"})
    shared.refresh_from_db()
    assert not shared.shared


def test_open_tab_with_nonsense(client, alice, acme, vip):
    client.force_login(alice)
    for address in (f"?tab={uuid7()}", "?tab=x", "?tab=%00", f"?tab={make(alice, acme, target='chats').pk}"):
        assert client.get(reverse("contacts") + address).status_code == 404
    assert client.get(reverse("tab-strip"), {"target": "x"}).status_code == 200
    assert client.post("/tabs/new/people/", {"name": "x"}).status_code == 404


def test_tab_outlives_what_it_speaks_of(client, alice, acme, vip):
    client.force_login(alice)
    size = add_field(acme, "Size", "text")
    tab = make(alice, acme, filter={"tag": {"any": [str(vip.pk)]}}, sort=f"field:{size.pk}")
    vip.delete()
    size.delete()
    response = client.get(reverse("contacts"), {"tab": tab.pk})
    assert shown(response) == []
    assert "speaks of something that was deleted" in response.content.decode()
    assert "that part matches nothing" in client.get(reverse("tabs")).content.decode()


def test_strip_counts_what_the_page_left(client, alice, acme, vip, monkeypatch):
    monkeypatch.setattr(list_pages, "FIRST_BUDGET", 0)
    client.force_login(alice)
    tab = make(alice, acme, filter={"tag": {"any": [str(vip.pk)]}})
    assert strip(client.get(reverse("contacts"))) == [("Mine", None)]
    assert not TabCount.objects.exists()
    assert strip(client.get(reverse("tab-strip"), {"tab": tab.pk})) == [("Mine", 1)]
    assert strip(client.get(reverse("contacts"))) == [("Mine", 1)]


def test_tabs_cost_a_list_the_same(client, alice, acme, vip):
    client.force_login(alice)
    costs = []
    for goal in (1, 8):
        for _ in range(Tab.objects.count(), goal):
            make(alice, acme, filter={"tag": {"any": [str(vip.pk)]}})
        for address in (reverse("contacts"), reverse("tab-strip")):
            client.get(address)
        with CaptureQueriesContext(connection) as queries:
            client.get(reverse("contacts"))
        costs.append(len(queries))
    assert costs[0] == costs[1]


def test_list_chats_by_tab(client, alice, acme, other):
    account, ana = add_account(acme), add_contact(acme, "Ana")
    add_chat(account, ana, unread_count=2, awaiting_reply=True)
    add_chat(account, kind="group", name="Sales team", unread_count=1)
    add_chat(account, kind="group", name="Quiet")
    add_chat(add_account(other), kind="group", name="Foreign", unread_count=1)
    client.force_login(alice)

    def names(response) -> list[str]:
        return [str(chat.contact or chat.name) for chat in response.context["chats"]]

    assert sorted(names(client.get(reverse("chats")))) == ["Ana", "Quiet", "Sales team"]
    unread = "?field=unread&op=yes&value="
    response = keep(client, target="chats", query=unread, name="Unread")
    tab = Tab.objects.get()
    assert (tab.target, tab.filter, tab.sort) == ("chats", {"unread": True}, "")
    assert response.redirect_chain == [(f"{reverse('chats')}?tab={tab.pk}", 302)]
    assert sorted(names(response)) == ["Ana", "Sales team"]
    assert strip(response) == [("Unread", 2)]
    assert reverse("contact", args=[ana.pk]) in response.content.decode()
    groups = f"?tab={tab.pk}&changed=1&field=unread&op=yes&value=&field=kind&op=is&value=group"
    assert names(client.get(reverse("chats") + groups)) == ["Sales team"]
    assert names(client.get(reverse("chats") + "?sort=name&cursor=")) == names(client.get(reverse("chats")))


def test_list_chats_page_by_page(client, alice, acme):
    account = add_account(acme)
    for number in range(60):
        add_chat(account, kind="group", name=f"Group {number:02}")
    client.force_login(alice)
    first = client.get(reverse("chats"))
    second = client.get(reverse("chats") + first.context["more"])
    found = [chat.name for page in (first, second) for chat in page.context["chats"]]
    assert sorted(found) == [f"Group {number:02}" for number in range(60)]
    assert second.context["more"] == ""
    assert client.get(reverse("chats"), {"cursor": "x"}).url == reverse("chats")
    part = client.get(reverse("chats"), headers={"HX-Request": "true"}).content.decode()
    assert "<html" not in part


def test_search_chats(client, alice, acme):
    """By both names of a chat, beside the filter, and with a way on to the contacts."""
    account = add_account(acme)
    add_chat(account, kind="group", name="José’s team", unread_count=1)
    add_chat(account, kind="group", name="Team lunch")
    renamed = add_chat(account, kind="group", name="Friday")
    renamed.own_name, renamed.search_text = "Suppliers", " suppliers friday"
    renamed.save()
    client.force_login(alice)

    def names(**params) -> list[str]:
        return sorted(chat.name for chat in client.get(reverse("chats"), params).context["chats"])

    assert names(q="team") == ["José’s team", "Team lunch"]
    assert names(q="TEAM jose") == ["José’s team"]
    assert names(q="suppl") == names(q="friday") == ["Friday"]
    assert names(q="te") == ["José’s team", "Team lunch"]
    assert names(q="team", field="unread", op="no", value="") == ["Team lunch"]
    assert names(q="\x00 ") == ["Friday", "José’s team", "Team lunch"]
    nothing = client.get(reverse("chats"), {"q": "50% & more"}).content.decode()
    assert "No chat has “50% &amp; more” in its name." in nothing
    assert f"{reverse('contacts')}?q=50%25%20%26%20more" in nothing
    assert 'value="50% &amp; more"' in nothing
    part = client.get(reverse("chats"), {"q": "lunch"}, headers={"HX-Request": "true"})
    assert part.headers["HX-Push-Url"] == reverse("chats") + "?q=lunch"
    assert "<html" not in part.content.decode()


def test_search_of_chats_is_kept_in_no_tab(client, alice, acme):
    account = add_account(acme)
    add_chat(account, kind="group", name="Sales", unread_count=1)
    add_chat(account, kind="group", name="Supply", unread_count=1)
    client.force_login(alice)
    assert "Save as tab" not in client.get(reverse("chats"), {"q": "sales"}).content.decode()
    keep(client, target="chats", query="?q=sales&field=unread&op=yes&value=", name="Unread")
    tab = Tab.objects.get()
    assert tab.filter == {"unread": True}
    found = client.get(
        reverse("chats"), {"tab": tab.pk, "changed": "1", "q": "sales", "field": "unread", "op": "yes", "value": ""}
    )
    assert [chat.name for chat in found.context["chats"]] == ["Sales"]
    assert "Save in" not in found.content.decode()


def test_short_pages_of_chats_go_on(client, alice, acme, monkeypatch):
    """What one request does not come to is a page without anything, which leads on."""
    monkeypatch.setattr(chats, "ALLOWANCE", 3)
    account = add_account(acme)
    for number in range(7):
        add_chat(account, kind="group", name=f"Group {number}", last_message_at=timezone.now())
    add_chat(account, kind="group", name="al")
    client.force_login(alice)
    first = client.get(reverse("chats"), {"q": "al"})
    text = first.content.decode()
    assert first.context["chats"] == []
    assert "Search on" in text
    assert "No chat found" not in text
    second = client.get(reverse("chats") + first.context["more"])
    assert ([chat.name for chat in second.context["chats"]], second.context["more"]) == (["al"], "")


def test_short_pages_of_contacts_go_on(client, alice, acme, monkeypatch):
    monkeypatch.setattr(contact_list, "contact_ids_page", lambda **asked: ([], "on"))
    add_contact(acme, "Ana")
    client.force_login(alice)
    text = client.get(reverse("contacts"), {"q": "ana"}).content.decode()
    assert "Search on" in text
    assert "cursor=on" in text
    assert "Nobody found" not in text


def test_no_chats_says_what_to_do(client, alice, acme):
    client.force_login(alice)
    text = client.get(reverse("chats")).content.decode()
    assert "No chats yet" in text
    assert reverse("devices") in text
    assert "No chat found" in client.get(reverse("chats") + "?field=unread&op=yes&value=").content.decode()
    assert "No tabs yet" in client.get(reverse("tabs")).content.decode()


def test_sort_by_every_order(client, alice, acme):
    budget = add_field(acme, "Budget", "money")
    place = add_field(acme, "Place", "choice", "Shop Web")
    account = add_account(acme)
    for name, amount, option in (("Ana", "20", "web"), ("Bruno", "100", "shop"), ("Carla", None, None)):
        contact = add_contact(acme, name)
        if amount:
            hold(contact, budget, amount)
            hold(contact, place, option)
            add_chat(account, contact, last_message_at=contact.created_at)
    client.force_login(alice)
    offered = client.get(reverse("contacts")).context["orders"]
    assert {"name", "updated_at", "created", "last_message", f"field:{budget.pk}", f"field:{place.pk}"} <= {
        order.name for order in offered
    }
    for order in offered:
        for sort, _words in order.ways:
            response = client.get(reverse("contacts"), {"sort": sort})
            assert sorted(shown(response)) == ["Ana", "Bruno", "Carla"], sort
            assert response.context["sort"] == sort
    response = client.get(reverse("contacts"), {"sort": f"-field:{budget.pk}"})
    assert shown(response) == ["Bruno", "Ana", "Carla"]
    assert [contact.sorted_by for contact in response.context["contacts"]] == ["100.00 EUR", "20.00 EUR", ""]
    assert response.context["last_column"]["label"] == "Budget"
    response = client.get(reverse("contacts"), {"sort": f"field:{place.pk}"})
    assert [contact.sorted_by for contact in response.context["contacts"]] == ["Shop", "Web", ""]
    assert shown(client.get(reverse("contacts"), {"sort": "-created"})) == ["Carla", "Bruno", "Ana"]
    latest = client.get(reverse("contacts"), {"sort": "-last_message"})
    assert [contact.moment is None for contact in latest.context["contacts"]] == [False, False, True]
    assert shown(client.get(reverse("contacts"), {"sort": "changed"})) == ["Ana", "Bruno", "Carla"]


def test_sort_by_field_of_others(client, alice, acme, other):
    foreign = add_field(other, "Size", "text")
    client.force_login(alice)
    assert client.get(reverse("contacts"), {"sort": f"field:{foreign.pk}"}).url == reverse("contacts")
