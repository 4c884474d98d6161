"""Stages: a pipeline to begin with, contacts that stand at a stage, and nobody left at one that is gone."""

import pytest
from django.utils import translation

from accounts import actors
from accounts.models import Event, Membership
from accounts.services import people, workspaces
from accounts.services.departures import finish_departures
from accounts.tests.together import assert_refused, at_once
from crm.models import Contact, Stage, Tombstone
from crm.services import stages
from waplus.lib.ids import uuid7

CONTACTS = "/api/v1/contacts/"
STAGES = "/api/v1/stages/"

pytestmark = pytest.mark.django_db


def make(device, name: str = "Offer", **values) -> dict:
    answer = device.client.post(STAGES, {"name": name, **values})
    assert answer.status_code == 201, answer.json()
    return answer.json()


def contact_at(device, stage: dict | None = None, **values) -> dict:
    answer = device.client.post(CONTACTS, {"name": "Ana", "stage": stage and stage["id"], **values})
    assert answer.status_code == 201, answer.json()
    return answer.json()


def names(device) -> list[str]:
    return [row["name"] for row in device.client.get(STAGES).json()["results"]]


def test_default_pipeline_is_made_once(alice_device, bob_device):
    assert names(alice_device) == []
    assert_refused(bob_device.client.post(f"{STAGES}defaults/"), "forbidden")
    made = alice_device.client.post(f"{STAGES}defaults/").json()["results"]
    assert [(row["name"], row["outcome"]) for row in made] == [
        ("New", "open"),
        ("In conversation", "open"),
        ("Offer made", "open"),
        ("Won", "won"),
        ("Lost", "lost"),
    ]
    assert alice_device.client.post(f"{STAGES}defaults/").json()["results"] == made
    assert Event.objects.filter(kind="stage.created").count() == 5


@pytest.mark.django_db(transaction=True)
def test_default_pipeline_is_made_once_at_once(alice_device):
    answers = at_once(*[lambda: alice_device.client.post(f"{STAGES}defaults/")] * 4)
    assert [answer.status_code for answer in answers] == [200] * 4
    assert Stage.objects.count() == 5


def test_default_pipeline_follows_the_language(acme, alice):
    with translation.override("en"):
        made = stages.create_default_stages(workspace=acme, actor=actors.person(alice))
    assert [stage.position for stage in made] == [0, 1, 2, 3, 4]


def test_admins_make_change_and_order_stages(alice_device, bob_device):
    first, second = make(alice_device, "Offer"), make(alice_device, "Won", outcome="won", colour="green")
    path = f"{STAGES}{first['id']}/"
    for call in (
        lambda: bob_device.client.post(STAGES, {"name": "B"}),
        lambda: bob_device.client.patch(path, {"name": "B"}),
        lambda: bob_device.client.delete(path),
        lambda: bob_device.client.put(f"{STAGES}order/", {"ids": [second["id"]]}),
    ):
        assert_refused(call(), "forbidden")
    changed = alice_device.client.patch(path, {"name": "Proposal", "outcome": "lost"}).json()
    assert (changed["name"], changed["outcome"], changed["version"]) == ("Proposal", "lost", 2)
    assert assert_refused(alice_device.client.patch(path, {"name": "WON"}), "name_taken")["id"] == second["id"]
    assert assert_refused(alice_device.client.post(STAGES, {"name": "won"}), "name_taken")["id"] == second["id"]
    alice_device.client.put(f"{STAGES}order/", {"ids": [second["id"]]})
    assert names(bob_device) == ["Won", "Proposal"]


def test_repeat_with_one_id_is_one_stage(alice_device, charlie_device):
    id = str(uuid7())
    stage = make(alice_device, id=id)
    assert alice_device.client.post(STAGES, {"id": id, "name": "Offer"}).json() == stage
    assert_refused(charlie_device.client.post(STAGES, {"id": id, "name": "Theirs"}), "id_taken")
    assert_refused(charlie_device.client.get(f"{STAGES}{id}/"), "not_found")


def test_stages_have_a_limit(alice_device, monkeypatch):
    monkeypatch.setattr(stages, "MAX_STAGES", 1)
    make(alice_device)
    assert assert_refused(alice_device.client.post(STAGES, {"name": "B"}), "limit_reached")["limit"] == 1


@pytest.mark.parametrize("with_heir", [False, True])
def test_deleting_moves_everybody_in_chunks(alice_device, monkeypatch, with_heir):
    monkeypatch.setattr(stages, "CHUNK", 2)
    stage, heir = make(alice_device, "Offer"), make(alice_device, "Won")
    contacts = [contact_at(alice_device, stage) for _ in range(5)]
    binned = contact_at(alice_device, stage)
    alice_device.client.delete(f"{CONTACTS}{binned['id']}/")
    stays = contact_at(alice_device, heir)
    into = f"?into={heir['id']}" if with_heir else ""
    assert alice_device.client.delete(f"{STAGES}{stage['id']}/{into}").status_code == 204
    wanted = heir["id"] if with_heir else None
    for contact in contacts:
        assert alice_device.client.get(f"{CONTACTS}{contact['id']}/").json()["stage"] == wanted
    assert alice_device.client.post(f"{CONTACTS}{binned['id']}/restore/").json()["stage"] == wanted
    assert alice_device.client.get(f"{CONTACTS}{stays['id']}/").json() == stays
    assert names(alice_device) == ["Won"]
    assert Event.objects.get(kind="stage.deleted").count == 6
    assert Tombstone.objects.filter(kind="stage").count() == 1


def test_refuses_to_move_where_nothing_is(alice_device, charlie_device):
    stage = make(alice_device)
    contact_at(alice_device, stage)
    for into in (stage["id"], make(charlie_device)["id"], uuid7(), "x"):
        body = assert_refused(alice_device.client.delete(f"{STAGES}{stage['id']}/?into={into}"), "invalid")
        assert body["errors"][0]["field"] == "into"
    assert (names(alice_device), Contact.objects.filter(stage=stage["id"]).count()) == (["Offer"], 1)


@pytest.mark.django_db(transaction=True)
def test_deleting_while_contacts_move_there_leaves_nobody(alice, alice_device, bob_device, acme):
    stage = make(alice_device)
    contacts = [contact_at(alice_device) for _ in range(5)]
    jobs = [lambda c=c: bob_device.client.patch(f"{CONTACTS}{c['id']}/", {"stage": stage["id"]}) for c in contacts]
    answers = at_once(
        *jobs, lambda: stages.delete_stage(workspace=acme, stage_id=stage["id"], actor=actors.person(alice))
    )
    assert {answer.status_code for answer in answers[:-1]} <= {200, 400}, answers
    assert isinstance(answers[-1], int), answers[-1]
    assert not Stage.objects.exists()
    assert Contact.objects.filter(stage=None).count() == 5


# --- Owners who go --------------------------------------------------------------------------------


def owners() -> dict[str, object]:
    return dict(Contact.objects.values_list("name", "owner"))


def test_contacts_of_who_leaves_become_nobodys(
    alice_device, bob_device, acme, alice, bob, other, charlie_device, charlie
):
    for _ in range(3):
        contact_at(alice_device, owner=str(bob.pk))
    binned = contact_at(alice_device, name="Binned", owner=str(bob.pk))
    alice_device.client.delete(f"{CONTACTS}{binned['id']}/")
    mine = contact_at(alice_device, name="Mine", owner=str(alice.pk))
    theirs = contact_at(charlie_device, name="Theirs", owner=str(charlie.pk))
    assert bob_device.client.post("/api/v1/workspace/leave/").status_code == 204
    assert finish_departures() == 4
    assert owners() == {"Ana": None, "Binned": None, "Mine": alice.pk, "Theirs": charlie.pk}
    assert alice_device.client.get(f"{CONTACTS}{mine['id']}/").json() == mine
    assert charlie_device.client.get(f"{CONTACTS}{theirs['id']}/").json() == theirs
    assert Event.objects.get(kind="contact.reassigned").count == 4


def test_contacts_of_who_is_removed_go_to_the_heir(alice_device, acme, alice, bob):
    contact_at(alice_device, owner=str(bob.pk))
    member, heir = (Membership.objects.get(workspace=acme, user=user).pk for user in (bob, alice))
    assert alice_device.client.delete(f"/api/v1/members/{member}/?heir={heir}").status_code == 204
    finish_departures()
    assert owners() == {"Ana": alice.pk}


def test_contacts_of_who_is_deactivated_become_nobodys(alice_device, bob):
    contact_at(alice_device, owner=str(bob.pk))
    people.deactivate(user=bob, actor=actors.SYSTEM)
    finish_departures()
    assert owners() == {"Ana": None}
    answer = alice_device.client.post(CONTACTS, {"name": "B", "owner": str(bob.pk)})
    assert assert_refused(answer, "invalid")["errors"][0]["field"] == "owner"


@pytest.mark.django_db(transaction=True)
def test_nobody_who_has_gone_owns_anything(alice_device, acme, alice, bob):
    """Whichever comes first, assigning or removing: in the end no contact belongs to who is no member."""
    contacts = [contact_at(alice_device) for _ in range(4)]
    jobs = [lambda c=c: alice_device.client.patch(f"{CONTACTS}{c['id']}/", {"owner": str(bob.pk)}) for c in contacts]
    answers = at_once(
        *jobs,
        lambda: workspaces.remove_member(
            workspace=acme,
            membership_id=Membership.objects.get(workspace=acme, user=bob).pk,
            actor=actors.person(alice),
            remover=Membership.objects.get(workspace=acme, user=alice),
        ),
    )
    assert {answer.status_code for answer in answers[:-1]} <= {200, 400}, answers
    finish_departures()
    assert not Contact.objects.filter(owner=bob).exists()
