"""The team page: who may do what with whom."""

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from accounts import actors
from accounts.models import Departure, Invitation, Membership, Plan, Role, User, Workspace
from accounts.services import departures, invitations
from conftest import join, make_person


@pytest.fixture
def dora(acme):
    person = make_person("Dora")
    join(acme, person, Role.ADMIN)
    return person


def membership(user) -> Membership:
    return Membership.objects.get(user=user)


def role_of(user) -> str:
    return membership(user).role


def invite(acme, alice, email="erin@example.com") -> Invitation:
    return invitations.invite(workspace=acme, email=email, role=Role.MEMBER, inviter=alice, actor=actors.person(alice))


def said(response) -> list[str]:
    return [str(message) for message in response.context["messages"]]


def test_list_members_as_owner(client, alice, bob, acme):
    client.force_login(alice)
    text = client.get(reverse("team")).content.decode()
    assert "2 of 10" in text
    assert reverse("change-role", args=[membership(bob).pk]) in text
    assert reverse("remove-member", args=[membership(bob).pk]) in text
    assert reverse("transfer-ownership", args=[membership(bob).pk]) in text
    assert reverse("leave-workspace") not in text


def test_list_members_as_member(client, alice, bob, acme):
    invite(acme, alice)
    client.force_login(bob)
    text = client.get(reverse("team")).content.decode()
    assert alice.email in text
    assert "erin@example.com" not in text
    assert reverse("leave-workspace") in text
    assert "/role/" not in text
    assert "/remove/" not in text
    assert "/transfer/" not in text
    assert 'name="email"' not in text


def test_list_members_as_admin(client, dora, alice, bob, acme):
    client.force_login(dora)
    text = client.get(reverse("team")).content.decode()
    assert reverse("remove-member", args=[membership(bob).pk]) in text
    assert reverse("remove-member", args=[membership(alice).pk]) not in text
    assert "/transfer/" not in text


def test_list_members_costs_the_same(client, alice, acme):
    client.force_login(alice)
    client.get(reverse("team"))
    with CaptureQueriesContext(connection) as few:
        client.get(reverse("team"))
    for name in ("Una", "Vera", "Walt"):
        join(acme, make_person(name))
        invite(acme, alice, f"{name}@else.example.com")
    with CaptureQueriesContext(connection) as many:
        client.get(reverse("team"))
    assert len(many) == len(few)


def test_invite_person(client, alice, acme, mailoutbox, django_capture_on_commit_callbacks):
    client.force_login(alice)
    with django_capture_on_commit_callbacks(execute=True):
        response = client.post(reverse("team"), {"email": "Erin@Example.com", "role": "admin"}, follow=True)
    assert said(response) == ["The invitation to erin@example.com is on its way."]
    row = Invitation.objects.get()
    assert (row.email, row.role, row.invited_by, row.workspace) == ("erin@example.com", "admin", alice, acme)
    [message] = mailoutbox
    assert message.to == ["erin@example.com"]
    assert message.subject == "Alice invites you to “Acme” on WAPlus CRM"
    assert "/invitations/" in message.body
    assert "The link is for erin@example.com and is valid for 7 days." in message.body


def test_invite_person_from_workspace_with_line_break(
    client, alice, acme, mailoutbox, django_capture_on_commit_callbacks
):
    Workspace.objects.update(name="Acme\nBcc: all@example.com")
    client.force_login(alice)
    with django_capture_on_commit_callbacks(execute=True):
        client.post(reverse("team"), {"email": "erin@example.com", "role": "member"})
    assert mailoutbox[0].subject == "Alice invites you to “Acme Bcc: all@example.com” on WAPlus CRM"
    assert mailoutbox[0].recipients() == ["erin@example.com"]


def test_invite_member(client, alice, bob, acme):
    client.force_login(alice)
    response = client.post(reverse("team"), {"email": bob.email, "role": "member"})
    assert response.status_code == 200
    assert response.context["form"].errors == {"email": ["This person is a member already."]}
    assert not Invitation.objects.exists()


@pytest.mark.parametrize(
    "payload",
    [
        {"email": "no address", "role": "member"},
        {"email": "e@example.com", "role": "owner"},
        {"email": "e@example.com"},
        {},
    ],
)
def test_invite_person_bad_input(client, alice, acme, payload):
    client.force_login(alice)
    response = client.post(reverse("team"), payload)
    assert response.status_code == 200
    assert response.context["form"].errors
    assert not Invitation.objects.exists()


def test_invite_person_as_member(client, bob, acme):
    client.force_login(bob)
    assert client.post(reverse("team"), {"email": "erin@example.com", "role": "member"}).status_code == 403
    assert not Invitation.objects.exists()


def test_resend_invitation(client, alice, acme, mailoutbox, django_capture_on_commit_callbacks):
    row = invite(acme, alice)
    client.force_login(alice)
    with django_capture_on_commit_callbacks(execute=True):
        response = client.post(reverse("resend-invitation", args=[row.pk]))
    assert response.url == reverse("team")
    assert len(mailoutbox) == 1
    assert bytes(Invitation.objects.get().token_hash) != bytes(row.token_hash)


def test_revoke_invitation(client, alice, acme):
    row = invite(acme, alice)
    client.force_login(alice)
    response = client.post(reverse("revoke-invitation", args=[row.pk]), follow=True)
    assert said(response) == ["The invitation is withdrawn."]
    assert not Invitation.objects.exists()


@pytest.mark.parametrize("name", ["resend-invitation", "revoke-invitation"])
def test_change_invitation_of_other_workspace(client, charlie, other, alice, acme, mailoutbox, name):
    row = invite(acme, alice)
    client.force_login(charlie)
    assert client.post(reverse(name, args=[row.pk])).status_code == 404
    assert bytes(Invitation.objects.get().token_hash) == bytes(row.token_hash)
    assert mailoutbox == []


@pytest.mark.parametrize("name", ["resend-invitation", "revoke-invitation"])
def test_change_invitation_as_member(client, bob, alice, acme, mailoutbox, name):
    row = invite(acme, alice)
    client.force_login(bob)
    assert client.post(reverse(name, args=[row.pk])).status_code == 403
    assert bytes(Invitation.objects.get().token_hash) == bytes(row.token_hash)
    assert mailoutbox == []


def test_change_role(client, alice, bob, acme):
    client.force_login(alice)
    client.post(reverse("change-role", args=[membership(bob).pk]), {"role": "admin"})
    assert role_of(bob) == Role.ADMIN


def test_change_role_to_owner(client, alice, bob, acme):
    client.force_login(alice)
    response = client.post(reverse("change-role", args=[membership(bob).pk]), {"role": "owner"}, follow=True)
    assert said(response) == ["Choose one of the roles."]
    assert (role_of(alice), role_of(bob)) == (Role.OWNER, Role.MEMBER)


def test_change_role_of_owner(client, dora, alice, acme):
    client.force_login(dora)
    response = client.post(reverse("change-role", args=[membership(alice).pk]), {"role": "member"}, follow=True)
    assert said(response) == ["Ownership changes hands by a transfer."]
    assert role_of(alice) == Role.OWNER


@pytest.mark.parametrize("name", ["change-role", "remove-member", "transfer-ownership"])
def test_change_member_as_member(client, alice, bob, acme, name):
    client.force_login(bob)
    response = client.post(reverse(name, args=[membership(bob).pk]), {"role": "admin"})
    assert response.status_code == 403
    assert (role_of(alice), role_of(bob)) == (Role.OWNER, Role.MEMBER)


@pytest.mark.parametrize("name", ["change-role", "remove-member", "transfer-ownership"])
def test_change_member_of_other_workspace(client, charlie, other, bob, acme, name):
    client.force_login(charlie)
    response = client.post(reverse(name, args=[membership(bob).pk]), {"role": "admin"})
    assert response.status_code == 404
    assert role_of(bob) == Role.MEMBER


def test_remove_member(client, alice, bob, acme):
    client.force_login(alice)
    client.post(reverse("remove-member", args=[membership(bob).pk]))
    assert not Membership.objects.filter(user=bob).exists()
    client.force_login(bob)
    assert "You are in no workspace yet" in client.get(reverse("home")).content.decode()


@pytest.fixture
def looked_after(monkeypatch):
    """Bob looks after twelve papers."""
    monkeypatch.setattr(departures, "_handovers", {})
    departures.register_departure(
        "papers",
        lambda **_: 0,
        count=lambda workspace, user_id: 12 if User.objects.get(pk=user_id).name == "Bob" else 0,
        words=lambda count: f"{count} papers",
    )


def test_name_who_takes_over(client, alice, bob, dora, acme, looked_after):
    client.force_login(alice)
    page = reverse("remove-member", args=[membership(bob).pk])
    response = client.get(page)
    assert "Bob looks after 12 papers." in response.content.decode()
    heirs = [str(label) for _, label in response.context["form"].fields["heir"].choices]
    assert heirs[1:] == ["Alice", "Dora"]
    assert Membership.objects.filter(user=bob).exists()
    response = client.post(page, {"heir": membership(dora).pk}, follow=True)
    assert said(response) == ["Bob is removed. Their devices have lost access."]
    assert list(Departure.objects.values_list("user", "heir")) == [(bob.pk, dora.pk)]


@pytest.mark.parametrize("heir", ["bob", "charlie", "nonsense"])
def test_name_somebody_who_cannot_take_over(client, alice, bob, charlie, other, acme, looked_after, heir):
    ids = {"bob": membership(bob).pk, "charlie": membership(charlie).pk}
    client.force_login(alice)
    response = client.post(reverse("remove-member", args=[membership(bob).pk]), {"heir": ids.get(heir, heir)})
    assert list(response.context["form"].errors) == ["heir"]
    assert Membership.objects.filter(user=bob).exists() and not Departure.objects.exists()


def test_leave_to_somebody(client, alice, bob, acme, looked_after):
    client.force_login(bob)
    assert "You look after 12 papers." in client.get(reverse("leave-workspace")).content.decode()
    client.post(reverse("leave-workspace"), {"heir": membership(alice).pk})
    assert list(Departure.objects.values_list("user", "heir")) == [(bob.pk, alice.pk)]


def test_remove_member_who_looks_after_nothing(client, alice, dora, acme, looked_after):
    client.force_login(alice)
    text = client.get(reverse("remove-member", args=[membership(dora).pk])).content.decode()
    assert "Dora looks after no contact and no reminder" in text
    assert 'name="heir"' not in text


def test_remove_owner(client, dora, alice, acme):
    client.force_login(dora)
    client.post(reverse("remove-member", args=[membership(alice).pk]))
    assert role_of(alice) == Role.OWNER


def test_leave_workspace(client, bob, acme):
    client.force_login(bob)
    response = client.post(reverse("leave-workspace"), follow=True)
    assert "You left “Acme”." in response.content.decode()
    assert not Membership.objects.filter(user=bob).exists()


def test_leave_workspace_as_owner(client, alice, acme):
    client.force_login(alice)
    response = client.post(reverse("leave-workspace"), follow=True)
    assert said(response) == ["Hand the workspace over before you leave it."]
    assert role_of(alice) == Role.OWNER


def test_transfer_ownership(client, alice, bob, acme):
    client.force_login(alice)
    client.post(reverse("transfer-ownership", args=[membership(bob).pk]))
    assert (role_of(alice), role_of(bob)) == (Role.ADMIN, Role.OWNER)


def test_transfer_ownership_as_admin(client, dora, alice, acme):
    client.force_login(dora)
    assert client.post(reverse("transfer-ownership", args=[membership(dora).pk])).status_code == 403
    assert (role_of(alice), role_of(dora)) == (Role.OWNER, Role.ADMIN)


def test_show_plan_limit_on_team(client, alice, acme):
    Workspace.objects.update(plan=Plan.objects.get(code="free"))
    client.force_login(alice)
    text = client.get(reverse("team")).content.decode()
    assert "2 of 2" in text
    assert "Your plan allows 2 members and all places are taken." in text
