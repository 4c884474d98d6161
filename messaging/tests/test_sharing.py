"""Links to conversations: what they show, what they never show, and when they end."""

from datetime import timedelta

import pytest
from django.core.files.base import ContentFile
from django.db import connection
from django.test import Client
from django.utils import timezone

from accounts import actors
from accounts.models import Event
from accounts.tests.together import assert_refused, meet_behind
from crm.models import Chat
from crm.services.bin import delete_contact, purge_contact, restore_contact
from crm.tests.people import make_contact
from messaging.models import ConversationMessage, ConversationSync, MediaFile, ShareLink, ShareOpening
from messaging.services import sharing
from messaging.services.sharing import links
from messaging.services.sharing.redaction import mask_numbers
from messaging.tests.conftest import add_number
from waplus.lib.hashing import hash_secret
from waplus.lib.ids import uuid7

pytestmark = pytest.mark.django_db
PATH = "/api/v1/shares/"


@pytest.fixture
def chat(acme, number) -> Chat:
    """A synced chat with Ana."""
    contact = make_contact(acme, name="Ana")
    chat = Chat.objects.create(
        workspace=acme,
        whatsapp_account=number,
        jid="5511987654321@c.us",
        kind="person",
        name="Ana",
        contact=contact,
        search_text="",
    )
    ConversationSync.objects.create(workspace=acme, chat=chat, home=chat, whatsapp_account=number)
    return chat


def write(chat, text: str, minute: int, **values) -> ConversationMessage:
    """A synced message, sent at so many minutes past noon."""
    row = {"from_me": False, "type": "chat", "has_content": True, "text": text, **values}
    if not row["has_content"]:
        row["text"] = ""
    return ConversationMessage.objects.create(
        workspace=chat.workspace,
        chat=chat,
        seen_in=chat.pk,
        message_id=uuid7().hex,
        sent_at=timezone.now().replace(hour=12, minute=minute),
        synced_at=timezone.now(),
        **row,
    )


@pytest.fixture
def messages(chat) -> list[ConversationMessage]:
    """Five messages, each with a word of its own."""
    words = ["before", "first", "middle", "last", "after"]
    return [write(chat, f"{word}-word", n, from_me=n % 2 == 0) for n, word in enumerate(words)]


def make(device, chat, messages=None, **values):
    payload = {"chat": str(chat.pk), "expires_at": (timezone.now() + timedelta(days=7)).isoformat()}
    if messages is not None:
        payload["messages"] = [str(message.pk) for message in messages]
    return device.client.post(PATH, payload | values)


def made(device, chat, messages=None, **values) -> str:
    """The path of a new link."""
    answer = make(device, chat, messages, **values)
    assert answer.status_code == 201, answer.json()
    return answer.json()["url"].removeprefix("http://localhost:8000")


def text_of(path: str, client=None) -> str:
    answer = (client or Client()).get(path)
    assert answer.status_code == 200
    return answer.content.decode()


def is_gone(path: str) -> bool:
    """The link answers as one that never was."""
    answer, never = Client().get(path), Client().get("/s/never-was/")
    assert answer.status_code in (200, 404)
    return answer.status_code == 404 and answer.content == never.content


def test_shows_the_stretch_and_nothing_else(alice_device, chat, messages):
    text = text_of(made(alice_device, chat, messages[1:4]))
    assert [word in text for word in ("before-word", "first-word", "middle-word", "last-word", "after-word")] == [
        *(False, True, True, True, False)
    ]
    assert text.index("first-word") < text.index("middle-word") < text.index("last-word")
    assert "Ana" in text and "Acme" in text
    by_bounds = text_of(made(alice_device, chat, **{"from": str(messages[1].pk), "to": str(messages[3].pk)}))
    assert "first-word" in by_bounds and "last-word" in by_bounds
    assert "before-word" not in by_bounds and "after-word" not in by_bounds


def test_what_arrives_later_is_never_shown(alice_device, acme, chat, messages):
    open_end = made(alice_device, chat, **{"from": str(messages[1].pk)})
    between = made(alice_device, chat, **{"from": str(messages[1].pk), "to": str(messages[3].pk)})
    write(chat, "later-word", 30)
    write(chat, "late-but-between-word", 2)
    for path in (open_end, between):
        text = text_of(path)
        assert "first-word" in text
        assert "later-word" not in text and "between-word" not in text
    assert "after-word" in text_of(open_end)


def test_messages_of_other_chats_cannot_be_shared_with_it(alice_device, charlie_device, acme, chat, messages, number):
    other = Chat.objects.create(workspace=acme, whatsapp_account=number, jid="1@g.us", kind="group", search_text="")
    ConversationSync.objects.create(workspace=acme, chat=other, home=other, whatsapp_account=number)
    foreign = write(other, "secret", 1)
    assert_refused(make(alice_device, chat, [messages[0], foreign]), "invalid")
    assert_refused(make(alice_device, chat, **{"from": str(foreign.pk)}), "invalid")
    assert_refused(make(alice_device, chat, [messages[0]], removed=[str(messages[1].pk)]), "invalid")
    assert_refused(make(charlie_device, chat, messages), "invalid")
    assert_refused(make(alice_device, chat, []), "invalid")
    assert_refused(make(alice_device, chat), "invalid")
    assert not ShareLink.objects.exists()
    # Even a row that names it shows nothing of another chat.
    path = made(alice_device, chat, messages[:1])
    ShareLink.objects.update(message_ids=[messages[0].pk, foreign.pk])
    assert "secret" not in text_of(path)


def test_token_is_told_once_and_kept_as_a_hash(alice_device, bob_device, charlie_device, chat, messages):
    id = str(uuid7())
    answer = make(alice_device, chat, messages, id=id)
    token = answer.json()["url"].split("/")[-2]
    share = ShareLink.objects.get()
    assert bytes(share.token_hash) == hash_secret(token)
    again = make(alice_device, chat, messages, id=id)
    assert (again.status_code, again.json()["url"], ShareLink.objects.count()) == (200, None, 1)
    assert bob_device.client.get(f"{PATH}{id}/").json()["url"] is None
    assert [row["url"] for row in bob_device.client.get(PATH, {"chat": str(chat.pk)}).json()["results"]] == [None]
    assert charlie_device.client.get(PATH).json()["results"] == []
    for path in (f"{PATH}{id}/", f"{PATH}{id}/openings/"):
        assert_refused(charlie_device.client.get(path), "not_found")
    assert_refused(charlie_device.client.post(f"{PATH}{id}/revoke/"), "not_found")
    with connection.cursor() as cursor:
        cursor.execute("SELECT row_to_json(s)::text FROM messaging_sharelink s")
        assert token not in cursor.fetchone()[0]
    assert Event.objects.get(kind="share.created").object_id == share.pk


def test_link_ends_by_itself_and_by_hand(alice_device, bob_device, chat, messages, clock):
    path = made(alice_device, chat, messages)
    other = made(alice_device, chat, messages)
    first, second = ShareLink.objects.order_by("pk")
    assert bob_device.client.post(f"{PATH}{first.pk}/revoke/").json()["revoked_at"]
    assert bob_device.client.post(f"{PATH}{first.pk}/revoke/").status_code == 200
    assert Event.objects.filter(kind="share.revoked").count() == 1
    assert is_gone(path) and not is_gone(other)
    clock.advance(7 * 24 * 3600 + 1)
    assert is_gone(other)
    for wrong in ("/s/x/", f"/s/{second.pk}/", other[:-2] + "/"):
        assert is_gone(wrong)


def test_life_of_a_link_is_limited(alice_device, chat, messages, clock):
    for days in (0, -1, 31):
        moment = (timezone.now() + timedelta(days=days)).isoformat()
        assert_refused(make(alice_device, chat, messages, expires_at=moment), "invalid")
    assert make(alice_device, chat, messages, expires_at="9999-12-31T23:59:59Z").status_code == 400
    without = alice_device.client.post(PATH, {"chat": str(chat.pk), "messages": [str(messages[0].pk)]})
    assert_refused(without, "invalid")
    assert not ShareLink.objects.exists()


def test_stretch_is_limited(alice_device, chat, monkeypatch, messages):
    monkeypatch.setattr(links, "MAX_SHARED", 3)
    assert_refused(make(alice_device, chat, messages), "invalid")
    assert_refused(make(alice_device, chat, **{"from": str(messages[0].pk)}), "invalid")
    assert make(alice_device, chat, messages[:3]).status_code == 201


def test_removed_message_leaves_only_a_mark(alice_device, chat, messages):
    text = text_of(made(alice_device, chat, messages, removed=[str(messages[2].pk)]))
    assert "middle-word" not in text and str(messages[2].pk) not in text
    assert text.count("A message was removed here.") == 1
    assert "first-word" in text


NUMBERS = {
    "call +55 11 98765-4321 now": "call +•• •• •••••-••21 now",
    "(011) 98765.4321": "(•••) •••••.••21",
    "5511987654321@c.us": "•••••••••••21@c.us",
    "https://wa.me/5511987654321?text=x": "https://wa.me/•••••••••••21?text=x",
    "x5511987654321y": "x•••••••••••21y",
    "5511\u200b98765\u200b4321": "••••\u200b•••••\u200b••21",
    "٠١١٩٨٧٦٥٤٣": "••••••••٤٣",
    "+49 (0) 151/1234567": "+•• (•) •••/•••••67",
    "0171_123_456": "••••_•••_•56",
    "0171,123|456": "••••,•••|•56",
    "0171 - - *123456": "•••• - - *••••56",
    "1\ufe0f\u20e32\ufe0f\u20e33\ufe0f\u20e3 4567": "•\ufe0f\u20e3•\ufe0f\u20e3•\ufe0f\u20e3 ••67",
    "order 123456": "order 123456",
    "3 for 20, 2 for 15": "3 for 20, 2 for 15",
    "no number": "no number",
}


@pytest.mark.parametrize("text", NUMBERS)
def test_masks_numbers_however_they_are_written(text):
    assert mask_numbers(text) == NUMBERS[text]


def test_masks_numbers_in_texts_names_and_files(alice_device, acme, chat, messages):
    Chat.objects.update(name="+55 11 98765-4321")
    told = write(chat, "call me: 0049 151 1234567", 10, participant="4915112345678@c.us")
    file = write(chat, "", 11, media_details={"name": "invoice 5511987654321.pdf"}, type="document")
    text = text_of(made(alice_device, chat, [messages[1], told, file], include_media=True))
    for digits in ("98765-43", "1234567", "151123", "4915112345678", "5511987654321"):
        assert digits not in text
    assert "+55" not in text and "Telephone numbers are masked." in text
    plain = text_of(made(alice_device, chat, [messages[1], told, file], include_media=True, redact_numbers=False))
    assert "0049 151 1234567" in plain and "+55 11 98765-4321" in plain and "+4915112345678" in plain


def test_dies_with_the_data(alice_device, acme, chat, messages):
    path = made(alice_device, chat, messages[1:4])
    messages[1].delete()
    text = text_of(path)
    assert "first-word" not in text and "middle-word" in text
    ConversationMessage.objects.filter(pk=messages[2].pk).update(text="edited-word", edited_at=timezone.now())
    assert "middle-word" not in text_of(path) and "edited-word" in text_of(path)
    ConversationMessage.objects.filter(pk=messages[2].pk).update(text="", has_content=False, revoked_at=timezone.now())
    assert "edited-word" not in text_of(path) and "Whoever wrote this message deleted it." in text_of(path)
    ConversationMessage.objects.all().delete()
    assert is_gone(path)


def test_dies_when_sync_is_switched_off_before_anything_is_deleted(alice_device, chat, messages):
    path = made(alice_device, chat, messages)
    for deleting in ("content", "metadata"):
        ConversationSync.objects.update(deleting=deleting)
        assert is_gone(path)
        assert_refused(make(alice_device, chat, messages), "invalid")
    ConversationSync.objects.update(deleting="")
    assert not is_gone(path)
    ConversationSync.objects.all().delete()
    assert is_gone(path)


def test_dies_with_contact_and_chat(alice_device, alice, acme, chat, messages):
    path = made(alice_device, chat, messages)
    share = ShareLink.objects.get()
    delete_contact(workspace=acme, contact_id=chat.contact_id, actor=actors.person(alice))
    assert is_gone(path)
    restore_contact(workspace=acme, contact_id=share.contact_id, actor=actors.person(alice))
    assert not is_gone(path)
    delete_contact(workspace=acme, contact_id=share.contact_id, actor=actors.person(alice))
    purge_contact(workspace=acme, contact_id=share.contact_id, actor=actors.person(alice))
    assert is_gone(path) and not ShareLink.objects.exists()


def test_chat_that_goes_takes_its_links_along(alice_device, chat, messages):
    path = made(alice_device, chat, messages)
    chat.delete()
    assert is_gone(path) and not ShareLink.objects.exists()


def test_password_is_asked_for_and_kept_as_a_hash(alice_device, chat, messages):
    path = made(alice_device, chat, messages, password="open sesame")
    share = ShareLink.objects.get()
    assert "open sesame" not in share.password and share.password
    asked = Client().get(path)
    assert asked.status_code == 200 and b"password" in asked.content
    assert b"first-word" not in asked.content and b"Ana" not in asked.content and b"Acme" not in asked.content
    wrong = Client().post(path, {"password": "open barley"})
    assert (wrong.status_code, b"first-word" in wrong.content) == (403, False)
    assert Client().post(path, {}).status_code == 200
    right = Client(enforce_csrf_checks=True).post(path, {"password": "open sesame"})
    assert (right.status_code, b"first-word" in right.content) == (200, True)
    assert not right.cookies
    assert (ShareOpening.objects.count(), ShareLink.objects.get().opened_count) == (1, 1)
    assert alice_device.client.get(f"{PATH}{share.pk}/").json()["has_password"] is True
    assert_refused(make(alice_device, chat, messages, password="12345"), "invalid")


def test_passwords_cannot_be_tried_for_long(alice_device, chat, messages, monkeypatch):
    monkeypatch.setattr(links, "MAX_TRIES", 3)
    path = made(alice_device, chat, messages, password="open sesame")
    other = made(alice_device, chat, messages, password="open sesame")
    assert [Client().post(path, {"password": "x"}).status_code for _ in range(5)] == [403, 403, 403, 429, 429]
    blocked = Client().post(path, {"password": "open sesame"})
    assert (blocked.status_code, b"first-word" in blocked.content) == (429, False)
    assert Client().post(other, {"password": "open sesame"}).status_code == 200
    assert ShareLink.objects.order_by("pk").first().opened_count == 0


def test_openings_are_counted_and_told_with_little_data(alice_device, bob_device, chat, messages, clock):
    path = made(alice_device, chat, messages)
    agent = "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0.0.0 Safari/537.36"
    Client(headers={"User-Agent": agent}, REMOTE_ADDR="203.0.113.77").get(path)
    clock.advance(60)
    Client(REMOTE_ADDR="2001:db8:1:2:3:4:5:6").get(path)
    Client().head(path)
    share = ShareLink.objects.get()
    assert share.opened_count == 2
    rows = bob_device.client.get(f"{PATH}{share.pk}/openings/").json()["results"]
    assert [(row["agent"], row["network"]) for row in rows] == [
        ("Unknown browser", "2001:db8:1::/48"),
        ("Chrome 140 on Windows", "203.0.113.0/24"),
    ]
    with connection.cursor() as cursor:
        cursor.execute("SELECT string_agg(row_to_json(o)::text, ' ') FROM messaging_shareopening o")
        stored = cursor.fetchone()[0]
    assert "203.0.113.77" not in stored and "3:4:5:6" not in stored and "AppleWebKit" not in stored


def test_openings_behind_a_thousand_are_only_counted(alice_device, chat, messages, monkeypatch):
    monkeypatch.setattr(links, "MAX_OPENINGS", 2)
    path = made(alice_device, chat, messages)
    for _ in range(4):
        text_of(path)
    assert (ShareLink.objects.get().opened_count, ShareOpening.objects.count()) == (4, 2)


@pytest.mark.django_db(transaction=True)
def test_last_opening_that_is_noted_is_noted_once(alice_device, chat, messages, monkeypatch):
    """Both have read the link before either has opened it."""
    monkeypatch.setattr(links, "MAX_OPENINGS", 1)
    path = made(alice_device, chat, messages)
    answers = meet_behind(monkeypatch, sharing, "find_share", lambda: Client().get(path), lambda: Client().get(path))
    assert [answer.status_code for answer in answers] == [200, 200]
    assert (ShareLink.objects.get().opened_count, ShareOpening.objects.count()) == (2, 1)


@pytest.mark.django_db(transaction=True)
def test_link_that_goes_while_it_is_opened_is_not_noted(alice_device, chat, messages, monkeypatch):
    path = made(alice_device, chat, messages)
    opened, _ = meet_behind(
        monkeypatch, sharing, "find_share", lambda: Client().get(path), lambda: ShareLink.objects.all().delete()
    )
    assert opened.status_code == 200
    assert not ShareOpening.objects.exists()


def test_page_is_for_no_search_engine_and_no_script(alice_device, chat, messages):
    write_script = write(chat, "<script>alert(1)</script>", 20)
    path = made(alice_device, chat, [*messages, write_script])
    protected = made(alice_device, chat, messages, password="open sesame")
    for each in (path, protected, "/s/never-was/"):
        answer = Client().get(each)
        assert answer["X-Robots-Tag"] == "noindex, nofollow, noarchive"
        assert answer["Referrer-Policy"] == "no-referrer"
        assert answer["Cache-Control"] == "private, no-store"
        assert answer["X-Content-Type-Options"] == "nosniff"
        assert answer["X-Frame-Options"] == "DENY"
        policy = answer["Content-Security-Policy"]
        assert (
            policy.startswith("default-src 'none'; ") and "script" not in policy and "frame-ancestors 'none'" in policy
        )
        assert not answer.cookies
        assert b"<script" not in answer.content and b'name="robots" content="noindex' in answer.content
    assert "&lt;script&gt;" in text_of(path)


@pytest.fixture
def photo(acme, chat) -> ConversationMessage:
    media = MediaFile(workspace=acme, sha256=bytes(32), media_type="image/png", name="a.png", size=3)
    media.file.save("x", ContentFile(b"abc"), save=False)
    media.thumbnail.save("x", ContentFile(b"abc"), save=False)
    media.save(force_insert=True)
    return write(chat, "look", 15, type="image", media=media)


def test_files_are_shown_only_if_chosen_and_by_short_links(alice_device, chat, photo, clock):
    without = text_of(made(alice_device, chat, [photo]))
    assert "/media/" not in without and "A file, which is not shared." in without and "a.png" not in without
    shown = text_of(made(alice_device, chat, [photo], include_media=True))
    link = shown.split('href="http://localhost:8000/media/')[1].split('"')[0]
    assert Client().head(f"/media/{link}").status_code == 200
    clock.advance(11 * 60)
    assert Client().head(f"/media/{link}").status_code == 404


def test_old_links_are_deleted_a_month_after_their_end(alice_device, chat, messages, clock):
    made(alice_device, chat, messages)
    text_of(made(alice_device, chat, messages))
    first = ShareLink.objects.order_by("pk").first()
    alice_device.client.post(f"{PATH}{first.pk}/revoke/")
    clock.advance(31 * 24 * 3600)
    assert sharing.delete_old_shares() == 1
    clock.advance(7 * 24 * 3600)
    assert sharing.delete_old_shares() == 1
    assert not ShareOpening.objects.exists()


# --- pages


@pytest.fixture
def browser(alice) -> Client:
    client = Client()
    client.force_login(alice, backend="allauth.account.auth_backends.AuthenticationBackend")
    return client


def test_member_makes_and_revokes_link_in_the_browser(browser, chat, messages):
    new = f"/messages/shares/new/{chat.pk}/"
    assert "middle-word" in text_of(new, browser)
    payload = {"first": messages[1].pk, "last": messages[3].pk, "removed": [messages[2].pk], "days": 7}
    answer = browser.post(new, {**payload, "redact_numbers": "on", "password": ""})
    assert answer.status_code == 200
    url = answer.content.decode().split('value="http://localhost:8000')[1].split('"')[0]
    text = text_of(url)
    assert "first-word" in text and "middle-word" not in text and "after-word" not in text
    share = ShareLink.objects.get()
    assert (share.redact_numbers, share.include_media, len(share.message_ids)) == (True, False, 3)
    listed = text_of("/messages/shares/", browser)
    assert url not in listed and "Ana" in listed
    assert browser.post(f"/messages/shares/{share.pk}/revoke/").status_code == 302
    assert is_gone(url) and "taken back" in text_of("/messages/shares/", browser)


def test_wrong_choices_in_the_browser_make_no_link(browser, chat, messages, charlie):
    new = f"/messages/shares/new/{chat.pk}/"
    for payload in (
        {},
        {"first": "x", "last": "y", "days": 7},
        {"first": messages[3].pk, "last": messages[1].pk, "days": 7},
        {"first": messages[1].pk, "last": messages[3].pk, "days": 90},
        {"first": messages[1].pk, "last": messages[3].pk, "days": 7, "password": "12"},
    ):
        assert browser.post(new, payload).status_code == 200
    assert not ShareLink.objects.exists()
    outsider = Client()
    outsider.force_login(charlie, backend="allauth.account.auth_backends.AuthenticationBackend")
    assert outsider.get(new).status_code in (200, 404)
    assert b"middle-word" not in outsider.get(new).content
    assert Client().get(new).status_code == 302


def test_page_without_links_says_what_to_do(browser, acme, chat):
    assert "No links yet" in text_of("/messages/shares/", browser)
    assert "Nothing of this chat is synced" in text_of(f"/messages/shares/new/{chat.pk}/", browser)


def test_number_of_another_workspace_is_nowhere(charlie_device, other):
    add_number(other, "4915112340009")
    assert charlie_device.client.get(PATH).json()["results"] == []
