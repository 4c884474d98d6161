"""Departures: what a member looked after is handed over once the membership has ended, to the very last row."""

import pytest
from django.db import connection, transaction

from accounts import actors
from accounts.models import Departure, Membership, Role
from accounts.services import departures, people, workspaces
from accounts.services.departures import finish_departures, hold_member
from accounts.tests.together import assert_refused, at_once
from conftest import join, make_device, make_person
from waplus.lib.ids import uuid7

pytestmark = pytest.mark.django_db


class Desk:
    """Something that members look after, as a higher floor would keep it: `{workspace: {user: how many}}`."""

    def __init__(self):
        self.piles: dict = {}
        self.calls: list[int] = []

    def count(self, *, workspace, user_id) -> int:
        return self.piles.get(workspace.pk, {}).get(user_id, 0)

    def hand_over(self, *, workspace, user_id, heir_id, limit) -> int:
        piles = self.piles.setdefault(workspace.pk, {})
        moved = min(limit, piles.get(user_id, 0))
        piles[user_id] = piles.get(user_id, 0) - moved
        piles[heir_id] = piles.get(heir_id, 0) + moved
        self.calls.append(moved)
        return moved


@pytest.fixture
def desk(monkeypatch) -> Desk:
    desk = Desk()
    monkeypatch.setattr(departures, "_handovers", {})
    departures.register_departure("desk", desk.hand_over, count=desk.count, words=lambda count: f"{count} papers")
    monkeypatch.setattr(departures, "CHUNK", 10)
    return desk


def remove(acme, alice, person, **kwargs) -> None:
    workspaces.remove_member(
        workspace=acme,
        membership_id=Membership.objects.get(workspace=acme, user=person).pk,
        actor=actors.person(alice),
        remover=Membership.objects.get(workspace=acme, user=alice),
        **kwargs,
    )


def test_hands_over_in_chunks_to_nobody(desk, acme, alice, bob):
    desk.piles[acme.pk] = {bob.pk: 25, alice.pk: 3}
    remove(acme, alice, bob)
    assert (desk.calls, Departure.objects.count()) == ([], 1)
    assert finish_departures() == 25
    assert desk.piles[acme.pk] == {bob.pk: 0, alice.pk: 3, None: 25}
    assert desk.calls == [10, 10, 5, 0]
    assert not Departure.objects.exists()
    assert finish_departures() == 0


def test_hands_over_to_heir(desk, acme, alice, bob, alice_device):
    desk.piles[acme.pk] = {bob.pk: 12}
    members = {row.user_id: row.pk for row in Membership.objects.filter(workspace=acme)}
    answer = alice_device.client.delete(f"/api/v1/members/{members[bob.pk]}/?heir={members[alice.pk]}")
    assert answer.status_code == 204
    finish_departures()
    assert desk.piles[acme.pk] == {bob.pk: 0, alice.pk: 12}


def test_refuses_heir_who_could_not_take_over(desk, acme, alice, bob, charlie, alice_device, other):
    frank = make_person("Frank")
    join(acme, frank)
    people.deactivate(user=frank, actor=actors.SYSTEM)
    Departure.objects.all().delete()
    member = Membership.objects.get(workspace=acme, user=bob)
    nobody = [member.pk, Membership.objects.get(user=frank).pk, Membership.objects.get(user=charlie).pk, uuid7(), "x"]
    for heir in nobody:
        body = assert_refused(alice_device.client.delete(f"/api/v1/members/{member.pk}/?heir={heir}"), "invalid")
        assert [error["field"] for error in body["errors"]] == ["heir"]
    assert Membership.objects.filter(pk=member.pk).exists()
    assert not Departure.objects.exists()


def test_heir_who_left_meanwhile_gets_nothing(desk, acme, alice, bob):
    erin = make_person("Erin")
    join(acme, erin)
    desk.piles[acme.pk] = {bob.pk: 4}
    remove(acme, alice, bob, heir_membership_id=Membership.objects.get(workspace=acme, user=erin).pk)
    remove(acme, alice, erin)
    finish_departures()
    assert desk.piles[acme.pk] == {bob.pk: 0, erin.pk: 0, None: 4}


def test_member_who_came_back_keeps_everything(desk, acme, alice, bob):
    desk.piles[acme.pk] = {bob.pk: 4}
    remove(acme, alice, bob)
    join(acme, bob, Role.MEMBER)
    assert finish_departures() == 0
    assert desk.piles[acme.pk] == {bob.pk: 4}
    assert not Departure.objects.exists()


def test_deactivation_ends_responsibility_in_every_workspace(desk, acme, other, bob, charlie):
    join(other, bob)
    desk.piles = {acme.pk: {bob.pk: 2}, other.pk: {bob.pk: 3, charlie.pk: 1}}
    people.deactivate(user=bob, actor=actors.SYSTEM)
    assert finish_departures() == 5
    assert desk.piles == {acme.pk: {bob.pk: 0, None: 2}, other.pk: {bob.pk: 0, None: 3, charlie.pk: 1}}


def test_leaving_is_a_departure_and_refused_leaving_is_none(acme, alice_device, bob_device, bob):
    assert_refused(alice_device.client.post("/api/v1/workspace/leave/"), "owner_must_stay")
    assert not Departure.objects.exists()
    assert bob_device.client.post("/api/v1/workspace/leave/").status_code == 204
    assert list(Departure.objects.values_list("workspace", "user", "heir")) == [(acme.pk, bob.pk, None)]


def test_says_what_a_member_looks_after(desk, acme, other, alice, bob):
    desk.piles = {acme.pk: {bob.pk: 25}, other.pk: {alice.pk: 3}}
    assert departures.looked_after(workspace=acme, user=bob) == ["25 papers"]
    assert departures.looked_after(workspace=acme, user=alice) == []


def test_leaver_names_who_takes_over(acme, alice, bob, bob_device, charlie, other):
    leave = "/api/v1/workspace/leave/"
    foreign = Membership.objects.get(user=charlie).pk
    assert_refused(bob_device.client.post(f"{leave}?heir={foreign}"), "invalid")
    assert Membership.objects.filter(user=bob).exists() and not Departure.objects.exists()
    assert bob_device.client.post(f"{leave}?heir={Membership.objects.get(user=alice).pk}").status_code == 204
    assert list(Departure.objects.values_list("workspace", "user", "heir")) == [(acme.pk, bob.pk, alice.pk)]


def test_holds_only_members_who_can_log_in(acme, alice, bob, charlie):
    assert hold_member(workspace=acme, user_id=alice.pk)
    people.deactivate(user=bob, actor=actors.SYSTEM)
    assert not hold_member(workspace=acme, user_id=bob.pk)
    assert not hold_member(workspace=acme, user_id=charlie.pk)
    assert not hold_member(workspace=acme, user_id=uuid7())


@pytest.mark.django_db(transaction=True)
def test_held_member_stays_until_the_holder_is_done(acme, bob):
    """Two holders do not wait for each other; who would end the membership waits for both."""

    def try_to_end():
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute("SET LOCAL lock_timeout = '100ms'")
            Membership.objects.filter(workspace=acme, user=bob).delete()

    def try_to_hold():
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute("SET LOCAL lock_timeout = '100ms'")
            return hold_member(workspace=acme, user_id=bob.pk)

    with transaction.atomic():
        hold_member(workspace=acme, user_id=bob.pk)
        held, ended = at_once(try_to_hold)[0], at_once(try_to_end)[0]
    assert held is True
    assert "lock timeout" in str(ended)
    assert Membership.objects.filter(workspace=acme, user=bob).exists()


def test_device_tells_people_of_members(acme, alice, bob, alice_device):
    rows = alice_device.client.get("/api/v1/members/").json()["results"]
    assert {row["user_id"] for row in rows} == {str(alice.pk), str(bob.pk)}
    assert make_device(bob, acme).client.get("/api/v1/members/").json()["results"] == rows
