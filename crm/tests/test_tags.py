"""Tags: one name is one tag, an order that people give, on and off a contact, and gone from everybody at once."""

import pytest

from accounts import actors
from accounts.models import Event
from accounts.tests.together import assert_refused, at_once
from crm.models import ContactTag, Tag, Tombstone
from crm.services import tags
from waplus.lib.ids import uuid7

TAGS = "/api/v1/tags/"
CONTACTS = "/api/v1/contacts/"

pytestmark = pytest.mark.django_db


def make(device, name: str, **values) -> dict:
    answer = device.client.post(TAGS, {"name": name, **values})
    assert answer.status_code == 201, answer.json()
    return answer.json()


def names(device) -> list[str]:
    page = device.client.get(TAGS).json()
    assert page["next_cursor"] is None
    return [row["name"] for row in page["results"]]


def contact_with(device, *tags_: dict) -> dict:
    answer = device.client.post(CONTACTS, {"name": "Ana", "tags": [tag["id"] for tag in tags_]})
    assert answer.status_code == 201, answer.json()
    return answer.json()


def test_creates_tag_at_the_end(alice_device, bob_device):
    first, second = make(alice_device, " VIP \u200e customer "), make(bob_device, "Lead", colour="red")
    assert (first["name"], first["colour"], first["position"]) == ("VIP customer", "grey", 0)
    assert (second["name"], second["colour"], second["position"]) == ("Lead", "red", 1)
    assert names(alice_device) == ["VIP customer", "Lead"]
    assert Event.objects.filter(kind="tag.created").count() == 2


def test_one_name_in_any_spelling_is_one_tag(alice_device, bob_device, charlie_device):
    tag = make(alice_device, "José")
    for spelling in ("josé", "JOSE", " Jose\u0301 ", "ＪＯＳＥ"):
        answer = bob_device.client.post(TAGS, {"id": str(uuid7()), "name": spelling, "colour": "red"})
        assert (answer.status_code, answer.json()) == (200, tag)
    assert Tag.objects.count() == 1
    assert make(charlie_device, "José")["id"] != tag["id"]


@pytest.mark.django_db(transaction=True)
def test_members_who_make_one_tag_at_once_get_one(alice_device, bob_device):
    answers = at_once(
        *[lambda d=device: d.client.post(TAGS, {"name": "VIP"}) for device in (alice_device, bob_device) * 3]
    )
    assert sorted(answer.status_code for answer in answers) == [200] * 5 + [201]
    assert {answer.json()["id"] for answer in answers} == {str(Tag.objects.get().pk)}


def test_repeat_with_one_id_is_one_tag_and_foreign_id_is_taken(alice_device, charlie_device):
    id = str(uuid7())
    tag = make(alice_device, "VIP", id=id)
    assert alice_device.client.post(TAGS, {"id": id, "name": "Else"}).json() == tag
    assert_refused(charlie_device.client.post(TAGS, {"id": id, "name": "Theirs"}), "id_taken")


def test_refuses_names_that_are_none(alice_device):
    for name in ("", " \u200e ", "x" * 81, None, 7, ["a"]):
        answer = alice_device.client.post(TAGS, {"name": name})
        assert (name, answer.status_code) == (name, 400 if name != 7 else 201)
    assert names(alice_device) == ["7"]
    assert_refused(alice_device.client.post(TAGS, {"name": "A", "colour": "mauve"}), "invalid")
    assert make(alice_device, "ﷺ" * 80)["name"] == "ﷺ" * 80
    assert make(alice_device, "🔥")["name"] == "🔥"
    assert make(alice_device, "\u0301")["name"] == "\u0301"


def test_tags_have_a_limit(alice_device, monkeypatch):
    monkeypatch.setattr(tags, "MAX_TAGS", 2)
    make(alice_device, "A")
    make(alice_device, "B")
    assert assert_refused(alice_device.client.post(TAGS, {"name": "C"}), "limit_reached")["limit"] == 2
    assert alice_device.client.post(TAGS, {"name": "a"}).status_code == 200


def test_renames_and_recolours(alice_device):
    tag, other = make(alice_device, "VIP"), make(alice_device, "Lead")
    changed = alice_device.client.patch(f"{TAGS}{tag['id']}/", {"name": "Gold", "colour": "yellow"}).json()
    assert (changed["name"], changed["colour"], changed["version"]) == ("Gold", "yellow", 2)
    assert Event.objects.get(kind="tag.updated").changed == ["colour", "name"]
    refusal = assert_refused(alice_device.client.patch(f"{TAGS}{tag['id']}/", {"name": "LEAD"}), "name_taken")
    assert refusal["id"] == other["id"]
    assert names(alice_device) == ["Gold", "Lead"]
    assert alice_device.client.patch(f"{TAGS}{tag['id']}/", {"name": "GOLD"}).json()["name"] == "GOLD"


def test_change_on_an_old_base_is_refused(alice_device):
    tag = make(alice_device, "VIP")
    path = f"{TAGS}{tag['id']}/"
    seen = alice_device.client.get(path)["ETag"]
    alice_device.client.patch(path, {"colour": "red"})
    assert_refused(alice_device.client.patch(path, {"name": "X"}, headers={"If-Match": seen}), "precondition_failed")


def test_orders_named_tags_first(alice_device):
    a, b, c, d = (make(alice_device, name) for name in "ABCD")
    answer = alice_device.client.put(f"{TAGS}order/", {"ids": [c["id"], a["id"]]})
    assert [row["name"] for row in answer.json()["results"]] == names(alice_device) == ["C", "A", "B", "D"]
    assert Event.objects.get(kind="tag.reordered").count == 3
    alice_device.client.put(f"{TAGS}order/", {"ids": [c["id"]]})
    assert Event.objects.filter(kind="tag.reordered").count() == 1
    for ids, code in (([d["id"], d["id"]], "repeated"), ([str(uuid7())], "does_not_exist")):
        errors = assert_refused(alice_device.client.put(f"{TAGS}order/", {"ids": ids}), "invalid")["errors"]
        assert errors[0]["code"] == code
    assert names(alice_device) == ["C", "A", "B", "D"]


def test_puts_tag_on_and_takes_it_off(alice, alice_device):
    tag, contact = make(alice_device, "VIP"), contact_with(alice_device)
    path = f"{CONTACTS}{contact['id']}/tags/{tag['id']}/"
    for _ in range(2):
        assert alice_device.client.put(path).json() == {**contact, "tags": [tag["id"]]}
    worn = ContactTag.objects.get()
    assert (worn.added_by_id, worn.workspace_id) == (alice.pk, worn.contact.workspace_id)
    for _ in range(2):
        assert alice_device.client.delete(path).json() == contact
    kinds = Event.objects.filter(object_id=contact["id"]).order_by("id").values_list("kind", "changed")
    assert list(kinds) == [
        ("contact.created", []),
        ("contact.tagged", [f"tags.{tag['id']}"]),
        ("contact.untagged", [f"tags.{tag['id']}"]),
    ]


@pytest.mark.django_db(transaction=True)
def test_putting_on_at_once_puts_on_once(alice_device, bob_device):
    tag, contact = make(alice_device, "VIP"), contact_with(alice_device)
    path = f"{CONTACTS}{contact['id']}/tags/{tag['id']}/"
    answers = at_once(*[lambda d=device: d.client.put(path) for device in (alice_device, bob_device) * 3])
    assert [answer.status_code for answer in answers] == [200] * 6
    assert ContactTag.objects.count() == Event.objects.filter(kind="contact.tagged").count() == 1


def test_others_tags_and_contacts_are_like_missing_ones(alice_device, charlie_device):
    mine, theirs = make(alice_device, "VIP"), make(charlie_device, "VIP")
    contact, foreign = contact_with(alice_device), contact_with(charlie_device, theirs)
    for contact_id, tag_id in (
        (contact["id"], theirs["id"]),
        (contact["id"], uuid7()),
        (foreign["id"], mine["id"]),
        (foreign["id"], theirs["id"]),
        (uuid7(), mine["id"]),
    ):
        path = f"{CONTACTS}{contact_id}/tags/{tag_id}/"
        assert_refused(alice_device.client.put(path), "not_found")
        assert_refused(alice_device.client.delete(path), "not_found")
    assert ContactTag.objects.count() == 1


def test_deleting_takes_tag_off_everybody_in_chunks(alice_device, bob_device, monkeypatch):
    monkeypatch.setattr(tags, "CHUNK", 2)
    tag, other = make(alice_device, "VIP"), make(alice_device, "Lead")
    contacts = [contact_with(alice_device, tag, other) for _ in range(5)]
    assert_refused(bob_device.client.delete(f"{TAGS}{tag['id']}/"), "forbidden")
    assert ContactTag.objects.count() == 10
    assert alice_device.client.delete(f"{TAGS}{tag['id']}/").status_code == 204
    assert names(alice_device) == ["Lead"]
    assert alice_device.client.get(f"{CONTACTS}{contacts[0]['id']}/").json()["tags"] == [other["id"]]
    assert (ContactTag.objects.count(), Event.objects.get(kind="tag.deleted").count) == (5, 5)
    assert {row.kind for row in Tombstone.objects.all()} == {"tag", "contact_tag"}
    assert Tombstone.objects.count() == 6
    assert_refused(alice_device.client.delete(f"{TAGS}{tag['id']}/"), "not_found")


def test_deleting_into_another_tag_makes_one_of_two(alice_device, charlie_device, monkeypatch):
    monkeypatch.setattr(tags, "CHUNK", 2)
    tag, other = make(alice_device, "Customers"), make(alice_device, "Customer")
    both = contact_with(alice_device, tag, other)
    ones = [contact_with(alice_device, tag) for _ in range(3)]
    path = f"{TAGS}{tag['id']}/"
    for into in (tag["id"], make(charlie_device, "X")["id"], uuid7(), "x"):
        assert_refused(alice_device.client.delete(f"{path}?into={into}"), "invalid")
    assert ContactTag.objects.count() == 5
    assert alice_device.client.delete(f"{path}?into={other['id']}").status_code == 204
    for contact in (both, *ones):
        assert alice_device.client.get(f"{CONTACTS}{contact['id']}/").json()["tags"] == [other["id"]]
    assert ContactTag.objects.count() == 4


@pytest.mark.django_db(transaction=True)
def test_deleting_while_others_put_it_on_leaves_none(alice, alice_device, bob_device, acme):
    tag = make(alice_device, "VIP")
    contacts = [contact_with(alice_device) for _ in range(6)]
    jobs = [lambda c=c: bob_device.client.put(f"{CONTACTS}{c['id']}/tags/{tag['id']}/") for c in contacts]
    answers = at_once(*jobs, lambda: tags.delete_tag(workspace=acme, tag_id=tag["id"], actor=actors.person(alice)))
    assert {answer.status_code for answer in answers[:-1]} <= {200, 400, 404}, answers
    assert isinstance(answers[-1], int), answers[-1]
    assert (Tag.objects.count(), ContactTag.objects.count()) == (0, 0)
