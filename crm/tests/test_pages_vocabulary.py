"""Tags and stages in the browser: made, changed, ordered, deleted, put on contacts."""

import pytest
from django.urls import reverse

from accounts.models import Membership
from conftest import make_person
from crm.models import Contact, ContactTag, CustomField, Stage, Tag
from crm.tests.test_pages_contacts import add, said
from waplus.lib.ids import uuid7


@pytest.fixture
def ana(acme, alice):
    return add(acme, alice, "Ana Lima")


def make_tag(client, name: str, **values) -> Tag:
    client.post(reverse("tags"), {"id": uuid7(), "name": name, **values})
    return Tag.objects.get(name=name)


def make_stage(client, name: str, **values) -> Stage:
    client.post(reverse("stages"), {"id": uuid7(), "name": name, **values})
    return Stage.objects.get(name=name)


def names(client, page: str) -> list[str]:
    return [row.name for row in client.get(reverse(page)).context[page]]


def test_list_no_tags_says_what_to_do(client, alice, acme):
    client.force_login(alice)
    assert "No tags yet" in client.get(reverse("tags")).content.decode()
    assert "Use the usual stages" in client.get(reverse("stages")).content.decode()


def test_make_tag_twice_is_once(client, alice, acme):
    client.force_login(alice)
    sent = {"id": uuid7(), "name": "VIP", "colour": "purple"}
    for _ in range(2):
        assert said(client.post(reverse("tags"), sent, follow=True)) == ["The tag “VIP” is there."]
    tag = Tag.objects.get()
    assert (tag.id, tag.colour) == (sent["id"], "purple")
    assert said(client.post(reverse("tags"), {"id": uuid7(), "name": "vip"}, follow=True)) == [
        "There is a tag “VIP” already."
    ]
    assert Tag.objects.count() == 1


@pytest.mark.parametrize("values", [{"name": ""}, {"name": "x" * 81}, {"name": "x", "colour": "mauve"}])
def test_make_wrong_tag(client, alice, acme, values):
    client.force_login(alice)
    response = client.post(reverse("tags"), {"id": uuid7(), **values})
    assert response.context["form"].errors
    assert not Tag.objects.exists()


def test_edit_tag(client, alice, acme):
    client.force_login(alice)
    tag = make_tag(client, "VIP")
    make_tag(client, "Supplier")
    address = reverse("edit-tag", args=[tag.pk])
    client.post(address, {"name": "Very important", "colour": "red"})
    tag.refresh_from_db()
    assert (tag.name, tag.colour) == ("Very important", "red")
    response = client.post(address, {"name": "supplier", "colour": "red"})
    assert "name" in response.context["tags"][0].form.errors
    tag.refresh_from_db()
    assert tag.name == "Very important"


def test_order_tags(client, alice, acme):
    client.force_login(alice)
    for name in ("a", "b", "c"):
        make_tag(client, name)
    client.post(reverse("move-tag", args=[Tag.objects.get(name="c").pk, "up"]))
    client.post(reverse("move-tag", args=[Tag.objects.get(name="a").pk, "down"]))
    client.post(reverse("move-tag", args=[Tag.objects.get(name="b").pk, "down"]))
    assert names(client, "tags") == ["c", "a", "b"]
    assert client.post(f"/tags/{uuid7()}/sideways/").status_code == 404


def test_delete_tag_into_another(client, alice, acme, ana):
    client.force_login(alice)
    old, new = make_tag(client, "old"), make_tag(client, "new")
    client.post(reverse("add-contact-tag", args=[ana.pk]), {"name": "old"})
    assert "1 contact" in client.get(reverse("tags")).content.decode()
    response = client.post(reverse("delete-tag", args=[old.pk]), {"into": new.pk}, follow=True)
    assert said(response) == ["The tag is deleted. 1 contact wore it."]
    assert ContactTag.objects.get().tag == new
    assert list(Tag.objects.all()) == [new]


def test_begin_pipeline(client, alice, acme):
    client.force_login(alice)
    client.post(reverse("begin-pipeline"))
    client.post(reverse("begin-pipeline"))
    assert names(client, "stages") == ["New", "In conversation", "Offer made", "Won", "Lost"]


def test_edit_order_and_delete_stage(client, alice, acme, ana):
    client.force_login(alice)
    first, second = make_stage(client, "First"), make_stage(client, "Second", outcome="won", colour="green")
    client.post(reverse("move-stage", args=[second.pk, "up"]))
    assert names(client, "stages") == ["Second", "First"]
    client.post(reverse("edit-stage", args=[first.pk]), {"name": "Begin", "outcome": "lost", "colour": "red"})
    first.refresh_from_db()
    assert (first.name, first.outcome, first.colour) == ("Begin", "lost", "red")
    client.post(reverse("set-stage", args=[ana.pk]), {"chosen": first.pk})
    client.post(reverse("delete-stage", args=[first.pk]), {"into": second.pk})
    assert Contact.objects.get().stage == second
    response = client.post(reverse("stages"), {"id": uuid7(), "name": "second"})
    assert "name" in response.context["form"].errors


def test_place_contact(client, alice, bob, acme, ana):
    client.force_login(alice)
    stage = make_stage(client, "New")
    client.post(reverse("set-stage", args=[ana.pk]), {"chosen": stage.pk})
    client.post(reverse("set-owner", args=[ana.pk]), {"chosen": bob.pk})
    ana.refresh_from_db()
    assert (ana.stage, ana.owner) == (stage, bob)
    eve = make_person("Eve")
    for name, chosen in [("set-owner", eve.pk), ("set-owner", "x"), ("set-stage", uuid7()), ("set-stage", "x")]:
        client.post(reverse(name, args=[ana.pk]), {"chosen": chosen})
    client.post(reverse("set-stage", args=[ana.pk]), {"chosen": ""})
    ana.refresh_from_db()
    assert (ana.stage, ana.owner) == (None, bob)
    assert not Membership.objects.filter(user=eve).exists()


def test_tag_and_untag_contact(client, alice, acme, ana):
    client.force_login(alice)
    address = reverse("add-contact-tag", args=[ana.pk])
    for name in ("VIP", "vip", "New one"):
        client.post(address, {"name": name})
    assert sorted(ana.contact_tags.values_list("tag__name", flat=True)) == ["New one", "VIP"]
    assert "VIP" in client.get(reverse("contact", args=[ana.pk])).content.decode()
    for name in ("", "x" * 81, "\u200b"):
        client.post(address, {"name": name})
    client.post(reverse("remove-contact-tag", args=[ana.pk, Tag.objects.get(name="VIP").pk]))
    assert list(ana.contact_tags.values_list("tag__name", flat=True)) == ["New one"]


def test_set_values(client, alice, acme, ana):
    text = CustomField.objects.create(workspace=acme, name="Size", folded="size", kind="text")
    number = CustomField.objects.create(workspace=acme, name="Children", folded="children", kind="number")
    choice = CustomField.objects.create(
        workspace=acme,
        name="Source",
        folded="source",
        kind="choice",
        options=[{"id": "fair", "label": "Fair", "colour": "blue", "retired": False}],
    )
    client.force_login(alice)
    address = reverse("set-values", args=[ana.pk])
    client.post(address, {str(text.pk): "XL", str(number.pk): "2", str(choice.pk): "fair"})
    assert dict(ana.field_values.values_list("field__name", "value")) == {
        "Size": "XL",
        "Children": "2",
        "Source": "fair",
    }
    response = client.post(address, {str(text.pk): "M", str(number.pk): "many", str(choice.pk): "fair"})
    assert response.context["values_form"].errors == {str(number.pk): ["This is no number; write it like 1234.5."]}
    client.post(address, {str(text.pk): "", str(number.pk): "2", str(choice.pk): "fair"})
    assert sorted(ana.field_values.values_list("field__name", flat=True)) == ["Children", "Source"]


def test_reach_vocabulary_of_others(client, alice, acme, ana, charlie, other):
    client.force_login(alice)
    tag, stage = make_tag(client, "VIP"), make_stage(client, "New")
    client.force_login(charlie)
    own = add(other, charlie, "Own")
    for name, args, values in [
        ("edit-tag", [tag.pk], {"name": "stolen"}),
        ("move-tag", [tag.pk, "up"], {}),
        ("delete-tag", [tag.pk], {}),
        ("edit-stage", [stage.pk], {"name": "stolen"}),
        ("move-stage", [stage.pk, "up"], {}),
        ("delete-stage", [stage.pk], {}),
        ("set-stage", [ana.pk], {}),
        ("set-owner", [ana.pk], {}),
        ("set-values", [ana.pk], {}),
        ("add-contact-tag", [ana.pk], {"name": "stolen"}),
        ("remove-contact-tag", [own.pk, tag.pk], {}),
    ]:
        assert client.post(reverse(name, args=args), values).status_code == 404, name
    client.post(reverse("set-stage", args=[own.pk]), {"chosen": stage.pk})
    own.refresh_from_db()
    assert own.stage is None
    assert list(Tag.objects.values_list("name", flat=True)) == ["VIP"]
    assert list(Stage.objects.values_list("name", flat=True)) == ["New"]
