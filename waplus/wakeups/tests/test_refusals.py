"""What the channel refuses, in the words of the API."""

import contextlib
import json
import socket
from contextlib import closing
from datetime import timedelta

import pytest
from django.conf import settings
from django.utils import timezone

from accounts.models import AccessToken
from waplus.wakeups.hub import OPENINGS_A_MINUTE
from waplus.wakeups.tests.channel import LONG, ORIGIN, PATH, change, running

pytestmark = pytest.mark.django_db(transaction=True)


def refused(client, status: int, code: str) -> dict:
    """The problem document of a refusal, after its parts were compared with those of the API."""
    body = client.problem()
    assert (client.status, body["status"], body["code"]) == (status, status, code)
    assert body["type"] == f"{settings.BASE_URL}/api/v1/errors/#{code}"
    assert body["request_id"] == client.headers["x-request-id"]
    assert client.headers["cache-control"] == "private, no-store"
    assert client.headers["x-content-type-options"] == "nosniff"
    return body


@pytest.mark.parametrize(
    ("header", "code"),
    [
        (None, "not_authenticated"),
        ("", "not_authenticated"),
        ("Basic YTpi", "not_authenticated"),
        ("Bearer", "token_invalid"),
        ("Bearer wapa_unknown", "token_invalid"),
        ("Bearer \xff\xfe", "token_invalid"),
        ("Bearer " + "a" * 8000, "token_invalid"),
    ],
)
def test_refuses_who_has_no_token(channel, header, code):
    headers = {} if header is None else {"Authorization": header}
    client = channel.ask("GET", **headers)
    refused(client, 401, code)
    assert client.headers["www-authenticate"] == "Bearer"


def test_refuses_expired_token(channel, alice_device):
    AccessToken.objects.update(expires_at=timezone.now() - timedelta(seconds=1))
    refused(channel.open(alice_device), 401, "token_expired")


def test_refuses_other_paths(channel, alice_device):
    for path in ("/", "/api/v1/sync/", PATH + "/", "/api/v1/sync/events%00", "/api/v1/contacts/", "/%ff%fe"):
        client = channel.ask("GET", path, Authorization=f"Bearer {alice_device.pair.access_token}")
        refused(client, 404, "not_found")


def test_refuses_other_methods(channel, alice_device):
    for method in ("POST", "PUT", "PATCH", "DELETE", "TRACE", "PURGE"):
        client = channel.ask(method, Authorization=f"Bearer {alice_device.pair.access_token}", Content_Length="0")
        refused(client, 405, "method_not_allowed")
        assert client.headers["allow"] == "GET, OPTIONS"
    head = channel.ask("HEAD", Authorization=f"Bearer {alice_device.pair.access_token}")
    assert (head.status, head.headers["allow"], head.body) == (405, "GET, OPTIONS", b"")


def test_refuses_old_extension(channel, alice_device):
    body = refused(channel.open(alice_device, X_Client_Version="0.9.9"), 426, "extension_too_old")
    assert body["minimum_version"] == "1.0.0"
    for version in ("new", "1." * 5, "\xb2", ""):
        refused(channel.open(alice_device, X_Client_Version=version), 400, "malformed")
    with closing(channel.open(alice_device, X_Client_Version="1.0.0")) as stream:
        assert stream.event() == ("hello", {})


def test_speaks_of_refusals_as_the_api_does(channel, client):
    """The same refusal from both, but for its id."""
    ours = channel.ask("GET", Authorization="Bearer wapa_unknown", X_Request_Id="the-same-for-both")
    theirs = client.get(
        "/api/v1/me/", headers={"Authorization": "Bearer wapa_unknown", "X-Request-Id": "the-same-for-both"}
    )
    assert theirs.status_code == ours.status == 401
    expected = theirs.json()
    expected["type"] = ours.problem()["type"]  # the test's settings have another address
    assert ours.problem() == expected
    for name in ("Content-Type", "Cache-Control", "X-Request-Id", "WWW-Authenticate"):
        assert ours.headers[name.lower()] == theirs.headers[name]


def test_lets_the_extension_read_and_nobody_else(channel, alice_device):
    with closing(channel.open(alice_device, Origin=ORIGIN)) as stream:
        assert stream.headers["access-control-allow-origin"] == ORIGIN
        assert stream.headers["access-control-allow-credentials"] == "true"
    for origin in ("https://evil.example.com", "null", ORIGIN + ".evil", ORIGIN.upper(), "*"):
        with closing(channel.open(alice_device, Origin=origin)) as stream:
            assert not [name for name in stream.headers if name.startswith("access-control")]
            assert stream.headers["vary"] == "origin"
    assert channel.ask("GET", Origin=ORIGIN).headers["access-control-allow-origin"] == ORIGIN  # refusals, too


def test_answers_preflight_of_the_extension_only(channel):
    asked = {"Access_Control_Request_Method": "GET", "Access_Control_Request_Headers": "authorization"}
    answer = channel.ask("OPTIONS", Origin=ORIGIN, **asked)
    assert (answer.status, answer.body) == (204, b"")
    assert answer.headers["access-control-allow-origin"] == ORIGIN
    assert answer.headers["access-control-allow-methods"] == "GET, OPTIONS"
    assert {"authorization", "x-client-version"} <= set(answer.headers["access-control-allow-headers"].split(", "))
    foreign = channel.ask("OPTIONS", Origin="https://evil.example.com", **asked)
    assert not [name for name in foreign.headers if name.startswith("access-control")]


def test_limits_openings_of_an_instance(channel, alice_device, bob_device):
    clients = []
    try:
        # A minute of the process's clock may end meanwhile, so up to twice as many.
        while len(clients) <= 2 * OPENINGS_A_MINUTE and (not clients or clients[-1].status == 200):
            clients.append(channel.open(alice_device))
        last = clients.pop()
        refused(last, 429, "rate_limited")
        assert 1 <= int(last.headers["retry-after"]) <= 61
        assert len(clients) >= OPENINGS_A_MINUTE
        with closing(channel.open(bob_device)) as bob:
            assert bob.event() == ("hello", {})  # others are not concerned
    finally:
        for client in clients:
            client.close()


def test_refuses_more_streams_than_it_may_hold(tmp_path, alice_device, bob_device, charlie_device, acme):
    with running(tmp_path, WAKE_UP_MAX_STREAMS="2") as own:
        with closing(own.listen(alice_device)) as alice, closing(own.listen(bob_device)):
            client = own.open(charlie_device)
            refused(client, 503, "unavailable")
            assert 3 <= int(client.headers["retry-after"]) <= 10
            change(acme)
            assert alice.event() == ("changed", {})
        with closing(own.open(charlie_device)) as charlie:
            assert charlie.event() == ("hello", {})


@pytest.mark.parametrize(
    "sent",
    [
        b"\x00\x01\x02\r\n\r\n",
        b"GET\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: a\r\nno colon\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: a\r\nA: " + b"a" * 200_000 + b"\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n",
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
    ],
)
def test_survives_garbage(channel, sent):
    answer = b""
    # The channel may hang up before it was sent everything.
    with socket.create_connection(("127.0.0.1", channel.port), LONG) as garbage, contextlib.suppress(OSError):
        garbage.sendall(sent)
        garbage.shutdown(socket.SHUT_WR)
        answer = garbage.recv(65536)
    assert answer == b"" or answer.split()[1] in (b"400", b"404")
    assert json.loads(channel.ask("GET", "/health/ready").body) == {"status": "ready"}


def test_ignores_what_a_client_sends_while_it_listens(channel, alice_device, acme):
    with closing(channel.listen(alice_device)) as stream:
        stream.socket.sendall(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n" * 10)
        change(acme)
        assert stream.event() == ("changed", {})
