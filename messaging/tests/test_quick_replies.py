"""Quick replies: who sees them, what is refused, what a contact reads, and what counts."""

from datetime import timedelta

import pytest

from accounts import actors
from accounts.models import Event, Membership
from accounts.services.departures import finish_departures, looked_after
from accounts.services.workspaces import remove_member
from conftest import make_device
from crm.models import Chat, FieldValue
from crm.services.custom_fields import create_field, retire_field
from crm.tests.records import add_contact
from messaging.models import ContentPart, QuickReply, QuickReplyFolder, QuickReplyText, QuickReplyUse
from messaging.services.quick_replies import changes, folders
from messaging.services.quick_replies.using import forget_old_uses
from messaging.tests.calls import kinds, problem
from messaging.tests.test_contents import add_file
from waplus.lib.deletion import delete_in_chunks
from waplus.lib.ids import uuid7

pytestmark = pytest.mark.django_db

REPLIES = "/api/v1/quick-replies/"
FOLDERS = "/api/v1/quick-reply-folders/"


def payload(**values) -> dict:
    texts = values.pop("texts", None) or [{"language": "en", "parts": [{"body": "Hello {{first_name|there}}"}]}]
    return {"name": "Greeting", "texts": texts, **values}


def say(language, *bodies) -> dict:
    return {"language": language, "parts": [{"body": body} for body in bodies]}


def make(device, **values) -> dict:
    answer = device.client.post(REPLIES, payload(**values))
    assert answer.status_code == 201, answer.json()
    return answer.json()


def found(device, query="") -> list[str]:
    answer = device.client.get(f"{REPLIES}{query}")
    assert answer.status_code == 200, answer.json()
    return [row["name"] for row in answer.json()["results"]]


def stored() -> tuple:
    models = (QuickReplyFolder, QuickReply, QuickReplyText, ContentPart, QuickReplyUse, Event)
    return tuple(tuple(model.objects.order_by("pk").values_list()) for model in models)


# Made and read


def test_create_reply(alice_device, acme, alice):
    id = str(uuid7())
    file = add_file(acme)
    folder = alice_device.client.post(FOLDERS, {"name": "Sales"}).json()["id"]
    texts = [
        {"language": "pt_br", "parts": [{"body": "  Olá {{first_name|você}} "}, {"body": "", "media": str(file.pk)}]},
        say("EN", "Hello"),
    ]
    answer = alice_device.client.post(REPLIES, payload(id=id, shortcut="Olá", folder=folder, texts=texts))
    assert answer.status_code == 201
    body = answer.json()
    assert {name: body[name] for name in ("id", "name", "shortcut", "folder", "visibility", "default_language")} == {
        "id": id,
        "name": "Greeting",
        "shortcut": "/Olá",
        "folder": folder,
        "visibility": "team",
        "default_language": "pt-BR",
    }
    assert body["texts"] == [
        {
            "language": "pt-BR",
            "parts": [{"body": "Olá {{first_name|você}}", "media": None}, {"body": "", "media": str(file.pk)}],
        },
        {"language": "en", "parts": [{"body": "Hello", "media": None}]},
    ]
    assert (body["problems"], body["version"], body["position"]) == ([], 1, 0)
    held = ContentPart.objects.order_by("quick_reply_text__language", "position")
    assert list(held.values_list("quick_reply_text__language", "position", "body", "media")) == [
        ("en", 0, "Hello", None),
        ("pt-BR", 0, "Olá {{first_name|você}}", None),
        ("pt-BR", 1, "", file.pk),
    ]
    assert kinds(id) == ["quick_reply.created"]
    assert QuickReply.objects.get().created_by == alice


def test_repeat_a_creation(alice_device, bob_device, charlie_device):
    id = str(uuid7())
    first = make(alice_device, id=id)
    again = bob_device.client.post(REPLIES, payload(id=id, name="Other"))
    assert (again.status_code, again.json()) == (200, first)
    assert problem(charlie_device.client.post(REPLIES, payload(id=id)))[:2] == (409, "id_taken")
    private = make(alice_device, visibility="private", name="Mine")
    assert problem(bob_device.client.post(REPLIES, payload(id=private["id"])))[:2] == (409, "id_taken")
    assert QuickReply.objects.count() == 2


@pytest.mark.parametrize(
    ("values", "field", "code"),
    [
        ({"name": " "}, "name", "blank"),
        ({"name": "x" * 81}, "name", "max_length"),
        ({"shortcut": "two words"}, "shortcut", "invalid"),
        ({"shortcut": "/a/b"}, "shortcut", "invalid"),
        ({"shortcut": "x" * 33}, "shortcut", "max_length"),
        ({"visibility": "world"}, "visibility", "invalid_choice"),
        ({"folder": str(uuid7())}, "folder", "does_not_exist"),
        ({"texts": [say("en", "x"), say("EN", "y")]}, "texts.1.language", "repeated"),
        ({"texts": [say("english", "x")]}, "texts.0.language", "invalid_language"),
        ({"texts": [say("en", "x", "{{nam}}")]}, "texts.0.parts.1.body", "unknown_variable"),
        ({"texts": [say("en", "x"), say("de", "{{name")]}, "texts.1.parts.0.body", "unbalanced_braces"),
        ({"texts": [say("en", *["x"] * 11)]}, "texts.0.parts", "max_length"),
        (
            {"texts": [{"language": "en", "parts": [{"body": "", "media": str(uuid7())}]}]},
            "texts.0.parts.0.media",
            "does_not_exist",
        ),
        ({"default_language": "fr"}, "default_language", "does_not_exist"),
        ({"colour": "red"}, "colour", "unknown_field"),
    ],
)
def test_refuse_reply(alice_device, values, field, code):
    before = stored()
    answer = alice_device.client.post(REPLIES, payload(**values))
    assert problem(answer) == (400, "invalid", (field, code))
    assert stored() == before


def test_refuse_a_file_or_folder_of_another_workspace(alice_device, charlie_device, other):
    folder = charlie_device.client.post(FOLDERS, {"name": "Theirs"}).json()["id"]
    file = add_file(other)
    before = stored()
    assert problem(alice_device.client.post(REPLIES, payload(folder=folder)))[2] == ("folder", "does_not_exist")
    texts = [{"language": "en", "parts": [{"body": "", "media": str(file.pk)}]}]
    answer = alice_device.client.post(REPLIES, payload(texts=texts))
    assert problem(answer)[2] == ("texts.0.parts.0.media", "does_not_exist")
    assert stored() == before


def test_keep_shortcuts_unique_in_their_scope(alice_device, bob_device):
    team = make(alice_device, shortcut="/Olá", name="Team")
    before = stored()
    answer = bob_device.client.post(REPLIES, payload(shortcut="ola"))
    assert problem(answer) == (409, "name_taken", ("shortcut", "name_taken"))
    assert answer.json()["id"] == team["id"]
    assert "“Team” has the shortcut /Olá already." in answer.json()["detail"]
    assert stored() == before
    make(alice_device, shortcut="ola", visibility="private")
    make(bob_device, shortcut="ola", visibility="private")
    mine = make(bob_device, shortcut="other", visibility="private")
    assert problem(bob_device.client.patch(f"{REPLIES}{mine['id']}/", {"shortcut": "OLA"}))[1] == "name_taken"
    make(bob_device, shortcut="")
    make(bob_device, shortcut="")


# Who sees what


def test_keep_private_replies_from_everybody_else(alice_device, bob_device, charlie_device):
    """Owners and admins included."""
    mine = make(bob_device, visibility="private", name="Bob's own")
    team = make(bob_device, name="Team's")
    assert sorted(found(bob_device)) == ["Bob's own", "Team's"]
    assert found(alice_device) == ["Team's"]
    assert found(charlie_device) == []
    before = stored()
    url = f"{REPLIES}{mine['id']}/"
    for client in (alice_device.client, charlie_device.client):
        assert client.get(url).status_code == 404
        assert client.patch(url, {"name": "x"}).status_code == 404
        assert client.delete(url).status_code == 404
        assert client.post(f"{url}render/", {}).status_code == 404
        assert client.post(f"{url}used/", {"id": str(uuid7())}).status_code == 404
        assert problem(client.put(f"{REPLIES}order/", {"ids": [mine["id"]]}))[2] == ("ids.0", "does_not_exist")
    assert charlie_device.client.get(f"{REPLIES}{team['id']}/").status_code == 404
    assert stored() == before


def test_share_and_take_back_a_reply(alice_device, bob_device):
    mine = make(bob_device, visibility="private")
    url = f"{REPLIES}{mine['id']}/"
    assert bob_device.client.patch(url, {"visibility": "team"}).json()["visibility"] == "team"
    assert alice_device.client.patch(url, {"name": "Better"}).status_code == 200
    before = stored()
    assert problem(alice_device.client.patch(url, {"visibility": "private"})) == (
        403,
        "forbidden",
        ("visibility", "forbidden"),
    )
    assert stored() == before
    assert bob_device.client.patch(url, {"visibility": "private"}).json()["visibility"] == "private"
    assert alice_device.client.get(url).status_code == 404


def test_delete_private_replies_with_their_owner(alice_device, bob_device, acme, alice, bob):
    make(bob_device, visibility="private", name="Bob's own")
    make(bob_device, name="Team's")
    make(alice_device, visibility="private", name="Alice's own")
    assert "1 private quick reply, which is deleted" in looked_after(workspace=acme, user=bob)
    members = Membership.objects.for_workspace(acme)
    remove_member(
        workspace=acme,
        membership_id=members.get(user=bob).pk,
        actor=actors.person(alice),
        remover=members.get(user=alice),
        heir_membership_id=members.get(user=alice).pk,
    )
    finish_departures()
    assert sorted(QuickReply.objects.values_list("name", flat=True)) == ["Alice's own", "Team's"]
    assert Event.objects.filter(kind="quick_reply.deleted").get().count == 1


# Changed


def test_update_reply(alice_device):
    made = make(alice_device, shortcut="a")
    url = f"{REPLIES}{made['id']}/"
    tag = alice_device.client.get(url)["ETag"]
    changed = alice_device.client.patch(
        url, {"texts": [say("de", "Hallo"), say("en", "Hi")], "name": "New"}, HTTP_IF_MATCH=tag
    )
    assert changed.status_code == 200
    assert changed.json()["texts"][0]["language"] == "en", "the default stays as long as there is a text in it"
    assert ContentPart.objects.count() == 2
    event = Event.objects.filter(kind="quick_reply.updated").get()
    assert event.changed == ["name", "texts"]
    before = stored()
    assert problem(alice_device.client.patch(url, {"name": "Later"}, HTTP_IF_MATCH=tag))[1] == "precondition_failed"
    assert alice_device.client.patch(url, {"name": "New"}).status_code == 200
    assert problem(alice_device.client.patch(url, {"texts": [say("de", "{{x}}")]}))[2][1] == "unknown_variable"
    assert stored() == before
    assert alice_device.client.patch(url, {"default_language": "de"}).json()["texts"][0]["language"] == "de"


def test_delete_reply(alice_device, acme):
    made = make(alice_device)
    alice_device.client.post(f"{REPLIES}{made['id']}/used/", {"id": str(uuid7())})
    assert alice_device.client.delete(f"{REPLIES}{made['id']}/").status_code == 204
    assert alice_device.client.delete(f"{REPLIES}{made['id']}/").status_code == 404
    assert [model.objects.count() for model in (QuickReply, QuickReplyText, ContentPart, QuickReplyUse)] == [0] * 4
    assert kinds(made["id"]) == ["quick_reply.created", "quick_reply.deleted"]


def test_refuse_more_than_there_can_be(alice_device, monkeypatch):
    monkeypatch.setattr(changes, "MAX_TEAM", 2)
    monkeypatch.setattr(changes, "MAX_PRIVATE", 1)
    make(alice_device)
    make(alice_device)
    before = stored()
    assert problem(alice_device.client.post(REPLIES, payload()))[:2] == (409, "limit_reached")
    assert stored() == before
    mine = make(alice_device, visibility="private")
    assert problem(alice_device.client.post(REPLIES, payload(visibility="private")))[1] == "limit_reached"
    assert problem(alice_device.client.patch(f"{REPLIES}{mine['id']}/", {"visibility": "team"}))[1] == "limit_reached"


# Found


def test_find_replies(alice_device, bob_device):
    folder = alice_device.client.post(FOLDERS, {"name": "Sales"}).json()["id"]
    make(alice_device, name="Greeting", shortcut="/hello", folder=folder)
    make(alice_device, name="Öffnungszeiten", shortcut="/hours", texts=[say("de-AT", "8–12")])
    make(alice_device, name="Bye", shortcut="/bye", visibility="private")
    make(bob_device, name="Hello from Bob", visibility="private")
    assert found(alice_device) == ["Greeting", "Öffnungszeiten", "Bye"]
    assert found(alice_device, "?q=offn") == ["Öffnungszeiten"]
    assert found(alice_device, "?q=hello") == ["Greeting"]
    assert found(alice_device, "?q=/h") == ["Greeting", "Öffnungszeiten"]
    assert found(alice_device, "?q=%25") == []
    assert found(alice_device, f"?folder={folder}") == ["Greeting"]
    assert found(alice_device, "?folder=none") == ["Öffnungszeiten", "Bye"]
    assert found(alice_device, "?language=de") == ["Öffnungszeiten"]
    assert found(alice_device, "?visibility=private") == ["Bye"]
    assert found(alice_device, "?sort=name&limit=2") == ["Bye", "Greeting"]
    assert problem(alice_device.client.get(f"{REPLIES}?visibility=x"))[2] == ("visibility", "invalid_choice")
    assert problem(alice_device.client.get(f"{REPLIES}?language=!!"))[2] == ("language", "invalid_language")
    assert problem(alice_device.client.get(f"{REPLIES}?folder=x"))[2] == ("folder", "invalid")


def test_order_replies(alice_device, bob_device):
    ids = [make(alice_device, name=name)["id"] for name in "abc"]
    make(bob_device, name="private", visibility="private")
    assert alice_device.client.put(f"{REPLIES}order/", {"ids": ids[::-1]}).status_code == 204
    assert found(alice_device) == ["c", "b", "a"]
    assert problem(alice_device.client.put(f"{REPLIES}order/", {"ids": [ids[0], ids[0]]}))[2][1] == "repeated"


def test_list_costs_a_fixed_number_of_queries(alice_device, django_assert_num_queries):
    from django.db import connection
    from django.test.utils import CaptureQueriesContext

    make(alice_device)
    with CaptureQueriesContext(connection) as one:
        found(alice_device)
    for _ in range(5):
        make(alice_device)
    with CaptureQueriesContext(connection) as many:
        found(alice_device)
    assert len(one) == len(many)


# Folders


def test_folders(alice_device, bob_device, charlie_device):
    first = alice_device.client.post(FOLDERS, {"name": "Sales"})
    assert first.status_code == 201
    assert bob_device.client.post(FOLDERS, {"name": "  SALES "}).json() == first.json()
    second = alice_device.client.post(FOLDERS, {"name": "Support"}).json()
    url = f"{FOLDERS}{second['id']}/"
    assert problem(alice_device.client.patch(url, {"name": "sales"}))[1] == "name_taken"
    assert alice_device.client.patch(url, {"name": "Help"}).json()["name"] == "Help"
    ordered = alice_device.client.put(f"{FOLDERS}order/", {"ids": [second["id"]]}).json()["results"]
    assert [folder["name"] for folder in ordered] == ["Help", "Sales"]
    assert charlie_device.client.get(url).status_code == 404
    assert charlie_device.client.delete(url).status_code == 404
    reply = make(alice_device, folder=second["id"])
    assert alice_device.client.delete(url).status_code == 204
    assert alice_device.client.get(f"{REPLIES}{reply['id']}/").json()["folder"] is None


# Used


def render(device, reply, **values) -> dict:
    answer = device.client.post(f"{REPLIES}{reply['id']}/render/", values)
    assert answer.status_code == 200, answer.json()
    return answer.json()


def test_render_reply_for_a_contact(alice_device, acme):
    contact = add_contact(acme, "Anna Müller")
    file = add_file(acme)
    texts = [
        {
            "language": "en",
            "parts": [
                {"body": "Hi {{first_name}} of {{company}}"},
                {"body": "", "media": str(file.pk)},
                {"body": "{{company|}}"},
            ],
        },
        say("pt-PT", "Olá {{first_name}}, {{sender.name}}"),
    ]
    reply = make(alice_device, texts=texts)
    before = stored()
    assert render(alice_device, reply, contact=str(contact.pk)) == {
        "language": "en",
        "parts": [{"body": "Hi Anna of {{company}}", "media": None}, {"body": "", "media": str(file.pk)}],
        "missing": ["company"],
    }
    portuguese = {
        "language": "pt-PT",
        "parts": [{"body": "Olá Anna, Alice", "media": None}],
        "missing": [],
    }
    assert render(alice_device, reply, contact=str(contact.pk), language="pt-BR") == portuguese
    assert render(alice_device, reply, contact=str(contact.pk), language="xx!")["language"] == "en"
    assert stored() == before, "rendering writes nothing"


def test_render_reply_for_a_chat(alice_device, acme, number):
    contact = add_contact(acme, "Anna")
    Chat.objects.create(
        workspace=acme,
        whatsapp_account=number,
        jid="157163732254124@lid",
        kind="person",
        search_text="",
        contact=contact,
    )
    reply = make(alice_device)
    said = render(alice_device, reply, chat_jid="157163732254124@lid")["parts"][0]["body"]
    assert said == "Hello Anna"
    said = render(alice_device, reply, chat_jid="120363041234567890@g.us")["parts"][0]["body"]
    assert said == "Hello there"
    answer = alice_device.client.post(f"{REPLIES}{reply['id']}/render/", {"chat_jid": "nonsense"})
    assert problem(answer)[2] == ("chat_jid", "invalid")


def test_refuse_to_render_for_a_contact_of_another_workspace(alice_device, other):
    reply = make(alice_device)
    answer = alice_device.client.post(f"{REPLIES}{reply['id']}/render/", {"contact": str(add_contact(other, "X").pk)})
    assert problem(answer) == (400, "invalid", ("contact", "does_not_exist"))


def test_tell_what_is_broken_and_render_it_all_the_same(alice_device, acme):
    field, _ = create_field(workspace=acme, actor=actors.SYSTEM, name="City", kind="text")
    contact = add_contact(acme, "Anna")
    FieldValue.objects.create(workspace=acme, contact=contact, field=field, value="Köln")
    reply = make(alice_device, texts=[say("en", "In {{field.City}} or {{field.City|your town}}")])
    assert render(alice_device, reply, contact=str(contact.pk))["parts"][0]["body"] == "In Köln or Köln"
    retire_field(workspace=acme, field_id=field.pk, actor=actors.SYSTEM)
    assert alice_device.client.get(f"{REPLIES}{reply['id']}/").json()["problems"] == [
        "The field “City” of “{{field.City}}” is retired."
    ]
    assert alice_device.client.get(REPLIES).json()["results"][0]["problems"] != []
    rendered = render(alice_device, reply, contact=str(contact.pk))
    assert rendered["parts"][0]["body"] == "In {{field.City}} or your town"
    assert rendered["missing"] == ["field.City"]
    assert alice_device.client.patch(f"{REPLIES}{reply['id']}/", {"name": "Other"}).status_code == 200


def test_count_uses_once_each(alice_device, bob_device, clock):
    reply = make(alice_device)
    url = f"{REPLIES}{reply['id']}/used/"
    use = str(uuid7())
    assert [alice_device.client.post(url, {"id": use}).status_code for _ in range(3)] == [201, 200, 200]
    clock.advance(60)
    assert bob_device.client.post(url, {"id": str(uuid7())}).status_code == 201
    assert problem(bob_device.client.post(url, {"id": use}))[:2] == (409, "id_taken")
    assert problem(bob_device.client.post(url, {}))[2] == ("id", "required")
    [listed] = alice_device.client.get(REPLIES).json()["results"]
    assert (listed["use_count"], listed["last_used_at"]) == (2, clock.now.isoformat().replace("+00:00", "Z"))


def test_sort_by_use(alice_device):
    make(alice_device, name="never")
    often = make(alice_device, name="often")
    alice_device.client.post(f"{REPLIES}{often['id']}/used/", {"id": str(uuid7())})
    assert found(alice_device, "?sort=-use_count") == ["often", "never"]
    page = alice_device.client.get(f"{REPLIES}?sort=-use_count&limit=1").json()
    assert found(alice_device, f"?sort=-use_count&cursor={page['next_cursor']}") == ["never"]


def test_forget_uses_after_90_days(alice_device, clock):
    reply = make(alice_device)
    for days in (0, 2):
        clock.advance(days * 86_400)
        alice_device.client.post(f"{REPLIES}{reply['id']}/used/", {"id": str(uuid7())})
    clock.now += timedelta(days=89)
    assert forget_old_uses() == 1
    assert forget_old_uses() == 0
    assert QuickReplyUse.objects.count() == 1


# Pulled by devices


def pull(device, token="") -> tuple[dict, str]:
    """What a device learns of quick replies: by (kind, id) their document or None, and the token."""
    learnt = {}
    while True:
        page = device.client.get("/api/v1/sync/", {"token": token} if token else {}).json()
        for change in page["changes"]:
            if change["kind"].startswith("quick_reply"):
                learnt[change["kind"], change["id"]] = change.get("document")
        token = page["next"]
        if not page["more"]:
            return learnt, token


@pytest.mark.django_db(transaction=True)
def test_pull_team_and_own_replies_alone(alice, acme, bob):
    alices, bobs = make_device(alice, acme), make_device(bob, acme)
    team = make(bobs, name="Team's", shortcut="t")
    mine = make(bobs, name="Bob's own", visibility="private")
    seen, token = pull(alices)
    assert [key for key in seen if seen[key]] == [("quick_reply", team["id"])]
    document = seen["quick_reply", team["id"]]
    assert document["contents"] == team["texts"]
    assert {"shortcut_key", "search_text", "created_by", "workspace"} & set(document) == set()
    own, _ = pull(bobs)
    assert ("quick_reply", mine["id"]) in own
    url = f"{REPLIES}{mine['id']}/"
    bobs.client.patch(url, {"name": "Still Bob's own"})
    seen, token = pull(alices, token)
    assert seen.get(("quick_reply", mine["id"])) is None, "another one's private row is as good as gone"
    bobs.client.patch(url, {"visibility": "team"})
    seen, token = pull(alices, token)
    assert seen["quick_reply", mine["id"]]["contents"] == mine["texts"]
    bobs.client.patch(url, {"visibility": "private"})
    seen, token = pull(alices, token)
    assert seen == {("quick_reply", mine["id"]): None}
    bobs.client.patch(f"{REPLIES}{team['id']}/", {"texts": [say("en", "New")]})
    seen, token = pull(alices, token)
    assert seen["quick_reply", team["id"]]["contents"][0]["parts"][0]["body"] == "New"
    bobs.client.delete(f"{REPLIES}{team['id']}/")
    seen, token = pull(alices, token)
    assert seen == {("quick_reply", team["id"]): None}


def test_delete_old_rows_chunk_by_chunk(acme, alice):
    """Five rows two at a time; what the query leaves out stays."""
    for index in range(6):
        folders.create_folder(workspace=acme, actor=actors.person(alice), name=f"Folder {index}")
    rows = QuickReplyFolder.objects.for_workspace(acme).exclude(name="Folder 3")
    assert delete_in_chunks(rows, size=2) == 5
    assert QuickReplyFolder.objects.get().name == "Folder 3"
