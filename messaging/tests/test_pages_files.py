"""Files in the browser: uploaded with and without the script, shown by our own small pictures, deleted if unused."""

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from messaging.models import MediaFile
from messaging.tests.files import pdf, picture
from messaging.tests.test_media import carry, sent

pytestmark = pytest.mark.django_db
PATH = "/messages/files/"


def browser(person) -> Client:
    client = Client()
    client.force_login(person, backend="allauth.account.auth_backends.AuthenticationBackend")
    return client


def test_uploads_with_and_without_the_script(alice, acme):
    client = browser(alice)
    assert "No files yet" in client.get(PATH).content.decode()
    answer = client.post(PATH, {"file": SimpleUploadedFile("a.jpg", picture())}, headers={"Accept": "application/json"})
    assert (answer.status_code, answer.json()["name"]) == (200, "a.jpg")
    answer = client.post(PATH, {"file": SimpleUploadedFile("b.pdf", pdf())}, follow=True)
    assert "The file is here." in answer.content.decode()
    text = answer.content.decode()
    assert text.count('<img src="http://localhost:8000/media/') == 1
    assert "a.jpg" in text and "b.pdf" in text and "not used" in text


def test_tells_why_a_file_is_not_taken(alice, acme):
    client = browser(alice)
    page = {"file": SimpleUploadedFile("a.html", b"<html>")}
    answer = client.post(PATH, page, headers={"Accept": "application/json"})
    assert answer.status_code == 422 and "web page" in answer.json()["problem"]
    page = {"file": SimpleUploadedFile("a.html", b"<html>")}
    assert "web page" in client.post(PATH, page, follow=True).content.decode()
    assert "Choose a file." in client.post(PATH, {}, follow=True).content.decode()
    assert not MediaFile.objects.exists()


def test_deletes_unused_file_and_no_other(alice, charlie, other, alice_device, acme):
    used, idle = sent(alice_device, picture()), sent(alice_device, pdf())
    carry(acme, used)
    client = browser(alice)
    text = client.get(PATH).content.decode()
    assert "used once" in text and text.count("/delete/") == 1
    assert browser(charlie).post(f"{PATH}{idle.pk}/delete/").status_code == 404
    client.post(f"{PATH}{used.pk}/delete/")
    assert MediaFile.objects.count() == 2
    client.post(f"{PATH}{idle.pk}/delete/")
    assert MediaFile.objects.get() == used
    assert used.name not in browser(charlie).get(PATH).content.decode()


def test_page_of_many_files_goes_on(alice, alice_device, acme, monkeypatch, django_assert_max_num_queries):
    monkeypatch.setattr("messaging.pages.files.PAGE", 2)
    for n in range(3):
        sent(alice_device, pdf(b"%d" % n), f"file{n}.pdf")
    client = browser(alice)
    with django_assert_max_num_queries(16):
        first = client.get(PATH).content.decode()
    assert "file2" in first and "file1" in first and "file0" not in first
    assert "file0" in client.get(PATH, {"cursor": first.split("?cursor=")[1].split('"')[0]}).content.decode()
