"""Lists of numbers over the API."""

import pytest

from accounts.models import Event
from messaging.models import NumberList, NumberListChunk, Suppression
from messaging.services.suppression import is_suppressed
from messaging.tasks import run_number_lists
from messaging.tests.calls import problem
from messaging.tests.number_lists import upload_over_http
from waplus.lib.ids import uuid7

URL = "/api/v1/suppressions/lists/"


def test_upload_list_and_ask_until_it_is_done(
    alice_device, bob_device, acme, alice, hints, django_capture_on_commit_callbacks
):
    alice_device.client.post("/api/v1/suppressions/", {"phone": "+4915112345679"})
    mine = str(uuid7())
    text = "phone\n+4915112345678\n+4915112345679\nnobody\n"
    with django_capture_on_commit_callbacks(execute=True):
        answer = upload_over_http(alice_device, text, id=mine, note="old system")
    assert answer.status_code == 202
    assert hints == ["messaging.tasks.run_number_lists"]
    begun = answer.json()
    times = {"created_at": begun["created_at"], "finished_at": None}
    assert begun == {
        "id": mine,
        "url": f"{URL}{mine}/",
        "file_name": "numbers.csv",
        "note": "old system",
        "state": "waiting",
        "problem": "",
        **{"total": 3, "done": 0, "added": 0, "known": 0, "refused": 0},
        "created_by": str(alice.pk),
        **times,
    }
    assert bob_device.client.get(begun["url"]).json() == begun
    assert not is_suppressed(acme, chat_jid="4915112345678@c.us")
    run_number_lists()
    ended = bob_device.client.get(begun["url"]).json()
    assert ended["finished_at"] is not None
    assert ended == begun | {
        "state": "finished",
        "finished_at": ended["finished_at"],
        **{"done": 3, "added": 1, "known": 1, "refused": 1},
    }
    assert bob_device.client.get(f"{begun['url']}refusals/").json() == {
        "results": [{"line": 4, "code": "no_number", "detail": "There is no number."}],
        "next_cursor": None,
    }
    assert is_suppressed(acme, chat_jid="4915112345678@c.us")
    assert upload_over_http(alice_device, text, id=mine).status_code == 200
    assert NumberList.objects.count() == 1


def test_lists_come_in_pages_the_newest_first(alice_device):
    ids = [upload_over_http(alice_device, f"+49151123456{n:02}").json()["id"] for n in range(3)]
    first = alice_device.client.get(URL, {"limit": 2}).json()
    second = alice_device.client.get(URL, {"limit": 2, "cursor": first["next_cursor"]}).json()
    assert [row["id"] for row in first["results"] + second["results"]] == ids[::-1]
    assert second["next_cursor"] is None


def test_every_refused_line_can_be_looked_up(alice_device):
    answer = upload_over_http(alice_device, "+4915112345678\n" + "nobody\n" * 1_501)
    run_number_lists()
    lines, cursor = [], None
    while cursor or not lines:
        asked = {"limit": 200} | ({"cursor": cursor} if cursor else {})
        page = alice_device.client.get(f"{answer.json()['url']}refusals/", asked).json()
        lines += [row["line"] for row in page["results"]]
        cursor = page["next_cursor"]
    assert lines == list(range(2, 1_503))


def test_stop_list_by_an_admin(alice_device, bob_device):
    url = upload_over_http(alice_device, "+4915112345678").json()["url"]
    assert problem(bob_device.client.post(f"{url}stop/")) == (403, "forbidden")
    assert NumberListChunk.objects.count() == 1
    assert alice_device.client.post(f"{url}stop/").json()["state"] == "stopped"
    run_number_lists()
    assert alice_device.client.post(f"{url}stop/").json()["done"] == 0
    assert not Suppression.objects.exists() and not NumberListChunk.objects.exists()


def test_lists_of_others_are_unknown(alice_device, charlie_device):
    row = upload_over_http(alice_device, "+4915112345678\nnobody").json()
    assert charlie_device.client.get(URL).json()["results"] == []
    for answer in (
        charlie_device.client.get(row["url"]),
        charlie_device.client.get(f"{row['url']}refusals/"),
        charlie_device.client.post(f"{row['url']}stop/"),
        charlie_device.client.get(f"{URL}{uuid7()}/"),
    ):
        assert problem(answer) == (404, "not_found")
    assert problem(upload_over_http(charlie_device, "+4915112345679", id=row["id"])) == (
        409,
        "id_taken",
        ("id", "id_taken"),
    )
    assert NumberList.objects.get().state == "waiting"


@pytest.mark.parametrize(
    ("content", "values", "expected"),
    [
        ("", {}, (400, "invalid", ("file", "empty"))),
        ("\n\n", {}, (400, "invalid", ("file", "empty"))),
        ("1\n" * 100_001, {}, (400, "invalid", ("file", "too_many"))),
        (b"PK\x03\x04\x14\x00\x06\x00", {}, (422, "file_unreadable", ("file", "file_unreadable"))),
        ("+4915112345678", {"note": "x" * 301}, (400, "invalid", ("note", "max_length"))),
        ("+4915112345678", {"id": "b8a1d5a6-0000-4000-8000-000000000000"}, (400, "invalid", ("id", "invalid_id"))),
        ("+4915112345678", {"source": "person"}, (400, "invalid", ("source", "unknown_field"))),
    ],
)
def test_refused_upload_leaves_nothing(alice_device, content, values, expected):
    answer = problem(upload_over_http(alice_device, content, **values))
    assert answer == expected
    assert not NumberList.objects.exists() and not NumberListChunk.objects.exists()
    assert not Event.objects.filter(kind__startswith="number_list").exists()


def test_only_admins_upload_lists(bob_device):
    assert problem(upload_over_http(bob_device, "+4915112345678")) == (403, "forbidden")
    assert not NumberList.objects.exists()


def test_cap_the_body(alice_device, settings):
    settings.MAX_NUMBER_LIST_BYTES = 1_000
    assert problem(upload_over_http(alice_device, "+4915112345678\n" * 100)) == (413, "too_large")
    assert not NumberList.objects.exists()


def test_old_address_is_gone(alice_device):
    assert alice_device.client.post("/api/v1/suppressions/import/").status_code == 404
