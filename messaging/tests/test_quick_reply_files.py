"""Quick replies to a file and from one: nothing lost in between, each row that is not taken with its reason."""

import json

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile

from accounts.models import Event
from messaging.models import MediaFile, QuickReply, QuickReplyFolder
from messaging.services.quick_replies import files
from messaging.tests.calls import problem
from messaging.tests.test_contents import add_file
from messaging.tests.test_quick_replies import FOLDERS, REPLIES, make, say, stored

pytestmark = pytest.mark.django_db


def take(device, content: bytes | str | dict):
    content = json.dumps(content) if isinstance(content, dict) else content
    content = content.encode() if isinstance(content, str) else content
    file = SimpleUploadedFile("replies", content)
    return device.client.post(f"{REPLIES}import/", {"file": file}, format="multipart")


def export(device, form="json"):
    answer = device.client.get(f"{REPLIES}export/?as={form}")
    assert answer.status_code == 200
    return answer


def document(*rows) -> dict:
    return {"format": "waplus-quick-replies", "version": 1, "quick_replies": list(rows)}


def row(**values) -> dict:
    return {"name": "Greeting", "texts": [say("en", "Hello {{first_name|there}}")], **values}


def saved() -> list[tuple]:
    """What quick replies say, whoever made them and under which ids."""
    found = QuickReply.objects.select_related("folder").order_by("position")
    return [(r.name, r.shortcut, r.folder and r.folder.name, r.owner_id, r.default_language, r.contents) for r in found]


def test_export_and_import_again(alice_device, bob_device, acme):
    file = add_file(acme, "menu.pdf")
    folder = alice_device.client.post(FOLDERS, {"name": "Sales"}).json()["id"]
    texts = [
        {"language": "en", "parts": [{"body": "a 👋 שלום"}, {"body": "", "media": str(file.pk)}]},
        say("de", '=b\n"c"'),
    ]
    make(alice_device, texts=texts, shortcut="Olá", folder=folder, default_language="de")
    make(alice_device, name="Mine", visibility="private")
    make(bob_device, name="Bob's own", visibility="private")
    exported = export(alice_device).content
    names = [row["name"] for row in json.loads(exported)["quick_replies"]]
    assert names == ["Greeting", "Mine"]
    assert json.loads(exported)["quick_replies"][0]["texts"][1]["parts"][1]["media"] == {
        "id": str(file.pk),
        "name": "menu.pdf",
    }
    before = stored()
    assert take(alice_device, exported).json() == {"created": 0, "unchanged": 2, "refused": []}
    assert stored() == before
    kept = [row for row in saved() if row[0] != "Bob's own"]
    QuickReply.objects.all().delete()
    QuickReplyFolder.objects.all().delete()
    assert take(alice_device, exported).json() == {"created": 2, "unchanged": 0, "refused": []}
    assert saved() == kept
    event = Event.objects.filter(kind="quick_reply.imported").get()
    assert event.count == 2
    assert export(alice_device).content == exported


def test_export_and_import_csv(alice_device):
    make(alice_device, name="=cmd", shortcut="a", texts=[say("pt-BR", '+1 "x",\nand more {{name|}}')])
    make(alice_device, name="Two parts", texts=[say("en", "a", "b")])
    exported = export(alice_device, "csv")
    assert exported["X-Left-Out"] == "1"
    lines = exported.content.decode("utf-8-sig")
    assert "'=cmd" in lines and "'+1" in lines
    before = stored()
    assert take(alice_device, exported.content).json() == {"created": 0, "unchanged": 1, "refused": []}
    assert stored() == before


@pytest.mark.parametrize(
    ("wrong", "field", "code"),
    [
        ("text", "", "invalid"),
        ({"name": ""}, "name", "required"),
        ({"name": 5}, "name", "invalid"),
        ({"texts": None}, "texts", "required"),
        ({"texts": []}, "texts", "required"),
        ({"texts": [5]}, "texts.0", "invalid"),
        ({"texts": [say("en", "{{nam}}")]}, "texts.0.parts.0.body", "unknown_variable"),
        ({"texts": [say("xxxx", "a")]}, "texts.0.language", "invalid_language"),
        ({"texts": [{"language": "en", "parts": []}]}, "texts.0.parts", "required"),
        (
            {"texts": [{"language": "en", "parts": [{"body": "", "media": {"id": "x", "name": "a.pdf"}}]}]},
            "texts.0.parts.0.media",
            "does_not_exist",
        ),
        ({"shortcut": "a b"}, "shortcut", "invalid"),
        ({"shortcut": "/TAKEN"}, "shortcut", "name_taken"),
        ({"visibility": "world"}, "visibility", "invalid_choice"),
        ({"folder": "x" * 81}, "folder", "max_length"),
        ({"default_language": "fr"}, "default_language", "does_not_exist"),
    ],
)
def test_tell_what_is_wrong_with_a_row_and_take_the_others(alice_device, wrong, field, code):
    make(alice_device, name="There", shortcut="taken")
    bad = row(**wrong) if isinstance(wrong, dict) else wrong
    answer = take(alice_device, document(row(name="First"), bad, row(name="Last")))
    assert answer.status_code == 200
    body = answer.json()
    assert (body["created"], body["unchanged"]) == (2, 0)
    assert [(one["row"], one["field"], one["code"]) for one in body["refused"]] == [(2, field, code)]
    assert [saved_row[0] for saved_row in saved()] == ["There", "First", "Last"]


def test_refuse_a_file_of_another_workspace(alice_device, other):
    foreign = add_file(other)
    part = {"body": "", "media": {"id": str(foreign.pk), "name": "theirs.pdf"}}
    body = take(alice_device, document(row(texts=[{"language": "en", "parts": [part]}]))).json()
    assert body["refused"][0]["detail"] == "The file “theirs.pdf” is not here; upload it and attach it by hand."
    assert (MediaFile.objects.count(), QuickReply.objects.count()) == (1, 0)


def test_take_the_same_shortcut_once(alice_device):
    body = take(alice_device, document(row(shortcut="a"), row(shortcut="A", name="Other"), row(shortcut="a"))).json()
    assert (body["created"], body["unchanged"], len(body["refused"])) == (1, 1, 1)


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (b"", ""),
        (b"{", "no well-formed JSON"),
        (b'{"format": "x"}', "no export of quick replies"),
        (b'{"format": "waplus-quick-replies", "version": 2}', "of another version"),
        (b'{"format": "waplus-quick-replies", "version": 1, "quick_replies": 5}', "has to be a list"),
        (b'{"format": "waplus-quick-replies", "version": 1, "quick_replies": []}', "no quick replies in the file"),
        (b"[1]", "no export of quick replies"),
        (b"A,B\n1,2\n", "“Name” and “Text” are needed"),
        (b"Name,Text\n", "no quick replies in the file"),
    ],
)
def test_refuse_a_file(alice_device, content, sentence):
    before = stored()
    answer = take(alice_device, content)
    assert answer.status_code in (400, 422)
    assert sentence in answer.json()["detail"]
    assert stored() == before


def test_refuse_too_many_rows_and_too_many_replies(alice_device, monkeypatch):
    monkeypatch.setattr(files, "MAX_ROWS", 2)
    assert problem(take(alice_device, document(row(), row(), row())))[:2] == (422, "file_unreadable")
    monkeypatch.setattr(files, "MAX_TEAM", 1)
    body = take(alice_device, document(row(name="a"), row(name="b"))).json()
    assert (body["created"], [one["code"] for one in body["refused"]]) == (1, ["limit_reached"])


def test_take_two_thousand_in_a_fixed_number_of_queries(alice_device):
    from django.db import connection
    from django.test.utils import CaptureQueriesContext

    counts = []
    for most in (20, 1200):
        QuickReply.objects.all().delete()
        rows = [row(name=f"Reply {n}", shortcut=f"r{n}") for n in range(most)]
        with CaptureQueriesContext(connection) as queries:
            assert take(alice_device, document(*rows)).json()["created"] == most
        counts.append(len(queries))
    # Rows go in batches of a thousand: three kinds of them.
    assert counts[1] - counts[0] <= 3
