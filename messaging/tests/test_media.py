"""Files on the API: taken in at once or in parts, kept once, counted, listed, deleted."""

import hashlib
from datetime import timedelta
from urllib.parse import quote

import pytest
from django.core.files.storage import default_storage
from django.core.files.uploadedfile import SimpleUploadedFile
from rest_framework.test import APIClient

from accounts.models import Event, Plan, Resource
from accounts.services import plans
from accounts.tests.together import assert_refused, at_once
from crm.models import WhatsAppAccount
from messaging.models import Broadcast, ContentPart, MediaFile, MediaPart, MediaUpload
from messaging.services.media import keeping, uploads
from messaging.services.media.uploads import MIN_PART
from messaging.tests.files import REFUSED, SCRIPT, mp3, pdf, picture
from waplus.lib.ids import uuid7

pytestmark = pytest.mark.django_db
really_at_once = pytest.mark.django_db(transaction=True)
PATH = "/api/v1/media/"


def send(device, data: bytes, name: str = "", content_type: str = "application/octet-stream", **params):
    """Upload a file as a body."""
    query = "&".join(f"{key}={quote(str(value))}" for key, value in {"name": name, **params}.items() if value)
    return device.client.post(f"{PATH}?{query}", data=data, content_type=content_type)


def sent(device, data: bytes, name: str = "", **params) -> MediaFile:
    answer = send(device, data, name, **params)
    assert answer.status_code in (200, 201), answer.json()
    return MediaFile.objects.get(pk=answer.json()["id"])


def content(media: MediaFile) -> bytes:
    with media.file.open("rb") as file:
        return file.read()


def used(workspace) -> int:
    return plans.used_of(workspace=workspace, resource=Resource.MEDIA_BYTES)


def carry(workspace, media: MediaFile) -> ContentPart:
    """Let something carry a file."""
    account, _ = WhatsAppAccount.objects.get_or_create(workspace=workspace, jid="5511911110001@c.us")
    broadcast = Broadcast.objects.create(workspace=workspace, whatsapp_account=account, name="Sale")
    return ContentPart.objects.create(workspace=workspace, broadcast=broadcast, position=0, media=media)


def stored() -> set[str]:
    """Everything in the storage."""
    found, folders = set(), ["media", "uploads"]
    while folders:
        folder = folders.pop()
        if default_storage.exists(folder):
            deeper, names = default_storage.listdir(folder)
            folders += [f"{folder}/{one}" for one in deeper]
            found |= {f"{folder}/{name}" for name in names}
    return found


def test_uploads_file_as_body(alice_device, alice, acme):
    data = picture(size=(640, 480))
    answer = send(alice_device, data, "photo.png", "image/png")
    assert answer.status_code == 201, answer.json()
    media = MediaFile.objects.get()
    body = answer.json()
    assert body.pop("url").startswith("http://localhost:8000/media/")
    assert body.pop("thumbnail_url").startswith("http://localhost:8000/media/")
    assert body.pop("created_at")
    assert body == {
        "id": str(media.pk),
        "media_type": "image/jpeg",
        "name": "photo.jpg",
        "size": len(data),
        "width": 640,
        "height": 480,
    }
    assert bytes(media.sha256) == hashlib.sha256(data).digest()
    assert content(media) == data
    assert media.created_by == alice
    assert stored() == {media.file.name, media.thumbnail.name}
    assert media.file.name.startswith(f"media/{acme.pk}/{media.pk}-")
    assert used(acme) == len(data)
    event = Event.objects.get(kind="media.uploaded")
    assert (event.object_id, event.actor_user_id) == (media.pk, alice.pk)


def test_uploads_file_in_a_form(alice_device, acme):
    file = SimpleUploadedFile("../letter.exe", pdf(), "text/html")
    answer = alice_device.client.post(PATH, {"file": file, "id": str(uuid7())}, format="multipart")
    assert answer.status_code == 201, answer.json()
    body = answer.json()
    assert (body["name"], body["media_type"]) == ("letter.pdf", "application/pdf")
    assert (body["width"], body["thumbnail_url"]) == (None, None)


def test_name_may_come_in_a_header(alice_device):
    headers = {"Content-Disposition": "attachment; filename*=UTF-8''Gr%C3%BC%C3%9Fe.pdf"}
    answer = alice_device.client.post(PATH, data=pdf(), content_type="application/pdf", headers=headers)
    assert answer.json()["name"] == "Grüße.pdf"


def test_repeat_with_one_id_is_one_file(alice_device, charlie_device, acme):
    id = uuid7()
    first = send(alice_device, pdf(), "a.pdf", id=id)
    again = send(alice_device, mp3(), "b.mp3", id=id)
    assert (first.status_code, again.status_code) == (201, 200)
    assert again.json()["name"] == "a.pdf" and MediaFile.objects.count() == 1
    assert_refused(send(charlie_device, pdf(), id=id), "id_taken")


def test_same_bytes_are_kept_once_in_a_workspace(alice_device, bob_device, charlie_device, acme, other):
    first = sent(alice_device, pdf(), "a.pdf")
    again = send(bob_device, pdf(), "b.pdf", id=uuid7())
    assert (again.status_code, again.json()["id"], again.json()["name"]) == (200, str(first.pk), "a.pdf")
    foreign = sent(charlie_device, pdf())
    assert foreign.pk != first.pk
    assert (used(acme), used(other)) == (len(pdf()), len(pdf()))
    assert stored() == {first.file.name, foreign.file.name}
    assert Event.objects.filter(kind="media.uploaded").count() == 2


def test_refused_files_leave_nothing(alice_device, acme):
    for what, (data, _) in REFUSED.items():
        refusal = assert_refused(send(alice_device, data, "photo.jpg", "image/jpeg"), "media_type_refused")
        assert refusal["errors"][0]["field"] == "file", what
    assert_refused(send(alice_device, b"", "photo.jpg"), "invalid")
    assert_refused(alice_device.client.post(PATH, {}, format="multipart"), "invalid")
    assert_refused(alice_device.client.post(PATH, {"file": "text"}, format="multipart"), "invalid")
    assert_refused(send(alice_device, pdf(), wrong="x"), "invalid")
    assert_refused(send(alice_device, pdf(), id="1234"), "invalid")
    assert not MediaFile.objects.exists() and not stored() and not used(acme)


def test_photo_with_script_behind_it_is_kept_without(alice_device, acme):
    media = sent(alice_device, picture() + SCRIPT)
    data = content(media)
    assert b"script" not in data
    assert (media.size, used(acme)) == (len(data), len(data))
    assert sent(alice_device, picture() + SCRIPT).pk == media.pk


def test_plan_limits_one_file_and_all_together(alice_device, acme, settings):
    Plan.objects.update(max_media_mb=1, max_media_bytes=1_500_000)
    assert_refused(send(alice_device, pdf(b"x" * 1_100_000)), "too_large", "“Team”")
    first = sent(alice_device, pdf(b"x" * 900_000))
    refusal = assert_refused(send(alice_device, pdf(b"y" * 900_000)), "plan_limit_reached", "1.4 MB")
    assert (refusal["limit"], refusal["used"]) == (1_500_000, first.size)
    assert (MediaFile.objects.count(), len(stored()), used(acme)) == (1, 1, first.size)


def test_whatsapp_limits_each_kind_of_file(alice_device, acme, settings):
    settings.WHATSAPP_MAX_BYTES = {"image": 100, "video": 100, "audio": 1_000, "document": 5_000}
    assert_refused(send(alice_device, picture()), "too_large", "WhatsApp")
    assert_refused(send(alice_device, mp3()), "too_large", "WhatsApp")
    sent(alice_device, pdf(b"x" * 4_000))
    assert_refused(send(alice_device, pdf(b"x" * 6_000)), "too_large", "WhatsApp")


def test_large_bodies_are_refused_before_they_are_read(alice_device, settings):
    settings.MAX_MEDIA_UPLOAD_BYTES = settings.MAX_MEDIA_PART_BYTES = 2_000_000
    assert sent(alice_device, pdf(b"x" * 1_900_000))
    assert_refused(send(alice_device, pdf(b"x" * 2_100_000)), "too_large")
    assert_refused(part(alice_device, uuid7(), 1, bytes(2_100_000)), "too_large")
    assert_refused(part(alice_device, uuid7(), 1, b"x"), "not_found")


def test_lists_and_shows_files_to_members_alone(alice_device, bob_device, charlie_device, acme):
    files = [sent(alice_device, pdf(b"%d" % n)) for n in range(3)]
    page = bob_device.client.get(PATH, {"limit": 2}).json()
    assert [row["id"] for row in page["results"]] == [str(files[2].pk), str(files[1].pk)]
    rest = bob_device.client.get(PATH, {"limit": 2, "cursor": page["next_cursor"]}).json()
    assert [row["id"] for row in rest["results"]] == [str(files[0].pk)]
    assert charlie_device.client.get(PATH).json()["results"] == []
    path = f"{PATH}{files[0].pk}/"
    assert bob_device.client.get(path).json()["name"] == "file.pdf"
    assert_refused(charlie_device.client.get(path), "not_found")
    assert_refused(charlie_device.client.delete(path), "not_found")
    assert_refused(APIClient().get(path), "not_authenticated")


def test_deletes_file_that_nothing_carries(alice_device, bob_device, acme, django_capture_on_commit_callbacks):
    media = sent(alice_device, picture())
    part = carry(acme, media)
    assert_refused(bob_device.client.delete(f"{PATH}{media.pk}/"), "media_in_use")
    assert MediaFile.objects.exists() and len(stored()) == 2
    part.delete()
    with django_capture_on_commit_callbacks(execute=True):
        assert bob_device.client.delete(f"{PATH}{media.pk}/").status_code == 204
    assert not MediaFile.objects.exists() and not stored() and not used(acme)
    assert Event.objects.get(kind="media.deleted").object_id == media.pk


# --- in parts


def begin(device, data: bytes, **values):
    payload = {"name": "letter.pdf", "size": len(data), "sha256": hashlib.sha256(data).hexdigest(), **values}
    return device.client.post(f"{PATH}uploads/", {k: v for k, v in payload.items() if v is not None})


def part(device, upload_id, number: int, data: bytes):
    path = f"{PATH}uploads/{upload_id}/parts/{number}/"
    return device.client.put(path, data=data, content_type="application/octet-stream")


def complete(device, upload_id):
    return device.client.post(f"{PATH}uploads/{upload_id}/complete/")


@pytest.fixture
def letter() -> bytes:
    """A file of two parts and a bit."""
    return pdf(bytes(range(256)) * (2 * MIN_PART // 256))


def pieces(data: bytes) -> dict[int, bytes]:
    return {n: data[at : at + MIN_PART] for n, at in enumerate(range(0, len(data), MIN_PART), 1)}


def test_uploads_file_in_parts_in_any_order(alice_device, bob_device, acme, letter, django_capture_on_commit_callbacks):
    id = str(uuid7())
    answer = begin(alice_device, letter, id=id)
    assert (answer.status_code, answer.json()["id"], answer.json()["parts"]) == (201, id, [])
    assert begin(alice_device, letter, id=id).status_code == 200
    cut = pieces(letter)
    with django_capture_on_commit_callbacks(execute=True):
        assert part(alice_device, id, 2, b"wrong" * 300_000).status_code == 201
        for number in (3, 1):
            answer = part(alice_device, id, number, cut[number])
            assert answer.json() == {
                "number": number,
                "size": len(cut[number]),
                "sha256": hashlib.sha256(cut[number]).hexdigest(),
            }
        # Another device of the team looks what is there, and goes on.
        there = bob_device.client.get(f"{PATH}uploads/{id}/").json()
        assert [one["number"] for one in there["parts"]] == [1, 2, 3]
        assert there["parts"][1]["sha256"] != hashlib.sha256(cut[2]).hexdigest()
        assert_refused(complete(alice_device, id), "upload_incomplete")
        assert part(bob_device, id, 2, cut[2]).status_code == 200
    assert len(stored()) == 3
    assert bob_device.client.get(f"{PATH}uploads/{id}/").json()["received"] == len(letter)
    with django_capture_on_commit_callbacks(execute=True):
        answer = complete(alice_device, id)
    assert answer.status_code == 201, answer.json()
    media = MediaFile.objects.get()
    assert (str(media.pk), media.name, content(media) == letter) == (id, "letter.pdf", True)
    assert stored() == {media.file.name}
    again = complete(bob_device, id)
    assert (again.status_code, again.json()["id"]) == (200, id)
    assert bob_device.client.get(f"{PATH}uploads/{id}/").json()["media"] == id
    assert_refused(part(alice_device, id, 1, cut[1]), "wrong_state")
    assert (used(acme), MediaPart.objects.count()) == (len(letter), 0)


def test_parts_of_a_file_that_is_there_become_that_file(alice_device, acme, letter):
    known = sent(alice_device, letter)
    id = begin(alice_device, letter).json()["id"]
    for number, data in pieces(letter).items():
        part(alice_device, id, number, data)
    answer = complete(alice_device, id)
    assert (answer.status_code, answer.json()["id"]) == (200, str(known.pk))
    assert complete(alice_device, id).json()["id"] == str(known.pk)
    assert used(acme) == len(letter)


def test_incomplete_and_wrong_uploads_become_nothing(alice_device, acme, letter):
    cut = pieces(letter)
    id = begin(alice_device, letter).json()["id"]
    assert assert_refused(complete(alice_device, id), "upload_incomplete")["received"] == 0
    part(alice_device, id, 1, cut[1])
    part(alice_device, id, 3, cut[3])
    assert assert_refused(complete(alice_device, id), "upload_incomplete")["missing"] == [2]
    part(alice_device, id, 2, bytes(len(cut[2])))
    assert_refused(complete(alice_device, id), "checksum_mismatch")
    small = begin(alice_device, letter).json()["id"]
    part(alice_device, small, 1, letter[:1000])
    part(alice_device, small, 2, letter[1000:])
    assert_refused(complete(alice_device, small), "upload_incomplete", "1,048,576")
    page = b"<html>" + bytes(20)
    wrong = begin(alice_device, page).json()["id"]
    part(alice_device, wrong, 1, page)
    assert_refused(complete(alice_device, wrong), "media_type_refused")
    assert not MediaFile.objects.exists() and not used(acme)
    assert MediaUpload.objects.filter(completed_as=None).count() == 3


def test_keeps_no_more_parts_than_file_needs(alice_device, letter, monkeypatch):
    """Parts count for no plan until they are a file, so there are never many more than were announced."""
    monkeypatch.setattr(uploads, "MAX_PART", MIN_PART)
    id = str(uuid7())
    alice_device.client.post(f"{PATH}uploads/", {"id": id, "size": MIN_PART})
    assert part(alice_device, id, 1, letter[:MIN_PART]).status_code == 201
    assert part(alice_device, id, 2, letter[:MIN_PART]).status_code == 201
    assert_refused(part(alice_device, id, 3, b"x"), "invalid")
    assert part(alice_device, id, 2, letter[:MIN_PART]).status_code == 200
    assert list(MediaPart.objects.order_by("number").values_list("number", flat=True)) == [1, 2]


def test_refuses_parts_that_cannot_be(alice_device, charlie_device, letter):
    id = begin(alice_device, pdf()).json()["id"]
    for number, data in ((0, b"x"), (1001, b"x"), (1, b""), (1, bytes(len(pdf()) + 1))):
        assert_refused(part(alice_device, id, number, data), "invalid")
    assert_refused(part(charlie_device, id, 1, pdf()), "not_found")
    assert_refused(charlie_device.client.get(f"{PATH}uploads/{id}/"), "not_found")
    assert_refused(complete(charlie_device, id), "not_found")
    assert_refused(charlie_device.client.delete(f"{PATH}uploads/{id}/"), "not_found")
    assert_refused(begin(charlie_device, pdf(), id=id), "id_taken")
    assert_refused(begin(alice_device, pdf(), sha256="xyz"), "invalid")
    assert_refused(begin(alice_device, pdf(), size=0), "invalid")
    assert not MediaPart.objects.exists() and not stored()


def test_announced_files_that_are_too_large_are_refused_at_once(alice_device, acme):
    Plan.objects.update(max_media_mb=1, max_media_bytes=1_000_000)
    assert_refused(begin(alice_device, b"", size=2_000_000), "too_large")
    assert_refused(begin(alice_device, b"", size=1_000_001), "plan_limit_reached")
    assert not MediaUpload.objects.exists()


def test_uploads_under_way_are_limited(alice_device, charlie_device, monkeypatch):
    monkeypatch.setattr(uploads, "MAX_OPEN", 2)
    first = begin(alice_device, pdf()).json()["id"]
    begin(alice_device, pdf())
    assert assert_refused(begin(alice_device, pdf()), "limit_reached")["limit"] == 2
    assert begin(charlie_device, pdf()).status_code == 201
    assert alice_device.client.delete(f"{PATH}uploads/{first}/").status_code == 204
    assert begin(alice_device, pdf()).status_code == 201


def test_deletes_upload_with_its_parts(alice_device, letter, django_capture_on_commit_callbacks):
    id = begin(alice_device, letter).json()["id"]
    part(alice_device, id, 1, letter[:MIN_PART])
    assert len(stored()) == 1
    with django_capture_on_commit_callbacks(execute=True):
        assert alice_device.client.delete(f"{PATH}uploads/{id}/").status_code == 204
    assert not MediaUpload.objects.exists() and not MediaPart.objects.exists() and not stored()


@really_at_once
def test_parallel_uploads_of_the_same_bytes_keep_one_file(alice_device, bob_device, acme, monkeypatch):
    original = keeping._known

    def none_at_first(*args):
        monkeypatch.setattr(keeping, "_known", original)

    monkeypatch.setattr(keeping, "_known", none_at_first)
    data = picture(size=(900, 900))
    answers = at_once(*(lambda d=d: send(d, data, id=uuid7()) for d in (alice_device, bob_device) * 2))
    assert sorted(answer.status_code for answer in answers) == [200, 200, 200, 201]
    media = MediaFile.objects.get()
    assert {answer.json()["id"] for answer in answers} == {str(media.pk)}
    assert used(acme) == media.size
    assert len(stored()) == 2


@really_at_once
def test_parallel_uploads_do_not_pass_the_limit_together(alice_device, bob_device, acme):
    size = len(pdf(b"0" * 1000))
    Plan.objects.update(max_media_bytes=2 * size)
    answers = at_once(*(lambda n=n: send(alice_device, pdf(b"%d" % n * 1000)) for n in range(4)))
    assert sorted(answer.status_code for answer in answers) == [201, 201, 403, 403]
    assert used(acme) == 2 * size
    assert len(stored()) == MediaFile.objects.count() == 2


@really_at_once
def test_parallel_completions_make_one_file(alice_device, bob_device, acme, letter):
    id = begin(alice_device, letter).json()["id"]
    for number, data in pieces(letter).items():
        part(alice_device, id, number, data)
    answers = at_once(*(lambda d=d: complete(d, id) for d in (alice_device, bob_device)))
    assert {answer.json().get("id") for answer in answers if answer.status_code < 300} == {id}
    # The slower one may find the parts gone, and is told to ask again.
    assert all(answer.status_code in (200, 201, 409) for answer in answers)
    assert complete(bob_device, id).json()["id"] == id
    assert (MediaFile.objects.count(), used(acme)) == (1, len(letter))
    assert stored() == {MediaFile.objects.get().file.name}


def test_unused_life_is_counted_from_the_last_upload(alice_device, clock):
    media = sent(alice_device, pdf())
    clock.advance(timedelta(hours=30).total_seconds())
    assert sent(alice_device, pdf()).pk == media.pk
    media.refresh_from_db()
    assert media.wanted_at == clock.now
