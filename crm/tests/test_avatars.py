"""Photos: pixels in, pixels out, kept once, shown to the workspace alone."""

import io
from datetime import timedelta

import pytest
from django.core.files.storage import default_storage
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from PIL import Image

from accounts.models import Event
from accounts.tests.together import assert_refused, at_once
from crm.models import Avatar, Chat, SuggestionReason, WhatsAppAccount
from crm.services.avatars import delete_unused_avatars
from crm.services.suggestions import suggest
from crm.tests.people import make_contact
from waplus.lib.ids import uuid7
from waplus.lib.images import UnreadableImage, read_photo

SCRIPT = b"<script>alert(1)</script>"

pytestmark = pytest.mark.django_db
really_at_once = pytest.mark.django_db(transaction=True)


def picture(kind: str = "JPEG", size=(40, 20), mode: str = "RGB", colour="red", **options) -> bytes:
    written = io.BytesIO()
    Image.new(mode, size, colour).save(written, kind, **options)
    return written.getvalue()


def put(device, holder, data: bytes, content_type: str = "image/jpeg"):
    path = "contacts" if holder._meta.model_name == "contact" else "chats"
    return device.client.put(f"/api/v1/{path}/{holder.pk}/avatar/", data=data, content_type=content_type)


def opened(avatar: Avatar) -> Image.Image:
    with avatar.file.open("rb") as file:
        image = Image.open(io.BytesIO(file.read()))
        image.load()
        return image


@pytest.fixture
def contact(acme):
    return make_contact(acme, name="Ana")


@pytest.fixture
def chat(acme):
    account = WhatsAppAccount.objects.create(workspace=acme, jid="5511911112222@c.us")
    return Chat.objects.create(workspace=acme, whatsapp_account=account, jid="1@g.us", kind="group", search_text="")


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP"])
def test_keeps_photo_as_small_jpeg(alice_device, acme, contact, kind):
    data = picture(kind, (1500, 900))
    answer = put(alice_device, contact, data, f"image/{kind.lower()}")
    assert answer.status_code == 200, answer.json()
    avatar = Avatar.objects.get()
    assert answer.json() == {"id": str(contact.pk), "avatar": str(avatar.pk)}
    assert (avatar.width, avatar.height, avatar.size) == (640, 384, avatar.file.size)
    assert avatar.file.name == f"avatars/{acme.pk}/{avatar.pk}.jpg"
    image = opened(avatar)
    assert (image.format, image.size, image.mode) == ("JPEG", (640, 384), "RGB")
    assert alice_device.client.get(f"/api/v1/contacts/{contact.pk}/").json()["avatar"] == str(avatar.pk)
    event = Event.objects.get(kind="contact.updated")
    assert (event.object_id, event.changed) == (contact.pk, ["avatar"])


def test_takes_photo_in_a_form(alice_device, chat):
    file = SimpleUploadedFile("../../etc/passwd.svg", picture("PNG"), "image/svg+xml")
    answer = alice_device.client.put(f"/api/v1/chats/{chat.pk}/avatar/", {"file": file}, format="multipart")
    assert answer.status_code == 200, answer.json()
    chat.refresh_from_db()
    assert str(chat.avatar_id) == answer.json()["avatar"]
    assert Event.objects.get(kind="chat.updated").changed == ["avatar"]


def test_same_photo_is_kept_once(alice_device, charlie_device, acme, other, contact, chat):
    data = picture()
    first, second = put(alice_device, contact, data), put(alice_device, chat, data)
    assert first.json()["avatar"] == second.json()["avatar"]
    events = Event.objects.count()
    put(alice_device, contact, data)
    assert (Avatar.objects.count(), Event.objects.count()) == (1, events)
    foreign = make_contact(other, name="C")
    assert put(charlie_device, foreign, data).json()["avatar"] != first.json()["avatar"]
    assert Avatar.objects.count() == 2


def test_nothing_but_pixels_survives():
    exif = Image.Exif()
    exif[0x0112] = 6  # turned by 90°
    exif[0x010E] = "secret place"
    exif.get_ifd(0x8825)[1] = "N"
    for data in (
        picture(exif=exif, comment=b"secret place", size=(40, 20)) + SCRIPT,
        picture("PNG", exif=exif) + SCRIPT,
        picture("WEBP", exif=exif, xmp=b"secret place"),
    ):
        photo = read_photo(data)
        assert (photo.width, photo.height) == (20, 40)
        assert b"secret" not in photo.jpeg
        assert b"script" not in photo.jpeg
        assert dict(Image.open(io.BytesIO(photo.jpeg)).getexif()) == {}


def test_transparent_becomes_white():
    for mode, colour in (("RGBA", (255, 0, 0, 0)), ("LA", (0, 0))):
        photo = read_photo(picture("PNG", mode=mode, colour=colour))
        assert min(Image.open(io.BytesIO(photo.jpeg)).getpixel((5, 5))) > 250


def test_takes_photos_of_every_mode():
    for kind, mode, colour in (
        ("JPEG", "CMYK", 0),
        ("JPEG", "L", 9),
        ("PNG", "P", 1),
        ("PNG", "1", 1),
        ("PNG", "I;16", 9),
    ):
        assert read_photo(picture(kind, mode=mode, colour=colour)).width == 40


def _bomb() -> bytes:
    """A picture of 2.5 billion pixels by its header, in a hundred bytes."""
    data = bytearray(picture("PNG"))
    data[16:24] = (50_000).to_bytes(4, "big") * 2
    return bytes(data)


WRONG = {
    "nothing": b"",
    "text": b"hello",
    "script behind GIF": b"GIF89a" + SCRIPT,
    "GIF": picture("GIF"),
    "TIFF": picture("TIFF"),
    "BMP": picture("BMP"),
    "SVG": b'<svg xmlns="http://www.w3.org/2000/svg"><script>alert(1)</script></svg>',
    "PDF": picture("PDF"),
    "magic alone": b"\xff\xd8\xff\xe0" + SCRIPT,
    "PNG without pixels": picture("PNG")[:60],
    "half a JPEG": picture(size=(400, 400))[:700],
    "bomb": _bomb(),
    "many pixels": picture("PNG", (5000, 4000), mode="1", colour=0),
}


def test_refuses_what_is_no_photo(alice_device, contact):
    for what, data in WRONG.items():
        with pytest.raises(UnreadableImage):
            read_photo(data)
        refusal = "image_unreadable" if data else "invalid"
        assert assert_refused(put(alice_device, contact, data), refusal)["detail"], what
    contact.refresh_from_db()
    assert contact.avatar_id is None
    assert not Avatar.objects.exists()
    assert not default_storage.exists("avatars")


def test_refuses_large_and_shapeless_uploads(alice_device, contact):
    path = f"/api/v1/contacts/{contact.pk}/avatar/"
    large = picture() + bytes(2 * 1024 * 1024)
    assert_refused(put(alice_device, contact, large), "too_large")
    assert_refused(put(alice_device, contact, bytes(3 * 1024 * 1024)), "too_large")
    # Larger than any other body may be, and a photo all the same.
    assert put(alice_device, contact, picture() + bytes(1_500_000)).status_code == 200
    assert_refused(put(alice_device, contact, picture("GIF"), "image/gif"), "unsupported_media_type")
    assert_refused(alice_device.client.put(path, {"file": "x"}), "unsupported_media_type")
    assert_refused(alice_device.client.put(path, {"file": "text"}, format="multipart"), "invalid")
    assert_refused(alice_device.client.put(path, {}, format="multipart"), "invalid")


def test_removes_photo(alice_device, contact, chat):
    put(alice_device, contact, picture())
    put(alice_device, chat, picture())
    for holder, path in ((contact, "contacts"), (chat, "chats")):
        for _ in range(2):
            assert alice_device.client.delete(f"/api/v1/{path}/{holder.pk}/avatar/").status_code == 204
        holder.refresh_from_db()
        assert holder.avatar_id is None
    assert Event.objects.filter(kind="contact.updated").count() == 2


def test_shows_photo_to_members_alone(alice_device, bob_device, charlie_device, alice, charlie, contact):
    avatar_id = put(alice_device, contact, picture()).json()["avatar"]
    path = f"/api/v1/avatars/{avatar_id}/"
    answer = bob_device.client.get(path)
    assert (answer.status_code, answer["Content-Type"]) == (200, "image/jpeg")
    assert answer.content[:3] == b"\xff\xd8\xff"
    assert answer["Cache-Control"] == "private, max-age=31536000, immutable"
    assert answer["Content-Security-Policy"] == "default-src 'none'; sandbox"
    assert answer["X-Content-Type-Options"] == "nosniff"
    again = bob_device.client.get(path, headers={"If-None-Match": answer["ETag"]})
    assert (again.status_code, again.content, again["ETag"]) == (304, b"", answer["ETag"])
    foreign, missing = charlie_device.client.get(path), charlie_device.client.get(f"/api/v1/avatars/{uuid7()}/")
    assert assert_refused(foreign, "not_found")["detail"] == assert_refused(missing, "not_found")["detail"]
    assert_refused(Client().get(path), "not_authenticated")


def test_shows_photo_on_pages(alice_device, alice, charlie, other, contact):
    avatar_id = put(alice_device, contact, picture()).json()["avatar"]
    for person, status in ((alice, 200), (charlie, 404)):
        client = Client()
        client.force_login(person, backend="allauth.account.auth_backends.AuthenticationBackend")
        answer = client.get(f"/avatars/{avatar_id}/")
        assert answer.status_code == status
    assert Client().get(f"/avatars/{avatar_id}/").status_code == 302
    client.force_login(alice, backend="allauth.account.auth_backends.AuthenticationBackend")
    answer = client.get(f"/avatars/{avatar_id}/")
    assert answer["Content-Security-Policy"] == "default-src 'none'; sandbox"
    assert answer["Cache-Control"] == "private, max-age=31536000, immutable"


def test_draw_photo_on_pages_with_initials_behind_it(alice_device, alice, acme, contact):
    twin = make_contact(acme, name="Ana")
    suggest(workspace=acme, pairs=[(contact.pk, twin.pk, SuggestionReason.SAME_NAME, "ana")])
    client = Client()
    client.force_login(alice, backend="allauth.account.auth_backends.AuthenticationBackend")
    pages = [
        reverse("contacts"),
        reverse("contact", args=[contact.pk]),
        reverse("merge", args=[contact.pk, twin.pk]),
        reverse("merge-suggestions"),
    ]
    for page in pages:
        assert 'class="photo"' not in client.get(page).content.decode()
    avatar_id = put(alice_device, contact, picture()).json()["avatar"]
    drawn = f'<img class="photo" src="/avatars/{avatar_id}/" alt="Photo of Ana" width="72" height="72" loading="lazy"'
    for page in pages:
        text = client.get(page).content.decode()
        assert text.count(drawn) == 1, page
        assert '<span aria-hidden="true">A</span>' in text


def test_photo_whose_file_is_gone_is_not_found(alice_device, contact):
    put(alice_device, contact, picture())
    avatar = Avatar.objects.get()
    avatar.file.storage.delete(avatar.file.name)
    assert_refused(alice_device.client.get(f"/api/v1/avatars/{avatar.pk}/"), "not_found")


def test_deletes_photos_that_nobody_shows(alice_device, contact, chat, django_capture_on_commit_callbacks):
    shown, replaced, fresh = (picture(colour=colour) for colour in ("red", "green", "blue"))
    put(alice_device, chat, shown)
    put(alice_device, contact, replaced)
    old = Avatar.objects.get(contacts=contact)
    put(alice_device, contact, fresh)
    with django_capture_on_commit_callbacks(execute=True):
        assert delete_unused_avatars() == 0
    Avatar.objects.update(created_at=timezone.now() - timedelta(days=2))
    with django_capture_on_commit_callbacks(execute=True):
        assert delete_unused_avatars() == 1
    assert not Avatar.objects.filter(pk=old.pk).exists()
    assert not default_storage.exists(old.file.name)
    assert Avatar.objects.count() == 2
    assert all(default_storage.exists(avatar.file.name) for avatar in Avatar.objects.all())


@really_at_once
def test_parallel_uploads_keep_one_photo(alice_device, bob_device, acme):
    contacts = [make_contact(acme, name=f"C{n}") for n in range(4)]
    data = picture(size=(600, 600))
    answers = at_once(
        *(lambda c=c, d=d: put(d, c, data) for c, d in zip(contacts, (alice_device, bob_device) * 2, strict=True))
    )
    assert [answer.status_code for answer in answers] == [200] * 4
    assert len({answer.json()["avatar"] for answer in answers}) == Avatar.objects.count() == 1
    assert len(default_storage.listdir(f"avatars/{acme.pk}")[1]) == 1
