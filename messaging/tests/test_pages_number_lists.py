"""Lists of numbers in the browser."""

from django.test import Client

from messaging.models import NumberList, Suppression
from messaging.services.number_lists import uploading
from messaging.services.number_lists.runs import take_chunk
from messaging.services.suppression import is_suppressed
from messaging.tasks import run_number_lists
from messaging.tests.number_lists import counts, list_file
from messaging.tests.test_pages_suppression import browser
from waplus.lib.ids import uuid7

PAGE = "/messages/do-not-contact/lists/"


def send(client: Client, content: str | bytes, **values):
    return client.post(PAGE, {"id": uuid7(), "file": list_file(content, "from Ana.csv"), "note": "", **values})


def text_of(client: Client, path: str) -> str:
    return client.get(path).content.decode()


def test_upload_list_and_watch_it(acme, alice, monkeypatch):
    monkeypatch.setattr(uploading, "CHUNK", 2)
    client = browser(alice)
    assert "No list taken over yet" in text_of(client, PAGE)
    answer = send(client, "+4915112345678\nnobody\n+4915112345678\n", note="asked by post")
    row = NumberList.objects.get()
    assert (answer.status_code, answer["Location"]) == (302, f"{PAGE}{row.pk}/")
    page = text_of(client, answer["Location"])
    assert "Waiting for its turn…" in page and "0 of 3 lines" in page
    assert f'hx-get="{PAGE}{row.pk}/"' in page
    take_chunk(row.pk)
    page = text_of(client, answer["Location"])
    assert "Taking the numbers over…" in page and "2 of 3 lines" in page
    assert "A number counts as soon as its line is done" in page
    run_number_lists()
    page = text_of(client, answer["Location"])
    assert "hx-get" not in page.partition("<main")[2]
    assert "asked by post" in page and "There is no number." in page
    assert "They get no messages from now on" in page
    assert counts(row) == (3, 3, 1, 1, 1)
    assert is_suppressed(acme, chat_jid="4915112345678@c.us")
    listed = text_of(client, PAGE)
    assert "from Ana.csv" in listed and "1 added, 1 refused" in listed


def test_every_refused_line_is_shown_and_can_be_downloaded(acme, alice):
    client = browser(alice)
    page = send(client, "+4915112345678\n" + "nobody\n12\n" * 600)["Location"]
    run_number_lists()
    text = text_of(client, page)
    assert text.count('<th scope="row">') == 50 and "Load more" in text
    answer = client.get(f"{page}refused/")
    assert answer["Content-Disposition"] == 'attachment; filename="from_Ana-refused.csv"'
    lines = b"".join(answer.streaming_content).decode("utf-8-sig").splitlines()
    assert (lines[0], lines[1], len(lines)) == ("Line,Reason", "2,There is no number.", 1_201)
    assert lines[-1].startswith("1201,")


def test_stop_list(acme, alice, bob):
    page = send(browser(alice), "+4915112345678")["Location"]
    assert browser(bob).post(f"{page}stop/").status_code == 403
    assert "Stop</button>" not in text_of(browser(bob), page)
    assert NumberList.objects.get().state == "waiting"
    assert browser(alice).post(f"{page}stop/")["Location"] == page
    assert "0 of 1 lines were read" in text_of(browser(alice), page)
    run_number_lists()
    assert not Suppression.objects.exists()


def test_refused_file_is_told_at_the_form(acme, alice):
    answer = send(browser(alice), b"PK\x03\x04\x00\x00")
    assert answer.status_code == 200
    assert "Save the table as CSV and upload that." in answer.content.decode()
    assert not NumberList.objects.exists()


def test_members_look_on(acme, alice, bob):
    page = text_of(browser(bob), PAGE)
    assert "Admins of the workspace can upload a list" in page and '<input type="file"' not in page
    assert send(browser(bob), "+4915112345678").status_code == 403
    assert not NumberList.objects.exists()
    path = send(browser(alice), "+4915112345678")["Location"]
    assert browser(bob).get(path).status_code == 200


def test_others_find_nothing(acme, alice, other, charlie):
    path = send(browser(alice), "+4915112345678\nnobody")["Location"]
    client = browser(charlie)
    assert "from Ana" not in text_of(client, PAGE)
    for answer in (client.get(path), client.get(f"{path}refused/"), client.post(f"{path}stop/")):
        assert answer.status_code == 404
    assert NumberList.objects.get().state == "waiting"
