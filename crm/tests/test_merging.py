"""Merges: everything moves, nothing is lost, and undoing gives every row back."""

import pytest
from django.db import transaction
from django.utils import timezone

from accounts import actors
from accounts.models import Event, Plan, Resource
from accounts.services import plans
from accounts.tests.together import assert_refused, at_once, meet_behind
from crm.models import (
    Chat,
    Contact,
    ContactIdentity,
    ContactTag,
    FieldValue,
    Merge,
    MergeMove,
    MergeSuggestion,
    Note,
    Reminder,
    Tag,
)
from crm.models.contacts import numbers_of
from crm.services import bin, contacts, merging, notes, tags
from crm.services.bulk import effects
from crm.services.identities import owners_of
from crm.services.reminders import changes
from crm.tests.people import Crowd, difference, furnish, make_contact, tables_of
from messaging.models import AutoReplyChat
from messaging.services.scheduling import update_scheduled_message
from messaging.services.scheduling.recipients import To
from messaging.tests.schedules import make_schedule
from waplus.lib.errors import NotFound, Refused
from waplus.lib.ids import uuid7

CONTACTS = "/api/v1/contacts/"

pytestmark = pytest.mark.django_db
really_at_once = pytest.mark.django_db(transaction=True)


@pytest.fixture
def furniture(acme, alice):
    return furnish(acme, alice)


def merge(workspace, kept, absorbed) -> Merge:
    return merging.merge_contacts(workspace=workspace, actor=actors.SYSTEM, kept_id=kept.pk, absorbed_id=absorbed.pk)[0]


def undo(workspace, merge: Merge) -> Merge:
    return merging.undo_merge(workspace=workspace, actor=actors.SYSTEM, merge_id=merge.pk)


def used(workspace) -> int:
    return plans.used_of(workspace=workspace, resource=Resource.CONTACTS)


def post_merge(device, kept, other):
    return device.client.post(f"{CONTACTS}{kept.pk}/merge/", {"other": str(other.pk)})


# --- What moves -----------------------------------------------------------------------------------

MOVED = {
    "crm.chat.contact",
    "crm.contactidentity.contact",
    "crm.contacttag.contact",
    "crm.fieldvalue.contact",
    "crm.groupmember.contact",
    "crm.note.contact",
    "crm.reminder.contact",
    "messaging.autoreplyanswer.contact",
    "messaging.autoreplychat.contact",
    "messaging.autoreplydecision.contact",
    "messaging.broadcastexclusion.contact",
    "messaging.consentrecord.contact",
    "messaging.queuedmessage.contact",
    "messaging.scheduledrecipient.contact",
    "messaging.sharelink.contact",
    "messaging.suppression.contact",
}


def test_finds_everything_that_hangs_on_contact():
    """Whoever adds a reference to contacts adds rows of it to `crm.tests.people.Crowd`, or says why it stays."""
    assert {merging.name_of(field) for field in merging.hanging_fields()} == MOVED


def test_moves_rows_fills_gaps_and_hides_absorbed(acme, alice, alice_device, furniture):
    kept = make_contact(acme, "+4915110000001", name="Ana", company="")
    absorbed = make_contact(acme, "4915110000002@c.us", "157163732254124@lid", name="Ana Silva", company="Acme")
    note = Note.objects.create(
        workspace=acme, contact=absorbed, text="calls back", search_text=" calls back", created_at=timezone.now()
    )
    for contact, worn in ((kept, furniture.tags[:2]), (absorbed, furniture.tags[1:3])):
        for tag in worn:
            ContactTag.objects.create(workspace=acme, contact=contact, tag=tag, added_at=timezone.now())
    answer = post_merge(alice_device, kept, absorbed)
    assert answer.status_code == 201, answer.json()
    body = answer.json()
    assert (body["kept"], body["absorbed"], body["filled"]) == (str(kept.pk), str(absorbed.pk), ["company"])
    assert (body["merged_by"], body["undone_at"]) == (str(alice.pk), None)
    document = alice_device.client.get(f"{CONTACTS}{kept.pk}/").json()
    assert (document["name"], document["company"]) == ("Ana", "Acme")
    values = [identity["value"] for identity in document["identities"]]
    assert values == ["+4915110000001", "4915110000002@c.us", "157163732254124@lid"]
    note.refresh_from_db()
    assert note.contact_id == kept.pk
    assert set(ContactTag.objects.filter(contact=kept).values_list("tag", flat=True)) == {
        tag.pk for tag in furniture.tags[:3]
    }
    # The twin of a tag that was there already waits where it was.
    assert list(ContactTag.objects.filter(contact=absorbed).values_list("tag", flat=True)) == [furniture.tags[1].pk]
    assert_refused(alice_device.client.get(f"{CONTACTS}{absorbed.pk}/"), "not_found")
    found = alice_device.client.get(CONTACTS, {"q": "4915110000002"}).json()["results"]
    assert [row["id"] for row in found] == [str(kept.pk)]
    event = Event.objects.get(kind="contact.merged")
    assert (event.object_id, event.actor_user_id, event.changed) == (kept.pk, alice.pk, ["company"])
    assert used(acme) == 1


def test_number_of_absorbed_leads_to_kept(acme, furniture):
    kept, absorbed = make_contact(acme, "+4915110000001"), make_contact(acme, "+4915110000002")
    merge(acme, kept, absorbed)
    assert owners_of(acme, ["4915110000002"]) == {"4915110000002": kept.pk}
    with pytest.raises(Refused) as refusal:
        make_contact(acme, "4915110000002@c.us")
    assert (refusal.value.code, refusal.value.extra) == ("number_in_use", {"contact_id": str(kept.pk)})


def test_repeated_merge_changes_nothing(acme, alice_device, furniture):
    kept, absorbed = make_contact(acme, name="A"), make_contact(acme, name="B")
    first = post_merge(alice_device, kept, absorbed)
    before, events = tables_of(acme), Event.objects.count()
    again = post_merge(alice_device, kept, absorbed)
    assert (first.status_code, again.status_code) == (201, 200)
    assert again.json() == first.json()
    assert tables_of(acme) == before
    assert (Event.objects.count(), Merge.objects.count(), used(acme)) == (events, 1, 1)


def test_refuses_what_cannot_be_merged(acme, other, alice_device, furniture):
    one, gone, foreign = make_contact(acme, name="A"), make_contact(acme, name="B"), make_contact(other, name="C")
    binned = make_contact(acme, name="D")
    Contact.objects.filter(pk=binned.pk).update(deleted_at=timezone.now())
    bin.delete_contact(workspace=acme, contact_id=gone.pk, actor=actors.SYSTEM)
    bin.purge_contact(workspace=acme, contact_id=gone.pk, actor=actors.SYSTEM)
    before = tables_of(acme)
    errors = assert_refused(post_merge(alice_device, one, one), "invalid")["errors"]
    assert [(error["field"], error["code"]) for error in errors] == [("other", "same_contact")]
    for absent in (gone, foreign):
        errors = assert_refused(post_merge(alice_device, one, absent), "invalid")["errors"]
        assert [(error["field"], error["code"]) for error in errors] == [("other", "does_not_exist")]
        assert_refused(post_merge(alice_device, absent, one), "not_found")
    assert_refused(post_merge(alice_device, one, binned), "not_found")
    assert_refused(post_merge(alice_device, binned, one), "not_found")
    for wrong in ({}, {"other": None}, {"other": "x"}, {"other": 1}, {"other": [str(one.pk)]}, {"kept": str(one.pk)}):
        assert_refused(alice_device.client.post(f"{CONTACTS}{one.pk}/merge/", wrong), "invalid")
    assert tables_of(acme) == before
    assert not Merge.objects.exists()


def test_lists_merges_of_contact(acme, alice_device, furniture):
    kept = make_contact(acme, name="A")
    merges = [merge(acme, kept, make_contact(acme, name=name)) for name in "BC"]
    body = alice_device.client.get(f"{CONTACTS}{kept.pk}/merges/").json()
    assert [row["id"] for row in body["results"]] == [str(one.pk) for one in reversed(merges)]


# --- Undoing --------------------------------------------------------------------------------------


@pytest.mark.parametrize("seed", range(12))
def test_undone_merge_gives_every_row_back(acme, furniture, seed):
    crowd = Crowd(furniture, seed)
    kept, absorbed, bystander = crowd.contact(), crowd.contact(), crowd.contact()
    before = tables_of(acme)
    done = merge(acme, kept, absorbed)
    moved = MergeMove.objects.filter(merge=done).count()
    left = sum(model.objects.filter(contact=absorbed).count() for model in (AutoReplyChat, ContactTag, FieldValue))
    hanging = sum(field.model.objects.filter(**{field.name: absorbed}).count() for field in merging.hanging_fields())
    assert moved >= 1
    assert hanging == left
    assert tables_of(acme) != before
    undo(acme, done)
    assert difference(before, tables_of(acme)) == set()
    assert Contact.objects.get(pk=bystander.pk).merged_into_id is None


@pytest.mark.parametrize("seed", range(8))
def test_undone_merge_keeps_what_was_edited_since(acme, furniture, seed):
    crowd = Crowd(furniture, seed)
    kept, absorbed = crowd.contact(), crowd.contact()
    chance = crowd.random
    before = tables_of(acme)
    done = merge(acme, kept, absorbed)
    edited = set()
    moves = list(MergeMove.objects.filter(merge=done, model__in=["crm.note", "crm.contacttag", "crm.fieldvalue"]))
    for move in chance.sample(moves, min(2, len(moves))):
        model = {"crm.note": Note, "crm.contacttag": ContactTag, "crm.fieldvalue": FieldValue}[move.model]
        if model is Note:
            Note.objects.filter(pk=move.row_id).update(text="edited since")
        else:
            model.objects.filter(pk=move.row_id).delete()
        edited.add((model._meta.db_table, move.row_id))
    note = Note.objects.create(workspace=acme, contact=kept, text="new", search_text=" new", created_at=timezone.now())
    contacts.update_contact(workspace=acme, contact_id=kept.pk, actor=actors.SYSTEM, company="Edited Ltd")
    edited |= {("crm_note", note.pk), ("crm_contact", kept.pk)}
    undo(acme, done)
    assert difference(before, tables_of(acme)) == edited
    kept.refresh_from_db()
    assert kept.company == "Edited Ltd"
    assert Note.objects.get(pk=note.pk).contact_id == kept.pk
    if kept.name:
        assert kept.name == f"Name {kept.name.split()[-1]}"


def test_column_that_was_changed_since_stays(acme, furniture):
    kept, absorbed = make_contact(acme, email="a@example.com"), make_contact(acme, name="B", company="Acme")
    done = merge(acme, kept, absorbed)
    contacts.update_contact(workspace=acme, contact_id=kept.pk, actor=actors.SYSTEM, name="Mine")
    undo(acme, done)
    kept.refresh_from_db()
    assert (kept.name, kept.company, kept.sort_name) == ("Mine", "", "mine")


def test_undo_is_answered_again(acme, alice_device, furniture):
    done = merge(acme, make_contact(acme, name="A"), make_contact(acme, name="B"))
    first = alice_device.client.post(f"/api/v1/merges/{done.pk}/undo/")
    assert first.status_code == 200, first.json()
    events = Event.objects.count()
    again = alice_device.client.post(f"/api/v1/merges/{done.pk}/undo/")
    assert again.json() == first.json()
    assert first.json()["undone_at"]
    assert (Event.objects.count(), used(acme)) == (events, 2)
    assert Event.objects.filter(kind="contact.unmerged").count() == 1


def test_undo_needs_place_in_plan(acme, alice_device, team_plan, furniture):
    kept, absorbed = make_contact(acme, name="A"), make_contact(acme, name="B")
    done = merge(acme, kept, absorbed)
    Plan.objects.filter(pk=team_plan.pk).update(max_contacts=1)
    before = tables_of(acme)
    body = assert_refused(alice_device.client.post(f"/api/v1/merges/{done.pk}/undo/"), "plan_limit_reached")
    assert (body["limit"], body["used"]) == (1, 1)
    assert tables_of(acme) == before
    done.refresh_from_db()
    assert done.undone_at is None


def test_merge_of_others_is_like_missing_one(acme, charlie_device, furniture):
    done = merge(acme, make_contact(acme, name="A"), make_contact(acme, name="B"))
    before = tables_of(acme)
    foreign = assert_refused(charlie_device.client.post(f"/api/v1/merges/{done.pk}/undo/"), "not_found")
    missing = assert_refused(charlie_device.client.post(f"/api/v1/merges/{uuid7()}/undo/"), "not_found")
    assert foreign["detail"] == missing["detail"]
    assert tables_of(acme) == before


def test_chain_is_undone_from_its_end(acme, alice_device, furniture):
    crowd = Crowd(furniture, 7)
    a, b, c = crowd.contact(), crowd.contact(), crowd.contact()
    before = tables_of(acme)
    first = merge(acme, a, b)
    between = tables_of(acme)
    second = merge(acme, c, a)
    assert Contact.objects.alive().filter(pk__in=[a.pk, b.pk, c.pk]).get() == c
    body = assert_refused(alice_device.client.post(f"/api/v1/merges/{first.pk}/undo/"), "wrong_state")
    assert body["merge_id"] == str(second.pk)
    undo(acme, second)
    assert difference(between, tables_of(acme)) == set()
    undo(acme, first)
    assert difference(before, tables_of(acme)) == set()


@pytest.mark.parametrize("seed", range(6))
def test_two_merges_into_one_are_undone_in_any_order(acme, furniture, seed):
    crowd = Crowd(furniture, seed)
    a, b, c = crowd.contact(), crowd.contact(), crowd.contact()
    before = tables_of(acme)
    alone = merge(acme, a, c)
    only_c = tables_of(acme)
    undo(acme, alone)
    first, second = merge(acme, a, b), merge(acme, a, c)
    undo(acme, first)
    # As if the first had never been: what C had left behind as a twin of B's follows.
    assert difference(only_c, tables_of(acme)) == set()
    undo(acme, second)
    assert difference(before, tables_of(acme)) == set()


def test_undo_of_merge_in_bin_waits_for_it(acme, alice_device, furniture):
    kept, absorbed = make_contact(acme, name="A"), make_contact(acme, name="B")
    done = merge(acme, kept, absorbed)
    Contact.objects.filter(pk=kept.pk).update(deleted_at=timezone.now())
    assert_refused(alice_device.client.post(f"/api/v1/merges/{done.pk}/undo/"), "wrong_state", "bin")


def test_deleting_kept_for_good_deletes_what_went_into_it(acme, furniture):
    kept, absorbed = make_contact(acme, name="A"), make_contact(acme, name="B")
    merge(acme, kept, absorbed)
    Contact.objects.get(pk=kept.pk).delete()
    assert not Contact.objects.filter(pk=absorbed.pk).exists()
    assert not Merge.objects.exists()


def test_spelling_that_came_later_follows_its_number(acme, furniture):
    kept, absorbed = make_contact(acme, "+4915110000001"), make_contact(acme, "+5511987654321")
    done = merge(acme, kept, absorbed)
    contacts.add_identity(
        workspace=acme, contact_id=kept.pk, actor=actors.SYSTEM, source="person", kind="c_us", value="551187654321@c.us"
    )
    chat = Chat.objects.create(
        workspace=acme, whatsapp_account=furniture.account, jid="551187654321@c.us", kind="person", contact=kept
    )
    undo(acme, done)
    assert list(absorbed.identities.order_by("id").values_list("value", flat=True)) == [
        "+5511987654321",
        "551187654321@c.us",
    ]
    chat.refresh_from_db()
    assert chat.contact_id == absorbed.pk


def test_two_who_were_parted_are_suggested_no_more(acme, furniture):
    kept, absorbed = make_contact(acme, name="A"), make_contact(acme, name="B")
    undo(acme, merge(acme, kept, absorbed))
    suggestion = MergeSuggestion.objects.get()
    assert {suggestion.one_id, suggestion.other_id} == {kept.pk, absorbed.pk}
    assert suggestion.dismissed_at is not None


def test_usage_after_merges_is_what_is_counted(acme, furniture):
    crowd = Crowd(furniture, 1)
    a, b, c = crowd.contact(), crowd.contact(), crowd.contact()
    merge(acme, a, b)
    done = merge(acme, c, a)
    assert plans.recount(acme, Resource.CONTACTS) == {}
    undo(acme, done)
    assert plans.recount(acme, Resource.CONTACTS) == {}
    assert used(acme) == 2


# --- Addresses ------------------------------------------------------------------------------------


def test_scheduled_message_keeps_its_address(acme, alice_device, furniture):
    kept = make_contact(acme, "4915110000001@c.us")
    absorbed = make_contact(acme, "157163732254124@lid")
    message = make_schedule(furniture.account, contact=absorbed, chat_jid="157163732254124@lid")
    merge(acme, kept, absorbed)
    recipient = message.recipients.get()
    assert (recipient.contact_id, recipient.chat_jid) == (kept.pk, "157163732254124@lid")
    update_scheduled_message(
        workspace=acme,
        message_id=message.pk,
        actor=actors.SYSTEM,
        parts=[{"body": "hello again"}],
        recipients=[To(contact=kept)],
    )
    assert message.parts.get().body == "hello again"
    assert message.recipients.get().chat_jid == "157163732254124@lid"


def test_chats_keep_their_address(acme, furniture):
    kept, absorbed = make_contact(acme, "4915110000001@c.us"), make_contact(acme, "157163732254124@lid")
    for contact, jid in ((kept, "4915110000001@c.us"), (absorbed, "157163732254124@lid")):
        Chat.objects.create(workspace=acme, whatsapp_account=furniture.account, jid=jid, kind="person", contact=contact)
    merge(acme, kept, absorbed)
    chats = Chat.objects.filter(contact=kept).values_list("jid", flat=True)
    assert set(chats) == {"4915110000001@c.us", "157163732254124@lid"}


# --- Races ----------------------------------------------------------------------------------------


@really_at_once
def test_merges_that_cross_each_other_take_turns(acme, alice_device, bob_device):
    for n in range(5):
        a, b = make_contact(acme, f"+49151100001{n}0", name="A"), make_contact(acme, f"+49151100002{n}0", name="B")
        answers = at_once(
            lambda a=a, b=b: post_merge(alice_device, a, b), lambda a=a, b=b: post_merge(bob_device, b, a)
        )
        assert sorted(answer.status_code for answer in answers) == [201, 404]
        assert Contact.objects.alive().filter(pk__in=[a.pk, b.pk]).count() == 1
        assert Merge.objects.filter(kept_id__in=[a.pk, b.pk]).count() == 1
    assert used(acme) == 5
    assert plans.recount(acme, Resource.CONTACTS) == {}


@really_at_once
def test_parallel_undoing_gives_back_once(acme, alice_device, bob_device):
    kept, absorbed = make_contact(acme, "+4915110000001"), make_contact(acme, "+4915110000002")
    done = merge(acme, kept, absorbed)
    path = f"/api/v1/merges/{done.pk}/undo/"
    answers = at_once(*(lambda device=d: device.client.post(path) for d in (alice_device, bob_device) * 2))
    assert [answer.status_code for answer in answers] == [200] * 4
    assert used(acme) == 2
    assert Event.objects.filter(kind="contact.unmerged").count() == 1


@really_at_once
def test_identity_added_while_contact_goes_is_not_lost(acme, alice_device, bob_device):
    """An identity lands at the contact that stays, or is refused; it never hides at one that went."""
    for n in range(5):
        a, b = make_contact(acme, name=f"A{n}"), make_contact(acme, name=f"B{n}")
        added, _ = at_once(
            lambda b=b, n=n: bob_device.client.post(
                f"{CONTACTS}{b.pk}/identities/", {"kind": "phone", "value": f"+4915110000{n}11"}
            ),
            lambda a=a, b=b: post_merge(alice_device, a, b),
        )
        assert added.status_code in (200, 404)
        held = ContactIdentity.objects.filter(contact__in=[a, b]).values_list("contact", flat=True)
        assert list(held) == [a.pk] * (added.status_code == 200)


@really_at_once
def test_what_is_added_while_contact_goes_comes_along(acme, alice_device, bob_device, monkeypatch):
    tag = Tag.objects.create(workspace=acme, name="VIP", folded="vip")
    ways = {
        Note: (notes, lambda one: bob_device.client.post(f"{CONTACTS}{one.pk}/notes/", {"text": "Called"})),
        ContactTag: (tags, lambda one: bob_device.client.put(f"{CONTACTS}{one.pk}/tags/{tag.pk}/")),
        Reminder: (
            changes,
            lambda one: bob_device.client.post(
                "/api/v1/reminders/", {"contact": str(one.pk), "text": "Call", "wall_time": "2026-12-01T09:00"}
            ),
        ),
    }
    for model, (module, add) in ways.items():
        kept, gone = make_contact(acme, name="A"), make_contact(acme, name="B")
        added, merged = meet_behind(
            monkeypatch,
            module,
            "held",
            lambda add=add, gone=gone: add(gone),
            lambda kept=kept, gone=gone: post_merge(alice_device, kept, gone),
        )
        assert (added.status_code, merged.status_code) == (200 if model is ContactTag else 201, 201)
        assert list(model.objects.values_list("contact", flat=True)) == [kept.pk]


@really_at_once
def test_tag_that_is_put_on_many_while_one_goes_comes_along(acme, alice_device, bob_device, monkeypatch):
    tag = Tag.objects.create(workspace=acme, name="VIP", folded="vip")
    kept, gone = make_contact(acme, name="A"), make_contact(acme, name="B")
    tagged, merged = meet_behind(
        monkeypatch,
        effects,
        "_written",
        lambda: bob_device.client.post(
            f"{CONTACTS}bulk/", {"action": "add_tags", "ids": [str(gone.pk)], "tags": [str(tag.pk)]}
        ),
        lambda: post_merge(alice_device, kept, gone),
    )
    assert (tagged.status_code, tagged.json()["changed"], merged.status_code) == (201, 1, 201)
    assert list(ContactTag.objects.values_list("contact", flat=True)) == [kept.pk]


def test_contact_that_went_holds_no_key_and_has_it_back_after(acme, alice_device):
    """A leaked LID came first: the same id stands at both, once by its digits and once by its LID."""
    leaked = "157163732254124@c.us"
    one, other = make_contact(acme, leaked, name="A"), make_contact(acme, "157163732254124@lid", leaked, name="B")

    def holders() -> set:
        held = ContactIdentity.objects.filter(holds_key=True)
        return set(held.values_list("match_key", "contact"))

    before = holders()
    assert before == {("157163732254124", one.pk), ("lid:157163732254124", other.pk)}
    done = merge(acme, other, one)
    assert holders() == {("lid:157163732254124", other.pk)}
    assert ContactIdentity.objects.filter(contact=one).count() == 1
    assert alice_device.client.post(f"/api/v1/merges/{done.pk}/undo/").status_code == 200
    assert holders() == before


def test_service_refuses_unknown_contacts(acme, furniture):
    one = make_contact(acme, name="A")
    with pytest.raises(NotFound), transaction.atomic():
        merging.merge_contacts(workspace=acme, actor=actors.SYSTEM, kept_id=one.pk, absorbed_id=uuid7())


def test_leaked_lid_is_no_number_of_merged_contact():
    assert numbers_of([("phone", "+4915110000001"), ("lid", "157@lid"), ("c_us", "157@c.us")]) == ["4915110000001"]
