"""Pulling: what a device gets, in which order, and what it never gets."""

import gzip
import json
from datetime import datetime

import pytest
from django.db import connection
from django.utils import timezone
from rest_framework.test import APIClient

from accounts import actors
from accounts.tests.together import assert_refused
from crm.models import (
    Chat,
    Contact,
    ContactTag,
    CustomField,
    FieldValue,
    GroupMember,
    Note,
    Reminder,
    Stage,
    Tab,
    Tag,
    WhatsAppAccount,
)
from crm.services import contacts
from crm.services.sync import pulling
from crm.services.sync.kinds import Kind, kinds, register_kind
from crm.tests.sync.connections import Writer
from crm.tests.sync.devices import SYNC, Replica
from crm.tests.sync.server_state import server_state
from messaging.models import QuickReply, QuickReplyFolder

pytestmark = pytest.mark.django_db(transaction=True)


def make_contact(workspace, user, name="Ana", **kwargs) -> Contact:
    kwargs = {"identities": [], "source": "person", **kwargs}
    return contacts.create_contact(workspace=workspace, actor=actors.person(user), name=name, **kwargs)[0]


def one_of_each(workspace, user, other) -> dict[str, object]:
    """A row of every kind, each text with what JSON has to escape."""
    now, text = timezone.now(), 'Dé "😀"\\\n\t\u2028'
    account = WhatsAppAccount.objects.create(workspace=workspace, jid="5511911112222@c.us", name=text)
    stage = Stage.objects.create(workspace=workspace, name=text, folded="a")
    tag = Tag.objects.create(workspace=workspace, name=text, folded="a")
    choice = CustomField.objects.create(
        workspace=workspace, name=text, folded="a", kind="choice", options=[{"id": "1", "label": text, "colour": "red"}]
    )
    contact = make_contact(workspace, user, text, identities=[{"kind": "lid", "value": "157163732254124@lid"}])
    Contact.objects.filter(pk=contact.pk).update(stage=stage, owner=user)
    worn = ContactTag.objects.create(workspace=workspace, contact=contact, tag=tag, added_at=now, added_by=user)
    value = FieldValue.objects.create(workspace=workspace, contact=contact, field=choice, value="1", text="1")
    chat = Chat.objects.create(
        workspace=workspace,
        whatsapp_account=account,
        jid="120363041234567890@g.us",
        kind="group",
        name=text,
        last_message_at=now,
        search_text=" ",
    )
    member = GroupMember.objects.create(workspace=workspace, chat=chat, jid="157163732254124@lid", contact=contact)
    note = Note.objects.create(
        workspace=workspace, contact=contact, text=text, search_text=" ", author=user, created_at=now
    )
    tab = Tab.objects.create(workspace=workspace, name=text, owner=other, shared=True, filter={"a": [text, None, 1.5]})
    folder = QuickReplyFolder.objects.create(workspace=workspace, name=text, folded="a")
    reply = QuickReply.objects.create(
        workspace=workspace,
        name=text,
        folder=folder,
        default_language="en",
        contents=[{"language": "en", "parts": [{"body": text, "media": None}]}],
        search_text=" ",
        created_by=other,
    )
    wall = datetime(2027, 3, 28, 2, 30)
    reminder = Reminder.objects.create(
        workspace=workspace,
        contact=contact,
        text=text,
        wall_time=wall,
        occurrence_wall=wall,
        time_zone="Europe/Berlin",
        due_at=now,
        assignee=other,
        created_by=user,
    )
    rows = (
        account,
        stage,
        tag,
        choice,
        contact,
        contact.identities.get(),
        worn,
        value,
        chat,
        member,
        note,
        tab,
        reminder,
        folder,
        reply,
    )
    return dict(zip((kind.name for kind in kinds()), rows, strict=True))


def names(answer) -> list[tuple]:
    return [(change["kind"], change["id"], change.get("deleted", False)) for change in answer.json()["changes"]]


# --- What comes, and in which order ---------------------------------------------------------------


def test_pulls_every_kind_parents_first(acme, alice, bob, alice_device):
    rows = one_of_each(acme, alice, bob)
    replica = Replica(alice_device.client)
    assert names(replica.ask("")) == [(kind, str(row.pk), False) for kind, row in rows.items()]
    assert replica.pull().rows == server_state(acme, alice)
    assert len(replica.rows) == 15


def test_document_has_every_column_but_the_servers_own(acme, alice, bob, alice_device):
    one_of_each(acme, alice, bob)
    replica = Replica(alice_device.client).pull()
    for kind in kinds():
        fields = {field.name for field in kind.model._meta.concrete_fields}
        [document] = replica.of(kind.name).values()
        assert set(document) == fields - {"workspace", "changed_xid", *kind.hidden}
    [reminder] = replica.of("reminder").values()
    assert reminder["wall_time"] == "2027-03-28T02:30:00"
    assert reminder["due_at"].endswith("Z")


@pytest.mark.parametrize("limit", [1, 2, 5, 14, 15, 16, 5000])
def test_pages_bring_everything_once(acme, alice, bob, alice_device, limit):
    one_of_each(acme, alice, bob)
    replica = Replica(alice_device.client, limit=limit)
    seen, more = [], True
    while more:
        answer = replica.ask(replica.token)
        seen += names(answer)
        replica.token, more = answer.json()["next"], answer.json()["more"]
        assert len(answer.json()["changes"]) <= limit
    assert len(seen) == len(set(seen)) == 15
    before = replica.token
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE crm_note SET text = 'x'; UPDATE crm_contact SET name = 'x'; UPDATE crm_tag SET name = 'x'"
        )
    changed, more, replica.token = [], True, before
    while more:
        answer = replica.ask(replica.token)
        changed += names(answer)
        replica.token, more = answer.json()["next"], answer.json()["more"]
    assert [kind for kind, *_ in changed] == ["tag", "contact", "note"]


def test_page_of_long_rows_ends_early(acme, alice, alice_device, monkeypatch):
    """By length and not by number alone, in the first pull and behind it."""
    monkeypatch.setattr(pulling, "SLICE", 2)
    monkeypatch.setattr(pulling, "MAX_LENGTH", 3_000)
    contact = make_contact(acme, alice)

    def write(text: str) -> None:
        for _ in range(8):
            Note.objects.create(workspace=acme, contact=contact, text=text, search_text=" ", created_at=timezone.now())

    write("x" * 1_000)
    replica = Replica(alice_device.client, limit=5000)
    counts = []
    for _ in range(2):
        more = True
        while more:
            answer = replica.ask(replica.token).json()
            counts.append(len(answer["changes"]))
            replica.take(answer["changes"])
            replica.token, more = answer["next"], answer["more"]
        write("y" * 1_000)
    # A contact and eight notes, no change meanwhile, the eight that were written since.
    assert counts == [3, 4, 2, 0, 4, 4]
    assert len(replica.of("note")) == 16


def test_changes_come_in_the_order_of_transactions(acme, alice, alice_device):
    replica = Replica(alice_device.client).pull()
    first, second = make_contact(acme, alice, "a"), make_contact(acme, alice, "b")
    tag = Tag.objects.create(workspace=acme, name="T", folded="t")
    contacts.update_contact(workspace=acme, contact_id=first.pk, actor=actors.person(alice), name="c")
    assert names(replica.ask(replica.token)) == [
        ("contact", str(second.pk), False),
        ("tag", str(tag.pk), False),
        ("contact", str(first.pk), False),
    ]


def test_deletion_leaves_tombstone_with_all_that_hung_on_it(acme, alice, bob, alice_device):
    rows = one_of_each(acme, alice, bob)
    replica = Replica(alice_device.client).pull()
    Contact.objects.get(pk=rows["contact"].pk).delete()
    gone = {
        (kind, str(rows[kind].pk), True)
        for kind in ("contact_identity", "contact_tag", "field_value", "contact", "note", "reminder")
    }
    answer = set(names(replica.ask(replica.token)))
    assert gone <= answer
    assert answer - gone == {("group_member", str(rows["group_member"].pk), False)}
    assert replica.pull().rows == server_state(acme, alice)


def test_binned_and_merged_come_as_documents(acme, alice, alice_device):
    kept, absorbed = make_contact(acme, alice, "a"), make_contact(acme, alice, "b")
    Contact.objects.filter(pk=absorbed.pk).update(merged_into=kept)
    Contact.objects.filter(pk=kept.pk).update(deleted_at=timezone.now())
    rows = Replica(alice_device.client).pull().of("contact")
    assert rows[str(absorbed.pk)]["merged_into"] == str(kept.pk)
    assert rows[str(kept.pk)]["deleted_at"] is not None
    assert rows[str(kept.pk)]["field_versions"] == {"deleted_at": 2}


def test_versions_go_by_the_names_of_members(acme, alice, alice_device):
    contact = make_contact(acme, alice)
    Contact.objects.filter(pk=contact.pk).update(owner=alice, email="a@x.de")
    [row] = Replica(alice_device.client).pull().of("contact").values()
    assert (row["version"], row["field_versions"]) == (2, {"owner": 2, "email": 2})


def test_row_deleted_and_made_again_is_there(acme, alice, alice_device):
    tag = Tag.objects.create(workspace=acme, name="T", folded="t")
    replica = Replica(alice_device.client).pull()
    Tag.objects.filter(pk=tag.pk).delete()
    Tag.objects.create(id=tag.pk, workspace=acme, name="Again", folded="t")
    assert replica.pull().of("tag")[str(tag.pk)]["name"] == "Again"


# --- What must not come ---------------------------------------------------------------------------


def test_private_tab_is_its_owners_alone(acme, alice, alice_device, bob, bob_device):
    tab = Tab.objects.create(workspace=acme, name="Mine", owner=alice, shared=False)
    alices, bobs = Replica(alice_device.client).pull(), Replica(bob_device.client).pull()
    assert (len(alices.of("tab")), bobs.rows) == (1, {})
    Tab.objects.update(name="Still mine")
    assert names(bobs.ask(bobs.token)) == [("tab", str(tab.pk), True)]
    Tab.objects.update(shared=True)
    assert bobs.pull().of("tab")[str(tab.pk)]["name"] == "Still mine"
    Tab.objects.update(shared=False, name="Mine again")
    assert bobs.pull().rows == {}
    assert alices.pull().of("tab")[str(tab.pk)]["name"] == "Mine again"


def test_other_workspaces_are_not_there(acme, alice, alice_device, other, charlie, charlie_device):
    make_contact(acme, alice)
    charlies = Replica(charlie_device.client).pull()
    assert charlies.rows == {}
    make_contact(acme, alice, "Bea")
    Contact.objects.for_workspace(acme).update(name="x")
    assert charlies.ask(charlies.token).json()["changes"] == []


# --- Open transactions ----------------------------------------------------------------------------


def test_open_transaction_delays_and_never_loses(acme, alice, alice_device, other):
    """A transaction of anybody holds back what came after it; once it ends, all is there, in order."""
    replica = Replica(alice_device.client).pull()
    early = Writer()
    try:
        with early.working():
            late = make_contact(acme, alice, "began first")
        Tag.objects.create(workspace=acme, name="T", folded="t")
        for _ in range(3):
            assert replica.pull().rows == {}
        early.commit()
        assert [kind for kind, *_ in names(replica.ask(replica.token))] == ["contact", "tag"]
        assert replica.pull().rows == server_state(acme, alice)
        assert replica.of("contact")[str(late.pk)]["name"] == "began first"
    finally:
        early.close()


def test_new_device_during_open_transaction_misses_nothing(acme, alice, alice_device):
    early = Writer()
    try:
        with early.working():
            make_contact(acme, alice, "began first")
        seen = Tag.objects.create(workspace=acme, name="T", folded="t")
        replica = Replica(alice_device.client).pull()
        assert set(replica.rows) == {("tag", str(seen.pk))}
        early.commit()
        assert replica.pull().rows == server_state(acme, alice)
        assert len(replica.rows) == 2
    finally:
        early.close()


def test_rolled_back_transaction_leaves_nothing(acme, alice, alice_device):
    writer = Writer()
    replica = Replica(alice_device.client).pull()
    try:
        with writer.working():
            make_contact(acme, alice)
        writer.roll_back()
        Tag.objects.create(workspace=acme, name="T", folded="t")
        assert {kind for kind, _ in replica.pull().rows} == {"tag"}
    finally:
        writer.close()


# --- The request ----------------------------------------------------------------------------------


def test_refuses_wrong_limits(alice_device):
    for limit in ("0", "-1", "5001", "x", "1.5", "9" * 400):
        body = assert_refused(alice_device.client.get(SYNC, {"limit": limit}), "invalid")
        assert [error["field"] for error in body["errors"]] == ["limit"]


def test_compresses_long_answers_for_who_can_read_them(acme, alice, alice_device):
    for number in range(20):
        make_contact(acme, alice, f"Contact {number}")
    plain = alice_device.client.get(SYNC)
    packed = alice_device.client.get(SYNC, headers={"Accept-Encoding": "gzip, br"})
    assert "Content-Encoding" not in plain
    assert packed["Content-Encoding"] == "gzip"
    assert packed["Vary"] == plain["Vary"] == "Accept-Encoding, origin"
    assert json.loads(gzip.decompress(packed.content))["changes"] == plain.json()["changes"]
    assert int(packed["Content-Length"]) == len(packed.content) < len(plain.content) / 3


def test_tells_where_to_listen(alice_device, settings):
    settings.WAKE_UP_URL = ""
    assert set(alice_device.client.get(SYNC).json()) == {"changes", "next", "more", "epoch"}
    settings.WAKE_UP_URL = "https://example.com/wake-up/"
    assert alice_device.client.get(SYNC).json()["wake_up"] == "https://example.com/wake-up/"


def test_empty_changes_are_seen_with_the_caller(acme, alice, alice_device, django_assert_num_queries):
    """One statement finds who asks, and that there is nothing to say; what there is takes one more, and one a kind."""
    replica = Replica(alice_device.client).pull()
    make_contact(acme, alice)
    replica.pull().pull()
    with django_assert_num_queries(1):
        replica.ask(replica.token)
    make_contact(acme, alice)
    with django_assert_num_queries(3):
        assert len(replica.ask(replica.token).json()["changes"]) == 1


def test_glance_believes_no_token(acme, other, alice_device, charlie_device):
    """What it looks for is taken from the token before anybody has checked that; the answer depends on the check."""
    replica = Replica(alice_device.client).pull()
    forged = replica.token[:-4] + ("AAAA" if replica.token[-4:] != "AAAA" else "BBBB")
    assert_refused(alice_device.client.get(SYNC, {"token": forged}), "sync_start_over")
    assert_refused(charlie_device.client.get(SYNC, {"token": replica.token}), "sync_start_over")
    assert_refused(APIClient().get(SYNC, {"token": replica.token}), "not_authenticated")


def test_ranks_are_unique():
    with pytest.raises(ValueError, match="the same rank"):
        register_kind(Kind("another", Contact, kinds()[0].rank))


def test_rows_with_stamps_from_ahead_come_and_do_not_come_for_ever(acme, alice, alice_device):
    """A dump from a server that was ahead: its rows carry ids that this one has still to hand out."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_current_xact_id()::text::bigint")
        [now] = cursor.fetchone()
    ahead = []
    for offset in (30, 60, 10**12):
        tag = Tag(workspace=acme, name=str(offset), folded=str(offset))
        tag.changed_xid = now + offset
        tag.save(force_insert=True)
        ahead.append(str(tag.pk))
    replica = Replica(alice_device.client, limit=2).pull()
    assert sorted(replica.of("tag")) == sorted(ahead)
    seen = []
    for number in range(70):
        make_contact(acme, alice, str(number))
        page = replica.ask(replica.token)
        seen += [name for name in names(page) if name[0] == "tag"]
        replica.pull()
    # Two of them came once more when their number's turn came, and not again.
    assert [row_id for _, row_id, _ in seen] == ahead[:2]
    Tag.objects.filter(pk=ahead[2]).update(name="changed")
    assert replica.pull().rows == server_state(acme, alice)
    assert Replica(alice_device.client).pull().rows == server_state(acme, alice)
