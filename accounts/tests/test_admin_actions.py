"""What staff do in the admin goes through services and leaves an event with their name."""

import re

import pytest
from django.contrib.auth.models import Group, Permission
from django_celery_beat.models import PeriodicTask

from accounts.models import Event, ExtensionInstance, Plan, User
from accounts.tests.admin_cast import confirm, make_staff, plant

pytestmark = pytest.mark.django_db

PEOPLE = "/admin/accounts/user/"


@pytest.fixture
def sam(client):
    user = make_staff()
    confirm(client, user)
    return user


def act(client, page, action, *rows):
    return client.post(page, {"action": action, "_selected_action": [str(row.pk) for row in rows]}, follow=True)


def test_deactivation_ends_all_access(client, sam, alice, alice_device):
    assert alice_device.client.get("/api/v1/no-such-thing/").status_code == 404
    assert _api(alice_device) == 200
    act(client, PEOPLE, "deactivate", alice)
    alice.refresh_from_db()
    assert not alice.is_active
    assert _api(alice_device) == 401
    event = Event.objects.get(kind="person.deactivated")
    assert (event.actor_user_id, event.object_id, event.changed) == (sam.pk, alice.pk, ["is_active"])


def _api(device) -> int:
    """What a token is worth, whichever routes there are."""
    from accounts.services.tokens import check_access
    from waplus.lib.errors import Refused

    try:
        check_access(device.pair.access_token)
    except Refused as refusal:
        return refusal.status
    return 200


def test_reactivation_lets_a_person_in_but_no_device(client, sam, alice, alice_device):
    act(client, PEOPLE, "deactivate", alice)
    act(client, PEOPLE, "reactivate", alice)
    alice.refresh_from_db()
    assert alice.is_active
    assert _api(alice_device) == 401
    assert Event.objects.get(kind="person.reactivated").actor_user_id == sam.pk


def test_nobody_shuts_themselves_out(client, sam):
    act(client, PEOPLE, "deactivate", sam)
    sam.refresh_from_db()
    assert sam.is_active


def test_support_may_deactivate_customers_but_no_colleague(client, alice, sam):
    nora = make_staff("nora", superuser=False)
    nora.user_permissions.set(Permission.objects.filter(codename__in=["view_user", "change_user"]))
    confirm(client, nora)
    act(client, PEOPLE, "deactivate", alice, sam)
    assert not User.objects.get(pk=alice.pk).is_active
    assert User.objects.get(pk=sam.pk).is_active


def test_looking_is_not_deactivating(client, alice):
    nora = make_staff("nora", superuser=False)
    nora.user_permissions.set(Permission.objects.filter(codename="view_user"))
    confirm(client, nora)
    act(client, PEOPLE, "deactivate", alice)
    assert User.objects.get(pk=alice.pk).is_active


def test_rights_of_staff_are_given_by_those_with_every_right(client, sam, bob):
    group = Group.objects.create(name="Support")
    save(client, f"{PEOPLE}{bob.pk}/change/", is_staff="on", groups=[group.pk])
    bob.refresh_from_db()
    assert bob.is_staff and list(bob.groups.all()) == [group]
    event = Event.objects.get(kind="person.access_changed")
    assert (event.actor_user_id, event.changed) == (sam.pk, ["groups", "is_staff"])


def test_other_staff_give_no_rights(client, bob):
    nora = make_staff("nora", superuser=False)
    nora.user_permissions.set(Permission.objects.filter(codename__in=["view_user", "change_user"]))
    confirm(client, nora)
    for person in (bob, nora):
        response = client.post(f"{PEOPLE}{person.pk}/change/", {"is_staff": "on", "is_superuser": "on"})
        assert response.status_code == 403
    assert not User.objects.get(pk=bob.pk).is_staff


def test_the_page_of_a_person_changes_nothing_else(client, sam, bob):
    before = User.objects.filter(pk=bob.pk).values().get()
    fields = {"email": "x@example.com", "password": "x", "is_superuser": "on", "is_active": "", "name": "X"}
    save(client, f"{PEOPLE}{bob.pk}/change/", **fields)
    assert User.objects.filter(pk=bob.pk).values().get() == before
    assert not Event.objects.filter(kind="person.access_changed").exists()


def save(client, page, **fields):
    """Send the form of a page as a browser would: with its hidden fields."""
    hidden = re.findall(r'<input type="hidden" name="([^"]+)" value="([^"]*)"', client.get(page).content.decode())
    return client.post(page, {**dict(hidden), **fields}, follow=True)


def test_a_plan_is_changed_with_an_event_and_a_warning(client, sam, acme):
    free = Plan.objects.get(code="free")
    Plan.objects.filter(pk=free.pk).update(max_members=1)
    page = f"/admin/accounts/workspace/{acme.pk}/change/"
    response = save(client, page, plan=str(free.pk), name="Other name")
    acme.refresh_from_db()
    assert (acme.plan, acme.name) == (free, "Acme")
    assert "2 in use, 1 allowed" in response.content.decode()
    event = Event.objects.get(kind="workspace.plan_changed")
    assert (event.actor_user_id, event.workspace_id, event.changed) == (sam.pk, acme.pk, ["plan"])


def test_an_unknown_plan_is_refused(client, sam, acme):
    response = save(client, f"/admin/accounts/workspace/{acme.pk}/change/", plan=str(acme.pk))
    assert response.status_code == 200 and "Select a valid choice" in response.content.decode()
    assert not Event.objects.filter(kind="workspace.plan_changed").exists()


LIMITS = {
    "name": "Team",
    "position": 1,
    "max_contacts": 9,
    "max_members": 10,
    "max_whatsapp_numbers": 5,
    "max_scheduled_messages": 5000,
    "max_broadcast_recipients": 20000,
    "max_ai_credits": 2000,
    "max_media_bytes": 20 * 1024**3,
    "max_media_mb": 100,
    "requests_per_minute": 600,
}


def test_limits_of_a_plan_are_changed(client, sam, team_plan):
    client.post(f"/admin/accounts/plan/{team_plan.pk}/change/", LIMITS)
    team_plan.refresh_from_db()
    assert team_plan.max_contacts == 9
    event = Event.objects.get(kind="plan.updated")
    assert (event.actor_user_id, event.changed) == (sam.pk, ["max_contacts"])


@pytest.mark.parametrize(
    "wrong",
    [
        {"max_members": 0},
        {"requests_per_minute": 0},
        {"max_contacts": -1},
        {"max_contacts": 2**31},
        {"max_contacts": "x"},
        {"name": "a\0"},
    ],
)
def test_limits_that_make_no_sense_are_refused(client, sam, team_plan, wrong):
    response = client.post(f"/admin/accounts/plan/{team_plan.pk}/change/", {**LIMITS, **wrong})
    assert response.status_code == 200
    assert not Event.objects.filter(kind="plan.updated").exists()


def test_the_default_plan_moves_and_never_vanishes(client, sam, team_plan):
    free = Plan.objects.get(code="free")
    client.post(f"/admin/accounts/plan/{free.pk}/change/", LIMITS)
    assert Plan.objects.get(is_default=True) == free
    client.post(f"/admin/accounts/plan/{team_plan.pk}/change/", {**LIMITS, "is_default": "on"})
    assert Plan.objects.get(is_default=True) == team_plan


def test_devices_are_signed_out(client, sam, alice, alice_device):
    act(client, "/admin/accounts/extensioninstance/", "sign_out", alice_device.instance)
    assert ExtensionInstance.objects.get(pk=alice_device.instance.pk).user is None
    assert _api(alice_device) == 401
    assert Event.objects.get(kind="instance.revoked").actor_user_id == sam.pk


def test_groups_of_rights(client, sam):
    view = Permission.objects.get(codename="view_user")
    staff_only = Permission.objects.get(codename="change_group")
    client.post("/admin/auth/group/add/", {"name": "Support", "permissions": [view.pk]})
    group = Group.objects.get(name="Support")
    assert list(group.permissions.all()) == [view]
    client.post(f"/admin/auth/group/{group.pk}/change/", {"name": "Support", "permissions": [staff_only.pk]})
    assert list(group.permissions.all()) == [view]
    client.post(f"/admin/auth/group/{group.pk}/delete/", {"post": "yes"})
    kinds = list(
        Event.objects.filter(kind__startswith="group.", actor_user_id=sam.pk)
        .order_by("pk")
        .values_list("kind", flat=True)
    )
    assert kinds == ["group.created", "group.deleted"]


def test_groups_are_not_for_other_staff(client):
    nora = make_staff("nora", superuser=False)
    nora.user_permissions.set(Permission.objects.filter(content_type__app_label="auth"))
    confirm(client, nora)
    assert client.post("/admin/auth/group/add/", {"name": "Mine"}).status_code == 403
    assert not Group.objects.filter(name="Mine").exists()


def test_periodic_tasks_are_paused_resumed_and_started(client, sam, monkeypatch, django_capture_on_commit_callbacks):
    plant()
    sent = []
    monkeypatch.setattr("waplus.periodic_tasks.current_app.send_task", lambda name, **options: sent.append(name))
    page, task = "/admin/django_celery_beat/periodictask/", PeriodicTask.objects.get()
    act(client, page, "pause", task)
    assert not PeriodicTask.objects.get().enabled
    act(client, page, "resume", task)
    assert PeriodicTask.objects.get().enabled
    with django_capture_on_commit_callbacks(execute=True):
        act(client, page, "start", task)
    assert sent == [task.task]
    kinds = Event.objects.filter(kind__startswith="periodic_task.", actor_user_id=sam.pk).order_by("pk")
    assert list(kinds.values_list("kind", flat=True)) == [
        "periodic_task.paused",
        "periodic_task.resumed",
        "periodic_task.started",
    ]
