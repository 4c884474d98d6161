"""Broadcasts in the browser: from a draft to its report."""

import re

import pytest
from django.urls import reverse

from accounts.models import Event, Role
from conftest import join, make_person
from crm.tests.records import add_tag, wear
from messaging.models import Broadcast, BroadcastSetting, MediaFile, QueuedMessage
from messaging.pages import broadcasts as pages
from messaging.pages.broadcast_charts import chart_of
from messaging.services.broadcasts.starting import BROKE_OFF, MAX_ATTEMPTS, start_waiting_broadcasts
from messaging.services.contents import parts_of
from messaging.tests.broadcasts.calls import add_people, draft, started
from messaging.tests.broadcasts.test_broadcast_life import send
from messaging.tests.files import pdf
from messaging.tests.test_contents import add_file
from messaging.tests.test_pages_message_parts import upload

pytestmark = pytest.mark.django_db


def page(client, name: str, *args, **query) -> str:
    answer = client.get(reverse(name, args=args), query)
    assert answer.status_code == 200, answer
    return answer.content.decode()


def form(number, **values) -> dict:
    return {
        "name": "Spring", "whatsapp_account": str(number.pk), "body": "Hello {{first_name|there}}!", "media": "",
        "time_zone": "UTC", "hours_of": "recipient", "hours_days": ["1", "2", "3", "4", "5", "6", "7"], **values,
    }  # fmt: skip


def test_says_what_to_do_without_any(client, alice, acme, number):
    client.force_login(alice)
    assert "No broadcasts yet" in page(client, "broadcasts")


def test_leads_from_the_message_to_the_start(client, alice, acme, number):
    vip = add_tag(acme, "VIP")
    ana, _bruno, carla = add_people(acme, "Ana Lima", "Bruno", "Carla")
    wear(ana, vip)
    wear(carla, vip)
    carla.identities.all().delete()
    client.force_login(alice)
    answer = client.post(reverse("new-broadcast"), form(number))
    broadcast = Broadcast.objects.get()
    assert answer.url == reverse("broadcast-audience", args=[broadcast.pk])
    assert "VIP" in page(client, "broadcast-audience", broadcast.pk)
    answer = client.post(answer.url, {"add": "tag"})
    assert 'name="field" value="tag"' in answer.content.decode()
    chosen = {"field": "tag", "op": "is", "value": str(vip.pk), "save": "1"}
    answer = client.post(reverse("broadcast-audience", args=[broadcast.pk]), chosen)
    assert answer.url == reverse("broadcast-check", args=[broadcast.pk])
    text = page(client, "broadcast-check", broadcast.pk)
    for words in (
        "1 person would get it",
        "Hello Ana!",
        "No number and no WhatsApp ID",
        "Tag is VIP",
        "Send to 1 person",
    ):
        assert words in text
    assert not QueuedMessage.objects.exists()
    answer = client.post(reverse("start-broadcast", args=[broadcast.pk]))
    assert "Everybody is being queued" in page(client, "broadcast", broadcast.pk)
    start_waiting_broadcasts()
    text = page(client, "broadcast", broadcast.pk)
    assert "It is on its way" in text and "No number and no WhatsApp ID" in text


def test_keeps_what_the_form_has_no_words_for(client, alice, alice_device, acme, number):
    [ana] = add_people(acme, "Ana")
    row = draft(alice_device, number, audience={"include": [{"contacts": [str(ana.pk)]}]})
    client.force_login(alice)
    client.post(reverse("broadcast-audience", args=[row["id"]]), {"everybody": "1", "save": "1"})
    include = Broadcast.objects.get().audience["include"]
    assert include == [{"filter": {}}, {"contacts": [str(ana.pk)]}]


def test_shows_what_is_wrong_at_its_field(client, alice, acme, number):
    client.force_login(alice)
    answer = client.post(reverse("new-broadcast"), form(number, body="Hi {{nme}}"))
    assert "is not known here" in answer.content.decode()
    answer = client.post(reverse("new-broadcast"), form(number, hours_from="10:00", hours_to="09:00"))
    assert "end after they begin" in answer.content.decode()
    assert not Broadcast.objects.exists()


def test_adds_a_message_without_saving(client, alice, acme, number):
    client.force_login(alice)
    changed = form(number, do="add-part", hours_days=["2"], hours_from="9", allow_partial="on")
    text = client.post(reverse("new-broadcast"), changed).content.decode()
    assert text.count("<textarea") == 2 and not Broadcast.objects.exists()
    assert "errorlist" not in text and 'value="9"' in text
    assert [text.count(f'name="hours_days" value="{day}"') for day in (1, 2)] == [1, 1]
    assert text.count(" checked") == 2  # Tuesday, and as many as the plan allows
    client.post(reverse("new-broadcast"), form(number, body=["One", "", "Two"], media=["", "", ""]))
    assert list(Broadcast.objects.get().parts.order_by("position").values_list("body", flat=True)) == ["One", "Two"]


def said(broadcast) -> list[tuple]:
    return [(part.body, part.media and part.media.name) for part in parts_of(broadcast)]


def test_takes_files_from_the_computer(client, alice, acme, number):
    client.force_login(alice)
    menu = add_file(acme, "menu.pdf")
    sent = form(number, body=["Hello", "", ""], media=["", str(menu.pk), ""])
    client.post(reverse("new-broadcast"), sent | {"file-0": upload(pdf(), "letter.pdf")})
    broadcast = Broadcast.objects.get()
    assert said(broadcast) == [("Hello", "letter.pdf"), ("", "menu.pdf")]
    address = reverse("broadcast-message", args=[broadcast.pk])
    assert [part.media.name for part in client.get(address).context["parts"].parts] == ["letter.pdf", "menu.pdf"]
    changed = form(number, body="Look", media="") | {"file-0": upload(pdf(b"x"), "offer.pdf")}
    assert client.post(address, changed).url == reverse("broadcast-audience", args=[broadcast.pk])
    assert said(broadcast) == [("Look", "offer.pdf")]


@pytest.mark.parametrize(
    ("body", "file", "sentence"),
    [
        ("Hi {{nme}}", None, "is not known here"),
        ("  ", None, "A part has a text or a file."),
        ("Hello", b"MZ" + bytes(300), "program"),
    ],
)
def test_refuses_a_message_where_it_is_written(client, alice, acme, number, body, file, sentence):
    client.force_login(alice)
    client.post(reverse("new-broadcast"), form(number))
    broadcast = Broadcast.objects.get()
    files = {"file-0": upload(file, "letter.pdf")} if file else {}
    for address in (reverse("new-broadcast"), reverse("broadcast-message", args=[broadcast.pk])):
        for each in files.values():
            each.seek(0)
        text = client.post(address, form(number, body=body) | files).content.decode()
        assert sentence in re.search(r'id="wrong-0"><li>([^<]+)', text)[1]
    assert Broadcast.objects.get() == broadcast and not MediaFile.objects.exists()
    assert said(broadcast) == [("Hello {{first_name|there}}!", None)]


def test_pauses_resumes_cancels_and_copies(client, alice, alice_device, acme, number):
    add_people(acme, "Ana")
    broadcast = started(alice_device, number)
    client.force_login(alice)
    for action, words in (("pause", "It rests"), ("resume", "It is on its way"), ("cancel", "It was cancelled")):
        client.post(reverse(f"{action}-broadcast", args=[broadcast.pk]))
        assert words in page(client, "broadcast", broadcast.pk)
    client.post(reverse("copy-broadcast", args=[broadcast.pk]))
    copy = Broadcast.objects.get(state="draft")
    assert (copy.name, copy.audience) == ("Copy of Spring", broadcast.audience)
    assert copy.parts.get().body == "Hello {{first_name|there}}!"
    client.post(reverse("delete-broadcast", args=[copy.pk]))
    assert Broadcast.objects.get() == broadcast


def test_shows_the_report_and_the_people(client, alice, alice_device, acme, number, clock):
    add_people(acme, "Ana", "Bruno")
    broadcast = started(alice_device, number)
    send(broadcast, clock, "Ana", state="failed", reason_code="other", reason="Something broke.")
    send(broadcast, clock, "Bruno", state="read", delivered_at=clock(), read_at=clock(), replied_at=clock())
    client.force_login(alice)
    text = page(client, "broadcast", broadcast.pk)
    assert 'class="bar read"' in text and "Something broke." in text and "<style" not in text and "style=" not in text
    text = page(client, "broadcast-people", broadcast.pk, state="replied")
    assert "Bruno" in text and "Ana" not in text
    exported = client.post(reverse("export-broadcast", args=[broadcast.pk]))
    assert "Something broke." in exported.getvalue().decode()


def test_counts_nobody_unasked_where_the_start_broke_off(client, alice, alice_device, acme, number, monkeypatch):
    """What ended five workers does not end the process that shows the reason."""
    add_people(acme, "Ana")
    row = draft(alice_device, number)
    Broadcast.objects.update(problem=BROKE_OFF, attempts=MAX_ATTEMPTS)
    counted, dry_run = [], pages.dry_run
    monkeypatch.setattr(pages, "dry_run", lambda **values: counted.append(values["broadcast_id"]) or dry_run(**values))
    client.force_login(alice)
    text = page(client, "broadcast-check", row["id"])
    assert "Starting it broke off 5 times" in text and "Try again" in text
    assert "Not counted" in text and "1 person would get it" not in text and counted == []
    text = page(client, "broadcast-check", row["id"], count=1)
    assert "Starting it broke off 5 times" in text and "1 person would get it" in text
    assert len(counted) == 1
    # something of it is changed: it is worth another look
    alice_device.client.patch(f"/api/v1/broadcasts/{row['id']}/", {"name": "Summer"}, format="json")
    text = page(client, "broadcast-check", row["id"])
    assert "1 person would get it" in text and "broke off" not in text
    assert len(counted) == 2


def test_tells_members_whom_to_ask(client, bob, bob_device, alice_device, acme, number):
    add_people(acme, "Ana")
    row = draft(bob_device, number)
    paused = started(alice_device, number)
    client.force_login(bob)
    client.post(reverse("pause-broadcast", args=[paused.pk]))
    text = page(client, "broadcast-check", row["id"])
    assert "Ask Alice to look at this draft and start it." in text and "Send to" not in text
    text = page(client, "broadcast", paused.pk)
    assert "The owner or an admin lets it go on. Ask Alice." in text and "Let it go on" not in text
    assert "the owner or an admin starts them. Ask Alice." in page(client, "broadcasts")
    for name in ("Dora", "Emil", "Fred"):
        join(acme, make_person(name), Role.ADMIN)
    assert "Ask Alice, Dora, Emil or another admin to look" in page(client, "broadcast-check", row["id"])


def test_lets_members_start(client, alice, bob, bob_device, acme, number):
    add_people(acme, "Ana")
    row = draft(bob_device, number)
    client.force_login(alice)
    assert 'value="0" checked' in page(client, "broadcasts")
    client.post(reverse("who-may-start"), {"members_may_start": "1"})
    assert 'value="1" checked' in page(client, "broadcasts")
    assert Event.objects.get(kind="broadcast_setting.updated").changed == ["members_may_start"]
    client.force_login(bob)
    assert "Every member of your workspace may start broadcasts." in page(client, "broadcasts")
    assert "Send to 1 person" in page(client, "broadcast-check", row["id"])
    client.post(reverse("start-broadcast", args=[row["id"]]))
    assert Broadcast.objects.get().state == "starting"
    client.force_login(alice)
    client.post(reverse("who-may-start"), {"members_may_start": "0"})
    assert not BroadcastSetting.objects.get().members_may_start


def test_members_do_not_decide_who_starts(client, bob, acme):
    client.force_login(bob)
    assert "who-may-start" not in page(client, "broadcasts")
    assert client.post(reverse("who-may-start"), {"members_may_start": "1"}).status_code == 403
    assert not BroadcastSetting.objects.exists()


def test_draws_days_where_there_are_many_hours(clock):
    from datetime import timedelta

    begin = clock()
    hours = [
        {"hour": begin + timedelta(hours=at), "sent": count, "delivered": 0, "read": 0, "replied": 0}
        for at, count in ((0, 4), (1, 2), (80, 3))
    ]
    chart = chart_of(hours, "America/Sao_Paulo")
    assert (chart.by_day, chart.highest, [each.counts["sent"] for each in chart.stretches]) == (True, 6, [6, 0, 0, 3])
    assert chart_of([], "UTC") is None
