"""Messages of several parts in forms: texts, files that are here, and files from the computer."""

import re

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.urls import reverse

from accounts.models import Plan
from messaging.models import ContentPart, MediaFile, ScheduledMessage
from messaging.services.contents import parts_of, replace_parts
from messaging.services.scheduling import queue_due_messages
from messaging.tests.files import SCRIPT, pdf, picture
from messaging.tests.schedules import make_schedule
from messaging.tests.test_contents import add_file
from messaging.tests.test_pages_scheduled import CHAT, text_of, values
from messaging.tests.test_scheduling import add_contact

pytestmark = pytest.mark.django_db

NEW = "/messages/scheduled/new/"


@pytest.fixture
def page(client, alice):
    client.force_login(alice)
    return client


@pytest.fixture
def diana(acme) -> str:
    return f"contact:{add_contact(acme, ('phone', '+4915112345678')).pk}"


def upload(content: bytes, name: str) -> SimpleUploadedFile:
    return SimpleUploadedFile(name, content, content_type="application/octet-stream")


def said(message) -> list[tuple]:
    return [(part.body, part.media and part.media.name) for part in parts_of(message)]


def chosen(answer) -> list[str]:
    """The files that the selects of a form have chosen, by id."""
    return re.findall(r'<option value="([0-9a-f-]{36})" selected>', text_of(answer).partition("schedule-whats")[0])


def test_schedules_parts_with_files_from_computer(page, acme, alice, number, diana):
    menu = add_file(acme, "menu.pdf")
    payload = values(number, to=diana, body=["Hello", "", "See you"], media=["", "", str(menu.pk)])
    answer = page.post(NEW, payload | {"file-1": upload(picture("PNG"), "offer.jpg")})
    message = ScheduledMessage.objects.get()
    assert answer.headers["Location"] == reverse("scheduled-message", args=[message.pk])
    assert said(message) == [("Hello", None), ("", "offer.png"), ("See you", "menu.pdf")]
    photo = MediaFile.objects.get(name="offer.png")
    assert (photo.media_type, photo.created_by, photo.workspace) == ("image/png", alice, acme)


def test_takes_file_from_computer_before_chosen_one(page, acme, number, diana):
    menu = add_file(acme, "menu.pdf")
    page.post(NEW, values(number, to=diana, media=str(menu.pk)) | {"file-0": upload(pdf(), "letter.pdf")})
    assert said(ScheduledMessage.objects.get()) == [("Hello {{first_name|there}}", "letter.pdf")]


@pytest.mark.parametrize(
    ("content", "name", "sentence"),
    [
        (b"<!DOCTYPE html>" + SCRIPT, "photo.jpg", "browsers run"),
        (b"MZ" + bytes(300), "letter.pdf", "program"),
        (b"", "empty.pdf", "The file is empty."),
        (pdf(b"x" * 1_100_000), "long.pdf", "a file may have 1 MB at most"),
    ],
)
def test_refuses_file_where_it_was_chosen(page, number, diana, content, name, sentence):
    Plan.objects.update(max_media_mb=1)
    payload = values(number, to=diana, body=["Hello", "Look"], media=["", ""])
    answer = page.post(NEW, payload | {"file-1": upload(content, name)})
    assert answer.status_code == 200
    assert sentence in re.search(r'id="wrong-1"><li>([^<]+)', text_of(answer))[1]
    assert 'id="wrong-0"' not in text_of(answer)
    assert [part.body for part in answer.context["parts"].parts] == ["Hello", "Look"]
    assert (ScheduledMessage.objects.count(), MediaFile.objects.count()) == (0, 0)


def test_keeps_file_while_form_is_mended(page, number, diana):
    wrong = values(number, to=diana, body="{{nickname}}") | {"file-0": upload(pdf(), "letter.pdf")}
    answer = page.post(NEW, wrong)
    letter = MediaFile.objects.get()
    assert "nickname" in re.search(r'id="wrong-0"><li>([^<]+)', text_of(answer))[1]
    assert chosen(answer) == [str(letter.pk)]
    page.post(NEW, values(number, to=diana, media=chosen(answer)))
    assert said(ScheduledMessage.objects.get()) == [("Hello {{first_name|there}}", "letter.pdf")]


def test_adds_and_removes_parts_without_saving(page, number, diana):
    payload = values(number, to=diana, body=["one", "two"], media=["", ""], time_zone="Mars")
    answer = page.post(NEW, payload | {"do": "add-part", "file-1": upload(pdf(), "letter.pdf")})
    assert [part.body for part in answer.context["parts"].parts] == ["one", "two", ""]
    assert chosen(answer) == [str(MediaFile.objects.get().pk)]
    assert "errorlist" not in text_of(answer)
    assert 'value="Mars"' in text_of(answer)
    answer = page.post(NEW, payload | {"do": "drop-part:0"})
    assert [part.body for part in answer.context["parts"].parts] == ["two"]
    for nonsense in ("drop-part:2", "drop-part:²", f"drop-part:{'9' * 5000}", "drop-part:", "add-part:0"):
        assert [part.body for part in page.post(NEW, payload | {"do": nonsense}).context["parts"].parts] == [
            "one",
            "two",
        ]
    full = page.post(NEW, values(number, body=["x"] * 10, media=[""] * 10) | {"do": "add-part"})
    assert len(full.context["parts"].parts) == 10
    assert 'value="add-part"' not in text_of(full)
    assert not ScheduledMessage.objects.exists()


def test_takes_no_file_of_others(page, other, number, diana):
    secret = add_file(other, "secret.pdf")
    answer = page.post(NEW, values(number, to=diana, body="", media=str(secret.pk)))
    assert "A part has a text or a file." in text_of(answer)
    assert "secret" not in text_of(answer)
    assert not ContentPart.objects.exists()


def test_changes_every_part(page, acme, number):
    message = make_schedule(number, chat_jid=CHAT, body="one")
    menu, plan = add_file(acme, "menu.pdf"), add_file(acme, "plan.pdf")
    parts = [{"body": "one", "media": menu.pk}, {"body": "two", "media": None}, {"body": "", "media": plan.pk}]
    replace_parts(workspace=acme, parts=parts, scheduled_message=message)
    address = reverse("scheduled-message", args=[message.pk])
    answer = page.get(address)
    assert [(part.body, part.media) for part in answer.context["parts"].parts] == [
        ("one", menu),
        ("two", None),
        ("", plan),
    ]
    assert chosen(answer) == [str(menu.pk), str(plan.pk)]
    changed = values(number, body=["ONE", "two", "three"], media=["", "", str(plan.pk)])
    assert page.post(address, changed | {"file-1": upload(pdf(), "letter.pdf")}).status_code == 302
    assert said(message) == [("ONE", None), ("two", "letter.pdf"), ("three", "plan.pdf")]
    assert page.post(address, values(number, body=["three"], media=[""])).status_code == 302
    assert said(message) == [("three", None)]


def test_changes_nothing_where_one_part_is_wrong(page, acme, number):
    message = make_schedule(number, chat_jid=CHAT, body="one")
    answer = page.post(
        reverse("scheduled-message", args=[message.pk]), values(number, body=["two", "{{nickname}}"], media=["", ""])
    )
    assert "nickname" in re.search(r'id="wrong-1"><li>([^<]+)', text_of(answer))[1]
    assert '<details class="card more" open>' in text_of(answer)
    assert said(message) == [("one", None)]


def test_changes_parts_of_message_in_queue(page, number):
    """The new texts are what is handed out, however near the time is."""
    message = make_schedule(number, chat_jid=CHAT, body="one", time_zone="Europe/Berlin", lateness_minutes=1440)
    message.recipients.update(next_at=message.due_at.replace(day=1, hour=12))
    message.due_at = message.due_at.replace(day=1, hour=12)
    message.save(update_fields=["due_at"])
    queue_due_messages()
    assert list(message.occurrences.values_list("body", flat=True)) == ["one"]
    wall = message.wall_time.strftime("%Y-%m-%dT%H:%M")
    sent = values(number, body=["two", "three"], media=["", ""], wall_time=wall, lateness_minutes="1440")
    assert page.post(reverse("scheduled-message", args=[message.pk]), sent).status_code == 302
    assert sorted(message.occurrences.filter(state="queued").values_list("body", flat=True)) == ["three", "two"]


@pytest.mark.parametrize(
    "path",
    [
        "/messages/quick-replies/new/",
        "/messages/scheduled/new/",
        "/messages/scheduled/0199c0de-0000-7000-8000-000000000000/",
        "/messages/broadcasts/new/",
        "/messages/broadcasts/0199c0de-0000-7000-8000-000000000000/message/",
        "/messages/auto-replies/new/",
    ],
)
def test_forms_take_files_of_more_than_a_megabyte(page, acme, settings, path):
    """Other pages refuse them before they are read."""
    file = upload(pdf(b"x" * 1_100_000), "long.pdf")
    assert page.post(path, {"file-0": file}).status_code != 413
    file.seek(0)
    assert page.post("/messages/scheduled/", {"file-0": file}).status_code == 413
    settings.MAX_MEDIA_UPLOAD_BYTES = 1_000_000
    file.seek(0)
    assert page.post(path, {"file-0": file}).status_code == 413
