"""What becomes of what an extension uploads: stored once where it is on, told once, refused where nothing needs it."""

from datetime import timedelta

import pytest

from crm.models import Chat, Contact, ContactIdentity
from crm.services.identities import identity_of
from messaging.models import ConversationMessage, ConversationSync, MessageReaction, SeenMessage
from messaging.services import observed
from messaging.services.conversations.acks import SeenAck, raise_acks
from messaging.services.conversations.homes import put_all_right
from messaging.tests.calls import problem
from messaging.tests.conftest import add_number
from messaging.tests.seen import GROUP, LID, NOON, PERSON, at, chat, key, message, post, stored, switch, upload

pytestmark = pytest.mark.django_db


@pytest.fixture
def told(monkeypatch) -> list:
    """What observers were told."""
    heard = []
    monkeypatch.setattr(observed, "_observers", [(1, "test", lambda workspace, actor, rows: heard.extend(rows))])
    monkeypatch.setattr(observed, "_needs", {})
    return heard


def person(acme, *jids: str) -> Contact:
    """A contact whom WhatsApp shows by these ids."""
    contact = Contact.objects.create(workspace=acme, name="Ana", search_text="", created_at=NOON, updated_at=NOON)
    for jid in jids:
        kind = "lid" if jid.endswith("lid") else "c_us"
        ContactIdentity.objects.create(
            workspace=acme,
            contact=contact,
            kind=kind,
            value=jid,
            match_key=identity_of(kind, jid).match_key,
            source="extension",
            observed_at=NOON,
        )
    return contact


def test_store_nothing_where_nothing_is_switched_on(bob_device, number, told):
    assert upload(bob_device, number, [message()], edits=[{**key(), "edited_at": at(1)}]) == {
        "messages": ["not_needed"],
        "edits": ["not_needed"],
    }
    assert not ConversationMessage.objects.exists() and not ConversationSync.objects.exists()


def test_refuse_content_that_nothing_needs(bob_device, number, told):
    answer = post(bob_device, number, [message(text="secret"), message("3EB0AA02", media={"size": 5})])
    assert [one["code"] for one in answer.json()["messages"]] == ["content_not_needed"] * 2
    assert "content of this chat is not switched on" in answer.json()["messages"][0]["detail"]
    assert not ConversationMessage.objects.exists()
    assert [one.text for one in told] == [None, None]


def test_store_metadata_and_refuse_content_where_metadata_alone_is_on(bob_device, number, told):
    switch(number, content=False)
    assert upload(bob_device, number, [message(text="secret", media={"name": "passport.jpg"})]) == {
        "messages": ["content_not_needed"]
    }
    assert stored() == [("3EB0AA01", "chat", None)]
    row = ConversationMessage.objects.get()
    assert (row.text, row.search_text, row.media_details) == ("", "", {})
    assert upload(bob_device, number, [message()]) == {"messages": ["known"]}


def test_hand_live_text_to_who_needs_it_without_storing_it(bob_device, number, told):
    observed.register_need("opt-out words", lambda workspace, account: True)
    assert upload(
        bob_device,
        number,
        [
            message("3EB0AA01", text="STOP", live=True),
            message("3EB0AA02", text="read back"),
            message("3EB0AA03", text="our own", live=True, from_me=True),
        ],
    ) == {"messages": ["not_needed", "content_not_needed", "content_not_needed"]}
    assert [(one.message_id, one.text) for one in told] == [
        ("3EB0AA01", "STOP"),
        ("3EB0AA02", None),
        ("3EB0AA03", None),
    ]
    assert not ConversationMessage.objects.exists()


def test_store_live_text_nowhere_with_metadata_on(bob_device, number, told):
    observed.register_need("opt-out words", lambda workspace, account: True)
    switch(number, content=False)
    assert upload(bob_device, number, [message(text="STOP", live=True)]) == {"messages": ["stored"]}
    assert told[0].text == "STOP" and stored() == [("3EB0AA01", "chat", None)]


def test_store_a_message_with_its_content_once(bob_device, number, told):
    switch(number)
    item = message(text="Olá \\N\tdois\nlinhas 👋", quoted_id=f"true_{PERSON}_3EB0FF", type="image", media={"size": 7})
    assert upload(bob_device, number, [item, item]) == {"messages": ["stored", "known"]}
    assert upload(bob_device, number, [item]) == {"messages": ["known"]}
    row = ConversationMessage.objects.get()
    assert (row.text, row.quoted_id, row.media_details) == (item["text"], "3EB0FF", {"size": 7})
    assert row.search_text == " ola \\n dois linhas 👋"
    assert row.chat.jid == PERSON and row.sent_at == NOON - timedelta(hours=1)
    assert [one.message_id for one in told] == ["3EB0AA01"]
    assert ConversationSync.objects.get().message_count == 1


def test_know_a_serialized_id_and_a_bare_one_as_one(bob_device, number, told):
    switch(number)
    assert upload(
        bob_device,
        number,
        [
            message("3EB0AA01", text="a"),
            message(f"false_{LID}_3EB0AA01", text="a", from_me=None),
            message(f"true_{PERSON}_3EB0AA01_out", text="a", from_me=None),
        ],
    ) == {"messages": ["stored", "known", "stored"]}


@pytest.mark.parametrize(
    "id", ["", "undefined", "null", f"true_{PERSON}_undefined", "true_", "a b", "x" * 200, None, 7]
)
def test_refuse_an_id_that_is_none(bob_device, number, id):
    switch(number)
    assert upload(bob_device, number, [message() | {"message_id": id}, message()]) == {
        "messages": ["invalid_message_id", "stored"]
    }


@pytest.mark.parametrize(
    ("values", "code"),
    [
        ({"chat_jid": "nobody"}, "invalid_jid"),
        ({"sent_at": "yesterday"}, "invalid"),
        ({"sent_at": None}, "required"),
        ({"text": 5}, "invalid"),
        ({"media": {"width": -1}}, "invalid"),
        ({"media": {"id": "0197e9b8-0000-7000-8000-000000000000"}}, "does_not_exist"),
        ({"nonsense": 1}, "unknown_field"),
        ({"type": "a\tb"}, "invalid"),
        ({"ack": "3", "from_me": True}, "invalid"),
    ],
)
def test_refuse_an_item_that_is_wrong_alone(bob_device, number, values, code):
    switch(number)
    assert upload(bob_device, number, [message() | values, message("3EB0AA02")]) == {"messages": [code, "stored"]}


def test_accept_a_type_that_nobody_knows(bob_device, number):
    switch(number)
    upload(bob_device, number, [message(type="hologram", text="")])
    assert stored() == [("3EB0AA01", "hologram", "")]


def test_store_one_message_under_both_ids_of_a_person(bob_device, acme, number, told):
    contact = person(acme, PERSON, LID)
    first = chat(number, PERSON, contact)
    chat(number, LID, contact)
    switch(number)
    assert upload(bob_device, number, [message(text="a", chat_jid=LID)]) == {"messages": ["stored"]}
    assert upload(bob_device, number, [message(text="a", chat_jid=PERSON)]) == {"messages": ["known"]}
    assert ConversationMessage.objects.get().chat == first
    assert len(told) == 1


def test_make_one_conversation_of_two_when_they_turn_out_to_be_one(bob_device, acme, number, told):
    old, new = chat(number, PERSON), chat(number, LID)
    switch(number)
    upload(bob_device, number, [message("3EB0AA01", text="a"), message("3EB0AA02", text="b")])
    upload(
        bob_device,
        number,
        [message("3EB0AA02", chat_jid=LID, type="ciphertext"), message("3EB0AA03", chat_jid=LID, text="c")],
        reactions=[{**key("3EB0AA02", LID), "emoji": "👍", "reacted_at": at(5)}],
    )
    assert ConversationMessage.objects.count() == 4
    contact = person(acme, PERSON, LID)
    Chat.objects.filter(pk__in=[old.pk, new.pk]).update(contact=contact)
    assert upload(bob_device, number, [message("3EB0AA03", chat_jid=LID, text="c")]) == {"messages": ["known"]}
    assert stored() == [("3EB0AA01", "chat", "a"), ("3EB0AA02", "chat", "b"), ("3EB0AA03", "chat", "c")]
    assert {row.chat for row in ConversationMessage.objects.all()} == {old}
    assert MessageReaction.objects.get().message.message_id == "3EB0AA02"
    assert ConversationSync.objects.get(chat=old).message_count == 3
    # The contacts part again: each chat has its own messages back.
    Chat.objects.filter(pk=new.pk).update(contact=None)
    upload(bob_device, number, [message("3EB0AA09", seconds=9, chat_jid=LID, text="d")])
    assert [row.chat for row in ConversationMessage.objects.order_by("message_id")] == [old, old, new, new]


def become_one(acme, *chats: Chat) -> None:
    Chat.objects.filter(pk__in=[one.pk for one in chats]).update(contact=person(acme, PERSON, LID))


def test_tell_own_messages_once_when_two_chats_become_one(bob_device, acme, number, told):
    old, new = chat(number, PERSON), chat(number, LID)
    switch(number)
    mine = message(chat_jid=LID, from_me=True, text="a", live=True)
    assert upload(bob_device, number, [mine]) == {"messages": ["stored"]}
    become_one(acme, old, new)
    for jid in (LID, PERSON):
        assert upload(bob_device, number, [mine | {"chat_jid": jid}]) == {"messages": ["known"]}
    assert [one.message_id for one in told] == ["3EB0AA01"]


@pytest.mark.parametrize("revoked_in", [PERSON, LID])
def test_leave_no_reaction_at_a_message_that_was_revoked_under_the_other_id(bob_device, acme, number, revoked_in):
    old, new = chat(number, PERSON), chat(number, LID)
    switch(number)
    upload(
        bob_device,
        number,
        [message(chat_jid=jid, text="a") for jid in (PERSON, LID)],
        revocations=[{**key(chat_jid=revoked_in), "revoked_at": at(9)}],
        reactions=[{**key(chat_jid=jid), "emoji": "👍", "reacted_at": at(5)} for jid in (PERSON, LID)],
    )
    assert MessageReaction.objects.count() == 1
    become_one(acme, old, new)
    put_all_right()
    assert stored() == [("3EB0AA01", "chat", None)]
    assert not MessageReaction.objects.exists()


def test_know_a_member_of_a_group_by_any_id(bob_device, acme, number):
    person(acme, PERSON, LID)
    switch(chat(number, GROUP), kind="chat")
    items = [message(chat_jid=GROUP, text="a", participant=jid) for jid in (PERSON, LID, "4915112345678@c.us")]
    assert upload(bob_device, number, items) == {"messages": ["stored", "known", "stored"]}


def test_leave_groups_channels_and_status_out_of_a_rule(bob_device, number):
    switch(number)
    jids = (GROUP, "120363041234567890@newsletter", "status@broadcast")
    items = [message(f"3EB0AA0{index}", chat_jid=jid) for index, jid in enumerate(jids)]
    assert upload(bob_device, number, items) == {"messages": ["not_needed"] * 3}


def test_let_the_switch_of_a_chat_go_before_rules(bob_device, number):
    switch(number)
    switch(chat(number), kind="chat", metadata=False, content=False)
    assert upload(bob_device, number, [message()]) == {"messages": ["not_needed"]}


def test_fill_in_a_ciphertext_that_resolves_later(bob_device, number, told):
    switch(number)
    assert upload(bob_device, number, [message(type="ciphertext", live=True)]) == {"messages": ["stored"]}
    assert told == []
    assert upload(bob_device, number, [message(text="hi", live=True)]) == {"messages": ["updated"]}
    assert upload(bob_device, number, [message(type="ciphertext")]) == {"messages": ["known"]}
    assert stored() == [("3EB0AA01", "chat", "hi")]
    assert [one.text for one in told] == ["hi"]


def test_keep_a_revocation_that_came_before_its_message(bob_device, number):
    switch(number)
    assert upload(bob_device, number, revocations=[{**key(), "revoked_at": at(9)}]) == {"revocations": ["stored"]}
    assert ConversationSync.objects.get().message_count == 0
    upload(bob_device, number, [message(text="forget this", media={"name": "a.jpg"})])
    row = ConversationMessage.objects.get()
    assert (row.has_content, row.text, row.search_text, row.media_details, row.type) == (False, "", "", {}, "chat")
    assert row.revoked_at is not None and ConversationSync.objects.get().message_count == 1


def test_empty_a_message_that_is_revoked(bob_device, number):
    switch(number)
    upload(bob_device, number, [message(text="a")], reactions=[{**key(), "emoji": "👍", "reacted_at": at(3)}])
    assert upload(bob_device, number, [message(type="revoked")]) == {"messages": ["updated"]}
    assert stored() == [("3EB0AA01", "chat", None)]
    assert not MessageReaction.objects.exists()
    assert ConversationSync.objects.get().content_count == 0


def test_keep_the_latest_edit(bob_device, number):
    switch(number)
    edits = [{**key(), "text": text, "edited_at": at(second)} for text, second in (("third", 30), ("second", 20))]
    upload(bob_device, number, edits=edits)
    upload(bob_device, number, [message(text="first")])
    row = ConversationMessage.objects.get()
    assert (row.text, row.search_text, row.edited_at) == ("third", " third", NOON - timedelta(seconds=3570))


def test_keep_the_latest_reaction_of_each_person(bob_device, number):
    switch(number)
    upload(
        bob_device,
        number,
        [message(text="a")],
        reactions=[
            {**key(), "emoji": "👍", "reacted_at": at(3)},
            {**key(), "emoji": "", "reacted_at": at(8)},
            {**key(), "emoji": "❤️", "reacted_at": at(5)},
            {**key(), "reactor": "me", "emoji": "🙏", "reacted_at": at(4)},
        ],
    )
    assert set(MessageReaction.objects.values_list("reactor", "emoji")) == {("peer", ""), ("me", "🙏")}


def test_raise_acks_in_both_schemes_and_never_lower_them(bob_device, acme, number):
    switch(number)
    mine = {"from_me": True, "text": "a"}
    raise_acks(workspace=acme, account_id=number.pk, acks=[SeenAck(PERSON, "3EB0AA01", 2)])
    assert ConversationMessage.objects.count() == 0
    upload(bob_device, number, [message(ack=1, **mine)])
    raise_acks(workspace=acme, account_id=number.pk, acks=[SeenAck(PERSON, "3EB0AA02", 3)])
    upload(bob_device, number, [message(ack=4, ack_scheme="baileys", **mine), message("3EB0AA02", ack=1, **mine)])
    upload(bob_device, number, [message(ack=2, **mine), message(ack=5, **mine), message(ack=-1, **mine)])
    assert list(ConversationMessage.objects.order_by("message_id").values_list("ack", flat=True)) == [3, 3]


def test_tell_each_message_once_where_nothing_is_stored(bob_device, alice_device, acme, number, told, clock):
    items = [message("3EB0AA01", live=True), message("3EB0AA02", seconds=1, live=True, from_me=True)]
    upload(bob_device, number, items)
    upload(alice_device, number, [*items, message("3EB0AA01", chat_jid=LID, live=True)])
    assert [(one.message_id, one.from_me, one.is_live) for one in told] == [
        ("3EB0AA01", False, True),
        ("3EB0AA02", True, True),
    ]
    assert told[0].chat_id == Chat.objects.get(jid=PERSON).pk
    assert SeenMessage.objects.count() == 2


def test_let_the_crm_know_of_live_messages(bob_device, number):
    upload(bob_device, number, [message(live=True), message("3EB0AA02", seconds=-99, live=True, from_me=True)])
    row = Chat.objects.get(jid=PERSON)
    assert row.last_inbound_at == row.last_message_at == NOON - timedelta(hours=1)
    assert row.last_outbound_at == NOON - timedelta(hours=1, seconds=99)
    assert row.awaiting_reply


def test_refuse_an_upload_that_is_too_large_or_of_a_foreign_number(bob_device, number, foreign_number):
    switch(number)
    items = [message(f"3EB0{index:04}") for index in range(500)]
    assert problem(post(bob_device, number, items, edits=[{**key(), "edited_at": at()}]))[:2] == (400, "invalid")
    assert problem(post(bob_device, foreign_number, items[:1])) == (
        400,
        "invalid",
        ("whatsapp_account", "does_not_exist"),
    )
    assert not ConversationMessage.objects.exists()


def test_keep_numbers_apart(bob_device, acme, number):
    switch(number)
    elsewhere = add_number(acme, "5511911110009")
    assert upload(bob_device, elsewhere, [message()]) == {"messages": ["not_needed"]}
