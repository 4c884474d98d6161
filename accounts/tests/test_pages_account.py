"""Home, plan, security, profile and activity."""

import pytest
from allauth.mfa.models import Authenticator
from allauth.mfa.recovery_codes.internal.auth import RecoveryCodes
from allauth.mfa.totp.internal.auth import TOTP, generate_totp_secret
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from accounts import actors, next_steps
from accounts.models import Event, Resource, Role
from accounts.services import invitations, plans, workspaces


def steps(client) -> dict[str, bool]:
    return {step["key"]: step["done"] for step in client.get(reverse("home")).context["steps"]}


@pytest.fixture
def own_steps(monkeypatch):
    """The checklist of this app alone: what other apps add is theirs to test."""
    own = ("email_verified", "extension_connected", "team_invited", "two_factor")
    kept = {key: step for key, step in next_steps._steps.items() if key in own}
    monkeypatch.setattr(next_steps, "_steps", kept)
    return kept


def test_list_next_steps(client, charlie, other, own_steps):
    client.force_login(charlie)
    assert steps(client) == {
        "email_verified": True,
        "extension_connected": False,
        "team_invited": False,
        "two_factor": False,
    }


def test_list_next_steps_done(client, charlie, other, charlie_device, own_steps):
    TOTP.activate(charlie, generate_totp_secret())
    invitations.invite(
        workspace=other, email="erin@example.com", role=Role.MEMBER, inviter=charlie, actor=actors.person(charlie)
    )
    client.force_login(charlie)
    assert set(steps(client).values()) == {True}
    assert "Everything is set up." in client.get(reverse("home")).content.decode()


def test_register_next_step(client, charlie, other, own_steps):
    seen = []
    next_steps.register_step(
        "number_added", "Add a number", lambda workspace: bool(seen.append(workspace)), "devices", position=30
    )
    client.force_login(charlie)
    assert list(steps(client)) == [
        "email_verified",
        "extension_connected",
        "number_added",
        "team_invited",
        "two_factor",
    ]
    assert seen == [other]


def test_show_usage(client, alice, acme):
    plans.reserve(workspace=acme, resource=Resource.CONTACTS, amount=41_234)
    client.force_login(alice)
    for name in ("home", "plan"):
        text = client.get(reverse(name)).content.decode()
        assert "41,234 of 50,000" in text
        assert 'max="50000" high="40000" optimum="0" value="41234"' in text


def test_show_plan(client, alice, acme, settings):
    settings.SUPPORT_EMAIL = "help@example.com"
    client.force_login(alice)
    text = client.get(reverse("plan")).content.decode()
    assert "Online payment is not offered so far." in text
    assert "mailto:help@example.com" in text
    assert [row["plan"].code for row in client.get(reverse("plan")).context["plans"]] == ["free", "team", "business"]


def test_show_security(client, alice, acme):
    client.force_login(alice)
    context = client.get(reverse("security")).context
    assert (context["totp"], context["passkeys"], context["codes_left"]) == (None, [], None)
    TOTP.activate(alice, generate_totp_secret())
    RecoveryCodes.activate(alice)
    context = client.get(reverse("security")).context
    assert context["totp"].type == Authenticator.Type.TOTP
    assert context["codes_left"] == 10


def test_update_profile(client, alice):
    client.force_login(alice)
    payload = {"name": " Alice  Andrade ", "time_zone": "America/Sao_Paulo", "language": "es"}
    assert client.post(reverse("profile"), payload).url == reverse("profile")
    alice.refresh_from_db()
    assert (alice.name, alice.time_zone, alice.language) == ("Alice Andrade", "America/Sao_Paulo", "es")


@pytest.mark.parametrize("name", ["reminders_by_email", "warnings_by_email"])
def test_switch_mails(client, alice, name):
    client.force_login(alice)
    payload = {"name": "Alice", "time_zone": "UTC", "language": "en"}
    for values, wanted in (({}, False), ({name: "on"}, True)):
        client.post(reverse("profile"), payload | values)
        alice.refresh_from_db()
        assert getattr(alice, name) is wanted
        assert client.get(reverse("profile")).context["form"].initial[name] is wanted


@pytest.mark.parametrize(
    ("field", "value"),
    [("time_zone", "Mars/Olympus"), ("time_zone", ""), ("language", "tlh"), ("name", "x" * 151), ("name", "a\x00b")],
)
def test_update_profile_bad_input(client, alice, field, value):
    client.force_login(alice)
    payload = {"name": "New", "time_zone": "UTC", "language": "en", field: value}
    response = client.post(reverse("profile"), payload)
    assert response.status_code == 200
    assert list(response.context["form"].errors) == [field]
    alice.refresh_from_db()
    assert (alice.name, alice.time_zone, alice.language) == ("Alice", "UTC", "en")


def test_list_activity(client, alice, acme):
    workspaces.update_workspace(workspace=acme, actor=actors.person(alice), name="Acme 2")
    client.force_login(alice)
    rows = client.get(reverse("activity")).context["rows"]
    assert [(row["who"], str(row["words"]), row["changed"]) for row in rows] == [
        ("Alice", "changed the workspace’s settings", "name"),
        ("Alice", "joined the workspace", ""),
        ("Alice", "created the workspace", ""),
    ]


def test_list_activity_of_other_workspace(client, charlie, other, acme):
    client.force_login(charlie)
    assert {row["who"] for row in client.get(reverse("activity")).context["rows"]} == {"Charlie"}


def test_list_activity_unknown_kind(client, alice, acme):
    Event.objects.create(
        workspace=acme, kind="import_batch.undone", actor_kind="system", object_type="import_batch", count=12
    )
    client.force_login(alice)
    row = client.get(reverse("activity")).context["rows"][0]
    assert (str(row["who"]), row["words"], row["count"]) == ("WAPlus", "import batch undone", 12)


def test_list_activity_in_pages(client, alice, acme):
    Event.objects.bulk_create(
        Event(workspace=acme, kind="parcel.created", actor_kind="person", actor_user_id=alice.pk, object_type="parcel")
        for _ in range(60)
    )
    client.force_login(alice)
    first = client.get(reverse("activity"))
    Event.objects.create(
        workspace=acme, kind="parcel.deleted", actor_kind="person", actor_user_id=alice.pk, object_type="parcel"
    )
    second = client.get(reverse("activity"), {"cursor": first.context["next_cursor"]})
    assert len(first.context["rows"]) == 50
    assert [str(row["words"]) for row in second.context["rows"]] == ["parcel created"] * 10 + [
        "joined the workspace",
        "created the workspace",
    ]
    assert second.context["next_cursor"] is None


@pytest.mark.parametrize("cursor", ["x", "é", "W10", "eyJhIjoxfQ"])
def test_list_activity_bad_cursor(client, alice, acme, cursor):
    client.force_login(alice)
    assert client.get(reverse("activity"), {"cursor": cursor}).url == reverse("activity")


def test_list_activity_costs_the_same(client, alice, acme):
    client.force_login(alice)
    client.get(reverse("activity"))
    with CaptureQueriesContext(connection) as few:
        client.get(reverse("activity"))
    Event.objects.bulk_create(
        Event(workspace=acme, kind="parcel.created", actor_kind="person", actor_user_id=alice.pk, object_type="parcel")
        for _ in range(40)
    )
    with CaptureQueriesContext(connection) as many:
        client.get(reverse("activity"))
    assert len(many) == len(few)
