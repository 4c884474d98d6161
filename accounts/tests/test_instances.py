"""Extension instances: registered by nobody, linked by a person, renamed and signed out by that person alone."""

import hashlib
from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest
from django.utils import timezone
from django.utils.dateparse import parse_datetime
from rest_framework.test import APIClient

from accounts.models import Event, ExtensionInstance, InstanceSession
from accounts.tests.together import assert_refused, at_once
from conftest import make_device
from waplus.lib.ids import uuid7

INSTANCES = "/api/v1/instances/"
SECRET = "s" * 43

pytestmark = pytest.mark.django_db


def introduction(**more) -> dict:
    return {
        "id": str(uuid7()),
        "secret": SECRET,
        "installed_at": "2026-01-02T03:04:05Z",
        "version": "1.4.2",
        "browser": "Chrome 140",
        "operating_system": "Windows 11",
        "platform": "Win32",
        "language": "pt-BR",
        "time_zone": "America/Sao_Paulo",
        "whatsapp_web_version": "2.3000.1",
        **more,
    }


def register(payload: dict, **more):
    return APIClient().post(INSTANCES, payload, **more)


def of(device) -> str:
    return f"{INSTANCES}{device.instance.pk}/"


def test_registers_installation_of_nobody():
    payload = introduction()
    answer = register(payload)
    assert answer.status_code == 201
    assert answer.json() == {
        "id": payload["id"],
        "version": "1.4.2",
        "installed_at": "2026-01-02T03:04:05Z",
        "registered_at": answer.json()["registered_at"],
    }
    instance = ExtensionInstance.objects.get()
    assert instance.user is None
    assert bytes(instance.secret_hash) == hashlib.sha256(SECRET.encode()).digest()
    assert (instance.platform, instance.time_zone, instance.language) == ("Win32", "America/Sao_Paulo", "pt-BR")
    event = Event.objects.get()
    assert (event.kind, event.actor_kind, event.actor_user_id) == ("instance.registered", "instance", None)
    assert event.object_id == event.actor_instance_id == instance.pk


def test_registers_with_least_that_is_needed():
    payload = {key: introduction()[key] for key in ("id", "secret", "installed_at", "version")}
    assert register(payload).status_code == 201


def test_answers_repeat_with_same_instance():
    payload = introduction()
    first, second = register(payload), register({**payload, "version": "9.9.9", "browser": "Other"})
    assert (first.status_code, second.status_code) == (201, 200)
    assert first.json() == second.json()
    assert ExtensionInstance.objects.get().version == "1.4.2"
    assert Event.objects.count() == 1


def test_other_secret_does_not_take_instance_over():
    payload = introduction()
    register(payload)
    before = ExtensionInstance.objects.values().get()
    body = assert_refused(register({**payload, "secret": "t" * 43, "version": "9.9.9"}), "id_taken")
    assert [error["field"] for error in body["errors"]] == ["id"]
    after = ExtensionInstance.objects.values().get()
    assert {**before, "secret_hash": bytes(before["secret_hash"])} == {
        **after,
        "secret_hash": bytes(after["secret_hash"]),
    }
    assert Event.objects.count() == 1


def test_tells_stranger_nothing_of_linked_instance(alice_device):
    answer = register(introduction(id=str(alice_device.instance.pk), secret=alice_device.secret))
    assert answer.status_code == 200
    assert set(answer.json()) == {"id", "version", "installed_at", "registered_at"}
    assert alice_device.client.get("/api/v1/me/").status_code == 200


WRONG = [
    ({"id": str(uuid4())}, "id", "invalid_id"),
    ({"id": "00000000-0000-0000-0000-000000000000"}, "id", "invalid_id"),
    ({"id": "no"}, "id", "invalid"),
    ({"id": None}, "id", "null"),
    ({"id": True}, "id", "invalid_id"),
    ({"id": -1}, "id", "invalid"),
    ({"secret": "s" * 42}, "secret", "min_length"),
    ({"secret": "s" * 129}, "secret", "max_length"),
    ({"secret": ["s"] * 43}, "secret", "invalid"),
    ({"installed_at": "yesterday"}, "installed_at", "invalid"),
    ({"installed_at": "2026-02-30T00:00:00Z"}, "installed_at", "invalid"),
    ({"installed_at": "0001-01-01T00:00:00+14:00"}, "installed_at", "overflow"),
    ({"time_zone": "Mars/Olympus"}, "time_zone", "invalid_time_zone"),
    ({"time_zone": "../etc/passwd"}, "time_zone", "invalid_time_zone"),
    ({"time_zone": "EST5EDT"}, "time_zone", "invalid_time_zone"),
    ({"time_zone": ""}, "time_zone", "blank"),
    ({"version": "1.2.x"}, "version", "invalid"),
    ({"version": "1.2.3.4.5"}, "version", "invalid"),
    ({"version": ""}, "version", "blank"),
    ({"browser": "x" * 101}, "browser", "max_length"),
    ({"user_id": "x"}, "user_id", "unknown_field"),
    ({"seen_at": "2026-01-01T00:00:00Z"}, "seen_at", "unknown_field"),
]


def test_refuses_wrong_introductions():
    for number, (change, field, code) in enumerate(WRONG):
        answer = register(introduction(**change), REMOTE_ADDR=f"192.0.2.{number}")
        errors = assert_refused(answer, "invalid")["errors"]
        assert [(error["field"], error["code"]) for error in errors] == [(field, code)]
    assert not ExtensionInstance.objects.exists()
    assert not Event.objects.exists()


def test_names_everything_that_is_missing():
    errors = assert_refused(register({}), "invalid")["errors"]
    assert {error["field"] for error in errors} == {"id", "secret", "installed_at", "version"}
    assert {error["code"] for error in errors} == {"required"}


def test_clock_that_is_ahead_installs_nothing_in_the_future():
    answer = register(introduction(installed_at="2999-01-01T00:00:00Z"))
    assert answer.status_code == 201
    installed = ExtensionInstance.objects.get().installed_at
    assert timezone.now() - timedelta(minutes=1) < installed <= timezone.now()
    assert parse_datetime(answer.json()["installed_at"]) == installed


def test_install_time_is_kept_in_utc():
    register(introduction(installed_at="2026-01-02T03:04:05-03:00"))
    assert ExtensionInstance.objects.get().installed_at == datetime(2026, 1, 2, 6, 4, 5, tzinfo=UTC)


def test_registration_is_limited_by_address():
    codes = [register({}).status_code for _ in range(42)]
    assert codes.count(400) >= 20
    assert 429 in codes
    assert register(introduction(), REMOTE_ADDR="192.0.2.7").status_code == 201


def test_limit_of_registration_leaves_devices_readable(alice_device):
    for _ in range(42):
        register({})
    assert alice_device.client.get(INSTANCES).status_code == 200


@pytest.mark.django_db(transaction=True)
def test_parallel_registrations_of_one_id_make_one_instance():
    payload = introduction()
    answers = at_once(*[lambda: register(payload)] * 5, *[lambda: register({**payload, "secret": "t" * 43})] * 3)
    codes = sorted(answer.status_code for answer in answers)
    assert codes in ([200] * 4 + [201] + [409] * 3, [200] * 2 + [201] + [409] * 5)
    assert ExtensionInstance.objects.count() == 1
    assert Event.objects.count() == 1


# --- One's own devices ----------------------------------------------------------------------------


def test_lists_own_devices_only(alice, acme, alice_device, bob_device):
    laptop = make_device(alice, acme)
    rows = alice_device.client.get(INSTANCES).json()["results"]
    assert [row["id"] for row in rows] == [str(laptop.instance.pk), str(alice_device.instance.pk)]
    assert [(row["is_connected"], row["is_this_one"]) for row in rows] == [(True, False), (True, True)]


def test_tells_which_devices_are_connected(alice, acme, alice_device, settings):
    def connected() -> list[bool]:
        return [row["is_connected"] for row in alice_device.client.get(INSTANCES).json()["results"]]

    laptop = make_device(alice, acme)
    assert connected() == [True, True]
    session = InstanceSession.objects.filter(pk=laptop.pair.session.pk)
    session.update(refreshed_at=timezone.now() - settings.REFRESH_TOKEN_IDLE_LIFE - timedelta(seconds=1))
    assert connected() == [False, True]
    session.update(refreshed_at=timezone.now(), expires_at=timezone.now())
    assert connected() == [False, True]
    session.update(expires_at=timezone.now() + timedelta(days=1), auth_hash="of the old password")
    assert connected() == [False, True]
    session.update(auth_hash=alice.get_session_auth_hash())
    assert connected() == [True, True]
    laptop.client.post("/api/v1/auth/logout/")
    assert connected() == [False, True]


def test_renames_own_device(alice, alice_device):
    answer = alice_device.client.patch(of(alice_device), {"name": "  Laptop 💻 "})
    assert (answer.status_code, answer.json()["name"]) == (200, "Laptop 💻")
    event = Event.objects.get(kind="instance.renamed")
    assert (event.changed, event.actor_user_id, event.object_id) == (["name"], alice.pk, alice_device.instance.pk)
    alice_device.client.patch(of(alice_device), {"name": "Laptop 💻"})
    assert Event.objects.filter(kind="instance.renamed").count() == 1
    assert_refused(alice_device.client.patch(of(alice_device), {"name": "x" * 61}), "invalid")
    assert_refused(alice_device.client.patch(of(alice_device), {"version": "9.9.9"}), "invalid")


def test_somebody_elses_device_is_like_missing_one(alice_device, bob_device):
    """Bob is in the same workspace: devices are a person's and not a workspace's."""
    for call in (
        lambda path: alice_device.client.get(path),
        lambda path: alice_device.client.patch(path, {"name": "mine"}),
        lambda path: alice_device.client.delete(path),
    ):
        foreign, missing = call(of(bob_device)), call(f"{INSTANCES}{uuid7()}/")
        assert assert_refused(foreign, "not_found") | {"request_id": ""} == assert_refused(missing, "not_found") | {
            "request_id": ""
        }
    bob_device.instance.refresh_from_db()
    assert bob_device.instance.name == ""
    assert bob_device.client.get(of(bob_device)).status_code == 200


def test_revoked_device_is_anonymous_again(alice, acme, alice_device):
    laptop = make_device(alice, acme)
    laptop.client.patch(of(laptop), {"name": "Laptop"})
    assert alice_device.client.delete(of(laptop)).status_code == 204
    assert_refused(laptop.client.get("/api/v1/me/"), "session_ended")
    laptop.instance.refresh_from_db()
    assert (laptop.instance.user, laptop.instance.name) == (None, "")
    assert [row["id"] for row in alice_device.client.get(INSTANCES).json()["results"]] == [
        str(alice_device.instance.pk)
    ]
    assert_refused(alice_device.client.delete(of(laptop)), "not_found")
    assert Event.objects.filter(kind="instance.revoked").count() == 1


def test_device_may_revoke_itself(alice_device):
    assert alice_device.client.delete(of(alice_device)).status_code == 204
    assert_refused(alice_device.client.get("/api/v1/me/"), "session_ended")


def test_update_of_environment_names_what_changed_and_no_value(alice_device):
    before = alice_device.instance.seen_at
    answer = alice_device.client.patch(
        f"{INSTANCES}this/", {"version": "2.1.0", "browser": "Chrome 141", "platform": "Win32"}
    )
    assert answer.status_code == 200
    assert (answer.json()["version"], answer.json()["browser"], answer.json()["is_this_one"]) == (
        "2.1.0",
        "Chrome 141",
        True,
    )
    event = Event.objects.get(kind="instance.updated")
    assert event.changed == ["browser", "version"]
    alice_device.instance.refresh_from_db()
    assert alice_device.instance.seen_at > before


def test_update_without_change_is_no_event(alice_device):
    assert alice_device.client.patch(f"{INSTANCES}this/", {"version": "2.0.0"}).status_code == 200
    assert alice_device.client.patch(f"{INSTANCES}this/", {}).status_code == 200
    assert not Event.objects.filter(kind="instance.updated").exists()


def test_update_cannot_change_who_it_is(alice_device):
    for change in ({"secret": SECRET}, {"id": str(uuid7())}, {"installed_at": "2020-01-01T00:00:00Z"}, {"name": "x"}):
        errors = assert_refused(alice_device.client.patch(f"{INSTANCES}this/", change), "invalid")["errors"]
        assert [error["code"] for error in errors] == ["unknown_field"]
    before = ExtensionInstance.objects.get(pk=alice_device.instance.pk)
    assert (before.secret_hash, before.installed_at) == (
        alice_device.instance.secret_hash,
        alice_device.instance.installed_at,
    )


def test_devices_need_login(alice_device):
    for answer in (
        APIClient().get(INSTANCES),
        APIClient().get(of(alice_device)),
        APIClient().patch(of(alice_device), {"name": "x"}),
        APIClient().delete(of(alice_device)),
        APIClient().patch(f"{INSTANCES}this/", {}),
    ):
        assert_refused(answer, "not_authenticated")
    assert Event.objects.filter(kind__in=["instance.renamed", "instance.revoked"]).count() == 0
