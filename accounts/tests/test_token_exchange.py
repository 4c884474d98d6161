"""The exchange of a login for tokens: whom it serves, and every way in that is shut."""

import re
from datetime import UTC, datetime

import pytest
from allauth.account.models import EmailAddress
from django.conf import settings
from django.core import mail
from django.core.cache import cache
from django.test import Client
from rest_framework.test import APIClient

from accounts.models import AccessToken, Event, InstanceSession, Membership, RefreshToken, User, Workspace
from accounts.tests.together import assert_refused
from conftest import PASSWORD, make_device, make_person
from waplus.lib.ids import uuid7

EXCHANGE = "/api/v1/auth/token/"
HEADLESS = "/_allauth/app/v1/auth"
ORIGIN = settings.EXTENSION_ORIGINS[0]
BORN = "1990-02-03"

pytestmark = pytest.mark.django_db


def proof(device, **more) -> dict:
    return {"instance_id": str(device.instance.pk), "instance_secret": device.secret, **more}


def nobody_is_connected() -> bool:
    return not (InstanceSession.objects.exists() or AccessToken.objects.exists() or RefreshToken.objects.exists())


def sign_up(email="dora@example.com", **more):
    payload = {"email": email, "password": PASSWORD, "birth_date": BORN, "name": "Dora", **more}
    return APIClient().post(f"{HEADLESS}/signup", payload, format="json")


def code_in(message) -> str:
    return re.search(r"^    (\S+)$", message.body, re.M)[1]


def log_in(email: str, password: str = PASSWORD):
    return APIClient().post(f"{HEADLESS}/login", {"email": email, "password": password}, format="json")


def session_token(answer) -> str:
    return answer.json()["meta"]["session_token"]


@pytest.fixture
def device(db):
    return make_device()


@pytest.fixture
def browser(alice, acme) -> APIClient:
    """Alice's browser: it has her identity cookie."""
    client = APIClient()
    client.force_login(alice)
    return client


# --- The session token of the headless login ------------------------------------------------------


def test_leads_newcomer_from_sign_up_to_tokens(device):
    answer = sign_up(time_zone="Europe/Berlin")
    assert answer.status_code == 401
    token = session_token(answer)
    early = APIClient().post(EXCHANGE, proof(device), headers={"X-Session-Token": token})
    assert_refused(early, "not_authenticated")
    assert nobody_is_connected()

    assert [message.to for message in mail.outbox] == [["dora@example.com"]]
    answer = APIClient().post(
        f"{HEADLESS}/email/verify", {"key": code_in(mail.outbox[0])}, headers={"X-Session-Token": token}
    )
    assert answer.status_code == 200, answer.json()
    token = answer.json()["meta"].get("session_token", token)

    answer = APIClient().post(EXCHANGE, proof(device), headers={"X-Session-Token": token})
    assert answer.status_code == 200, answer.json()
    dora = User.objects.get(email="dora@example.com")
    assert (dora.name, dora.time_zone) == ("Dora", "Europe/Berlin")
    own = Membership.objects.get(user=dora)
    assert (own.role, answer.json()["workspace_id"]) == ("owner", str(own.workspace_id))

    client = APIClient(HTTP_AUTHORIZATION=f"Bearer {answer.json()['access_token']}")
    me = client.get("/api/v1/me/").json()
    assert me["person"]["email"] == "dora@example.com"
    assert me["instance_id"] == str(device.instance.pk)
    assert me["plan"]["code"] == "free"
    device.instance.refresh_from_db()
    assert device.instance.user == dora


def test_wrong_code_verifies_nothing(device):
    token = session_token(sign_up())
    answer = APIClient().post(f"{HEADLESS}/email/verify", {"key": "AAAA-AAAA"}, headers={"X-Session-Token": token})
    assert answer.status_code == 400
    assert not EmailAddress.objects.filter(verified=True).exists()
    assert not Workspace.objects.exists()


def test_serves_person_with_session_token(alice, acme, device):
    token = session_token(log_in(alice.email))
    answer = APIClient().post(EXCHANGE, proof(device), headers={"X-Session-Token": token})
    assert answer.status_code == 200
    assert set(answer.json()) == {
        "access_token",
        "access_expires_at",
        "refresh_token",
        "refresh_expires_at",
        "workspace_id",
    }
    assert InstanceSession.objects.get().membership.user == alice
    linked = Event.objects.get(kind="instance.linked")
    assert (linked.actor_user_id, linked.actor_instance_id) == (alice.pk, device.instance.pk)


def test_session_token_wins_over_cookie_of_somebody_else(browser, bob, device):
    token = session_token(log_in(bob.email))
    answer = browser.post(EXCHANGE, proof(device), headers={"X-Session-Token": token})
    assert answer.status_code == 200
    assert InstanceSession.objects.get().membership.user == bob


def test_refuses_made_up_session_token(alice, acme, device):
    for token in ("x" * 32, " ", "é" * 40, "../../etc/passwd", "a" * 4000):
        answer = APIClient().post(EXCHANGE, proof(device), headers={"X-Session-Token": token})
        assert_refused(answer, "not_authenticated")
    assert_refused(APIClient().post(EXCHANGE, proof(device), headers={"X-Session-Token": ""}), "not_authenticated")
    assert nobody_is_connected()


def test_bad_session_token_is_not_made_good_by_cookie(browser, device):
    answer = browser.post(EXCHANGE, proof(device), headers={"X-Session-Token": "x" * 32, "Origin": ORIGIN})
    assert_refused(answer, "not_authenticated")
    assert nobody_is_connected()


def test_refuses_session_token_after_log_out(alice, acme, device):
    token = session_token(log_in(alice.email))
    assert APIClient().delete(f"{HEADLESS}/session", headers={"X-Session-Token": token}).status_code == 401
    assert_refused(APIClient().post(EXCHANGE, proof(device), headers={"X-Session-Token": token}), "not_authenticated")
    assert nobody_is_connected()


def test_refuses_session_token_from_before_change_of_password(alice, acme, device):
    token = session_token(log_in(alice.email))
    alice.set_password("another horse battery")
    alice.save()
    assert_refused(APIClient().post(EXCHANGE, proof(device), headers={"X-Session-Token": token}), "not_authenticated")
    assert nobody_is_connected()


@pytest.mark.parametrize("way", ["session token", "cookie"])
def test_refuses_inactive_person(alice, acme, browser, device, way):
    headers = {"Origin": ORIGIN} if way == "cookie" else {"X-Session-Token": session_token(log_in(alice.email))}
    client = browser if way == "cookie" else APIClient()
    User.objects.filter(pk=alice.pk).update(is_active=False)
    assert_refused(client.post(EXCHANGE, proof(device), headers=headers), "not_authenticated")
    assert nobody_is_connected()
    User.objects.filter(pk=alice.pk).update(is_active=True)
    assert client.post(EXCHANGE, proof(device), headers=headers).status_code == 200


def test_refuses_person_without_proven_address(alice, browser, device):
    EmailAddress.objects.filter(user=alice).update(verified=False)
    assert_refused(browser.post(EXCHANGE, proof(device), headers={"Origin": ORIGIN}), "email_not_verified")
    assert nobody_is_connected()


# --- The identity cookie --------------------------------------------------------------------------


def test_serves_extension_with_cookie(browser, alice, acme, device):
    answer = browser.post(EXCHANGE, proof(device), headers={"Origin": ORIGIN})
    assert answer.status_code == 200
    assert answer["Access-Control-Allow-Origin"] == ORIGIN
    assert answer["Access-Control-Allow-Credentials"] == "true"
    assert InstanceSession.objects.get().membership.user == alice


def test_serves_extension_with_cookie_under_csrf_checks(alice, acme, device):
    """The guard is the view's own: Django's CSRF middleware neither helps nor hinders here."""
    client = APIClient(enforce_csrf_checks=True)
    client.force_login(alice)
    assert_refused(client.post(EXCHANGE, proof(device)), "origin_not_allowed")
    assert client.post(EXCHANGE, proof(device), headers={"Origin": ORIGIN}).status_code == 200


def test_refuses_extension_without_login(device):
    assert_refused(APIClient().post(EXCHANGE, proof(device), headers={"Origin": ORIGIN}), "not_authenticated")
    assert nobody_is_connected()


FOREIGN = [
    None,
    "",
    "null",
    "https://evil.example",
    "https://" + ORIGIN.removeprefix("chrome-extension://"),
    ORIGIN + ".evil.example",
    ORIGIN + "x",
    ORIGIN[:-1],
    ORIGIN + "/",
    ORIGIN.upper(),
    "x" + ORIGIN,
    f"https://evil.example/{ORIGIN}",
    f"https://evil.example, {ORIGIN}",
    f"{ORIGIN} https://evil.example",
    "chrome-extension://aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
    "moz-extension://" + ORIGIN.removeprefix("chrome-extension://"),
    settings.BASE_URL,
    "http://testserver",
    "https://testserver",
    "*",
]


def test_refuses_cookie_from_other_origin(browser, device):
    for origin in FOREIGN:
        cache.clear()
        headers = {} if origin is None else {"Origin": origin}
        answer = browser.post(EXCHANGE, proof(device), headers=headers)
        assert_refused(answer, "origin_not_allowed")
        assert answer.headers.get("Access-Control-Allow-Origin") != ORIGIN
        assert nobody_is_connected(), origin
    assert browser.post(EXCHANGE, proof(device), headers={"Origin": ORIGIN}).status_code == 200


FORMS = ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x", ""]


@pytest.mark.parametrize("origin", [None, "https://evil.example", ORIGIN])
def test_refuses_bodies_that_form_could_send(alice, acme, device, origin):
    client = Client()
    client.force_login(alice)
    body = f'{{"instance_id": "{device.instance.pk}", "instance_secret": "{device.secret}"}}'
    headers = {} if origin is None else {"Origin": origin}
    for content_type in FORMS:
        answer = client.post(EXCHANGE, body, content_type=content_type, headers=headers)
        assert_refused(answer, "unsupported_media_type" if origin == ORIGIN else "origin_not_allowed")
        assert nobody_is_connected(), content_type
    assert client.post(EXCHANGE, body, "application/json", headers={"Origin": ORIGIN}).status_code == 200


def test_changes_nothing_by_other_method(browser, device):
    for method in ("get", "head", "put", "patch", "delete"):
        answer = getattr(browser, method)(f"{EXCHANGE}?instance_id={device.instance.pk}", headers={"Origin": ORIGIN})
        assert (method, answer.status_code) == (method, 405)
        assert answer["Allow"] == "POST, OPTIONS"
    assert nobody_is_connected()


def test_override_of_method_is_not_heard(browser, device):
    answer = browser.get(EXCHANGE, headers={"Origin": ORIGIN, "X-HTTP-Method-Override": "POST"})
    assert answer.status_code == 405
    assert nobody_is_connected()


def test_cookie_opens_no_other_address(browser):
    """Only the exchange reads the cookie: everywhere else it is as good as none."""
    for path in ("/api/v1/me/", "/api/v1/contacts/", "/api/v1/instances/", "/api/v1/workspaces/"):
        assert_refused(browser.get(path, headers={"Origin": ORIGIN}), "not_authenticated")
    assert_refused(browser.post("/api/v1/workspaces/", {"name": "X"}, headers={"Origin": ORIGIN}), "not_authenticated")
    assert Workspace.objects.count() == 1


# --- The instance ---------------------------------------------------------------------------------


def test_wrong_secret_and_unknown_instance_answer_alike(browser, device):
    wrong = browser.post(EXCHANGE, proof(device, instance_secret="x" * 43), headers={"Origin": ORIGIN})
    unknown = browser.post(EXCHANGE, proof(device, instance_id=str(uuid7())), headers={"Origin": ORIGIN})
    bodies = [assert_refused(answer, "instance_unknown") for answer in (wrong, unknown)]
    for body in bodies:
        del body["request_id"]
    assert bodies[0] == bodies[1]
    assert nobody_is_connected()
    device.instance.refresh_from_db()
    assert device.instance.user is None


def test_secret_of_another_instance_does_not_serve(browser, device):
    other = make_device()
    answer = browser.post(EXCHANGE, proof(device, instance_secret=other.secret), headers={"Origin": ORIGIN})
    assert_refused(answer, "instance_unknown")
    assert nobody_is_connected()


WRONG = [
    ({"instance_id": "no"}, "instance_id", "invalid"),
    ({"instance_secret": None}, "instance_secret", "null"),
    ({"instance_secret": ["x"]}, "instance_secret", "invalid"),
    ({"instance_secret": "x" * 129}, "instance_secret", "max_length"),
    ({"workspace_id": 7.5}, "workspace_id", "invalid"),
    ({"user_id": "me"}, "user_id", "unknown_field"),
]


def test_names_wrong_field(browser, device):
    for payload, field, code in WRONG:
        answer = browser.post(EXCHANGE, proof(device, **payload), headers={"Origin": ORIGIN})
        errors = assert_refused(answer, "invalid")["errors"]
        assert [(error["field"], error["code"]) for error in errors] == [(field, code)]
    errors = assert_refused(browser.post(EXCHANGE, {}, headers={"Origin": ORIGIN}), "invalid")["errors"]
    assert {(error["field"], error["code"]) for error in errors} == {
        ("instance_id", "required"),
        ("instance_secret", "required"),
    }
    assert nobody_is_connected()


# --- Which workspace ------------------------------------------------------------------------------


def test_takes_workspace_that_was_chosen_last(browser, alice, acme, device):
    client = make_device(alice, acme).client
    second = client.post("/api/v1/workspaces/", {"name": "Second"}).json()["id"]
    answer = browser.post(EXCHANGE, proof(device), headers={"Origin": ORIGIN})
    assert answer.json()["workspace_id"] == second
    Membership.objects.filter(user=alice, workspace=acme).update(last_chosen_at=datetime(2100, 1, 1, tzinfo=UTC))
    answer = browser.post(EXCHANGE, proof(device), headers={"Origin": ORIGIN})
    assert answer.json()["workspace_id"] == str(acme.pk)


def test_takes_workspace_that_is_named(browser, alice, acme, device):
    client = make_device(alice, acme).client
    client.post("/api/v1/workspaces/", {"name": "Second"})
    answer = browser.post(EXCHANGE, proof(device, workspace_id=str(acme.pk)), headers={"Origin": ORIGIN})
    assert answer.json()["workspace_id"] == str(acme.pk)


def test_somebody_elses_workspace_is_unknown(browser, other, device):
    bodies = []
    for workspace_id in (other.pk, uuid7()):
        answer = browser.post(EXCHANGE, proof(device, workspace_id=str(workspace_id)), headers={"Origin": ORIGIN})
        bodies.append(assert_refused(answer, "not_found") | {"request_id": ""})
    assert bodies[0] == bodies[1]
    assert nobody_is_connected()


def test_tells_person_without_workspace_what_to_do(device):
    client = APIClient()
    client.force_login(make_person("Erin"))
    assert_refused(client.post(EXCHANGE, proof(device), headers={"Origin": ORIGIN}), "not_a_member", "invitation")
    assert nobody_is_connected()


def test_second_login_of_instance_replaces_first(browser, alice, device):
    first = browser.post(EXCHANGE, proof(device), headers={"Origin": ORIGIN}).json()
    second = browser.post(EXCHANGE, proof(device), headers={"Origin": ORIGIN}).json()
    old, new = (APIClient(HTTP_AUTHORIZATION=f"Bearer {pair['access_token']}") for pair in (first, second))
    assert_refused(old.get("/api/v1/me/"), "session_ended")
    assert new.get("/api/v1/me/").status_code == 200
    assert InstanceSession.objects.filter(revoked_at=None).count() == 1


def test_login_of_another_person_takes_instance_over(alice_device, bob, acme):
    alice_device.client.patch(f"/api/v1/instances/{alice_device.instance.pk}/", {"name": "Alice’s laptop"})
    client = APIClient()
    client.force_login(bob)
    assert client.post(EXCHANGE, proof(alice_device), headers={"Origin": ORIGIN}).status_code == 200
    assert_refused(alice_device.client.get("/api/v1/me/"), "session_ended")
    alice_device.instance.refresh_from_db()
    assert (alice_device.instance.user, alice_device.instance.name) == (bob, "")


# --- Rate, CORS, cookies --------------------------------------------------------------------------


def until_limited(attempt, most: int):
    """Repeat an attempt until it is limited; a turn of the minute in between starts the count anew, once."""
    for count in range(2 * most + 2):
        answer = attempt(count)
        if answer.status_code == 429:
            return count, answer
    raise AssertionError(f"not limited after {count} attempts")


def test_limits_attempts_by_address(browser, device):
    wrong = proof(device, instance_secret="x" * 43)
    count, refused = until_limited(lambda _: browser.post(EXCHANGE, wrong, headers={"Origin": ORIGIN}), 30)
    assert count >= 30
    assert_refused(refused, "rate_limited")
    assert 1 <= int(refused["Retry-After"]) <= 60
    assert refused["Access-Control-Allow-Origin"] == ORIGIN
    elsewhere = browser.post(EXCHANGE, proof(device), headers={"Origin": ORIGIN}, REMOTE_ADDR="192.0.2.7")
    assert elsewhere.status_code == 200


def test_address_cannot_be_made_up(device):
    """Without a trusted proxy `X-Forwarded-For` is what the client wishes, and counts for nothing."""
    until_limited(lambda n: APIClient().post(EXCHANGE, {}, headers={"X-Forwarded-For": f"192.0.2.{n}"}), 30)


@pytest.mark.parametrize("path", [EXCHANGE, "/api/v1/contacts/", f"{HEADLESS}/login"])
def test_preflight_lets_extension_through(path):
    answer = APIClient().options(
        path,
        headers={
            "Origin": ORIGIN,
            "Access-Control-Request-Method": "POST",
            "Access-Control-Request-Headers": "authorization, content-type, idempotency-key",
        },
    )
    assert answer.status_code == 200
    assert answer["Access-Control-Allow-Origin"] == ORIGIN
    assert answer["Access-Control-Allow-Credentials"] == "true"
    assert "POST" in answer["Access-Control-Allow-Methods"]
    assert {"authorization", "content-type", "idempotency-key", "if-match", "x-session-token", "x-client-version"} <= {
        name.strip() for name in answer["Access-Control-Allow-Headers"].split(",")
    }


@pytest.mark.parametrize("method", ["OPTIONS", "POST"])
def test_cors_lets_nobody_else_through(method):
    # A browser writes no slash behind an origin, so the one with it stands for nobody else.
    for origin in [origin for origin in FOREIGN if origin and origin != ORIGIN + "/"]:
        headers = {"Origin": origin, "Access-Control-Request-Method": "POST"}
        answer = APIClient().generic(method, EXCHANGE, "{}", "application/json", headers=headers)
        assert not [name for name in answer.headers if name.lower().startswith("access-control-allow")], origin


def test_pages_speak_no_cors():
    for path in ("/", "/accounts/login/", "/health/live"):
        answer = APIClient().get(path, headers={"Origin": ORIGIN})
        assert "Access-Control-Allow-Origin" not in answer


def test_answers_vary_by_origin(alice_device):
    assert "origin" in alice_device.client.get("/api/v1/me/", headers={"Origin": ORIGIN})["Vary"].lower()


def identity_cookie(client: Client):
    answer = client.post("/accounts/login/", {"login": "alice@example.com", "password": PASSWORD})
    assert answer.status_code == 302
    return answer.cookies["waplus_identity"]


def test_identity_cookie_is_out_of_reach_of_scripts_and_foreign_posts(alice, acme):
    cookie = identity_cookie(Client())
    assert cookie["httponly"] is True
    assert cookie["samesite"] == "Lax"
    assert cookie["path"] == "/"
    assert cookie["domain"] == ""
    assert cookie["secure"] == ""
    assert cookie["max-age"] == 30 * 24 * 3600


def test_identity_cookie_travels_by_tls_only_in_production(alice, acme, settings):
    settings.SESSION_COOKIE_SECURE = True
    assert identity_cookie(Client())["secure"] is True


def test_api_sets_no_cookie(browser, device):
    assert not browser.post(EXCHANGE, proof(device), headers={"Origin": ORIGIN}).cookies
    assert not APIClient().get("/api/v1/me/").cookies


def test_headless_login_sets_no_cookie(alice, acme):
    answer = log_in(alice.email)
    assert answer.status_code == 200
    assert not answer.cookies
