"""Switching chats on and off: off until a person says so, and deleted once they say otherwise."""

import threading
from datetime import timedelta

import pytest
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext

from accounts import actors
from accounts.models import Event
from accounts.tests.together import at_once
from crm.models import Chat, Contact, ContactTag, Tab, Tag
from messaging.models import ConversationMessage, ConversationRule, ConversationSync, MessageReaction
from messaging.services.conversations import deletion, reading, switching
from messaging.services.conversations.homes import put_all_right
from messaging.services.conversations.ingest import take_messages
from messaging.tests.calls import problem
from messaging.tests.seen import GROUP, LID, NOON, PERSON, at, chat, key, message, post, stored, switch, upload
from messaging.tests.test_conversation_upload import person
from waplus.lib.ids import uuid7

pytestmark = pytest.mark.django_db


def set_rule(device, kind: str, target, *, metadata: bool = True, content: bool = True, **values):
    payload = {"kind": kind, "target": str(target.pk), "metadata_on": metadata, "content_on": content, **values}
    return device.client.post("/api/v1/conversations/rules/", payload)


def needs(device, number) -> dict:
    return device.client.get(f"/api/v1/conversations/needs/?whatsapp_account={number.pk}").json()


def test_switch_on_by_a_person_with_who_and_when(bob_device, bob, number, clock):
    row = chat(number)
    answer = set_rule(bob_device, "chat", row, content=False)
    assert answer.status_code == 201
    rule = answer.json()
    assert (rule["changed_by"], rule["version"], rule["chat"], rule["content_on"]) == (
        str(bob.pk),
        1,
        str(row.pk),
        False,
    )
    assert upload(bob_device, number, [message()]) == {"messages": ["stored"]}
    again = set_rule(bob_device, "chat", row, content=True)
    assert again.status_code == 200
    assert (again.json()["id"], again.json()["version"]) == (rule["id"], 2)
    assert list(Event.objects.filter(object_id=rule["id"]).order_by("id").values_list("kind", flat=True)) == [
        "conversation_rule.switched_on",
        "conversation_rule.switched_on",
    ]


def test_refuse_rules_of_many_chats_to_members(alice_device, bob_device, number):
    assert problem(set_rule(bob_device, "account", number))[:2] == (403, "forbidden")
    assert not ConversationRule.objects.exists()
    assert set_rule(alice_device, "account", number).status_code == 201


@pytest.mark.parametrize(("metadata", "content"), [(False, True), (False, False)])
def test_refuse_a_rule_that_makes_no_sense(alice_device, number, metadata, content):
    assert set_rule(alice_device, "account", number, metadata=metadata, content=content).status_code == 400
    assert not ConversationRule.objects.exists()


def test_refuse_what_is_not_of_the_workspace_or_never_synced(alice_device, acme, number, foreign_number):
    foreign = chat(foreign_number)
    channel = chat(number, "120363041234567890@newsletter")
    type(channel).objects.filter(pk=channel.pk).update(kind="channel")
    for kind, target in (("chat", foreign), ("account", foreign_number), ("chat", channel)):
        assert set_rule(alice_device, kind, target).json()["errors"][0]["code"] == "does_not_exist"
    assert not ConversationRule.objects.exists()


def test_switch_chats_by_a_tag_and_by_a_tab(alice_device, alice, acme, number):
    contact = Contact.objects.create(workspace=acme, name="Ana", search_text="", created_at=NOON, updated_at=NOON)
    chat(number, PERSON, contact)
    tag = Tag.objects.create(workspace=acme, name="Customer", folded="customer")
    tab = Tab.objects.create(workspace=acme, name="Customers", owner=alice, filter={"tag": {"any": [str(tag.pk)]}})
    set_rule(alice_device, "tag", tag, content=False)
    assert upload(alice_device, number, [message("3EB0AA01")]) == {"messages": ["not_needed"]}
    ContactTag.objects.create(workspace=acme, contact=contact, tag=tag, added_at=NOON)
    assert upload(alice_device, number, [message("3EB0AA02")]) == {"messages": ["stored"]}
    set_rule(alice_device, "tab", tab)
    assert upload(alice_device, number, [message("3EB0AA03", text="a")]) == {"messages": ["stored"]}
    assert needs(alice_device, number)["chats"] == [{"chat_jid": PERSON, "metadata": True, "content": True}]


def test_tell_extensions_what_is_needed_and_when_that_changes(alice_device, number):
    url = f"/api/v1/conversations/needs/?whatsapp_account={number.pk}"
    first = alice_device.client.get(url)
    assert first.json() == {
        "live_text": first.json()["live_text"],
        "persons_metadata": False,
        "persons_content": False,
        "chats": [],
    }
    assert alice_device.client.get(url, HTTP_IF_NONE_MATCH=first["ETag"]).status_code == 304
    set_rule(alice_device, "account", number, content=False)
    set_rule(alice_device, "chat", chat(number), metadata=False, content=False)
    set_rule(alice_device, "chat", chat(number, GROUP))
    second = alice_device.client.get(url, HTTP_IF_NONE_MATCH=first["ETag"])
    assert second.status_code == 200
    assert (second.json()["persons_metadata"], second.json()["persons_content"]) == (True, False)
    assert second.json()["chats"] == [
        {"chat_jid": GROUP, "metadata": True, "content": True},
        {"chat_jid": PERSON, "metadata": False, "content": False},
    ]


def test_delete_everything_when_it_is_switched_off(alice_device, acme, number):
    rule = set_rule(alice_device, "account", number).json()
    reactions = [{**key(), "emoji": "👍", "reacted_at": at(3)}]
    upload(alice_device, number, [message(text="a"), message("3EB0AA02", chat_jid=LID, text="b")], reactions=reactions)
    url = f"/api/v1/conversations/rules/{rule['id']}/"
    assert alice_device.client.get(f"{url}preview/").json() == {"chats": 2, "messages": 2, "contents": 2}
    assert alice_device.client.delete(url).status_code == 204
    row = ConversationSync.objects.first()
    assert not reading.conversation_of(workspace=acme, chat_id=row.chat_id).shows
    assert reading.search(workspace=acme, text="a") == ([], None)
    assert upload(alice_device, number, [message("3EB0AA03")]) == {"messages": ["not_needed"]}
    assert deletion.delete_switched_off() == 2
    assert not any(model.objects.exists() for model in (ConversationMessage, ConversationSync, MessageReaction))


def test_delete_content_alone(alice_device, number):
    rule = set_rule(alice_device, "account", number).json()
    upload(
        alice_device,
        number,
        [message(text="a", media={"name": "x.jpg"})],
        reactions=[{**key(), "emoji": "👍", "reacted_at": at(3)}],
        covers=[{"chat_jid": PERSON, "from": at(-9), "to": at(9)}],
    )
    alice_device.client.patch(f"/api/v1/conversations/rules/{rule['id']}/", {"content_on": False})
    deletion.delete_switched_off()
    assert stored() == [("3EB0AA01", "chat", None)]
    assert not MessageReaction.objects.exists()
    row = ConversationSync.objects.get()
    assert (row.message_count, row.content_count, len(row.covered), row.content_covered) == (1, 0, 1, [])


def test_keep_what_another_rule_keeps(alice_device, number):
    rule = set_rule(alice_device, "account", number).json()
    upload(alice_device, number, [message(text="a")])
    switch(ConversationSync.objects.get().chat, kind="chat", content=False)
    alice_device.client.delete(f"/api/v1/conversations/rules/{rule['id']}/")
    deletion.delete_switched_off()
    assert stored() == [("3EB0AA01", "chat", None)]


def test_delete_in_chunks_that_may_stop_anywhere(alice_device, number, monkeypatch):
    rule = set_rule(alice_device, "account", number).json()
    upload(alice_device, number, [message(f"3EB0AA{index:02}", text="a") for index in range(25)])
    alice_device.client.delete(f"/api/v1/conversations/rules/{rule['id']}/")
    monkeypatch.setattr(deletion, "CHUNK", 10)
    assert deletion.delete_switched_off(chunks=2) == 20
    assert ConversationMessage.objects.count() == 5
    assert deletion.delete_switched_off() == 5
    assert deletion.delete_switched_off() == 0


def test_delete_what_a_rule_kept_that_went_with_its_tag(alice_device, acme, number):
    contact = Contact.objects.create(workspace=acme, name="Ana", search_text="", created_at=NOON, updated_at=NOON)
    chat(number, PERSON, contact)
    tag = Tag.objects.create(workspace=acme, name="Customer", folded="customer")
    ContactTag.objects.create(workspace=acme, contact=contact, tag=tag, added_at=NOON)
    set_rule(alice_device, "tag", tag)
    upload(alice_device, number, [message(text="a")])
    assert alice_device.client.delete(f"/api/v1/tags/{tag.pk}/").status_code == 204
    switching.settle_orphans()
    deletion.delete_switched_off()
    assert stored() == []


def test_ask_for_what_is_missing(alice_device, number):
    set_rule(alice_device, "account", number)
    row = chat(number)
    work = f"/api/v1/conversations/work/?whatsapp_account={number.pk}"
    first = alice_device.client.get(work).json()["results"]
    assert [(one["chat"], one["content"], one["stretches"]) for one in first] == [
        (str(row.pk), True, [{"after": None, "before": None}])
    ]
    cover = {"chat_jid": PERSON, "from": at(0), "to": at(10)}
    upload(alice_device, number, [message("3EB0AA01", seconds=5, text="a")], covers=[cover])
    upload(alice_device, number, [message("3EB0AA09", seconds=50, text="z", live=True, previous_id="3EB0AA08")])
    second = alice_device.client.get(work).json()["results"][0]
    assert second["stretches"] == [
        {"after": at(10).replace("+00:00", "Z"), "before": at(50).replace("+00:00", "Z")},
        {"after": None, "before": at(0).replace("+00:00", "Z")},
    ]
    assert second["completeness"] == {"value": 0.2, "basis": "time_so_far"}
    upload(alice_device, number, covers=[{**cover, "from": at(5), "to": at(60), "reached_start": False}])
    upload(alice_device, number, covers=[{**cover, "from": at(-50), "to": at(0), "reached_start": True}])
    assert alice_device.client.get(work).json()["results"] == []
    listed = alice_device.client.get("/api/v1/conversations/").json()["results"][0]
    assert listed["completeness"] == {"value": 1.0, "basis": "time"}


def whole(jid: str = PERSON, seconds: float = 10) -> dict:
    """A cover from the chat's beginning on."""
    return {"chat_jid": jid, "from": at(0), "to": at(seconds), "reached_start": True}


def test_ask_for_what_is_newer_under_the_other_id_of_a_person(alice_device, acme, number):
    contact = person(acme, PERSON, LID)
    home = chat(number, PERSON, contact)
    other = chat(number, LID, contact)
    set_rule(alice_device, "account", number)
    upload(alice_device, number, [message(text="a")], covers=[whole()])
    work = f"/api/v1/conversations/work/?whatsapp_account={number.pk}"
    assert alice_device.client.get(work).json()["results"] == []
    Chat.objects.filter(pk=other.pk).update(last_message_at=NOON - timedelta(seconds=3600 - 40))
    [asked] = alice_device.client.get(work).json()["results"]
    assert (asked["chat"], asked["chat_jid"]) == (str(home.pk), PERSON)
    assert asked["stretches"] == [{"after": at(10).replace("+00:00", "Z"), "before": None}]
    assert asked["completeness"] == {"value": 0.25, "basis": "time"}
    listed = alice_device.client.get("/api/v1/conversations/").json()["results"]
    assert [(one["chat"], one["completeness"]) for one in listed] == [(str(home.pk), asked["completeness"])]
    upload(alice_device, number, covers=[whole(LID, 40)])
    assert alice_device.client.get(work).json()["results"] == []


@pytest.mark.parametrize("has_messages", [True, False])
def test_ask_for_a_conversation_that_moved_to_a_chat_of_which_nothing_was_synced(
    alice_device, acme, number, has_messages
):
    set_rule(alice_device, "account", number)
    home, other = chat(number, PERSON), chat(number, LID)
    messages = [message(chat_jid=LID, text="a")] if has_messages else []
    upload(alice_device, number, messages, covers=[whole(LID)])
    Chat.objects.filter(pk__in=[home.pk, other.pk]).update(contact=person(acme, PERSON, LID))
    put_all_right()
    row = ConversationSync.objects.get(chat=home)
    assert (row.metadata_rule_id, row.content_rule_id) == (ConversationRule.objects.get().pk,) * 2
    [asked] = alice_device.client.get(f"/api/v1/conversations/work/?whatsapp_account={number.pk}").json()["results"]
    assert (asked["chat"], asked["content"]) == (str(home.pk), True)
    assert asked["stretches"] == [{"after": None, "before": at(0).replace("+00:00", "Z")}]


def test_measure_by_no_chat_of_another_person_number_or_workspace(
    alice_device, charlie_device, acme, other, number, second_number, foreign_number
):
    contact = person(acme, PERSON, LID)
    set_rule(alice_device, "account", number)
    chat(number, PERSON, contact)
    upload(alice_device, number, [message(text="a")], covers=[whole()])
    for row in (
        chat(number, "5511987650000@c.us", person(acme, "5511987650000@c.us")),
        chat(number, "5511987650001@c.us"),
        chat(second_number, PERSON, contact),
        chat(foreign_number, PERSON, person(other, PERSON)),
    ):
        Chat.objects.filter(pk=row.pk).update(last_message_at=NOON)
    listed = alice_device.client.get("/api/v1/conversations/").json()["results"]
    assert [one["completeness"] for one in listed if one["chat_jid"] == PERSON] == [{"value": 1.0, "basis": "time"}]


def test_name_first_who_wrote_last_under_any_id(alice_device, acme, number):
    contact = person(acme, PERSON, LID)
    set_rule(alice_device, "account", number)
    rows = [chat(number, PERSON, contact), chat(number, LID, contact), chat(number, "5511987650001@c.us")]
    silent = chat(number, "5511987650002@c.us")
    for row, minutes in zip(rows, (3, 1, 2), strict=True):
        Chat.objects.filter(pk=row.pk).update(last_message_at=NOON - timedelta(minutes=minutes))
    work = f"/api/v1/conversations/work/?whatsapp_account={number.pk}"
    asked = [one["chat"] for one in alice_device.client.get(work).json()["results"]]
    assert asked == [str(rows[0].pk), str(rows[2].pk), str(silent.pk)]


@pytest.mark.parametrize("count", [None, 1])
def test_call_nothing_whole_while_a_text_has_not_come(alice_device, number, count):
    set_rule(alice_device, "account", number)
    cover = whole() | ({} if count is None else {"whatsapp_count": count})
    upload(alice_device, number, [message(type="ciphertext", live=True)], covers=[cover])

    def measure() -> tuple:
        [listed] = alice_device.client.get("/api/v1/conversations/").json()["results"]
        return tuple(listed["completeness"].values())

    assert measure() == ((0.999, "time") if count is None else (0.0, "count"))
    # It is asked for no more: the device uploads it again when it has resolved.
    assert alice_device.client.get(f"/api/v1/conversations/work/?whatsapp_account={number.pk}").json()["results"] == []
    upload(alice_device, number, [message(text="a")])
    assert measure() == (1.0, "time" if count is None else "count")


@pytest.mark.parametrize("end", ["revoked", "edited", "metadata alone"])
def test_wait_for_no_text_that_is_not_wanted_any_more(alice_device, number, end):
    set_rule(alice_device, "account", number, content=end != "metadata alone")
    upload(alice_device, number, [message(type="ciphertext")], covers=[whole()])
    if end == "revoked":
        upload(alice_device, number, revocations=[{**key(), "revoked_at": at(9)}])
    if end == "edited":
        upload(alice_device, number, edits=[{**key(), "text": "b", "edited_at": at(9)}])
    [listed] = alice_device.client.get("/api/v1/conversations/").json()["results"]
    assert listed["completeness"] == {"value": 1.0, "basis": "time"}


def test_measure_a_page_of_chats_by_one_query(alice_device, acme, number, django_assert_num_queries):
    set_rule(alice_device, "account", number)
    url = "/api/v1/conversations/?limit=50"
    upload(alice_device, number, [message(text="a")])
    with CaptureQueriesContext(connection) as one:
        assert len(alice_device.client.get(url).json()["results"]) == 1
    statements = len(one)
    for index in range(20):
        jid = f"55119876500{index:02}@c.us"
        chat(number, jid, person(acme, jid))
        upload(alice_device, number, [message(chat_jid=jid, text="a")])
    with django_assert_num_queries(statements):
        assert len(alice_device.client.get(url).json()["results"]) == 21


def test_see_no_gap_where_the_message_before_is_known(alice_device, number):
    set_rule(alice_device, "account", number)
    upload(alice_device, number, covers=[{"chat_jid": PERSON, "from": at(0), "to": at(10), "reached_start": True}])
    items = [message(f"3EB0AA0{n}", seconds=n * 10, text="a", live=True, previous_id=f"3EB0AA0{n - 1}") for n in (2, 3)]
    upload(alice_device, number, [message("3EB0AA01", seconds=10, text="a"), *items])
    assert len(ConversationSync.objects.get().content_covered) == 1


def test_count_messages_where_whatsapp_tells_how_many_there_are(alice_device, number):
    set_rule(alice_device, "account", number)
    cover = {"chat_jid": PERSON, "from": at(0), "to": at(10), "whatsapp_count": 8}
    upload(alice_device, number, [message("3EB0AA01", text="a"), message("3EB0AA02", text="b")], covers=[cover])
    listed = alice_device.client.get("/api/v1/conversations/").json()["results"][0]
    assert listed["completeness"] == {"value": 0.25, "basis": "count"}


def test_read_a_chat_both_ways(alice_device, number):
    set_rule(alice_device, "account", number)
    items = [message(f"3EB0AA{n:02}", seconds=n // 2, text=str(n)) for n in range(9)]
    upload(alice_device, number, items, reactions=[{**key("3EB0AA08"), "emoji": "👍", "reacted_at": at(9)}])
    url = f"/api/v1/conversations/{ConversationSync.objects.get().chat_id}/messages/?limit=4"
    newest = alice_device.client.get(url).json()
    older = alice_device.client.get(f"{url}&before={newest['older']}").json()
    oldest = alice_device.client.get(f"{url}&before={older['older']}").json()
    texts = [row["text"] for page in (oldest, older, newest) for row in page["results"]]
    assert texts == [item["text"] for item in items] or sorted(texts) == sorted(item["text"] for item in items)
    assert oldest["older"] is None
    forward = alice_device.client.get(f"{url}&after={oldest['newer']}").json()
    assert forward["results"] == older["results"]
    assert newest["results"][-1]["reactions"][0]["emoji"] == "👍"


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("coração", ["b", "a"]),
        ("CORACAO", ["b", "a"]),
        ("raca", ["b", "a"]),
        ("co", ["b", "a"]),
        ("meu cor", ["a"]),
        ("zz", []),
        ("", []),
    ],
)
def test_search_messages(alice_device, number, query, found):
    set_rule(alice_device, "account", number)
    upload(
        alice_device,
        number,
        [
            message("a", seconds=1, text="Meu coração"),
            message("b", seconds=2, text="Coracao de mãe"),
            message("c", seconds=3, text="nada"),
        ],
    )
    answer = alice_device.client.get("/api/v1/conversations/search/", {"q": query})
    assert [row["message_id"] for row in answer.json()["results"]] == found


def test_search_one_chat_page_by_page(alice_device, number, monkeypatch):
    monkeypatch.setattr(reading, "FIRST_WALK", 3)
    set_rule(alice_device, "account", number)
    items = [message(f"m{n}", seconds=n, text="hello" if n % 2 else "no") for n in range(12)]
    upload(alice_device, number, [*items, message("x", chat_jid=LID, text="hello")])
    query = {"q": "hello", "limit": 2, "chat": str(ConversationSync.objects.get(chat__jid=PERSON).chat_id)}
    found, cursor = [], None
    while True:
        page = alice_device.client.get(
            "/api/v1/conversations/search/", query | ({"cursor": cursor} if cursor else {})
        ).json()
        found += [row["message_id"] for row in page["results"]]
        cursor = page["next_cursor"]
        if cursor is None:
            break
    assert found == ["m11", "m9", "m7", "m5", "m3", "m1"]


def test_show_others_nothing(alice_device, charlie_device, number):
    rule = set_rule(alice_device, "account", number).json()
    upload(alice_device, number, [message(text="hello")])
    row = ConversationSync.objects.get()
    for path in (f"{row.chat_id}/messages/", f"rules/{rule['id']}/", f"rules/{rule['id']}/preview/"):
        assert charlie_device.client.get(f"/api/v1/conversations/{path}").status_code == 404
    assert charlie_device.client.get("/api/v1/conversations/search/?q=hello").json()["results"] == []
    assert charlie_device.client.get(f"/api/v1/conversations/needs/?whatsapp_account={number.pk}").status_code == 404


@pytest.mark.django_db(transaction=True)
def test_store_once_what_two_devices_upload_at_one_moment(alice, acme, number):
    switch(number)
    items = [message(f"3EB0{index:04}", text="a", live=True) for index in range(60)]

    def take(order):
        return lambda: take_messages(
            workspace=acme, actor=actors.person(alice), account_id=number.pk, lists={"messages": order}
        )

    answers = at_once(take(items), take(items[::-1]), take(items[30:] + items[:30]), take(items[::2]))
    assert not [one for one in answers if isinstance(one, Exception)], answers
    assert ConversationMessage.objects.count() == 60 == ConversationSync.objects.get().message_count
    assert sum(one.told for one in answers) == 60


@pytest.mark.django_db(transaction=True)
def test_let_nothing_survive_that_races_with_switching_off(alice, acme, number):
    actor = actors.person(alice)
    for turn in range(6):
        rule, _ = switching.switch_chats(
            workspace=acme, actor=actor, kind="account", target_id=number.pk, metadata_on=True, content_on=True
        )
        uploads = [
            lambda n=n, turn=turn: take_messages(
                workspace=acme,
                actor=actor,
                account_id=number.pk,
                lists={"messages": [message(f"3EB0{turn}{n}{i:03}", text="a") for i in range(40)]},
            )
            for n in range(3)
        ]
        answers = at_once(
            *uploads, lambda rule=rule: switching.remove_rule(workspace=acme, actor=actor, rule_id=rule.pk)
        )
        assert not [one for one in answers if isinstance(one, Exception)], answers
        deletion.delete_switched_off()
        assert not ConversationMessage.objects.exists() and not ConversationSync.objects.exists()


@pytest.mark.django_db(transaction=True)
def test_let_an_upload_that_is_under_way_end_before_switching_off(alice, acme, number):
    """The switch waits for the upload, so that what it marks is all there is."""
    actor = actors.person(alice)
    rule = switch(number)
    with transaction.atomic():
        take_messages(workspace=acme, actor=actor, account_id=number.pk, lists={"messages": [message(text="a")]})
        done = threading.Event()

        def off():
            switching.remove_rule(workspace=acme, actor=actor, rule_id=rule.pk)
            connection.close()
            done.set()

        thread = threading.Thread(target=off)
        thread.start()
        assert not done.wait(0.3)
    thread.join(10)
    assert done.is_set()
    assert ConversationSync.objects.get().deleting == "metadata"
    deletion.delete_switched_off()
    assert not ConversationMessage.objects.exists()


def test_answer_the_same_switch_twice(alice_device, number):
    id = str(uuid7())
    assert [set_rule(alice_device, "account", number, id=id).status_code for _ in range(2)] == [201, 200]
    assert str(ConversationRule.objects.get().pk) == id
    assert post(alice_device, number, [message()]).status_code == 200
