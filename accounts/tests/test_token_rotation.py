"""Refresh tokens: one chain, a lost answer forgiven, a stolen token found out. And everything that ends access at once."""

import hashlib
import re
from datetime import timedelta

import pytest
from django.core import mail
from django.db import connection
from django.utils import timezone
from django.utils.dateparse import parse_datetime
from rest_framework.test import APIClient

from accounts import actors
from accounts.models import (
    AccessToken,
    Event,
    ExtensionInstance,
    InstanceSession,
    Membership,
    RefreshToken,
    User,
    Workspace,
)
from accounts.services import invitations, people, tokens
from accounts.tests.together import assert_refused, at_once, linger
from conftest import PASSWORD, join, make_device

REFRESH = "/api/v1/auth/token/refresh/"
ME = "/api/v1/me/"
HEADLESS = "/_allauth/app/v1"

pytestmark = pytest.mark.django_db
really_at_once = pytest.mark.django_db(transaction=True)


def refresh(device, token: str | None = None, **more):
    payload = {
        "refresh_token": token or device.pair.refresh_token,
        "instance_id": str(device.instance.pk),
        "instance_secret": device.secret,
        **more,
    }
    return APIClient().post(REFRESH, payload)


def me(access_token: str):
    return APIClient(HTTP_AUTHORIZATION=f"Bearer {access_token}").get(ME)


def session_of(device) -> InstanceSession:
    return InstanceSession.objects.get(pk=device.pair.session.pk)


def state() -> tuple:
    """Everything that rotation could change."""
    return (
        list(RefreshToken.objects.order_by("expires_at").values_list("expires_at", "rotated_at")),
        list(InstanceSession.objects.order_by("pk").values_list("pk", "refreshed_at", "revoked_at")),
        AccessToken.objects.count(),
        Event.objects.count(),
    )


def rotate_back(device, **ago) -> None:
    """Let the first rotation have happened a while ago."""
    first = hashlib.sha256(device.pair.refresh_token.encode()).digest()
    assert RefreshToken.objects.filter(token_hash=first).update(rotated_at=timezone.now() - timedelta(**ago)) == 1


# --- The chain ------------------------------------------------------------------------------------


def test_rotates_along_one_chain(alice_device):
    seen, token = {alice_device.pair.refresh_token}, alice_device.pair.refresh_token
    for _ in range(5):
        answer = refresh(alice_device, token)
        assert answer.status_code == 200
        token = answer.json()["refresh_token"]
        assert token not in seen
        seen.add(token)
        assert me(answer.json()["access_token"]).status_code == 200
    assert RefreshToken.objects.count() == 6
    newest = RefreshToken.objects.get(rotated_at=None)
    assert bytes(newest.token_hash) == hashlib.sha256(token.encode()).digest()
    assert InstanceSession.objects.count() == 1
    assert me(alice_device.pair.access_token).status_code == 200, "an access token lives out its minutes"


def test_repeats_lost_answer(alice_device):
    first, second, third = (refresh(alice_device).json() for _ in range(3))
    assert first["refresh_token"] == second["refresh_token"] == third["refresh_token"]
    assert first["refresh_expires_at"] == third["refresh_expires_at"]
    assert len({first["access_token"], second["access_token"], third["access_token"]}) == 3
    assert RefreshToken.objects.count() == 2
    assert all(me(one["access_token"]).status_code == 200 for one in (first, second, third))


def test_repeats_lost_answer_until_end_of_grace(alice_device):
    first = refresh(alice_device).json()
    rotate_back(alice_device, seconds=50)
    assert refresh(alice_device).json()["refresh_token"] == first["refresh_token"]


@really_at_once
def test_parallel_refreshes_end_in_one_chain(alice_device, monkeypatch):
    linger(monkeypatch, tokens, "_next_of")
    answers = at_once(*[lambda: refresh(alice_device)] * 6)
    assert [answer.status_code for answer in answers] == [200] * 6
    successors = {answer.json()["refresh_token"] for answer in answers}
    assert len(successors) == 1
    assert RefreshToken.objects.count() == 2
    assert RefreshToken.objects.filter(rotated_at=None).count() == 1
    assert session_of(alice_device).revoked_at is None
    assert refresh(alice_device, successors.pop()).status_code == 200


@really_at_once
def test_parallel_logins_of_instance_leave_one_session(alice, acme, monkeypatch):
    linger(monkeypatch, tokens.instances, "end_sessions")
    device = make_device()
    answers = at_once(*[lambda: tokens.log_in_instance(user=alice, instance=device.instance)] * 4)
    assert [type(answer) for answer in answers] == [tokens.Tokens] * 4
    assert InstanceSession.objects.count() == 4
    assert InstanceSession.objects.filter(revoked_at=None).count() == 1


def test_reuse_after_grace_ends_family(alice_device):
    successor = refresh(alice_device).json()
    rotate_back(alice_device, seconds=61)
    assert_refused(refresh(alice_device), "token_reused")

    session = session_of(alice_device)
    assert session.revoked_reason == "reused"
    event = Event.objects.get(kind="session.revoked")
    assert (event.object_id, event.workspace_id, event.actor_instance_id) == (
        session.pk,
        session.workspace_id,
        alice_device.instance.pk,
    )
    for access in (alice_device.pair.access_token, successor["access_token"]):
        assert_refused(me(access), "session_ended")
    for token in (alice_device.pair.refresh_token, successor["refresh_token"]):
        assert_refused(refresh(alice_device, token), "session_ended")
    assert Event.objects.filter(kind="session.revoked").count() == 1


def test_reuse_of_older_link_ends_family_even_within_grace(alice_device):
    second = refresh(alice_device).json()["refresh_token"]
    third = refresh(alice_device, second).json()
    assert_refused(refresh(alice_device), "token_reused")
    assert_refused(refresh(alice_device, third["refresh_token"]), "session_ended")
    assert_refused(me(third["access_token"]), "session_ended")


def test_reuse_ends_no_other_device(alice, acme, alice_device):
    laptop = make_device(alice, acme)
    refresh(alice_device)
    rotate_back(alice_device, minutes=5)
    assert_refused(refresh(alice_device), "token_reused")
    assert me(laptop.pair.access_token).status_code == 200
    assert refresh(laptop).status_code == 200


def test_login_after_reuse_starts_anew(alice, acme, alice_device):
    refresh(alice_device)
    rotate_back(alice_device, minutes=5)
    refresh(alice_device)
    pair = tokens.log_in_instance(user=alice, instance=alice_device.instance)
    assert me(pair.access_token).status_code == 200


# --- Whose token it is ----------------------------------------------------------------------------


def test_token_serves_no_other_instance(alice_device, bob_device):
    before = state()
    stolen = refresh(bob_device, alice_device.pair.refresh_token)
    assert_refused(stolen, "token_invalid")
    wrong = refresh(alice_device, instance_secret=bob_device.secret)
    assert_refused(wrong, "instance_unknown")
    assert_refused(refresh(alice_device, instance_id=str(bob_device.instance.pk)), "instance_unknown")
    assert state() == before
    assert refresh(alice_device).status_code == refresh(bob_device).status_code == 200


def test_rotated_token_at_another_instance_ends_nothing(alice_device, bob_device):
    """Who has no secret of the instance cannot sign it out with an old token."""
    refresh(alice_device)
    rotate_back(alice_device, minutes=5)
    before = state()
    assert_refused(refresh(bob_device, alice_device.pair.refresh_token), "token_invalid")
    assert state() == before


def test_kinds_of_tokens_do_not_serve_for_each_other(alice_device):
    assert_refused(refresh(alice_device, alice_device.pair.access_token), "token_invalid")
    assert_refused(me(alice_device.pair.refresh_token), "token_invalid")


@pytest.mark.parametrize("scheme", ["Bearer", "bearer", "BEARER"])
def test_accepts_scheme_in_any_case(alice_device, scheme):
    client = APIClient(HTTP_AUTHORIZATION=f"{scheme} {alice_device.pair.access_token}")
    assert client.get(ME).status_code == 200


def test_refuses_odd_authorization(alice_device):
    token = alice_device.pair.access_token
    odd = {
        "": "not_authenticated",
        "Bearer": "token_invalid",
        "Bearer ": "token_invalid",
        "Bearer é": "token_invalid",
        f"Bearer {token} {token}": "token_invalid",
        f"Bearer {token[:-1]}": "token_invalid",
        f"Bearer {token.upper()}": "token_invalid",
        f"Bearer \x00{token}": "token_invalid",
        "Bearer " + "a" * 9000: "token_invalid",
        f"Basic {token}": "not_authenticated",
        f"Token {token}": "not_authenticated",
        token: "not_authenticated",
    }
    for value, code in odd.items():
        answer = APIClient().get(ME, HTTP_AUTHORIZATION=value)
        assert_refused(answer, code)
        assert answer["WWW-Authenticate"] == "Bearer"


def test_token_in_address_is_not_read(alice_device):
    token = alice_device.pair.access_token
    assert_refused(APIClient().get(f"{ME}?access_token={token}&token={token}"), "not_authenticated")


# --- Ends -----------------------------------------------------------------------------------------


def test_access_token_expires(alice_device):
    AccessToken.objects.update(expires_at=timezone.now())
    assert_refused(me(alice_device.pair.access_token), "token_expired")
    assert me(refresh(alice_device).json()["access_token"]).status_code == 200


def test_lives_are_those_of_settings(alice_device, settings):
    now = timezone.now()
    pair = alice_device.pair
    for actual, life in [
        (pair.access_expires_at, settings.ACCESS_TOKEN_LIFE),
        (pair.refresh_expires_at, settings.REFRESH_TOKEN_IDLE_LIFE),
        (pair.session.expires_at, settings.REFRESH_TOKEN_TOTAL_LIFE),
    ]:
        assert abs(actual - (now + life)) < timedelta(minutes=1)


def test_silence_ends_session(alice_device):
    RefreshToken.objects.update(expires_at=timezone.now())
    assert_refused(refresh(alice_device), "token_expired")
    assert session_of(alice_device).revoked_reason == "expired"
    assert_refused(me(alice_device.pair.access_token), "session_ended")
    assert RefreshToken.objects.count() == 1


def test_family_ends_however_often_it_is_refreshed(alice_device):
    end = timezone.now() + timedelta(minutes=5)
    InstanceSession.objects.update(expires_at=end)
    answer = refresh(alice_device).json()
    assert parse_datetime(answer["refresh_expires_at"]) == end
    assert parse_datetime(answer["access_expires_at"]) == end
    InstanceSession.objects.update(expires_at=timezone.now())
    assert_refused(refresh(alice_device, answer["refresh_token"]), "token_expired")
    assert session_of(alice_device).revoked_reason == "expired"


def test_sweep_drops_what_nothing_can_revive(alice_device, bob_device):
    RefreshToken.objects.filter(session=alice_device.pair.session).update(expires_at=timezone.now())
    InstanceSession.objects.filter(pk=bob_device.pair.session.pk).update(expires_at=timezone.now())
    AccessToken.objects.filter(session=alice_device.pair.session).update(expires_at=timezone.now())
    tokens.delete_expired_tokens()
    assert set(InstanceSession.objects.values_list("pk", flat=True)) == {alice_device.pair.session.pk}
    assert RefreshToken.objects.count() == AccessToken.objects.count() == 0
    assert_refused(refresh(alice_device), "token_invalid")
    assert_refused(me(bob_device.pair.access_token), "token_invalid")


# --- A new SECRET_KEY -----------------------------------------------------------------------------


def test_new_secret_key_with_fallback_keeps_sessions(alice_device, settings):
    settings.SECRET_KEY_FALLBACKS = [settings.SECRET_KEY]
    settings.SECRET_KEY = "n" * 60
    assert me(alice_device.pair.access_token).status_code == 200
    fresh = refresh(alice_device)
    assert fresh.status_code == 200
    settings.SECRET_KEY_FALLBACKS = []
    assert me(fresh.json()["access_token"]).status_code == 200, "a refreshed session needs the fallback no more"
    assert refresh(alice_device, fresh.json()["refresh_token"]).status_code == 200


def test_lost_answer_is_repeated_across_new_secret_key(alice_device, settings):
    before = refresh(alice_device).json()
    settings.SECRET_KEY_FALLBACKS = [settings.SECRET_KEY]
    settings.SECRET_KEY = "n" * 60
    again = refresh(alice_device)
    assert again.status_code == 200
    assert again.json()["refresh_token"] == before["refresh_token"]
    assert RefreshToken.objects.count() == 2


def test_new_secret_key_without_fallback_ends_sessions(alice_device, settings):
    settings.SECRET_KEY = "n" * 60
    assert_refused(me(alice_device.pair.access_token), "session_ended")
    assert_refused(refresh(alice_device), "session_ended")


# --- The password ---------------------------------------------------------------------------------


def assert_cut(device) -> None:
    assert_refused(me(device.pair.access_token), "session_ended")
    assert_refused(refresh(device), "session_ended")


def test_plain_change_of_password_cuts_access(alice, alice_device, bob_device):
    alice.set_password("another horse battery")
    alice.save()
    assert_cut(alice_device)
    assert session_of(alice_device).revoked_reason == "credentials_changed"
    assert Event.objects.get(kind="session.revoked").object_id == alice_device.pair.session.pk
    assert me(bob_device.pair.access_token).status_code == 200


def headless(method: str, path: str, payload: dict, session_token: str = ""):
    headers = {"X-Session-Token": session_token} if session_token else {}
    return getattr(APIClient(), method)(f"{HEADLESS}/{path}", payload, headers=headers)


def test_change_of_password_by_person_cuts_access(alice, alice_device):
    answer = headless("post", "auth/login", {"email": alice.email, "password": PASSWORD})
    answer = headless(
        "post",
        "account/password/change",
        {"current_password": PASSWORD, "new_password": "another horse battery"},
        answer.json()["meta"]["session_token"],
    )
    assert answer.status_code == 200, answer.json()
    assert_cut(alice_device)


def test_reset_of_password_cuts_access(alice, alice_device, bob_device):
    assert headless("post", "auth/password/request", {"email": alice.email}).status_code == 200
    key = re.search(r"/accounts/password/reset/key/([^/\s]+)/", mail.outbox[0].body)[1]
    answer = headless("post", "auth/password/reset", {"key": key, "password": "another horse battery"})
    assert answer.status_code in (200, 401), answer.json()
    alice.refresh_from_db()
    assert alice.check_password("another horse battery")
    assert_cut(alice_device)
    assert me(bob_device.pair.access_token).status_code == 200


def test_same_password_anew_cuts_access(alice, alice_device):
    alice.set_password(PASSWORD)
    alice.save()
    assert_cut(alice_device)


# --- Everything else that ends access at once -----------------------------------------------------


def test_leaving_cuts_access_to_that_workspace(bob, bob_device):
    own = make_device(bob, None)
    assert bob_device.client.post("/api/v1/workspace/leave/").status_code == 204
    assert_refused(me(bob_device.pair.access_token), "token_invalid")
    assert_refused(refresh(bob_device), "token_invalid")
    assert_refused(me(own.pair.access_token), "token_invalid")
    assert not InstanceSession.objects.filter(membership__user=bob).exists()


def test_removal_cuts_access_to_that_workspace_only(bob, acme, other, alice_device, bob_device):
    join(other, bob)
    elsewhere = make_device(bob, other)
    member = Membership.objects.get(workspace=acme, user=bob)
    assert alice_device.client.delete(f"/api/v1/members/{member.pk}/").status_code == 204
    assert_refused(me(bob_device.pair.access_token), "token_invalid")
    assert_refused(refresh(bob_device), "token_invalid")
    assert me(elsewhere.pair.access_token).status_code == 200


def test_deactivation_cuts_access(bob, bob_device):
    people.deactivate(user=bob, actor=actors.SYSTEM)
    assert_cut(bob_device)
    people.reactivate(user=bob, actor=actors.SYSTEM)
    assert_cut(bob_device)


def test_plain_deactivation_cuts_access(bob, bob_device):
    User.objects.filter(pk=bob.pk).update(is_active=False)
    assert_refused(me(bob_device.pair.access_token), "session_ended")
    assert_refused(refresh(bob_device), "session_ended")
    assert session_of(bob_device).revoked_reason == "deactivated"


def test_revocation_cuts_access(alice, acme, alice_device):
    laptop = make_device(alice, acme)
    assert laptop.client.delete(f"/api/v1/instances/{alice_device.instance.pk}/").status_code == 204
    assert_cut(alice_device)
    assert me(laptop.pair.access_token).status_code == 200
    assert session_of(alice_device).revoked_reason == "by_person"


def test_log_out_cuts_access(alice, acme, alice_device):
    laptop = make_device(alice, acme)
    assert alice_device.client.post("/api/v1/auth/logout/").status_code == 204
    assert_cut(alice_device)
    assert session_of(alice_device).revoked_reason == "logged_out"
    assert Event.objects.filter(kind="instance.logged_out", object_id=alice_device.instance.pk).count() == 1
    assert me(laptop.pair.access_token).status_code == 200
    assert_refused(alice_device.client.post("/api/v1/auth/logout/"), "session_ended")


def test_switch_ends_old_tokens(alice, alice_device, other):
    join(other, alice)
    answer = alice_device.client.post("/api/v1/auth/workspace/", {"workspace_id": str(other.pk)})
    assert answer.status_code == 200
    assert answer.json()["workspace_id"] == str(other.pk)
    assert_cut(alice_device)
    assert me(answer.json()["access_token"]).json()["workspace"]["id"] == str(other.pk)


def test_switch_into_foreign_workspace_changes_nothing(alice_device, other):
    before = state()
    answer = alice_device.client.post("/api/v1/auth/workspace/", {"workspace_id": str(other.pk)})
    assert_refused(answer, "not_found")
    assert state() == before
    assert me(alice_device.pair.access_token).status_code == 200


def test_end_of_workspace_cuts_access(alice_device, acme):
    Workspace.objects.filter(pk=acme.pk).delete()
    assert_refused(me(alice_device.pair.access_token), "token_invalid")


def test_end_of_person_cuts_access(bob, bob_device):
    bob.delete()
    assert_refused(me(bob_device.pair.access_token), "token_invalid")
    assert ExtensionInstance.objects.get(pk=bob_device.instance.pk).user is None


# --- At rest --------------------------------------------------------------------------------------


def places_of(text: str) -> list[str]:
    """Every table with a row that holds the text, plain or as bytes."""
    as_bytes = text.encode().hex()
    with connection.cursor() as cursor:
        return [
            table
            for table in connection.introspection.table_names(cursor)
            if cursor.execute(
                f'SELECT 1 FROM "{table}" AS t WHERE t::text LIKE %s OR t::text LIKE %s LIMIT 1',
                [f"%{text}%", f"%{as_bytes}%"],
            )
            or cursor.fetchone()
        ]


def test_tokens_and_secrets_are_stored_as_hashes_only(alice, acme, alice_device):
    fresh = refresh(alice_device).json()
    invitations.invite(workspace=acme, email="x@example.com", role="member", inviter=alice, actor=actors.person(alice))
    pair = alice_device.pair
    clear = [
        alice_device.secret,
        pair.access_token,
        pair.refresh_token,
        fresh["access_token"],
        fresh["refresh_token"],
        PASSWORD,
    ]
    assert [places_of(token) for token in clear] == [[]] * len(clear)

    hashes = [hashlib.sha256(token.encode()).hexdigest() for token in clear[:-1]]
    assert [places_of(digest) for digest in hashes] == [
        ["accounts_extensioninstance"],
        ["accounts_accesstoken"],
        ["accounts_refreshtoken"],
        ["accounts_accesstoken"],
        ["accounts_refreshtoken"],
    ]
    assert "accounts_user" in places_of("alice@example.com")


def test_token_of_invitation_is_stored_as_hash_only(alice, acme, django_capture_on_commit_callbacks):
    with django_capture_on_commit_callbacks(execute=True):
        invitations.invite(
            workspace=acme, email="x@example.com", role="member", inviter=alice, actor=actors.person(alice)
        )
    token = re.search(r"/invitations/([^/\s]+)/", mail.outbox[0].body)[1]
    assert places_of(token) == []
    assert places_of(hashlib.sha256(token.encode()).hexdigest()) == ["accounts_invitation"]


def test_answers_show_no_hash(alice_device):
    body = alice_device.client.get("/api/v1/instances/").content.decode()
    assert alice_device.secret not in body
    assert hashlib.sha256(alice_device.secret.encode()).hexdigest() not in body
    assert "secret" not in body
