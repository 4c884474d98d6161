"""Pages of quick replies: written without a script, tried on a contact, kept from others."""

import re

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from crm.tests.records import add_contact
from messaging.models import ContentPart, QuickReply, QuickReplyFolder
from messaging.tests.files import picture
from messaging.tests.test_contents import add_file
from messaging.tests.test_quick_replies import make, stored

pytestmark = pytest.mark.django_db

LIST = "/messages/quick-replies/"
NEW = f"{LIST}new/"


@pytest.fixture
def alice_page(alice, acme) -> Client:
    client = Client()
    client.force_login(alice)
    return client


@pytest.fixture
def bob_page(bob, acme) -> Client:
    client = Client()
    client.force_login(bob)
    return client


def form(**values) -> dict:
    """What the form sends for one language and one message."""
    sent = {"id": "", "name": "Greeting", "shortcut": "/hi", "folder": "", "visibility": "team"}
    return sent | {"language": "en", "body-0": "Hi {{first_name|there}}", "media-0": "", "do": "save", **values}


def html(answer) -> str:
    return re.sub(r"\s+", " ", answer.content.decode())


def test_explain_shortcuts_where_there_are_none(alice_page):
    page = html(alice_page.get(LIST))
    assert "No quick replies yet" in page
    assert "Type /hours in WhatsApp Web" in page


def test_write_a_reply(alice_page, acme):
    file = add_file(acme, "menu.pdf")
    sent = form(language=["en", "pt-br"], **{"body-0": ["Hi", ""], "media-0": ["", str(file.pk)]})
    sent |= {"body-1": "Olá", "media-1": "", "default": "1"}
    assert alice_page.post(NEW, sent).status_code == 302
    reply = QuickReply.objects.get()
    assert (reply.name, reply.shortcut, reply.default_language) == ("Greeting", "/hi", "pt-BR")
    assert ContentPart.objects.filter(media=file).count() == 1
    page = html(alice_page.get(f"{LIST}{reply.pk}/"))
    assert "menu.pdf" in page
    sent["name"] = "Other"
    assert alice_page.post(f"{LIST}{reply.pk}/", sent).status_code == 302
    assert "Other" in html(alice_page.get(LIST))


def test_send_a_form_twice_and_make_one(alice_page):
    page = html(alice_page.get(NEW))
    id = re.search(r'name="id" value="([^"]+)"', page)[1]
    for _ in range(2):
        assert alice_page.post(NEW, form(id=id)).status_code == 302
    assert QuickReply.objects.count() == 1


@pytest.mark.parametrize(
    ("values", "sentence"),
    [
        ({"name": " "}, "A name has at least one visible character."),
        ({"shortcut": "two words"}, "A shortcut is one word"),
        ({"language": "klingon"}, "This is no tag of a language"),
        ({"body-0": "{{frist_name}}"}, "the nearest that is known is “{{first_name}}”"),
        ({"body-0": " "}, "A part has a text or a file."),
        ({"folder": "0199c0de-0000-7000-8000-000000000000"}, "Nothing with this id is visible to you."),
    ],
)
def test_say_at_the_form_what_is_wrong(alice_page, values, sentence):
    before = stored()
    answer = alice_page.post(NEW, form(**values))
    assert answer.status_code == 200
    assert sentence in html(answer)
    assert stored() == before


def test_add_and_remove_messages_and_languages_without_a_script(alice_page):
    sent = form(**{"body-0": ["one", "two"], "media-0": ["", ""]})
    page = html(alice_page.post(NEW, sent | {"do": "add-part:0"}))
    assert page.count('name="body-0"') == 3
    assert ">one</textarea>" in page
    page = html(alice_page.post(NEW, sent | {"do": "drop-part:0:0"}))
    assert ">one</textarea>" not in page and ">two</textarea>" in page
    page = html(alice_page.post(NEW, sent | {"do": "add-language"}))
    assert re.search(r'value="1" id="shown-1" checked', page)
    for nonsense in ("add-part:9", "drop-part:0:99", "x", "drop-language:0", "add-part:²", ""):
        assert alice_page.post(NEW, sent | {"do": nonsense}).status_code == 200
    assert not QuickReply.objects.exists()


def test_preview_as_a_contact_reads_it(alice_page, acme, other):
    contact, foreign = add_contact(acme, "Anna Müller"), add_contact(other, "Secret Person")
    url = f"{LIST}preview/"
    sent = form(**{"body-0": "Hi {{first_name}} of {{company}} <b>"})
    page = html(alice_page.post(url, sent | {"sample": str(contact.pk)}))
    assert "Hi Anna of {{company}} &lt;b&gt;" in page
    assert "Not known of this contact: company." in page
    assert "Hi Ana of Padaria Sol" in html(alice_page.post(url, sent))
    assert "Secret" not in html(alice_page.post(url, sent | {"sample": str(foreign.pk)}))
    assert "is not closed" in html(alice_page.post(url, form(**{"body-0": "Hi {{name"})))


def test_keep_private_pages_from_others(alice_page, bob_page, bob_device):
    mine = make(bob_device, visibility="private", name="Bob's own")
    assert "Bob&#x27;s own" in html(bob_page.get(LIST))
    before = stored()
    assert "own" not in re.findall(r'id="reply-.*', html(alice_page.get(LIST)))
    url = f"{LIST}{mine['id']}/"
    assert alice_page.get(url).status_code == 404
    assert alice_page.post(url, form()).status_code == 404
    assert alice_page.post(f"{url}delete/").status_code == 404
    assert alice_page.post(f"{url}up/").status_code == 404
    assert stored() == before


def test_find_and_move_in_the_list(alice_page, alice_device):
    ids = [make(alice_device, name=name, shortcut=name)["id"] for name in ("aaa", "bbb", "ccc")]
    page = html(alice_page.get(f"{LIST}?q=/b"))
    assert "bbb" in page and "aaa" not in page
    assert alice_page.post(f"{LIST}{ids[2]}/up/").status_code == 302
    assert list(QuickReply.objects.order_by("position").values_list("name", flat=True)) == ["aaa", "ccc", "bbb"]
    assert "Nothing here" in html(alice_page.get(f"{LIST}?q=zzz"))
    assert alice_page.get(f"{LIST}?folder=nonsense").status_code == 404


def test_folders_on_the_page(alice_page, alice_device):
    assert alice_page.post(f"{LIST}folders/", {"name": "Sales"}).status_code == 302
    folder = QuickReplyFolder.objects.get()
    make(alice_device, folder=str(folder.pk))
    assert "Greeting" in html(alice_page.get(f"{LIST}?folder={folder.pk}"))
    assert "Nothing here" in html(alice_page.get(f"{LIST}?folder=none"))
    alice_page.post(f"{LIST}folders/{folder.pk}/", {"name": "Support"})
    alice_page.post(f"{LIST}folders/", {"name": "Other"})
    alice_page.post(f"{LIST}folders/{folder.pk}/down/")
    assert list(QuickReplyFolder.objects.order_by("position").values_list("name", flat=True)) == ["Other", "Support"]
    alice_page.post(f"{LIST}folders/{folder.pk}/delete/")
    assert QuickReply.objects.get().folder is None


def test_import_and_export_on_the_page(alice_page, alice_device):
    make(alice_device, shortcut="x")
    make(alice_device, name="Two", texts=[{"language": "en", "parts": [{"body": "a"}, {"body": "b"}]}])
    exported = alice_page.post(f"{LIST}export/", {"format": "json"})
    assert exported["Content-Disposition"].endswith('.json"')
    table = alice_page.post(f"{LIST}export/", {"format": "csv"})
    assert table["X-Left-Out"] == "1"
    assert alice_page.post(f"{LIST}export/", {"format": "exe"}).status_code == 302
    page = html(
        alice_page.post(f"{LIST}import/", {"file": SimpleUploadedFile("a.csv", b"Name,Text\nNew,Hello\nBad,{{x\n")})
    )
    assert "1 quick reply is new." in page
    assert "is not closed" in page
    page = html(alice_page.post(f"{LIST}import/", {"file": SimpleUploadedFile("a.txt", b"\x89PNG")}))
    assert QuickReply.objects.count() == 3
    assert "“Name” and “Text” are needed" in page or "cannot be read" in page or "Name" in page


def test_attach_a_file_and_refuse_what_is_none(alice_page):
    logo = SimpleUploadedFile("logo.png", picture("PNG"), "image/png")
    assert alice_page.post(NEW, form(**{"file-0-0": logo})).status_code == 302
    part = ContentPart.objects.get()
    assert (part.media.name, part.media.media_type) == ("logo.png", "image/png")
    program = SimpleUploadedFile("logo.png", b"MZ\x90\x00" + bytes(200), "image/png")
    answer = alice_page.post(NEW, form(name="Other", shortcut="", **{"file-0-0": program}))
    assert (answer.status_code, QuickReply.objects.count()) == (200, 1)
    assert "errorlist" in html(answer)
