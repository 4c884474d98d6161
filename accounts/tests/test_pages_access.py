"""Who may open which page."""

import pytest
from django.test import Client
from django.urls import reverse

from accounts.models import Membership, Role, Workspace
from waplus.lib.ids import uuid7

PERSONAL = ["devices", "security", "profile", "new-workspace"]
OF_WORKSPACE = ["home", "team", "plan"]
OF_ADMINS = ["activity", "workspace-settings"]
CHANGES = [
    ("rename-device", "uuid"),
    ("sign-out-device", "uuid"),
    ("sign-out-browser", "int"),
    ("sign-out-other-browsers", None),
    ("leave-workspace", None),
    ("change-role", "uuid"),
    ("remove-member", "uuid"),
    ("transfer-ownership", "uuid"),
    ("resend-invitation", "uuid"),
    ("revoke-invitation", "uuid"),
    ("switch-workspace", None),
]


def address(name: str, kind: str | None) -> str:
    return reverse(name, args={"uuid": [uuid7()], "int": [1], None: []}[kind])


@pytest.mark.parametrize("name", PERSONAL + OF_WORKSPACE + OF_ADMINS)
def test_open_page_logged_out(client, db, name):
    response = client.get(reverse(name))
    assert response.status_code == 302
    assert response.url == f"/accounts/login/?next={reverse(name)}"


@pytest.mark.parametrize("name", PERSONAL + OF_WORKSPACE + OF_ADMINS)
def test_open_page_as_owner(client, alice, acme, name):
    client.force_login(alice)
    response = client.get(reverse(name))
    assert response.status_code == 200
    assert '<html lang="en" dir="ltr">' in response.content.decode()
    assert " style=" not in response.content.decode()


@pytest.mark.parametrize("name", OF_ADMINS)
def test_open_page_of_admins_as_member(client, bob, acme, name):
    client.force_login(bob)
    assert client.get(reverse(name)).status_code == 403


@pytest.mark.parametrize("name", OF_ADMINS)
def test_open_page_of_admins_as_admin(client, bob, acme, name):
    Membership.objects.filter(user=bob).update(role=Role.ADMIN)
    client.force_login(bob)
    assert client.get(reverse(name)).status_code == 200


# Opened by GET, these ask first.
ASKING = ("leave-workspace", "remove-member")


@pytest.mark.parametrize(("name", "kind"), [change for change in CHANGES if change[0] not in ASKING])
def test_change_by_get(client, alice, acme, name, kind):
    client.force_login(alice)
    assert client.get(address(name, kind)).status_code == 405


@pytest.mark.parametrize(("name", "kind"), CHANGES)
def test_change_logged_out(client, db, name, kind):
    response = client.post(address(name, kind))
    assert response.status_code == 302
    assert response.url == "/accounts/login/?next=/home/"


@pytest.mark.parametrize(("name", "kind"), [change for change in CHANGES if change[1]])
def test_change_unknown_id(client, alice, acme, name, kind):
    client.force_login(alice)
    assert client.post(address(name, kind), {"role": "admin", "name": "x"}).status_code == 404


def test_change_without_csrf_token(alice, acme):
    client = Client(enforce_csrf_checks=True)
    client.force_login(alice)
    response = client.post(reverse("new-workspace"), {"name": "Forged"})
    assert response.status_code == 403
    assert "The page was open for too long" in response.content.decode()
    assert not Workspace.objects.filter(name="Forged").exists()


def test_open_page_logged_out_by_htmx(client, db):
    response = client.post(
        reverse("sign-out-other-browsers"), HTTP_HX_REQUEST="true", HTTP_HX_CURRENT_URL="http://testserver/devices/"
    )
    assert response.headers["HX-Redirect"] == "/accounts/login/?next=/devices/"


@pytest.mark.parametrize("name", OF_WORKSPACE + OF_ADMINS)
def test_open_page_without_workspace(client, alice, name):
    client.force_login(alice)
    response = client.get(reverse(name))
    assert response.status_code == 200
    assert "You are in no workspace yet" in response.content.decode()


def test_open_landing_logged_out(client, db):
    text = client.get("/").content.decode()
    assert reverse("account_signup") in text
    assert reverse("home") not in text


def test_open_landing_logged_in(client, alice):
    client.force_login(alice)
    text = client.get("/").content.decode()
    assert reverse("home") in text
    assert reverse("account_signup") not in text


def test_open_page_in_arabic(client, alice, acme):
    alice.language = "ar"
    alice.save(update_fields=["language"])
    client.force_login(alice)
    response = client.get(reverse("home"))
    assert '<html lang="ar" dir="rtl">' in response.content.decode()
    assert response.headers["Content-Language"] == "ar"


def test_open_page_content_security_policy(client, alice, acme):
    client.force_login(alice)
    policy = client.get(reverse("home")).headers["Content-Security-Policy"]
    assert "script-src 'self';" in f"{policy};"
    assert "style-src 'self';" in f"{policy};"
    assert "unsafe" not in policy
