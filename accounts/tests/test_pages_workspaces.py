"""Creating workspaces, changing between them, their settings."""

import pytest
from django.urls import reverse

from accounts import actors
from accounts.models import Membership, Workspace
from accounts.services.workspaces import create_workspace, current_membership


@pytest.fixture
def second(alice, acme) -> Workspace:
    """Another workspace of Alice's; she works in Acme afterwards."""
    workspace = create_workspace(owner=alice, name="Second", actor=actors.person(alice))
    Membership.objects.filter(workspace=workspace).update(last_chosen_at=None)
    return workspace


def test_switch_workspace(client, alice, second):
    client.force_login(alice)
    assert current_membership(alice).workspace.name == "Acme"
    response = client.post(reverse("switch-workspace"), {"workspace": second.pk})
    assert response.url == reverse("home")
    assert current_membership(alice).workspace == second


@pytest.mark.parametrize("value", ["", "no-id", "00000000-0000-0000-0000-000000000000"])
def test_switch_workspace_bad_input(client, alice, second, value):
    client.force_login(alice)
    assert client.post(reverse("switch-workspace"), {"workspace": value}).status_code == 404
    assert current_membership(alice).workspace.name == "Acme"


def test_switch_workspace_of_other(client, alice, acme, other):
    client.force_login(alice)
    assert client.post(reverse("switch-workspace"), {"workspace": other.pk}).status_code == 404
    assert current_membership(alice).workspace == acme


def test_create_workspace(client, alice):
    client.force_login(alice)
    response = client.post(reverse("new-workspace"), {"name": "  New   shop ", "default_country": "BR"})
    assert response.url == reverse("home")
    membership = current_membership(alice)
    assert (membership.workspace.name, membership.workspace.default_country, membership.role) == (
        "New shop",
        "BR",
        "owner",
    )


@pytest.mark.parametrize(
    "payload", [{"name": ""}, {"name": "x" * 101}, {"name": "x", "default_country": "XX"}, {"name": "a\x00"}]
)
def test_create_workspace_bad_input(client, alice, payload):
    client.force_login(alice)
    response = client.post(reverse("new-workspace"), payload)
    assert response.status_code == 200
    assert response.context["form"].errors
    assert not Workspace.objects.exists()


def test_update_workspace(client, alice, acme):
    client.force_login(alice)
    response = client.post(reverse("workspace-settings"), {"name": "Acme 2", "default_country": ""}, follow=True)
    assert "The settings are saved." in response.content.decode()
    acme.refresh_from_db()
    assert (acme.name, acme.default_country) == ("Acme 2", "")


def test_update_workspace_as_member(client, bob, acme):
    client.force_login(bob)
    assert client.post(reverse("workspace-settings"), {"name": "Bob’s"}).status_code == 403
    acme.refresh_from_db()
    assert acme.name == "Acme"


def test_list_workspaces_in_frame(client, alice, second, other):
    client.force_login(alice)
    text = client.get(reverse("home")).content.decode()
    assert str(second.pk) in text
    assert str(other.pk) not in text
