"""Merging in the browser."""

import pytest
from django.urls import reverse

from crm.models import Contact, Merge, MergeSuggestion, SuggestionReason
from crm.services.suggestions import suggest
from crm.tests.test_pages_contacts import add, said
from waplus.lib.ids import uuid7


@pytest.fixture
def ana(acme, alice):
    return add(acme, alice, "Ana Lima", "+5511987654321")


@pytest.fixture
def aninha(acme, alice):
    return add(acme, alice, "Aninha", "+5511912345678", company="Café Aurora")


@pytest.fixture
def suggestion(acme, ana, aninha) -> MergeSuggestion:
    suggest(workspace=acme, pairs=[(ana.pk, aninha.pk, SuggestionReason.SAME_NAME, "ana")])
    return MergeSuggestion.objects.get()


def test_find_the_other_one(client, alice, ana, aninha):
    client.force_login(alice)
    address = reverse("find-other", args=[ana.pk])
    assert client.get(address).context["found"] == []
    assert client.get(address, {"q": "an"}).context["found"] == [aninha]
    assert "Nobody found" in client.get(address, {"q": "zzz"}).content.decode()


def test_compare_two_contacts(client, alice, ana, aninha):
    client.force_login(alice)
    response = client.get(reverse("merge", args=[ana.pk, aninha.pk]))
    lines = {line["label"]: line["result"] for line in response.context["both"][0]["lines"]}
    assert lines == {"Name": "Ana Lima", "Company": "Café Aurora"}
    assert response.context["both"][0]["moving"] == ["1 number or ID"]


def test_merge_and_undo(client, alice, ana, aninha):
    client.force_login(alice)
    address = reverse("merge", args=[ana.pk, aninha.pk])
    sent = {"id": uuid7(), "kept": ana.pk}
    response = client.post(address, sent, follow=True)
    assert response.redirect_chain == [(reverse("contact", args=[ana.pk]), 302)]
    assert reverse("undo-merge", args=[sent["id"]]) in response.content.decode()
    assert list(Contact.objects.alive()) == [ana]
    assert client.get(reverse("contact", args=[aninha.pk])).status_code == 404
    response = client.post(reverse("undo-merge", args=[sent["id"]]), follow=True)
    assert said(response) == ["They are two contacts again."]
    assert set(Contact.objects.alive()) == {ana, aninha}


def test_merge_the_other_way(client, alice, ana, aninha):
    client.force_login(alice)
    client.post(reverse("merge", args=[ana.pk, aninha.pk]), {"id": uuid7(), "kept": aninha.pk})
    assert list(Contact.objects.alive()) == [aninha]


def test_merge_with_nonsense(client, alice, ana, aninha):
    client.force_login(alice)
    address = reverse("merge", args=[ana.pk, aninha.pk])
    for kept in ("", "x", uuid7()):
        assert client.post(address, {"id": uuid7(), "kept": kept}).status_code == 200
    assert client.get(reverse("merge", args=[ana.pk, ana.pk])).status_code == 404
    assert not Merge.objects.exists()


def test_accept_suggestion(client, alice, ana, aninha, suggestion):
    client.force_login(alice)
    page = client.get(reverse("merge-suggestions")).content.decode()
    assert "The name is the same" in page
    client.post(reverse("accept-suggestion", args=[suggestion.pk]), {"kept": aninha.pk})
    assert list(Contact.objects.alive()) == [aninha]
    assert "No duplicates in sight" in client.get(reverse("merge-suggestions")).content.decode()


def test_dismiss_suggestion(client, alice, ana, aninha, suggestion):
    client.force_login(alice)
    assert "The name is the same" in client.get(reverse("contact", args=[ana.pk])).content.decode()
    client.post(reverse("dismiss-suggestion", args=[suggestion.pk]))
    assert "No duplicates in sight" in client.get(reverse("merge-suggestions")).content.decode()
    assert Contact.objects.alive().count() == 2


def test_merge_contacts_of_others(client, ana, aninha, suggestion, charlie, other):
    own = add(other, charlie, "Own")
    client.force_login(charlie)
    for pair in ([ana.pk, aninha.pk], [own.pk, ana.pk], [ana.pk, own.pk]):
        assert client.get(reverse("merge", args=pair)).status_code == 404
        assert client.post(reverse("merge", args=pair), {"id": uuid7(), "kept": pair[0]}).status_code == 404
    assert client.get(reverse("find-other", args=[ana.pk])).status_code == 404
    assert client.get(reverse("find-other", args=[own.pk]), {"q": "an"}).context["found"] == []
    for name in ("accept-suggestion", "dismiss-suggestion"):
        assert client.post(reverse(name, args=[suggestion.pk])).status_code == 404
    assert not Merge.objects.exists()
