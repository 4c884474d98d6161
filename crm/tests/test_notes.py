"""Notes: everybody's to change, with a history of who wrote what; the bin gives them back."""

import pytest

from accounts.models import Event
from accounts.tests.together import assert_refused, at_once
from crm.models import Note, NoteEdit
from waplus.lib.ids import uuid7

CONTACTS = "/api/v1/contacts/"
NOTES = "/api/v1/notes/"

pytestmark = pytest.mark.django_db


@pytest.fixture
def contact(alice_device) -> dict:
    return alice_device.client.post(CONTACTS, {"name": "Ana"}).json()


def write(device, contact: dict, text: str = "Hello", **values) -> dict:
    answer = device.client.post(f"{CONTACTS}{contact['id']}/notes/", {"text": text, **values})
    assert answer.status_code == 201, answer.json()
    return answer.json()


def edit(device, note: dict, **values):
    return device.client.patch(f"{NOTES}{note['id']}/", values)


def texts(device, contact: dict) -> list[str]:
    return [row["text"] for row in device.client.get(f"{CONTACTS}{contact['id']}/notes/").json()["results"]]


def test_writes_note_with_author(alice, alice_device, contact):
    note = write(alice_device, contact, "  Läuft\u200e.\r\nBald! ", pinned=True)
    assert (note["text"], note["pinned"], note["author"]) == ("Läuft.\nBald!", True, str(alice.pk))
    assert (note["contact"], note["edited_at"], note["edited_by"], note["version"]) == (contact["id"], None, None, 1)
    assert Note.objects.get().search_text == " lauft. bald!"
    assert alice_device.client.get(f"{NOTES}{note['id']}/").json() == note
    assert str(Event.objects.get(kind="note.written").object_id) == note["id"]


def test_history_says_who_wrote_what(alice, bob, alice_device, bob_device, contact):
    note = write(alice_device, contact, "One")
    second = edit(bob_device, note, text="Two").json()
    third = edit(alice_device, note, text="Three", pinned=True).json()
    assert (second["author"], second["edited_by"]) == (str(alice.pk), str(bob.pk))
    assert (third["edited_by"], third["pinned"], third["version"]) == (str(alice.pk), True, 3)
    history = alice_device.client.get(f"{NOTES}{note['id']}/history/").json()["results"]
    assert [(row["text"], row["author"], row["written_at"]) for row in history] == [
        ("Two", str(bob.pk), second["edited_at"]),
        ("One", str(alice.pk), note["created_at"]),
    ]
    kinds = Event.objects.filter(kind="note.edited").order_by("id").values_list("changed", flat=True)
    assert list(kinds) == [["text"], ["pinned", "text"]]


def test_edit_without_change_changes_nothing(alice_device, contact):
    note = write(alice_device, contact)
    for values in ({}, {"text": " Hello "}, {"pinned": False}):
        assert edit(alice_device, note, **values).json() == note
    assert (NoteEdit.objects.count(), Event.objects.filter(kind="note.edited").count()) == (0, 0)
    pinned = edit(alice_device, note, pinned=True).json()
    assert (pinned["edited_at"], NoteEdit.objects.count()) == (None, 0)


def test_refuses_texts_that_are_none(alice_device, contact):
    for text in ("", " \u200b ", "x" * 20_001, None, 7.5, ["x"]):
        answer = alice_device.client.post(f"{CONTACTS}{contact['id']}/notes/", {"text": text})
        assert (text, answer.status_code) == (text, 201 if text == 7.5 else 400)
    assert texts(alice_device, contact) == ["7.5"]
    assert len(write(alice_device, contact, "ﷺ" * 20_000)["text"]) == 20_000


def test_repeat_with_one_id_is_one_note(alice_device, charlie_device, contact):
    id = str(uuid7())
    note = write(alice_device, contact, id=id)
    path = f"{CONTACTS}{contact['id']}/notes/"
    assert alice_device.client.post(path, {"id": id, "text": "Else"}).json() == note
    other = alice_device.client.post(CONTACTS, {"name": "B"}).json()
    theirs = charlie_device.client.post(CONTACTS, {"name": "C"}).json()
    for device, where in ((alice_device, other), (charlie_device, theirs)):
        answer = device.client.post(f"{CONTACTS}{where['id']}/notes/", {"id": id, "text": "Else"})
        assert_refused(answer, "id_taken")
    assert Note.objects.count() == 1


@pytest.mark.django_db(transaction=True)
def test_race_of_one_id_writes_one_note(alice_device, contact):
    payload = {"id": str(uuid7()), "text": "Hello"}
    answers = at_once(*[lambda: alice_device.client.post(f"{CONTACTS}{contact['id']}/notes/", payload)] * 5)
    assert sorted(answer.status_code for answer in answers) == [200] * 4 + [201]
    assert Note.objects.count() == Event.objects.filter(kind="note.written").count() == 1


@pytest.mark.django_db(transaction=True)
def test_racing_edits_lose_no_text(alice_device, bob_device, contact):
    note = write(alice_device, contact, "Zero")
    answers = at_once(
        *[
            lambda n=n: (alice_device, bob_device)[n % 2].client.patch(f"{NOTES}{note['id']}/", {"text": f"T{n}"})
            for n in range(6)
        ]
    )
    assert [answer.status_code for answer in answers] == [200] * 6
    said = {Note.objects.get().text, *NoteEdit.objects.values_list("text", flat=True)}
    assert said == {"Zero", *(f"T{n}" for n in range(6))}


def test_edit_on_an_old_base_is_refused(alice_device, bob_device, contact):
    note = write(alice_device, contact)
    path = f"{NOTES}{note['id']}/"
    seen = alice_device.client.get(path)["ETag"]
    edit(bob_device, note, text="Bob was here")
    answer = alice_device.client.patch(path, {"text": "Mine"}, headers={"If-Match": seen})
    assert_refused(answer, "precondition_failed")
    assert texts(alice_device, contact) == ["Bob was here"]


def test_deleted_note_comes_back(alice_device, bob_device, contact):
    note = write(alice_device, contact)
    path = f"{NOTES}{note['id']}/"
    assert bob_device.client.delete(path).status_code == 204
    assert texts(alice_device, contact) == []
    for call in (
        lambda: alice_device.client.get(path),
        lambda: alice_device.client.delete(path),
        lambda: edit(alice_device, note, text="x"),
        lambda: alice_device.client.get(f"{path}history/"),
    ):
        assert_refused(call(), "not_found")
    assert alice_device.client.post(f"{path}restore/").json() == {**note, "version": 3}
    assert texts(alice_device, contact) == ["Hello"]
    assert_refused(alice_device.client.post(f"{path}restore/"), "not_found")


def test_notes_are_listed_newest_first_and_paged(alice_device, contact):
    for n in range(5):
        write(alice_device, contact, f"N{n}")
    seen, cursor = [], ""
    while cursor is not None:
        params = {"limit": 2, **({"cursor": cursor} if cursor else {})}
        page = alice_device.client.get(f"{CONTACTS}{contact['id']}/notes/", params).json()
        seen += [row["text"] for row in page["results"]]
        cursor = page["next_cursor"]
    assert seen == ["N4", "N3", "N2", "N1", "N0"]


def test_notes_of_contact_in_bin_rest_with_it(alice_device, contact):
    note = write(alice_device, contact)
    alice_device.client.delete(f"{CONTACTS}{contact['id']}/")
    assert_refused(alice_device.client.get(f"{NOTES}{note['id']}/"), "not_found")
    assert_refused(edit(alice_device, note, text="x"), "not_found")
    assert_refused(alice_device.client.post(f"{CONTACTS}{contact['id']}/notes/", {"text": "x"}), "not_found")
    alice_device.client.post(f"{CONTACTS}{contact['id']}/restore/")
    assert alice_device.client.get(f"{NOTES}{note['id']}/").json() == note


def test_notes_of_others_are_like_missing_ones(alice_device, charlie_device, contact):
    note = write(alice_device, contact)
    path = f"{NOTES}{note['id']}/"
    for call in (
        lambda: charlie_device.client.get(path),
        lambda: charlie_device.client.get(f"{path}history/"),
        lambda: charlie_device.client.delete(path),
        lambda: charlie_device.client.post(f"{path}restore/"),
        lambda: edit(charlie_device, note, text="x"),
        lambda: charlie_device.client.get(f"{CONTACTS}{contact['id']}/notes/"),
        lambda: charlie_device.client.post(f"{CONTACTS}{contact['id']}/notes/", {"text": "x"}),
    ):
        assert_refused(call(), "not_found")
    assert texts(alice_device, contact) == ["Hello"]
