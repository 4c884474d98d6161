"""Links to files: no login, no guessing, no page, no cache, and over in ten minutes."""

from datetime import timedelta

import pytest
from django.test import Client

from accounts.tests.together import assert_refused
from messaging.models import MediaFile
from messaging.services.media.attach import media_document
from messaging.services.media.links import file_url, read_link, thumbnail_url
from messaging.tests.files import pdf, picture
from messaging.tests.test_media import PATH, sent

pytestmark = pytest.mark.django_db
ORIGIN = "http://localhost:8000"


def path(url: str) -> str:
    return url.removeprefix(ORIGIN)


def load(url: str, method: str = "get", **headers):
    """As somebody without a login."""
    headers = {name.replace("_", "-"): value for name, value in headers.items()}
    return getattr(Client(), method)(path(url), headers=headers)


def body(answer) -> bytes:
    return b"".join(answer.streaming_content)


@pytest.fixture
def letter(alice_device) -> MediaFile:
    return sent(alice_device, pdf(b"0123456789" * 20_000), "Grüße.pdf")


def test_link_loads_the_file_without_a_login(alice_device, letter):
    answer = load(alice_device.client.get(f"{PATH}{letter.pk}/").json()["url"])
    assert answer.status_code == 200
    assert body(answer) == pdf(b"0123456789" * 20_000)
    assert answer["Content-Type"] == "application/pdf"
    assert answer["Content-Length"] == str(letter.size)
    assert answer["Accept-Ranges"] == "bytes"


def test_nothing_uploaded_can_run_in_a_browser(alice_device, letter):
    for url in (file_url(letter), file_url(sent(alice_device, b"alert(1)\n", "a.txt"))):
        answer = load(url)
        assert answer["Content-Disposition"].startswith("attachment; filename")
        assert answer["X-Content-Type-Options"] == "nosniff"
        assert answer["Content-Security-Policy"] == "default-src 'none'; sandbox"
        assert answer["Cross-Origin-Resource-Policy"] == "same-origin"
        assert answer["Cache-Control"] == "private, no-store"
        assert answer["X-Robots-Tag"] == "noindex, nofollow, noarchive"
        assert answer["Referrer-Policy"] == "no-referrer"
        assert answer["X-Frame-Options"] == "DENY"
        assert "Set-Cookie" not in answer
        assert body(answer)
    assert load(file_url(letter), "head")["Content-Disposition"] == "attachment; filename*=utf-8''Gr%C3%BC%C3%9Fe.pdf"


def test_thumbnail_is_our_own_webp(alice_device):
    photo = sent(alice_device, picture(size=(1000, 500)))
    answer = load(thumbnail_url(photo))
    assert (answer.status_code, answer["Content-Type"]) == (200, "image/webp")
    assert body(answer)[8:12] == b"WEBP"
    assert thumbnail_url(sent(alice_device, pdf())) is None


def test_link_ends_after_ten_minutes(letter, clock):
    url = file_url(letter)
    clock.advance(10 * 60 - 1)
    assert load(url, "head").status_code == 200
    clock.advance(61)
    assert load(url).status_code == 404
    short = file_url(letter, timedelta(seconds=30))
    clock.advance(91)
    assert load(short).status_code == 404


def test_link_is_bound_to_file_and_workspace(letter, other):
    signed = path(file_url(letter)).split("/")[2]
    assert read_link(signed).media_id == letter.pk
    # Signed rightly for another workspace: there is no such file in it.
    foreign = MediaFile(pk=letter.pk, workspace=other)
    assert load(file_url(foreign)).status_code == 404
    for wrong in (
        signed[:-1] + ("A" if signed[-1] != "A" else "B"),
        "A" + signed[1:] if signed[0] != "A" else "B" + signed[1:],
        signed.partition(":")[0],
        str(letter.pk),
        "x:y",
        "ü:ü",
        ":",
        "A" * 400,
    ):
        assert load(f"/media/{wrong}/").status_code == 404, wrong


def test_link_dies_with_its_file(letter):
    url = file_url(letter)
    letter.file.storage.delete(letter.file.name)
    assert load(url).status_code == 404
    MediaFile.objects.all().delete()
    assert load(url).status_code == 404


def test_links_are_the_same_within_a_minute(letter, clock):
    first = file_url(letter)
    clock.advance(59)
    assert file_url(letter) == first
    clock.advance(1)
    assert file_url(letter) != first


RANGES = {
    "bytes=0-9": (0, 10),
    "bytes=10-": (10, None),
    "bytes=-7": (-7, None),
    "bytes=5-5": (5, 6),
    "bytes=100-999999999": (100, None),
    "bytes=-999999999": (0, None),
}


@pytest.mark.parametrize("asked", RANGES)
def test_loads_a_stretch(letter, asked):
    whole = pdf(b"0123456789" * 20_000)
    start, end = RANGES[asked]
    answer = load(file_url(letter), Range=asked)
    data = body(answer)
    assert (answer.status_code, data) == (206, whole[start:end])
    first = len(whole) + start if start < 0 else start
    assert answer["Content-Range"] == f"bytes {first}-{first + len(data) - 1}/{len(whole)}"
    assert answer["Content-Length"] == str(len(data))


@pytest.mark.parametrize("asked", ["bytes=0-1,5-9", "bytes=9-3", "bytes=-", "lines=0-9", "bytes=a-b", "bytes=0-1-2"])
def test_what_is_no_stretch_loads_the_whole(letter, asked):
    answer = load(file_url(letter), Range=asked)
    assert (answer.status_code, len(body(answer))) == (200, letter.size)


def test_stretch_behind_the_end_is_refused(letter):
    for asked in (f"bytes={letter.size}-", "bytes=-0"):
        answer = load(file_url(letter), Range=asked)
        assert (answer.status_code, answer["Content-Range"]) == (416, f"bytes */{letter.size}")
        assert answer.content == b""


def test_goes_on_only_with_the_same_file(letter):
    url = file_url(letter)
    tag = load(url, "head")["ETag"]
    going_on = load(url, Range="bytes=10-", If_Range=tag)
    assert (going_on.status_code, len(body(going_on))) == (206, letter.size - 10)
    anew = load(url, Range="bytes=10-", If_Range='"another"')
    assert (anew.status_code, len(body(anew))) == (200, letter.size)
    unchanged = load(url, If_None_Match=tag)
    assert (unchanged.status_code, unchanged.content) == (304, b"")


def test_head_tells_without_sending(letter):
    answer = load(file_url(letter), "head")
    assert (answer.status_code, answer["Content-Length"], answer.content) == (200, str(letter.size), b"")
    part = load(file_url(letter), "head", Range="bytes=0-9")
    assert (part.status_code, part["Content-Length"]) == (206, "10")
    assert load(file_url(letter), "post").status_code == 405


def test_extension_may_read_it_and_no_other_site(letter, settings):
    extension = settings.EXTENSION_ORIGINS[0]
    answer = load(file_url(letter), Origin=extension)
    assert answer["Access-Control-Allow-Origin"] == extension
    assert body(answer)
    other = load(file_url(letter), Origin="https://evil.example")
    assert "Access-Control-Allow-Origin" not in other
    assert body(other)
    asked = {"Origin": extension, "Access-Control-Request-Method": "GET", "Access-Control-Request-Headers": "range"}
    preflight = Client().options(path(file_url(letter)), headers=asked)
    assert "range" in preflight["Access-Control-Allow-Headers"]


def test_files_have_a_host_of_their_own_where_one_is_set(letter, settings, alice):
    settings.MEDIA_HOST = "https://files.example.com"
    settings.ALLOWED_HOSTS = [*settings.ALLOWED_HOSTS, "files.example.com"]
    url = file_url(letter)
    assert url.startswith("https://files.example.com/media/")
    signed = url.removeprefix("https://files.example.com")
    assert Client().head(signed, headers={"Host": "files.example.com"}).status_code == 200
    assert Client().head(signed, headers={"Host": "localhost"}).status_code == 404
    for page in ("/", "/accounts/login/", "/api/v1/errors/", "/admin/"):
        assert Client().get(page, headers={"Host": "files.example.com"}).status_code == 404


def test_document_of_a_claim_tells_everything(alice_device, charlie_device):
    photo = sent(alice_device, picture(size=(640, 480)), "a.jpg")
    document = media_document(photo)
    assert (document.pop("url"), document.pop("thumbnail_url")) == (file_url(photo), thumbnail_url(photo))
    assert document == {
        "id": str(photo.pk),
        "media_type": "image/jpeg",
        "name": "a.jpg",
        "size": photo.size,
        "width": 640,
        "height": 480,
    }
    assert media_document(None) is None
    assert_refused(charlie_device.client.get(f"{PATH}{photo.pk}/"), "not_found")
