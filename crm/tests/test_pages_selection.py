"""What is done with contacts that were selected in the list."""

import pytest
from django.urls import reverse

from crm.models import Contact, ContactTag, Stage, Tag
from crm.tests.test_pages_contacts import add, said
from waplus.lib.ids import uuid7


@pytest.fixture
def people(acme, alice) -> list[Contact]:
    return [add(acme, alice, name) for name in ("Ana", "Bruno", "Carla")]


@pytest.fixture
def vip(acme) -> Tag:
    return Tag.objects.create(workspace=acme, name="VIP", folded="vip")


def change(client, selected, *, query="", **values):
    sent = {"contact": [one.pk for one in selected], "tag": "", "owner": "", "stage": "", **values}
    return client.post(reverse("change-selected") + query, sent, follow=True)


def test_tag_selected_and_untag(client, alice, people, vip):
    client.force_login(alice)
    response = change(client, people[:2], do="tag", tag=vip.pk, query="?q=a&sort=-name")
    assert response.redirect_chain == [(reverse("contacts") + "?q=a&sort=-name", 302)]
    assert said(response) == ["2 contacts are changed."]
    assert sorted(ContactTag.objects.values_list("contact__name", flat=True)) == ["Ana", "Bruno"]
    change(client, people[:1], do="untag", tag=vip.pk)
    assert ContactTag.objects.get().contact.name == "Bruno"


def test_place_selected(client, alice, bob, acme, people):
    stage = Stage.objects.create(workspace=acme, name="New", folded="new")
    client.force_login(alice)
    change(client, people, do="owner", owner=bob.pk)
    change(client, people[1:], do="stage", stage=stage.pk)
    change(client, people[2:], do="owner", owner="none")
    assert list(Contact.objects.order_by("name").values_list("owner__name", "stage__name")) == [
        ("Bob", None),
        ("Bob", "New"),
        (None, "New"),
    ]


def test_change_selected_with_nonsense(client, alice, acme, people, vip):
    client.force_login(alice)
    assert said(change(client, [], do="tag", tag=vip.pk)) == ["Select some contacts first."]
    assert said(change(client, people, do="tag")) == ["Choose a tag."]
    for values in ({"do": "x"}, {"do": "owner", "owner": "x"}, {"do": "stage", "stage": uuid7()}, {}):
        assert len(said(change(client, people, **values))) == 1
    assert change(client, people, do="tag", tag=uuid7()).status_code == 200
    assert not ContactTag.objects.exists()
    assert not Contact.objects.exclude(owner=None, stage=None).exists()


def test_change_selected_of_others(client, people, vip, charlie, other):
    own = add(other, charlie, "Own")
    mine = Tag.objects.create(workspace=other, name="Mine", folded="mine")
    client.force_login(charlie)
    response = change(client, [*people, own], do="tag", tag=mine.pk)
    assert said(response) == ["1 contact is changed.", "Some of them are no longer there."]
    change(client, [own], do="tag", tag=vip.pk)
    assert ContactTag.objects.get().tag == mine
