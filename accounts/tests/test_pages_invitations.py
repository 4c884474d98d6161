"""The page behind an invitation's link."""

from datetime import timedelta
from urllib.parse import urlsplit

import pytest
from django.urls import reverse
from django.utils import timezone

from accounts import actors
from accounts.models import Invitation, Membership, Plan, Role, Workspace
from accounts.services import invitations


@pytest.fixture
def link(acme, alice, charlie, mailoutbox, django_capture_on_commit_callbacks) -> str:
    """The path that Charlie got by mail."""
    with django_capture_on_commit_callbacks(execute=True):
        invitations.invite(
            workspace=acme, email=charlie.email, role=Role.ADMIN, inviter=alice, actor=actors.person(alice)
        )
    found = next(line for line in mailoutbox[0].body.splitlines() if line.startswith("http"))
    return urlsplit(found).path


def joined(user) -> bool:
    return Membership.objects.filter(user=user, workspace__name="Acme").exists()


def test_open_invitation_logged_out(client, link, charlie):
    response = client.get(link)
    text = response.content.decode()
    assert response.status_code == 200
    assert "Join “Acme”" in text
    assert "<strong>Alice</strong>" in text
    assert f"/accounts/login/?next={link.replace('/', '%2F')}" in text
    assert "Accept and join" not in text
    assert not joined(charlie)


def test_open_invitation(client, link, charlie):
    client.force_login(charlie)
    for _ in range(2):
        assert "Accept and join" in client.get(link).content.decode()
    assert not joined(charlie)
    assert Invitation.objects.count() == 1


def test_accept_invitation(client, link, charlie, other):
    client.force_login(charlie)
    response = client.post(link, follow=True)
    assert response.redirect_chain == [(reverse("home"), 302)]
    assert "Welcome to “Acme”." in response.content.decode()
    assert Membership.objects.get(user=charlie, workspace__name="Acme").role == Role.ADMIN
    assert client.get(link).status_code == 404
    assert client.post(link).status_code == 404


def test_accept_invitation_logged_out(client, link, charlie):
    response = client.post(link)
    assert response.status_code == 302
    assert response.url.startswith(reverse("account_login"))
    assert not joined(charlie)


def test_accept_invitation_with_other_address(client, link, bob, charlie):
    client.force_login(bob)
    assert "You are logged in as bob@example.com" in client.get(link).content.decode()
    response = client.post(link, follow=True)
    assert "The invitation is for another e-mail address." in response.content.decode()
    assert Invitation.objects.count() == 1


def test_accept_invitation_with_unproven_address(client, link, charlie):
    charlie.emailaddress_set.update(verified=False)
    client.force_login(charlie)
    client.post(link)
    assert not joined(charlie)
    assert Invitation.objects.count() == 1


def test_accept_invitation_without_place(client, link, charlie):
    Workspace.objects.update(plan=Plan.objects.get(code="free"))
    client.force_login(charlie)
    response = client.post(link, follow=True)
    assert "The plan “Free” allows 2 × members" in response.content.decode()
    assert not joined(charlie)
    assert Invitation.objects.count() == 1


def test_open_invitation_expired(client, link, charlie):
    Invitation.objects.update(expires_at=timezone.now() - timedelta(seconds=1))
    client.force_login(charlie)
    assert client.get(link).status_code == 404
    response = client.post(link)
    assert response.status_code == 404
    assert "This invitation is no longer open" in response.content.decode()
    assert not joined(charlie)


def test_open_invitation_unknown(client, db):
    response = client.get(reverse("invitation", args=["unknown"]))
    assert response.status_code == 404
    assert "This invitation is no longer open" in response.content.decode()


def test_show_invitation_at_home(client, link, charlie, other):
    client.force_login(charlie)
    assert "You are invited to “Acme”." in client.get(reverse("home")).content.decode()


def test_show_invitation_without_workspace(client, link, charlie):
    client.force_login(charlie)
    text = client.get(reverse("home")).content.decode()
    assert "You are in no workspace yet" in text
    assert "You are invited to “Acme”." in text
