"""Pushing what a workspace is set up with: tabs, tags, stages, custom fields, numbers, by whom the API lets do it."""

import re
from pathlib import Path

import pytest
from django.conf import settings
from django.urls import resolve

from accounts import actors
from accounts.models import Event, Plan, Role
from crm.models import Chat, Contact, CustomField, FieldValue, Stage, Tab, Tag, WhatsAppAccount
from crm.services import custom_fields, stages, tabs
from crm.services.sync import handlers
from crm.services.sync.kinds import kinds
from crm.tests.sync.devices import Replica
from crm.tests.sync.server_state import server_state
from crm.tests.sync.test_pushing import assert_outcome, change, push, update
from waplus.lib.ids import uuid7

pytestmark = pytest.mark.django_db(transaction=True)

ANY_ID = "01990000-0000-7000-8000-000000000000"
VERBS = {"create": "POST", "update": "PATCH", "delete": "DELETE", "move": "PUT", "retire": "POST", "restore": "POST"}
LISTS = {
    "contact": "contacts", "note": "notes", "tag": "tags", "stage": "stages", "custom_field": "custom-fields",
    "tab": "tabs", "reminder": "reminders", "whatsapp_account": "whatsapp-accounts", "chat": "chats",
}  # fmt: skip


def route_of(kind: str, op: str) -> str:
    """The path that does the same for one who is online."""
    whole = f"/api/v1/{LISTS[kind]}/"
    if (kind, op) == ("note", "create"):
        return f"/api/v1/contacts/{ANY_ID}/notes/"
    one = f"{whole}{ANY_ID}/"
    return {"create": whole, "update": one, "delete": one, "move": f"{whole}order/"}.get(op, f"{one}{op}/")


def table(head: str) -> list[tuple[str, str]]:
    """The first two cells of the rows of a table in docs/sync.md."""
    text = (Path(settings.BASE_DIR) / "docs" / "sync.md").read_text()
    rows = text[text.index(head) :].partition("\n\n")[0]
    return re.findall(r"^\| (\w+) \| (.*?) \|", rows, re.MULTILINE)[1:]


def documented() -> dict[str, set[str]]:
    """The operations of each kind as docs/sync.md lists them."""
    words = {kind: re.sub(r"\(.*?\)", "", operations) for kind, operations in table("| kind | operations |")}
    return {kind: set(re.findall(r"\w+", operations)) - {"none"} for kind, operations in words.items()}


def test_members_of_every_document_are_documented():
    always = {"id", "version", "field_versions"}
    members = {kind.name: [name for name in kind.members if name not in always] for kind in kinds()}
    assert {kind: listed.split(", ") for kind, listed in table("| kind | members |")} == members
    assert {kind.name for kind in kinds() if not kind.is_versioned} == {"contact_identity", "contact_tag"}


def test_every_kind_that_is_pulled_is_documented_with_what_may_be_pushed():
    offered = {kind: set(operations) for kind, operations in handlers.pushable().items()}
    assert documented() == {kind.name: offered.get(kind.name, set()) for kind in kinds()}


def test_every_operation_takes_the_role_of_its_route():
    checked = 0
    for kind, operations in handlers.pushable().items():
        for op, role in operations.items():
            if kind not in LISTS or op in ("done", "reopen"):
                assert role == Role.MEMBER
                continue
            view = resolve(route_of(kind, op)).func.view_class
            assert view.roles[VERBS[op]] == role, (kind, op)
            checked += 1
    assert checked == 29


def test_what_is_left_to_online_requests_says_which(acme, alice, alice_device):
    tag = Tag.objects.create(workspace=acme, name="T", folded="t")
    base = {"base_version": 1, "epoch": str(uuid7())}
    results = push(
        alice_device,
        *(
            change(kind, op, None if op == "create" else tag.pk, **(base if op == "update" else {}))
            for kind, op in handlers.ONLINE_ONLY
        ),
    )
    assert len(results) == len(handlers.ONLINE_ONLY) == 10
    assert {(result["status"], result["code"]) for result in results} == {("refused", "online_only")}
    assert results[0]["current"]["document"]["name"] == "T"
    for (kind, op), request in handlers.ONLINE_ONLY.items():
        assert op not in handlers.pushable().get(kind, {})
        method, path = request.split()
        view = resolve(path.replace("<id>", ANY_ID)).func.view_class
        assert method in view.roles
    assert Tag.objects.count() == 1


def test_members_change_what_is_everybodys_and_admins_the_pipeline(acme, alice, alice_device, bob_device):
    stage, _ = stages.create_stage(workspace=acme, name="New", actor=actors.person(alice))
    field, _ = custom_fields.create_field(workspace=acme, name="Size", kind="number", actor=actors.person(alice))
    made = str(uuid7())
    batch = [
        change("stage", "create", made, name="Won", outcome="won"),
        update("stage", stage, 1, name="Newer"),
        change("stage", "move", stage.pk, after=None),
        change("custom_field", "create", name="City", kind="text"),
        update("custom_field", field, 1, name="Sizes"),
        change("custom_field", "retire", field.pk),
        change("custom_field", "restore", field.pk),
        change("custom_field", "move", field.pk, after=None),
    ]
    events = Event.objects.count()
    results = push(bob_device, *batch)
    assert {(result["status"], result["code"]) for result in results} == {("refused", "forbidden")}
    assert results[1]["current"]["document"]["name"] == "New"
    assert (Stage.objects.get().version, CustomField.objects.get().version) == (1, 1)
    assert Event.objects.count() == events
    statuses = [result["status"] for result in push(alice_device, *batch)]
    assert statuses == ["applied", "applied", "unchanged", "applied", "applied", "applied", "applied", "unchanged"]
    assert list(Stage.objects.order_by("position").values_list("name", "outcome")) == [
        ("Newer", "open"),
        ("Won", "won"),
    ]
    assert sorted(CustomField.objects.values_list("name", "retired_at")) == [("City", None), ("Sizes", None)]


def test_makes_a_whole_pipeline_offline(acme, alice, alice_device):
    """What hangs on what was made in the same batch finds it."""
    stage, field, option, contact = (str(uuid7()) for _ in range(4))
    results = push(
        alice_device,
        change("stage", "create", stage, name="New"),
        change("custom_field", "create", field, name="Size", kind="choice", options=[{"id": option, "label": "L"}]),
        change("contact", "create", contact, name="Ana", stage=stage, fields={field: option}),
        change("tab", "create", name="New ones", filter={"stage": stage}, shared=True),
    )
    assert [result["status"] for result in results] == ["applied"] * 4
    assert str(Contact.objects.get().stage_id) == stage
    assert FieldValue.objects.get().value == option
    assert Replica(alice_device.client).pull().rows == server_state(acme, alice)


def test_stage_and_field_of_the_same_name_are_joined(acme, alice, alice_device):
    stage, _ = stages.create_stage(workspace=acme, name="New", actor=actors.person(alice))
    field, _ = custom_fields.create_field(workspace=acme, name="Size", kind="number", actor=actors.person(alice))
    mine, other = change("stage", "create", name="NEW"), change("custom_field", "create", name="size", kind="number")
    contact = change("contact", "create", name="Ana", stage=mine["id"])
    value = change("field_value", "create", contact=contact["id"], field=other["id"], value="7")
    stage_result, field_result, made, filled, wrong = push(
        alice_device, mine, other, contact, value, change("custom_field", "create", name="Size", kind="text")
    )
    assert (stage_result["status"], stage_result["id"]) == ("merged", str(stage.pk))
    assert (field_result["status"], field_result["id"]) == ("merged", str(field.pk))
    assert (made["status"], filled["status"]) == ("applied", "applied")
    assert (Contact.objects.get().stage_id, FieldValue.objects.get().field_id) == (stage.pk, field.pk)
    assert_outcome(wrong, "refused", "name_taken", ["name"])
    assert (Stage.objects.count(), CustomField.objects.count()) == (1, 1)


def test_filter_names_the_tag_that_took_the_place(acme, alice_device, bob_device):
    mine, theirs = change("tag", "create", name="VIP"), change("tag", "create", name="vip")
    push(alice_device, mine)
    _, made = push(
        bob_device, theirs, change("tab", "create", name="VIPs", filter={"not": {"tag": {"any": [theirs["id"]]}}})
    )
    assert made["current"]["document"]["filter"] == {"not": {"tag": {"any": [mine["id"]]}}}


def test_options_change_offline_as_far_as_no_value_has_to_follow(acme, alice, alice_device):
    field, _ = custom_fields.create_field(
        workspace=acme, name="Size", kind="choice", options=[{"label": "L"}], actor=actors.person(alice)
    )
    [large] = field.options
    wanted = [{"id": str(uuid7()), "label": "XL", "colour": "red"}, {"id": large["id"]}]
    [added] = push(alice_device, update("custom_field", field, 1, options=[wanted[0], {**large, "colour": "blue"}]))
    assert_outcome(added, "applied")
    assert [option["label"] for option in CustomField.objects.get().options] == ["XL", "L"]
    [renamed] = push(alice_device, update("custom_field", field, 2, options=[{**large, "label": "Large"}]))
    assert_outcome(renamed, "refused", "online_only")
    # Another device wants the very same on the base of the first version.
    [same] = push(alice_device, update("custom_field", field, 1, options=[wanted[0], {**large, "colour": "blue"}]))
    assert_outcome(same, "unchanged")
    [late] = push(alice_device, update("custom_field", field, 1, options=[large]))
    assert_outcome(late, "refused", "conflict", ["options"])
    assert CustomField.objects.get().version == 2


def test_rows_are_moved_one_behind_the_other(acme, alice, alice_device, bob_device):
    one, two, three = (str(uuid7()) for _ in range(3))
    push(alice_device, *(change("tag", "create", id, name=id[-6:]) for id in (one, two, three)))
    moved, same, onto_itself, unknown, none, nowhere = push(
        bob_device,
        change("tag", "move", three, after=one), change("tag", "move", three, after=one),
        change("tag", "move", two, after=two), change("tag", "move", two, after=str(uuid7())),
        change("tag", "move", uuid7(), after=None), change("tag", "move", two),
    )  # fmt: skip
    assert [result["status"] for result in (moved, same)] == ["applied", "unchanged"]
    for result in (onto_itself, unknown):
        assert_outcome(result, "refused", "invalid", ["after"])
    assert (none["code"], none["current"]) == ("not_found", None)
    assert_outcome(nowhere, "refused", "invalid", ["set.after"])
    assert [str(tag.pk) for tag in Tag.objects.order_by("position")] == [one, three, two]
    # Two people who move other rows are both heard.
    push(alice_device, change("tag", "move", two, after=None))
    assert [str(tag.pk) for tag in Tag.objects.order_by("position")] == [two, one, three]


def test_tabs_are_changed_by_field_and_deleted_once(acme, alice, bob, alice_device):
    tab, _ = tabs.create_tab(workspace=acme, user=alice, actor=actors.person(alice), name="All", shared=True)
    tabs.update_tab(workspace=acme, user=bob, tab_id=tab.pk, actor=actors.person(bob), name="Everybody")
    unread = {"unread": True}
    [merged] = push(alice_device, update("tab", tab, 1, name="Mine", filter=unread, sort="-name"))
    assert_outcome(merged, "merged", fields=["name"])
    document = merged["current"]["document"]
    assert (document["name"], document["filter"], document["sort"]) == ("Everybody", unread, "-name")
    [wrong] = push(alice_device, update("tab", tab, 3, filter={"nonsense": 1}))
    assert (wrong["status"], wrong["code"]) == ("refused", "invalid")
    gone, again = push(alice_device, change("tab", "delete", tab.pk), change("tab", "delete", tab.pk))
    assert (gone["status"], again["status"]) == ("applied", "unchanged")
    assert not Tab.objects.exists()


def test_private_tab_of_a_colleague_is_as_unknown_as_none(acme, alice, bob_device):
    tab, _ = tabs.create_tab(workspace=acme, user=alice, actor=actors.person(alice), name="Mine")
    for row_id in (tab.pk, uuid7()):
        results = push(
            bob_device,
            change("tab", "move", row_id, after=None),
            change("tab", "delete", row_id),
            {**update("tab", tab, 1, name="Bob's"), "id": str(row_id)},
        )
        assert [(each["status"], each["code"], each["current"]) for each in results] == [
            ("refused", "not_found", None), ("unchanged", "", None), ("refused", "not_found", None),
        ]  # fmt: skip
    shared, _ = tabs.create_tab(workspace=acme, user=alice, actor=actors.person(alice), name="Ours", shared=True)
    behind, made = push(
        bob_device, change("tab", "move", shared.pk, after=str(tab.pk)), change("tab", "create", tab.pk, name="x")
    )
    assert_outcome(behind, "refused", "invalid", ["after"])
    assert (made["code"], made["current"]) == ("id_taken", None)
    [hidden] = push(bob_device, update("tab", shared, 1, shared=False))
    assert_outcome(hidden, "refused", "forbidden", ["shared"])
    assert list(Tab.objects.order_by("id").values_list("version", flat=True)) == [1, 1]


def test_number_is_there_once_and_its_name_changes_by_field(acme, alice, alice_device, bob_device):
    Plan.objects.update(max_whatsapp_numbers=1)
    mine, theirs = (change("whatsapp_account", "create", jid="4915112345678@c.us", name=name) for name in "ab")
    assert_outcome(push(alice_device, mine)[0], "applied")
    joined, full = push(bob_device, theirs, change("whatsapp_account", "create", jid="4915112345679@c.us"))
    assert (joined["status"], joined["id"]) == ("merged", mine["id"])
    assert_outcome(full, "refused", "plan_limit_reached")
    account = WhatsAppAccount.objects.get()
    named, late = push(
        bob_device,
        update("whatsapp_account", account, 1, name="Sales"),
        update("whatsapp_account", account, 1, name="c"),
    )
    assert_outcome(named, "applied")
    assert_outcome(late, "refused", "conflict", ["name"])
    chat = Chat.objects.create(workspace=acme, whatsapp_account=account, jid="1@c.us", kind="person", search_text=" ")
    named, empty = push(bob_device, update("chat", chat, 1, own_name="Ana"), update("chat", chat, 1))
    assert_outcome(named, "applied")
    assert_outcome(empty, "refused", "invalid", ["set.own_name"])
    assert (Chat.objects.get().own_name, Chat.objects.get().search_text) == ("Ana", " ana")


def test_reaches_into_nothing_of_another_workspace(acme, alice, charlie_device):
    who = {"workspace": acme, "actor": actors.person(alice)}
    stage, _ = stages.create_stage(name="New", **who)
    field, _ = custom_fields.create_field(name="Size", kind="number", **who)
    tab, _ = tabs.create_tab(user=alice, name="Ours", shared=True, **who)
    tag = Tag.objects.create(workspace=acme, name="T", folded="t")
    account = WhatsAppAccount.objects.create(workspace=acme, jid="1@c.us")
    chat = Chat.objects.create(workspace=acme, whatsapp_account=account, jid="1@c.us", kind="person", search_text=" ")
    rows = {"stage": stage, "custom_field": field, "tab": tab, "tag": tag, "whatsapp_account": account, "chat": chat}
    called = {"chat": "own_name"}
    batch = [update(kind, row, 1, **{called.get(kind, "name"): "stolen"}) for kind, row in rows.items()]
    batch += [change(kind, "move", rows[kind].pk, after=None) for kind in ("stage", "custom_field", "tab", "tag")]
    batch += [change("custom_field", op, field.pk) for op in ("retire", "restore")]
    own = change("tag", "create", name="Mine")
    results = push(charlie_device, *batch)
    assert len(results) == 12
    assert {(each["status"], each["code"], each["current"]) for each in results} == {("refused", "not_found", None)}
    made, behind, filtered, gone = push(
        charlie_device,
        own,
        change("tag", "move", own["id"], after=str(tag.pk)),
        change("tab", "create", name="x", filter={"tag": {"any": [str(tag.pk)]}}),
        change("tab", "delete", tab.pk),
    )
    assert [each["status"] for each in (made, behind, filtered, gone)] == ["applied", "refused", "refused", "unchanged"]
    for row in rows.values():
        row.refresh_from_db()
        assert row.version == 1


def test_deep_filter_is_refused_and_nothing_breaks(acme, alice, alice_device):
    deep: dict = {"unread": True}
    for _ in range(12):
        deep = {"not": deep}
    [result] = push(alice_device, change("tab", "create", name="Deep", filter=deep))
    assert (result["status"], result["code"]) == ("refused", "invalid")
    assert not Tab.objects.exists()
