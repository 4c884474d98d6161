"""What holds for every address of the API: problem documents, strict JSON, pages, conditional requests, versions."""

import base64
import gzip
import json
import random

import pytest
from django.apps import apps
from django.db import connection
from django.test import Client
from django.utils import timezone
from rest_framework.test import APIClient

from accounts.models import Event
from accounts.services import workspaces
from accounts.tests.together import assert_refused, at_once
from accounts.views.workspaces import PlansView
from waplus.lib.errors import CODES
from waplus.lib.ids import uuid7

Contact = apps.get_model("crm.Contact")
CONTACTS = "/api/v1/contacts/"

pytestmark = pytest.mark.django_db


def raw(device, body: bytes | str, content_type="application/json", path=CONTACTS, **more):
    body = body if isinstance(body, bytes) else body.encode()
    return device.client.generic("POST", path, body, content_type, **more)


# --- The shape of refusals ------------------------------------------------------------------------


def test_refuses_in_one_shape(alice_device, bob_device):
    client = alice_device.client
    assert_refused(client.post(CONTACTS, {"email": "no"}), "invalid")
    assert_refused(APIClient().get(CONTACTS), "not_authenticated")
    assert_refused(bob_device.client.get("/api/v1/events/"), "forbidden")
    assert_refused(client.get(f"{CONTACTS}{uuid7()}/"), "not_found")
    assert_refused(client.get("/api/v1/no-such-thing/"), "not_found")
    assert_refused(client.get(f"{CONTACTS}no-uuid/"), "not_found")
    assert_refused(client.delete(CONTACTS), "method_not_allowed")
    assert_refused(raw(alice_device, b"x", "text/plain"), "unsupported_media_type")
    assert_refused(raw(alice_device, b"x" * (1024 * 1024 + 1)), "too_large")
    assert_refused(client.get(CONTACTS, headers={"X-Client-Version": "0.1"}), "extension_too_old")


def test_refusal_of_method_names_methods(alice_device):
    answer = alice_device.client.put(CONTACTS, {})
    assert_refused(answer, "method_not_allowed")
    assert set(answer["Allow"].split(", ")) == {"GET", "POST", "HEAD", "OPTIONS"}
    for method in ("TRACE", "CONNECT", "PROPFIND"):
        assert_refused(alice_device.client.generic(method, CONTACTS), "method_not_allowed")


def test_unforeseen_errors_tell_nothing_of_themselves(alice_device, monkeypatch):
    def burst(*args, **kwargs):
        raise RuntimeError("canary of the inside")

    monkeypatch.setattr(PlansView, "get", burst)
    client = APIClient(raise_request_exception=False)
    client.credentials(HTTP_AUTHORIZATION=f"Bearer {alice_device.pair.access_token}")
    answer = client.get("/api/v1/plans/", headers={"X-Request-Id": "abcdefgh-1"})
    body = assert_refused(answer, "server_error")
    assert body["request_id"] == "abcdefgh-1"
    assert "canary" not in answer.content.decode()
    assert "Traceback" not in answer.content.decode()


def test_refusal_rolls_back(alice_device, monkeypatch):
    """What was written before the failure is gone with it."""
    monkeypatch.setattr(workspaces, "record_event", lambda **kwargs: 1 / 0)
    client = APIClient(raise_request_exception=False)
    client.credentials(HTTP_AUTHORIZATION=f"Bearer {alice_device.pair.access_token}")
    assert_refused(client.post("/api/v1/workspaces/", {"name": "Half"}), "server_error")
    assert not Contact.objects.exists()
    assert [row["name"] for row in client.get("/api/v1/workspaces/").json()["results"]] == ["Acme"]


def test_every_wrong_field_is_named_with_its_path(alice_device):
    identities = [{"kind": "phone"}, {"kind": "fax", "value": "1"}, 7, {"kind": "phone", "value": "+49151"}]
    body = assert_refused(
        alice_device.client.post(CONTACTS, {"name": "x" * 301, "email": "no", "identities": identities}), "invalid"
    )
    assert {(error["field"], error["code"]) for error in body["errors"]} == {
        ("name", "max_length"),
        ("email", "invalid"),
        ("identities.0.value", "required"),
        ("identities.1.kind", "invalid_choice"),
        ("identities.2", "invalid"),
    }
    assert all(error["detail"].endswith((".", "?")) for error in body["errors"])
    assert not Contact.objects.exists()


def test_every_code_is_documented():
    page = Client().get("/api/v1/errors/").content.decode()
    assert [code for code in CODES if f'id="{code}"' not in page] == []


# --- Ids of requests ------------------------------------------------------------------------------


@pytest.mark.parametrize("offered", ["abcdefgh", "A-b_9" * 10, "0" * 64])
def test_echoes_well_formed_request_id(offered):
    answer = APIClient().get("/api/v1/me/", headers={"X-Request-Id": offered})
    assert answer["X-Request-Id"] == answer.json()["request_id"] == offered


def test_replaces_other_request_ids():
    for offered in (
        "",
        "short",
        "x" * 65,
        "with space",
        "newline\r\nSet-Cookie: a=b",
        "<script>alert(1)</script>",
        "é" * 9,
    ):
        answer = APIClient().get("/api/v1/me/", headers={"X-Request-Id": offered})
        assert answer["X-Request-Id"] == answer.json()["request_id"] != offered
        assert len(answer["X-Request-Id"]) == 32


def test_request_id_stands_in_events(alice_device):
    alice_device.client.post(CONTACTS, {"name": "A"}, headers={"X-Request-Id": "from-the-client"})
    assert Event.objects.get(kind="contact.created").request_id == "from-the-client"


# --- Strict JSON ----------------------------------------------------------------------------------

UNREADABLE = {
    "nothing": "{",
    "an array": '[{"name": "A"}]',
    "a text": '"A"',
    "a number": "7",
    "null": "null",
    "NaN": '{"name": NaN}',
    "infinity": '{"name": -Infinity}',
    "NUL": '{"name": "A\\u0000B"}',
    "NUL in a name": '{"na\\u0000me": "A"}',
    "lone high surrogate": '{"name": "\\ud83d"}',
    "lone low surrogate": '{"name": "A\\ude00B"}',
    "surrogates in wrong order": '{"name": "\\ude00\\ud83d"}',
    "a surrogate in a name": '{"\\ud800": "A"}',
    "doubled name": '{"name": "A", "name": "B"}',
    "doubled name inside": '{"identities": [{"kind": "lid", "kind": "phone", "value": "1"}]}',
    "nested too deeply": '{"name": ' + "[" * 21 + "]" * 21 + "}",
    "nested deeply enough to kill": '{"name": ' + "[" * 100_000 + "]" * 100_000 + "}",
    "objects nested deeply": '{"a": ' * 50_000 + "1" + "}" * 50_000,
    "endless number": '{"name": ' + "9" * 10_000 + "}",
    "two documents": '{"name": "A"}{"name": "B"}',
    "a comma too much": '{"name": "A",}',
    "single quotes": "{'name': 'A'}",
    "byte order mark": b'\xef\xbb\xbf{"name": "A"}',
    "Latin-1": '{"name": "José"}'.encode("latin-1"),
    "UTF-16": '{"name": "A"}'.encode("utf-16"),
    "overlong UTF-8": b'{"name": "\xc0\x80"}',
    "surrogate in UTF-8": b'{"name": "\xed\xa0\x80"}',
    "compressed": gzip.compress(b'{"name": "A"}'),
}


def test_refuses_what_is_no_good_json(alice_device):
    for what, body in UNREADABLE.items():
        answer = raw(alice_device, body)
        assert (what, answer.status_code) == (what, 400)
        assert_refused(answer, "malformed")
    assert not Contact.objects.exists()
    assert raw(alice_device, '{"name": "\\ud83d\\ude00 é\\u200d"}').status_code == 201


def test_reads_empty_body_as_empty_object(alice_device):
    assert_refused(raw(alice_device, b""), "invalid")
    assert alice_device.client.generic("PATCH", "/api/v1/instances/this/", b"", "application/json").status_code == 200


def test_refuses_unknown_fields(alice_device):
    body = assert_refused(alice_device.client.post(CONTACTS, {"name": "A", "nmae": "B", "workspace": "C"}), "invalid")
    assert {(error["field"], error["code"]) for error in body["errors"]} == {
        ("nmae", "unknown_field"),
        ("workspace", "unknown_field"),
    }
    assert not Contact.objects.exists()


def test_refuses_other_content_types(alice_device):
    for content_type in ("text/plain", "application/xml", "text/json", "application/x-www-form-urlencoded", "", "json"):
        assert_refused(raw(alice_device, '{"name": "A"}', content_type), "unsupported_media_type")
    assert not Contact.objects.exists()
    for content_type in ("application/json; charset=utf-8", "Application/JSON", "application/json;charset=latin-1"):
        assert raw(alice_device, '{"name": "é"}', content_type).json()["name"] == "é"


def test_serves_json_whatever_is_accepted(alice_device):
    for accept in ("text/html", "application/xml", "*/*", "nonsense", "", "application/json;q=0"):
        answer = alice_device.client.get(CONTACTS, headers={"Accept": accept})
        assert (answer.status_code, answer["Content-Type"]) == (200, "application/json")
    assert_refused(APIClient().get(CONTACTS, headers={"Accept": "text/html"}), "not_authenticated")


def test_caps_body_by_its_declared_length(alice_device):
    most = 1024 * 1024
    fits = b'{"name": "A"' + b" " * (most - 13) + b"}"
    assert len(fits) == most
    assert raw(alice_device, fits).status_code == 201
    assert_refused(raw(alice_device, fits + b" "), "too_large", "1048576 bytes")
    assert_refused(raw(alice_device, b"{}", CONTENT_LENGTH="99999999999999999999"), "too_large")
    assert_refused(raw(alice_device, b"{}", headers={"Transfer-Encoding": "chunked"}), "too_large")
    for length in ("ten", "-1", "1.5"):
        assert_refused(raw(alice_device, b"{}", CONTENT_LENGTH=length), "malformed")
    assert Contact.objects.count() == 1


# --- Pages ----------------------------------------------------------------------------------------


def fill(workspace, names) -> list[Contact]:
    now = timezone.now()
    return Contact.objects.bulk_create(
        [Contact(workspace=workspace, name=name, sort_name=name, created_at=now, updated_at=now) for name in names]
    )


def walk(device, limit: int, between=lambda page: None, **params) -> list[dict]:
    rows, cursor = [], None
    while True:
        answer = device.client.get(CONTACTS, {"limit": limit, **params, **({"cursor": cursor} if cursor else {})})
        assert answer.status_code == 200, answer.json()
        page = answer.json()
        assert len(page["results"]) <= limit
        rows += page["results"]
        between(page)
        cursor = page["next_cursor"]
        if cursor is None:
            return rows


@pytest.mark.parametrize("sort", ["name", "-name", "updated_at", "-updated_at"])
def test_pages_walk_everything_exactly_once(alice_device, acme, other, sort):
    """Many rows share a name and all share a time; some names are empty or odd."""
    dice = random.Random(7)
    names = [dice.choice(["", "Ana", "ana", "Ána", "İpek", "王小明", "%", "a\\b", '"q"', "😀"]) for _ in range(57)]
    made = fill(acme, names)
    fill(other, ["foreign"] * 5)
    rows = walk(alice_device, 7, sort=sort)
    assert len(rows) == 57
    assert {row["id"] for row in rows} == {str(contact.id) for contact in made}
    field = sort.lstrip("-")
    with connection.cursor() as cursor:
        direction = "DESC" if sort.startswith("-") else "ASC"
        cursor.execute(
            f"SELECT id FROM crm_contact WHERE workspace_id = %s ORDER BY {field} {direction}, id {direction}",
            [acme.pk],
        )
        assert [row["id"] for row in rows] == [str(id) for (id,) in cursor.fetchall()]


def test_last_page_that_is_full_has_no_next(alice_device, acme):
    fill(acme, "abcd")
    pages = []
    walk(alice_device, 2, pages.append)
    assert [len(page["results"]) for page in pages] == [2, 2]


def test_rows_that_arrive_meanwhile_neither_repeat_nor_push_out(alice_device, acme):
    made = {str(contact.id) for contact in fill(acme, [f"m{n:02}" for n in range(20)])}

    def meanwhile(page):
        fill(
            acme, ["a-before", "m00", "m10", "z-behind"] if page["next_cursor"] and Contact.objects.count() < 40 else []
        )

    rows = [row["id"] for row in walk(alice_device, 3, meanwhile)]
    assert len(rows) == len(set(rows))
    assert made <= set(rows)


def test_row_that_goes_away_does_not_break_walk(alice_device, acme):
    fill(acme, [f"m{n:02}" for n in range(10)])
    rows = walk(alice_device, 3, lambda page: Contact.objects.filter(pk=page["results"][-1]["id"]).delete())
    assert [row["name"] for row in rows] == [f"m{n:02}" for n in range(10)]


def test_members_and_events_walk_too(alice_device, acme):
    for path in ("/api/v1/members/", "/api/v1/events/", "/api/v1/workspaces/", "/api/v1/instances/"):
        everything = [row["id"] for row in alice_device.client.get(path).json()["results"]]
        rows, cursor = [], ""
        while cursor is not None:
            page = alice_device.client.get(path, {"limit": 1, **({"cursor": cursor} if cursor else {})}).json()
            rows += [row["id"] for row in page["results"]]
            cursor = page["next_cursor"]
        assert rows == everything
        assert len(rows) >= 1


def test_limit_has_bounds(alice_device, acme):
    for limit in ("0", "-1", "201", "ten", "1.5", "9" * 5000, "1e2", "\x00"):
        errors = assert_refused(alice_device.client.get(CONTACTS, {"limit": limit}), "invalid")["errors"]
        assert errors[0]["field"] == "limit"
    fill(acme, [str(n) for n in range(201)])
    assert len(alice_device.client.get(CONTACTS).json()["results"]) == 50
    assert len(alice_device.client.get(CONTACTS, {"limit": 200}).json()["results"]) == 200
    assert len(alice_device.client.get(CONTACTS, {"limit": 1}).json()["results"]) == 1


def cursor_of(value) -> str:
    return base64.urlsafe_b64encode(json.dumps(value).encode()).decode().rstrip("=")


def test_refuses_cursors_that_are_not_ours(alice_device, acme):
    fill(acme, "abc")
    id = str(uuid7())
    dice = random.Random(7)
    cursors = [
        *[base64.urlsafe_b64encode(dice.randbytes(dice.randrange(1, 60))).decode() for _ in range(40)],
        *[dice.randbytes(20).decode("latin-1") for _ in range(10)],
        "x",
        "=",
        "é",
        "\x00",
        "../../",
        "a" * 5000,
        cursor_of(None),
        cursor_of({}),
        cursor_of([]),
        cursor_of("abc"),
        cursor_of(["name", "a"]),
        cursor_of(["name", "a", id, "more"]),
        cursor_of(["name", "a", "no id"]),
        cursor_of(["name", "a", 7]),
        cursor_of(["name", None, id]),
        cursor_of(["name", 7, id]),
        cursor_of(["name", ["a"], id]),
        cursor_of(["name", {"a": 1}, id]),
        cursor_of(["name", "a\x00b", id]),
        cursor_of(["name", "\ud800", id]),
        cursor_of(["-name", "a", id]),
        cursor_of(["updated_at", "2026-01-01T00:00:00Z", id]),
        base64.urlsafe_b64encode(b"[" * 50_000).decode(),
        base64.urlsafe_b64encode(('["name", "a", "' + id + '"]').encode("utf-16")).decode()[:-7],
    ]
    for cursor in cursors:
        answer = alice_device.client.get(CONTACTS, {"cursor": cursor})
        assert (cursor[:80], answer.status_code) == (cursor[:80], 400)
        assert_refused(answer, "invalid_cursor")
    for value in ("yesterday", "2026-01-01", "2026-01-01T00:00:00", "2026-02-30T00:00:00Z", "", "9" * 400):
        cursor = cursor_of(["updated_at", value, id])
        assert_refused(alice_device.client.get(CONTACTS, {"sort": "updated_at", "cursor": cursor}), "invalid_cursor")
    good = cursor_of(["name", "a", "00000000-0000-0000-0000-000000000000"])
    assert [row["name"] for row in alice_device.client.get(CONTACTS, {"cursor": good}).json()["results"]] == list("abc")


def test_extreme_cursors_find_nothing_and_break_nothing(alice_device, acme):
    fill(acme, "abc")
    id = "ffffffff-ffff-ffff-ffff-ffffffffffff"
    for sort, value in [
        ("name", "\U0010ffff" * 300),
        ("-name", ""),
        ("updated_at", "9999-12-31T23:59:59.999999-14:00"),
        ("-updated_at", "0001-01-01T00:00:00+14:00"),
    ]:
        answer = alice_device.client.get(CONTACTS, {"sort": sort, "cursor": cursor_of([sort, value, id])})
        assert (sort, answer.status_code) == (sort, 200)
        assert len(answer.json()["results"]) in (0, 3)


def test_cursor_opens_no_other_workspace(alice_device, charlie_device, acme, other):
    fill(acme, "abcd")
    cursor = alice_device.client.get(CONTACTS, {"limit": 1}).json()["next_cursor"]
    assert charlie_device.client.get(CONTACTS, {"cursor": cursor}).json()["results"] == []


def test_refuses_unknown_sort(alice_device):
    for sort in ("email", "id", "-", "name,id", "name; DROP TABLE crm_contact", "\x00", "__class__"):
        errors = assert_refused(alice_device.client.get(CONTACTS, {"sort": sort}), "invalid")["errors"]
        assert errors == [{"field": "sort", "code": "invalid_choice", "detail": errors[0]["detail"]}]


# --- Conditional requests -------------------------------------------------------------------------


@pytest.fixture
def contact(alice_device) -> dict:
    answer = alice_device.client.post(CONTACTS, {"name": "Ana"})
    return {**answer.json(), "path": f"{CONTACTS}{answer.json()['id']}/", "etag": answer["ETag"]}


def test_unchanged_object_answers_304(alice_device, contact):
    answer = alice_device.client.get(contact["path"])
    assert answer["ETag"] == contact["etag"]
    for header in (contact["etag"], f'"other", {contact["etag"]}', f"W/{contact['etag']}"):
        again = alice_device.client.get(contact["path"], headers={"If-None-Match": header})
        assert (again.status_code, again.content, again["ETag"]) == (304, b"", contact["etag"])
    alice_device.client.patch(contact["path"], {"name": "Ana Maria"})
    changed = alice_device.client.get(contact["path"], headers={"If-None-Match": contact["etag"]})
    assert (changed.status_code, changed.json()["name"]) == (200, "Ana Maria")
    assert changed["ETag"] != contact["etag"]


def test_change_by_who_saw_older_state_is_refused(alice_device, bob_device, contact):
    first = bob_device.client.patch(contact["path"], {"name": "By Bob"}, headers={"If-Match": contact["etag"]})
    assert first.status_code == 200
    second = alice_device.client.patch(contact["path"], {"name": "By Alice"}, headers={"If-Match": contact["etag"]})
    assert_refused(second, "precondition_failed")
    assert Contact.objects.get().name == "By Bob"
    assert Event.objects.filter(kind="contact.updated").count() == 1
    third = alice_device.client.patch(contact["path"], {"name": "By Alice"}, headers={"If-Match": first["ETag"]})
    assert third.status_code == 200
    assert alice_device.client.patch(contact["path"], {"name": "Any"}, headers={"If-Match": "*"}).status_code == 200


def test_workspace_is_conditional_too(alice_device, acme):
    tag = alice_device.client.get("/api/v1/workspace/")["ETag"]
    assert alice_device.client.patch("/api/v1/workspace/", {"name": "B"}, headers={"If-Match": tag}).status_code == 200
    assert_refused(
        alice_device.client.patch("/api/v1/workspace/", {"name": "C"}, headers={"If-Match": tag}), "precondition_failed"
    )
    acme.refresh_from_db()
    assert acme.name == "B"


@pytest.mark.django_db(transaction=True)
def test_parallel_conditional_changes_let_one_through(alice_device):
    made = alice_device.client.post(CONTACTS, {"name": "Ana"})
    path, tag = f"{CONTACTS}{made.json()['id']}/", made["ETag"]
    answers = at_once(
        *[lambda n=n: alice_device.client.patch(path, {"name": f"By {n}"}, headers={"If-Match": tag}) for n in range(6)]
    )
    assert sorted(answer.status_code for answer in answers) == [200] + [412] * 5
    winner = next(answer for answer in answers if answer.status_code == 200)
    assert Contact.objects.get().name == winner.json()["name"]


# --- Ids that the client makes --------------------------------------------------------------------


def test_client_makes_ids_once(alice_device, charlie_device):
    id = str(uuid7())
    first = alice_device.client.post(CONTACTS, {"id": id, "name": "Ana"})
    again = alice_device.client.post(CONTACTS, {"id": id, "name": "Someone else"})
    assert (first.status_code, again.status_code) == (201, 200)
    assert first.json() == again.json()
    assert first.json()["id"] == id
    assert_refused(charlie_device.client.post(CONTACTS, {"id": id, "name": "Mine"}), "id_taken")
    assert [(contact.name, str(contact.id)) for contact in Contact.objects.all()] == [("Ana", id)]


def test_refuses_other_kinds_of_ids(alice_device):
    for id in ("4b1e8ab5-2f4b-4d3a-9c1e-000000000000", "00000000-0000-0000-0000-000000000000", "x", 7, None, [], True):
        errors = assert_refused(alice_device.client.post(CONTACTS, {"id": id, "name": "A"}), "invalid")["errors"]
        assert [error["field"] for error in errors] == ["id"]
    assert not Contact.objects.exists()


# --- Versions of the extension --------------------------------------------------------------------


def test_old_extension_is_told_to_update(alice_device, settings):
    for version in ("0", "0.9.9", "0.999999.999999.999999"):
        answer = alice_device.client.post(CONTACTS, {"name": "A"}, headers={"X-Client-Version": version})
        body = assert_refused(answer, "extension_too_old", f"Version {version} of the extension")
        assert body["minimum_version"] == settings.MINIMUM_EXTENSION_VERSION == "1.0.0"
        assert "Update it to 1.0.0 or newer" in body["detail"]
    assert not Contact.objects.exists()
    for version in ("1", "1.0", "1.0.0", "1.0.0.1", "999999"):
        assert alice_device.client.get(CONTACTS, headers={"X-Client-Version": version}).status_code == 200


def test_odd_versions_are_refused(alice_device):
    for version in ("", "one", "1.", "1.2.3.4.5", "v2", "1.0.0-beta", "9" * 7, "-1"):
        assert_refused(alice_device.client.get(CONTACTS, headers={"X-Client-Version": version}), "malformed")


def test_pages_know_no_version(client):
    assert client.get("/health/live", headers={"X-Client-Version": "0.1"}).status_code == 200
    assert client.get("/", headers={"X-Client-Version": "0.1"}).status_code == 200


# --- Caches, HEAD, OPTIONS ------------------------------------------------------------------------


def test_no_cache_keeps_answers(alice_device):
    answers = [
        alice_device.client.get(CONTACTS),
        alice_device.client.get("/api/v1/me/"),
        alice_device.client.post(CONTACTS, {"name": "A"}),
        alice_device.client.get(f"{CONTACTS}{uuid7()}/"),
        APIClient().get("/api/v1/me/"),
    ]
    for answer in answers:
        assert set(answer["Cache-Control"].split(", ")) == {"private", "no-store"}


def test_head_answers_as_get_without_body(alice_device):
    for path in (CONTACTS, "/api/v1/me/", "/api/v1/members/"):
        answer = alice_device.client.head(path)
        assert (answer.status_code, answer.content) == (200, b"")
    assert APIClient().head(CONTACTS).status_code == 401


def test_options_names_methods_of_every_address(alice_device):
    for path, methods in {
        CONTACTS: ["GET", "POST", "HEAD", "OPTIONS"],
        "/api/v1/auth/token/": ["POST", "OPTIONS"],
        "/api/v1/auth/logout/": ["POST", "OPTIONS"],
        "/api/v1/workspace/leave/": ["POST", "OPTIONS"],
        "/api/v1/invitations/": ["GET", "POST", "HEAD", "OPTIONS"],
    }.items():
        for client in (alice_device.client, APIClient()):
            answer = client.options(path)
            assert (path, answer.status_code) == (path, 200)
            assert sorted(answer.json()["methods"]) == sorted(methods)


def test_answers_carry_security_headers(alice_device):
    answer = alice_device.client.get("/api/v1/me/")
    assert answer["X-Content-Type-Options"] == "nosniff"
    assert "default-src 'none'" in answer["Content-Security-Policy"]
    assert answer["X-Frame-Options"] == "DENY"
