"""Bulk changes in the browser: all that match, asked first with their number, and how they go on."""

import pytest
from django.urls import reverse

from accounts import actors
from accounts.models import Event
from crm.models import BulkAction, BulkState, Contact, ContactTag
from crm.services.bulk import starting
from crm.services.bulk.running import run_open_actions
from crm.tests.records import add_contact, add_stage, add_tag, wear
from crm.tests.test_pages_contacts import said
from waplus.lib.ids import uuid7


@pytest.fixture
def people(acme, alice) -> list[Contact]:
    return [add_contact(acme, name) for name in ("Ana", "Anita", "Bruno", "Carla")]


@pytest.fixture
def vip(acme):
    return add_tag(acme, "VIP")


@pytest.fixture
def slow(monkeypatch):
    """Every bulk action is left to the worker."""
    monkeypatch.setattr(starting, "AT_ONCE", 1)


def ask(client, *, query="", **values):
    sent = {"scope": "all", "tag": "", "owner": "", "stage": "", **values}
    return client.post(reverse("change-selected") + query, sent)


def agree(client, question, **changes):
    """Send the form of the question as it stands."""
    context = question.context
    sent = {}
    for name, value in context["sent"]:
        sent.setdefault(name, []).append(str(value))
    sent = {**sent, "id": str(context["new_id"]), "agreed": str(context["count"]), **changes}
    return client.post(reverse("start-bulk") + context["state"].address(), sent, follow=True)


def make(user, workspace, **values) -> BulkAction:
    person = actors.person(user)
    return starting.start_bulk_action(workspace=workspace, user=user, actor=person, filter={}, **values)[0]


def test_count_all_that_match(client, alice, people):
    client.force_login(alice)
    assert "All 4 that match" in client.get(reverse("count-matching")).content.decode()
    assert "All 2 that match" in client.get(reverse("count-matching"), {"q": "an"}).content.decode()
    assert "The 1 that matches" in client.get(reverse("count-matching"), {"q": "carla"}).content.decode()


def test_tag_all_that_match(client, alice, acme, people, vip):
    client.force_login(alice)
    question = ask(client, query="?q=an", do="tag", tag=vip.pk)
    text = question.content.decode()
    assert "Change 2 contacts?" in text
    assert "Put on: VIP" in text
    assert "“an”" in text
    assert not ContactTag.objects.exists()
    response = agree(client, question)
    assert response.redirect_chain == [(reverse("contacts") + "?q=an", 302)]
    assert said(response) == ["2 contacts are changed."]
    assert sorted(ContactTag.objects.values_list("contact__name", flat=True)) == ["Ana", "Anita"]
    assert BulkAction.objects.get().state == BulkState.FINISHED
    assert said(agree(client, ask(client, query="?q=an", do="tag", tag=vip.pk))) == [
        "Nothing had to be changed: they were all like that."
    ]


def test_sending_twice_is_one_change(client, alice, people, vip, slow):
    client.force_login(alice)
    question = ask(client, do="tag", tag=vip.pk)
    first, second = agree(client, question), agree(client, question)
    row = BulkAction.objects.get()
    assert first.redirect_chain == second.redirect_chain == [(reverse("bulk-action", args=[row.pk]), 302)]


def test_every_action_over_all_that_match(client, alice, bob, acme, people, vip, slow):
    stage = add_stage(acme, "Won")
    wear(people[0], vip)
    client.force_login(alice)
    for values in (
        {"do": "untag", "tag": vip.pk},
        {"do": "owner", "owner": bob.pk},
        {"do": "stage", "stage": stage.pk},
    ):
        agree(client, ask(client, **values))
    run_open_actions()
    assert not ContactTag.objects.exists()
    assert set(Contact.objects.values_list("owner__name", "stage__name")) == {("Bob", "Won")}
    agree(client, ask(client, do="owner", owner="none"))
    agree(client, ask(client, query="?q=an", do="bin"))
    run_open_actions()
    assert sorted(Contact.objects.alive().values_list("name", "owner")) == [("Bruno", None), ("Carla", None)]
    words = [row.words for row in client.get(reverse("bulk-actions")).context["rows"]]
    assert words == ["Put into the bin", "Owner: nobody", "Stage: Won", "Owner: Bob", "Take off: VIP"]


def test_follow_progress(client, alice, acme, people, vip, slow):
    client.force_login(alice)
    response = agree(client, ask(client, query="?q=an", do="tag", tag=vip.pk))
    row = BulkAction.objects.get()
    page, strip = reverse("bulk-action", args=[row.pk]), reverse("bulk-strip")
    assert response.redirect_chain == [(page, 302)]
    text = response.content.decode()
    assert "Waiting for its turn" in text
    assert 'hx-trigger="every 1s"' in text
    listed = client.get(reverse("contacts")).content.decode()
    assert f"{strip}?id={row.pk}" in listed
    assert 'hx-trigger="every 2s"' in client.get(strip, {"id": row.pk}).content.decode()
    run_open_actions()
    text = client.get(page).content.decode()
    assert "Done" in text
    assert "every 1s" not in text
    assert f"{reverse('contacts')}?tag={vip.pk}" in text
    ended = client.get(strip, {"id": row.pk}).content.decode()
    assert "2 contacts changed" in ended
    assert "every 2s" not in ended
    assert f"{strip}?id=" not in client.get(reverse("contacts")).content.decode()


def test_stop_bulk_action(client, alice, acme, people, slow):
    row = make(alice, acme, action="bin")
    client.force_login(alice)
    response = client.post(reverse("stop-bulk", args=[row.pk]), follow=True)
    assert said(response) == ["It is stopped. What was done stays done."]
    run_open_actions()
    assert BulkAction.objects.get().state == BulkState.STOPPED
    assert Contact.objects.alive().count() == 4


def test_bin_asks_again_if_there_are_more_by_now(client, alice, acme, people):
    client.force_login(alice)
    question = ask(client, do="bin")
    assert "Put 4 contacts into the bin?" in question.content.decode()
    add_contact(acme, "Late")
    again = agree(client, question)
    assert said(again) == ["There are more of them by now. Look at the number again."]
    assert "Put 5 contacts into the bin?" in again.content.decode()
    assert Contact.objects.alive().count() == 5
    assert not BulkAction.objects.exists()
    response = agree(client, again)
    assert said(response) == ["5 contacts are in the bin, from where they can be taken back."]
    assert not Contact.objects.alive().exists()


def test_bin_selected(client, alice, acme, people):
    client.force_login(alice)
    question = ask(client, scope="", do="bin", contact=[people[0].pk, people[2].pk], query="?sort=-name")
    assert "Put 2 contacts into the bin?" in question.content.decode()
    assert Contact.objects.alive().count() == 4
    response = agree(client, question)
    assert response.redirect_chain == [(reverse("contacts") + "?sort=-name", 302)]
    assert said(response) == ["2 contacts are in the bin, from where they can be taken back."]
    assert sorted(Contact.objects.alive().values_list("name", flat=True)) == ["Anita", "Carla"]
    assert Event.objects.filter(kind="contact.deleted", object_id=people[0].pk).count() == 1


def test_export_selected_and_all_that_match(client, alice, people):
    client.force_login(alice)

    def names(response) -> list[str]:
        rows = b"".join(response.streaming_content).decode().splitlines()[1:]
        return [row.partition(",")[0] for row in rows]

    assert names(ask(client, scope="", do="csv", contact=[people[0].pk, people[3].pk])) == ["Ana", "Carla"]
    assert names(ask(client, query="?q=an", do="csv")) == ["Ana", "Anita"]
    assert b"".join(ask(client, do="xlsx").streaming_content)[:2] == b"PK"


def test_change_all_with_nonsense(client, alice, acme, people, vip):
    client.force_login(alice)
    gone = uuid7()
    for values, sentence in [
        ({"do": "x"}, "Select a valid choice. x is not one of the available choices."),
        ({"do": "tag"}, "Choose a tag."),
        ({"do": "tag", "tag": gone}, "Nothing with this id is visible to you."),
        ({"do": "owner", "owner": gone}, "This is no member of the workspace."),
        ({"do": "owner", "owner": "x"}, "Choose one of the list."),
        ({"do": "bin", "scope": "x"}, "Select a valid choice. x is not one of the available choices."),
    ]:
        response = ask(client, **values)
        assert response.status_code == 302, values
        assert said(client.get(response.url)) == [sentence]
    assert said(client.get(ask(client, query="?q=zzz", do="bin").url)) == ["Nobody is left to be changed."]
    for values in ({}, {"do": "bin", "scope": "all"}, {"do": "csv", "scope": "all", "id": gone, "agreed": 9}):
        assert client.post(reverse("start-bulk"), values).status_code == 302
    assert (
        client.post(reverse("start-bulk"), {"do": "bin", "scope": "all", "id": "x", "agreed": "-1"}).status_code == 302
    )
    assert client.get(reverse("start-bulk")).status_code == 405
    assert client.get(reverse("bulk-strip"), {"id": "x"}).status_code == 404
    assert client.get(reverse("bulk-actions"), {"cursor": "x"}).url == reverse("bulk-actions")
    assert not BulkAction.objects.exists()
    assert Contact.objects.alive().count() == 4


def test_bulk_actions_of_others_are_not_found(client, alice, charlie, acme, other, people, vip, slow):
    row = make(alice, acme, action="bin")
    client.force_login(charlie)
    assert client.get(reverse("bulk-action", args=[row.pk])).status_code == 404
    assert client.post(reverse("stop-bulk", args=[row.pk])).status_code == 404
    assert client.get(reverse("bulk-actions")).context["rows"] == []
    assert client.get(reverse("bulk-strip"), {"id": row.pk}).context["jobs"] == []
    taken = {"do": "bin", "scope": "all", "agreed": "9", "id": row.pk}
    add_contact(other, "Own")
    assert said(client.post(reverse("start-bulk"), taken, follow=True)) == ["The id is taken."]
    assert said(client.get(ask(client, do="tag", tag=vip.pk).url)) == ["Nothing with this id is visible to you."]
    row.refresh_from_db()
    assert row.state == BulkState.WAITING
    assert Contact.objects.for_workspace(other).alive().count() == 1


def test_take_selected_out_of_the_bin(client, alice, charlie, acme, other, people):
    foreign = add_contact(other, "Foreign")
    Contact.objects.update(deleted_at=foreign.created_at)
    client.force_login(alice)
    address = reverse("restore-selected")
    assert said(client.post(address, follow=True)) == ["Select some contacts first."]
    assert not BulkAction.objects.exists()
    response = client.post(address, {"contact": [people[0].pk, people[2].pk, foreign.pk, "x"]}, follow=True)
    row = BulkAction.objects.get()
    assert response.redirect_chain == [(reverse("bulk-action", args=[row.pk]), 302)]
    run_open_actions()
    row.refresh_from_db()
    assert (row.total, row.changed, row.refused) == (2, 2, 0)
    assert sorted(Contact.objects.alive().values_list("name", flat=True)) == ["Ana", "Bruno"]


def test_no_bulk_actions_says_what_to_do(client, alice, acme):
    client.force_login(alice)
    assert "No bulk changes yet" in client.get(reverse("bulk-actions")).content.decode()
