"""Workspaces and members: who may do what, and that a workspace always has exactly one owner."""

import pytest
from django.db import IntegrityError, transaction
from rest_framework.test import APIClient

from accounts import actors
from accounts.models import Event, Membership, Resource, Role, User, Workspace
from accounts.services import plans, workspaces
from accounts.tests.together import assert_refused, at_once
from conftest import join, make_device, make_person
from waplus.lib.errors import Refused
from waplus.lib.ids import uuid7

really_at_once = pytest.mark.django_db(transaction=True)
pytestmark = pytest.mark.django_db


def membership(workspace, user) -> Membership:
    return Membership.objects.get(workspace=workspace, user=user)


def roles(workspace) -> dict[str, str]:
    return dict(Membership.objects.filter(workspace=workspace).values_list("user__name", "role"))


@pytest.fixture
def erin(acme) -> User:
    """An admin of Alice's workspace."""
    person = make_person("Erin")
    join(acme, person, Role.ADMIN)
    return person


@pytest.fixture
def erin_device(erin, acme):
    return make_device(erin, acme)


# --- Workspaces -----------------------------------------------------------------------------------


def test_creates_workspace_with_its_owner(alice, alice_device):
    answer = alice_device.client.post("/api/v1/workspaces/", {"name": " Second ", "default_country": "MX"})
    assert answer.status_code == 201
    workspace = Workspace.objects.get(pk=answer.json()["id"])
    assert (workspace.name, workspace.default_country, workspace.plan.code) == ("Second", "MX", "free")
    assert roles(workspace) == {"Alice": "owner"}
    assert plans.used_of(workspace=workspace, resource=Resource.MEMBERS) == 1
    assert list(Event.objects.filter(workspace=workspace).order_by("id").values_list("kind", flat=True)) == [
        "workspace.created",
        "membership.created",
    ]


def test_creating_twice_with_one_id_is_one_workspace(alice_device):
    id = str(uuid7())
    first = alice_device.client.post("/api/v1/workspaces/", {"id": id, "name": "Second"})
    again = alice_device.client.post("/api/v1/workspaces/", {"id": id, "name": "Renamed"})
    assert first.json() == again.json()
    assert Workspace.objects.count() == 2


@really_at_once
def test_parallel_creations_with_one_id_are_one_workspace(alice_device):
    id = str(uuid7())
    answers = at_once(*[lambda: alice_device.client.post("/api/v1/workspaces/", {"id": id, "name": "Second"})] * 5)
    assert {answer.status_code for answer in answers} <= {200, 201}
    assert Membership.objects.filter(workspace=id).count() == 1
    assert plans.used_of(workspace=Workspace.objects.get(pk=id), resource=Resource.MEMBERS) == 1


def test_somebody_elses_id_is_taken(alice_device, bob_device, other, acme):
    for id, device in ((other.pk, alice_device), (acme.pk, bob_device)):
        assert_refused(device.client.post("/api/v1/workspaces/", {"id": str(id), "name": "Mine"}), "id_taken")
    assert sorted(Workspace.objects.values_list("name", flat=True)) == ["Acme", "Other"]


def test_refuses_wrong_workspaces(alice_device):
    for payload, field, code in [
        ({}, "name", "required"),
        ({"name": " "}, "name", "blank"),
        ({"name": "x" * 101}, "name", "max_length"),
        ({"name": "X", "default_country": "XX"}, "default_country", "invalid_country"),
        ({"name": "X", "default_country": "br"}, "default_country", "invalid_country"),
        ({"name": "X", "plan": "business"}, "plan", None),
        ({"name": "X", "owner": "me"}, "owner", "unknown_field"),
        ({"name": "X", "id": "0189b1a2-0000-4000-8000-000000000000"}, "id", "invalid_id"),
    ]:
        answer = alice_device.client.post("/api/v1/workspaces/", payload)
        if code is None:  # a field that is there to read is not written
            assert Workspace.objects.get(pk=answer.json()["id"]).plan.code == "free"
            continue
        errors = assert_refused(answer, "invalid")["errors"]
        assert [(error["field"], error["code"]) for error in errors] == [(field, code)]
    assert Workspace.objects.count() == 2


def test_updates_workspace_and_names_what_changed(alice_device, acme):
    answer = alice_device.client.patch("/api/v1/workspace/", {"name": "Acme & Söhne", "default_country": "BR"})
    assert (answer.status_code, answer.json()["name"]) == (200, "Acme & Söhne")
    assert Event.objects.get(kind="workspace.updated").changed == ["name"]


def test_id_and_plan_of_workspace_stay(alice_device, acme):
    for payload in ({"id": str(uuid7()), "name": "New"}, {"plan": "business", "name": "New"}):
        answer = alice_device.client.patch("/api/v1/workspace/", payload)
        assert (answer.status_code, answer.json()["errors"][0]["code"]) == (400, "unknown_field")
    acme.refresh_from_db()
    assert (acme.name, acme.plan.code) == ("Acme", "team")
    assert Workspace.objects.count() == 1


def test_lists_own_workspaces_only(alice, alice_device, other):
    rows = alice_device.client.get("/api/v1/workspaces/").json()["results"]
    assert [(row["name"], row["role"]) for row in rows] == [("Acme", "owner")]
    join(other, alice)
    rows = alice_device.client.get("/api/v1/workspaces/").json()["results"]
    assert {(row["name"], row["role"]) for row in rows} == {("Acme", "owner"), ("Other", "member")}


# --- Roles ----------------------------------------------------------------------------------------

# Who may: each row is a call and the least role that may make it.
TABLE = [
    ("get", "/api/v1/me/", Role.MEMBER),
    ("get", "/api/v1/plans/", Role.MEMBER),
    ("get", "/api/v1/workspaces/", Role.MEMBER),
    ("get", "/api/v1/workspace/", Role.MEMBER),
    ("patch", "/api/v1/workspace/", Role.ADMIN),
    ("post", "/api/v1/workspace/transfer/", Role.OWNER),
    ("get", "/api/v1/members/", Role.MEMBER),
    ("get", "/api/v1/members/{id}/", Role.MEMBER),
    ("patch", "/api/v1/members/{id}/", Role.ADMIN),
    ("delete", "/api/v1/members/{id}/", Role.ADMIN),
    ("get", "/api/v1/invitations/", Role.ADMIN),
    ("post", "/api/v1/invitations/", Role.ADMIN),
    ("get", "/api/v1/invitations/{id}/", Role.ADMIN),
    ("delete", "/api/v1/invitations/{id}/", Role.ADMIN),
    ("post", "/api/v1/invitations/{id}/resend/", Role.ADMIN),
    ("get", "/api/v1/events/", Role.ADMIN),
    ("get", "/api/v1/contacts/", Role.MEMBER),
    ("get", "/api/v1/whatsapp-accounts/", Role.MEMBER),
    ("delete", "/api/v1/whatsapp-accounts/{id}/", Role.ADMIN),
]


def test_roles_may_what_the_table_says(alice_device, bob_device, erin_device):
    devices = {Role.MEMBER: bob_device, Role.ADMIN: erin_device, Role.OWNER: alice_device}
    missing = uuid7()
    for method, path, least in TABLE:
        for role, device in devices.items():
            answer = getattr(device.client, method)(path.format(id=missing))
            if role.rank >= least.rank:
                assert answer.status_code in (200, 400, 404), (method, path, role)
            else:
                assert_refused(answer, "forbidden")
        assert_refused(getattr(APIClient(), method)(path.format(id=missing)), "not_authenticated")


def test_role_is_read_at_every_request(bob, bob_device, acme):
    assert_refused(bob_device.client.get("/api/v1/events/"), "forbidden")
    Membership.objects.filter(workspace=acme, user=bob).update(role=Role.ADMIN)
    assert bob_device.client.get("/api/v1/events/").status_code == 200
    Membership.objects.filter(workspace=acme, user=bob).update(role=Role.MEMBER)
    assert_refused(bob_device.client.get("/api/v1/events/"), "forbidden")


def test_promotes_and_demotes(alice_device, bob, acme):
    path = f"/api/v1/members/{membership(acme, bob).pk}/"
    assert alice_device.client.patch(path, {"role": "admin"}).json()["role"] == "admin"
    assert alice_device.client.patch(path, {"role": "admin"}).json()["role"] == "admin"
    assert Event.objects.filter(kind="membership.updated").count() == 1
    assert alice_device.client.patch(path, {"role": "member"}).json()["role"] == "member"


def test_nobody_becomes_owner_by_role(alice_device, erin_device, bob, acme):
    path = f"/api/v1/members/{membership(acme, bob).pk}/"
    for device in (alice_device, erin_device):
        assert_refused(device.client.patch(path, {"role": "owner"}), "invalid")
    assert roles(acme) == {"Alice": "owner", "Bob": "member", "Erin": "admin"}


def test_owner_is_demoted_by_nobody(alice, alice_device, erin_device, acme):
    path = f"/api/v1/members/{membership(acme, alice).pk}/"
    for device in (alice_device, erin_device):
        assert_refused(device.client.patch(path, {"role": "member"}), "owner_must_stay")
    assert roles(acme)["Alice"] == "owner"


def test_admins_neither_remove_nor_demote_one_another(alice_device, erin_device, bob, acme):
    other = membership(acme, bob)
    alice_device.client.patch(f"/api/v1/members/{other.pk}/", {"role": "admin"})
    assert_refused(erin_device.client.delete(f"/api/v1/members/{other.pk}/"), "forbidden")
    assert_refused(erin_device.client.patch(f"/api/v1/members/{other.pk}/", {"role": "member"}), "forbidden")
    assert roles(acme) == {"Alice": "owner", "Bob": "admin", "Erin": "admin"}
    assert alice_device.client.patch(f"/api/v1/members/{other.pk}/", {"role": "member"}).status_code == 200


def test_admin_may_step_down(erin, erin_device, acme):
    path = f"/api/v1/members/{membership(acme, erin).pk}/"
    assert erin_device.client.patch(path, {"role": "member"}).json()["role"] == "member"
    assert_refused(erin_device.client.patch(path, {"role": "admin"}), "forbidden")


def test_admin_removes_member_and_not_owner(alice, bob, erin_device, acme):
    assert_refused(erin_device.client.delete(f"/api/v1/members/{membership(acme, alice).pk}/"), "owner_must_stay")
    assert plans.used_of(workspace=acme, resource=Resource.MEMBERS) == 3
    assert erin_device.client.delete(f"/api/v1/members/{membership(acme, bob).pk}/").status_code == 204
    assert roles(acme) == {"Alice": "owner", "Erin": "admin"}
    assert plans.used_of(workspace=acme, resource=Resource.MEMBERS) == 2
    assert Event.objects.filter(kind="membership.removed").count() == 1


def test_owner_removes_admin(alice_device, erin, acme):
    assert alice_device.client.delete(f"/api/v1/members/{membership(acme, erin).pk}/").status_code == 204
    assert "Erin" not in roles(acme)


def test_members_of_other_workspace_are_like_missing_ones(alice_device, charlie, other):
    foreign = membership(other, charlie).pk
    calls = [
        lambda id: alice_device.client.get(f"/api/v1/members/{id}/"),
        lambda id: alice_device.client.patch(f"/api/v1/members/{id}/", {"role": "member"}),
        lambda id: alice_device.client.delete(f"/api/v1/members/{id}/"),
        lambda id: alice_device.client.post("/api/v1/workspace/transfer/", {"member_id": str(id)}),
    ]
    for call in calls:
        bodies = [assert_refused(call(id), "not_found") | {"request_id": ""} for id in (foreign, uuid7())]
        assert bodies[0] == bodies[1]
    assert roles(other) == {"Charlie": "owner"}


def test_remover_who_was_removed_meanwhile_removes_nobody(alice, bob, erin, acme):
    stale = membership(acme, erin)
    Membership.objects.filter(pk=stale.pk).update(role=Role.MEMBER)
    with pytest.raises(Refused) as refusal:
        workspaces.remove_member(
            workspace=acme, membership_id=membership(acme, bob).pk, actor=actors.person(erin), remover=stale
        )
    assert refusal.value.code == "forbidden"
    assert "Bob" in roles(acme)


# --- Leaving and handing over ---------------------------------------------------------------------


def test_owner_cannot_leave(alice_device, acme):
    assert_refused(alice_device.client.post("/api/v1/workspace/leave/"), "owner_must_stay")
    assert roles(acme) == {"Alice": "owner", "Bob": "member"}
    assert alice_device.client.get("/api/v1/me/").status_code == 200


def test_member_leaves_and_gives_place_back(bob_device, acme):
    assert bob_device.client.post("/api/v1/workspace/leave/").status_code == 204
    assert roles(acme) == {"Alice": "owner"}
    assert plans.used_of(workspace=acme, resource=Resource.MEMBERS) == 1
    assert Event.objects.filter(kind="membership.left", workspace=acme).count() == 1


def test_transfer_moves_ownership(alice_device, bob, acme):
    answer = alice_device.client.post("/api/v1/workspace/transfer/", {"member_id": str(membership(acme, bob).pk)})
    assert (answer.status_code, answer.json()["role"]) == (200, "owner")
    assert roles(acme) == {"Alice": "admin", "Bob": "owner"}
    assert Event.objects.filter(kind="workspace.transferred").count() == 1
    again = alice_device.client.post("/api/v1/workspace/transfer/", {"member_id": str(membership(acme, bob).pk)})
    assert_refused(again, "forbidden")


def test_transfer_to_oneself_changes_nothing(alice, alice_device, acme):
    answer = alice_device.client.post("/api/v1/workspace/transfer/", {"member_id": str(membership(acme, alice).pk)})
    assert answer.status_code == 200
    assert roles(acme)["Alice"] == "owner"
    assert not Event.objects.filter(kind="workspace.transferred").exists()


def test_transfer_only_to_somebody_who_can_log_in(alice_device, bob, acme):
    User.objects.filter(pk=bob.pk).update(is_active=False)
    answer = alice_device.client.post("/api/v1/workspace/transfer/", {"member_id": str(membership(acme, bob).pk)})
    assert_refused(answer, "conflict")
    assert roles(acme)["Alice"] == "owner"


@really_at_once
def test_parallel_transfers_leave_one_owner(alice, bob, acme):
    heirs = [bob] + [make_person(f"Heir{n}") for n in range(3)]
    for heir in heirs[1:]:
        join(acme, heir)
    jobs = [
        lambda heir=heir: workspaces.transfer_ownership(
            workspace=acme, membership_id=membership(acme, heir).pk, actor=actors.person(alice)
        )
        for heir in heirs
    ]
    answers = at_once(*jobs)
    assert sum(isinstance(answer, Membership) for answer in answers) == 1
    assert [answer.code for answer in answers if isinstance(answer, Refused)] == ["forbidden"] * 3
    assert sorted(roles(acme).values()) == ["admin", "member", "member", "member", "owner"]


@really_at_once
def test_owner_who_leaves_while_handing_over_leaves_an_owner(alice, bob, acme):
    """Either order is fine; a workspace without an owner is not."""
    own = membership(acme, alice)
    at_once(
        lambda: workspaces.transfer_ownership(
            workspace=acme, membership_id=membership(acme, bob).pk, actor=actors.person(alice)
        ),
        lambda: workspaces.remove_member(workspace=acme, membership_id=own.pk, actor=actors.person(alice), remover=own),
        lambda: workspaces.remove_member(
            workspace=acme, membership_id=membership(acme, bob).pk, actor=actors.person(alice), remover=own
        ),
    )
    assert list(roles(acme).values()).count("owner") == 1
    assert plans.used_of(workspace=acme, resource=Resource.MEMBERS) == Membership.objects.filter(workspace=acme).count()


def test_database_refuses_second_owner_and_second_membership(acme, alice, bob):
    with pytest.raises(IntegrityError), transaction.atomic():
        Membership.objects.filter(workspace=acme, user=bob).update(role=Role.OWNER)
    with pytest.raises(IntegrityError), transaction.atomic():
        Membership.objects.create(workspace=acme, user=bob, role=Role.MEMBER)
    assert roles(acme) == {"Alice": "owner", "Bob": "member"}


# --- The person -----------------------------------------------------------------------------------


def test_shows_who_asks(alice, alice_device, acme):
    body = alice_device.client.get("/api/v1/me/").json()
    assert body["person"] == {
        "id": str(alice.pk),
        "email": "alice@example.com",
        "name": "Alice",
        "time_zone": "UTC",
        "language": "en",
        "reminders_by_email": True,
        "warnings_by_email": True,
    }
    assert (body["workspace"]["id"], body["role"], body["plan"]["code"]) == (str(acme.pk), "owner", "team")
    used = {row["resource"]: (row["used"], row["limit"], row["monthly"]) for row in body["usage"]}
    assert used["members"] == (2, 10, False)
    assert used["ai_credits"] == (0, 2000, True)
    assert set(used) == set(Resource.values)


def test_updates_profile_and_names_what_changed(alice, alice_device):
    answer = alice_device.client.patch("/api/v1/me/", {"time_zone": "America/Sao_Paulo", "language": "pt-br"})
    assert answer.status_code == 200
    alice.refresh_from_db()
    assert (alice.time_zone, alice.language) == ("America/Sao_Paulo", "pt-br")
    assert Event.objects.get(kind="person.updated").changed == ["language", "time_zone"]


def test_refuses_wrong_profile(alice, alice_device):
    for payload, field, code in [
        ({"time_zone": "Mars/Olympus"}, "time_zone", "invalid_time_zone"),
        ({"language": "tlh"}, "language", "invalid_choice"),
        ({"name": "x" * 151}, "name", "max_length"),
        ({"is_staff": True}, "is_staff", "unknown_field"),
        ({"password": "x"}, "password", "unknown_field"),
    ]:
        errors = assert_refused(alice_device.client.patch("/api/v1/me/", payload), "invalid")["errors"]
        assert [(error["field"], error["code"]) for error in errors] == [(field, code)]
    alice_device.client.patch("/api/v1/me/", {"email": "evil@example.com", "id": str(uuid7())})
    alice.refresh_from_db()
    assert (alice.email, alice.is_staff, alice.time_zone) == ("alice@example.com", False, "UTC")


def test_events_show_names_of_fields_and_no_values(alice_device, acme):
    alice_device.client.patch("/api/v1/workspace/", {"name": "Canary Name"})
    answer = alice_device.client.get("/api/v1/events/")
    assert "workspace.updated" in answer.content.decode()
    assert "Canary" not in answer.content.decode()


def test_events_of_other_workspace_are_not_shown(alice_device, charlie_device):
    charlie_device.client.patch("/api/v1/workspace/", {"name": "Renamed"})
    kinds = {row["kind"] for row in alice_device.client.get("/api/v1/events/").json()["results"]}
    assert "workspace.updated" not in kinds
    assert "workspace.created" in kinds
