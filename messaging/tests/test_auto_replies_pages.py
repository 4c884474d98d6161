"""The pages of automatic replies: made with one click, changed in the form, read in sentences."""

import re

import pytest
from django.test import Client

from accounts import actors
from accounts.models import Event
from crm.services.tags import create_tag
from messaging.models import AutoReplyRule, AutoReplySetting, BusinessHours, MediaFile
from messaging.services.contents import parts_of
from messaging.tests.auto_reply_calls import add_rule, answers, receive, words, write
from messaging.tests.files import pdf
from messaging.tests.test_pages_message_parts import upload

pytestmark = pytest.mark.django_db
PAGES = "/messages/auto-replies/"


@pytest.fixture
def browser(alice, acme) -> Client:
    client = Client()
    client.force_login(alice, backend="allauth.account.auth_backends.AuthenticationBackend")
    return client


@pytest.fixture
def bobs_browser(bob, acme) -> Client:
    client = Client()
    client.force_login(bob, backend="allauth.account.auth_backends.AuthenticationBackend")
    return client


def text(answer) -> str:
    assert answer.status_code == 200
    return answer.content.decode()


def test_suggests_two_rules_switched_off(browser, acme):
    assert "Answer out of hours" in text(browser.get(PAGES))
    for suggestion in ("out_of_hours", "greeting"):
        browser.post(f"{PAGES}suggested/", {"suggestion": suggestion})
    names = list(AutoReplyRule.objects.order_by("position").values_list("name", "enabled"))
    assert names == [("Out of hours", False), ("First greeting", False)]
    assert BusinessHours.objects.get().intervals[0] == {"day": 1, "from": "09:00", "to": "18:00"}
    assert "First greeting" in text(browser.get(PAGES))


def test_makes_rule_in_form(browser, acme, alice, number):
    tag, _ = create_tag(workspace=acme, actor=actors.person(alice), name="Lead")
    sent = {
        "name": "Price",
        "c0-kind": "keyword",
        "c0-words": "price, how much",
        "c0-match": "word",
        "c1-kind": "tag",
        "c1-op": "lacks",
        "c1-tag": str(tag.pk),
        "a0-kind": "tag",
        "a0-tag": str(tag.pk),
        "body": "It is 10.",
        "media": "",
        "kinds": "person",
        "stop": "on",
        "cool_down": "30",
        "delay": "0",
    }
    added = text(browser.post(f"{PAGES}new/", sent | {"do": "add-condition", "new_condition": "first_message"}))
    assert 'name="c2-kind" value="first_message"' in added
    assert AutoReplyRule.objects.count() == 0
    assert browser.post(f"{PAGES}new/", sent | {"do": "save"}).status_code == 302
    rule = AutoReplyRule.objects.get()
    assert rule.conditions == [
        {"kind": "keyword", "words": ["price", "how much"], "match": "word"},
        {"kind": "contact", "filter": {"not": {"tag": {"any": [str(tag.pk)]}}}},
    ]
    assert rule.actions == [{"kind": "tag", "tag": str(tag.pk)}]
    shown = text(browser.get(f"{PAGES}{rule.pk}/"))
    assert 'value="price, how much"' in shown
    assert '<option value="lacks" selected>' in shown
    browser.post(f"{PAGES}{rule.pk}/switch/", {"on": "1"})
    receive(number, "How much?")
    assert answers() == ["It is 10."]


RULE = {"name": "X", "c0-kind": "any", "kinds": "person", "cool_down": "1", "delay": "0"}


def said(rule) -> list[tuple]:
    return [(part.body, part.media and part.media.name) for part in parts_of(rule)]


def test_answers_with_files_from_computer(browser, acme):
    sent = RULE | {"body": ["Hello", "", ""], "media": ["", "", ""]}
    kept = browser.post(f"{PAGES}new/", sent | {"do": "add-condition", "file-1": upload(pdf(), "menu.pdf")})
    menu = MediaFile.objects.get()
    assert [part.media for part in kept.context["parts"].parts] == [None, menu, None]
    added = browser.post(f"{PAGES}new/", sent | {"do": "add-part"})
    assert (len(added.context["parts"].parts), AutoReplyRule.objects.count()) == (4, 0)
    browser.post(f"{PAGES}new/", sent | {"media": ["", str(menu.pk), ""], "file-0": upload(pdf(b"x"), "letter.pdf")})
    rule = AutoReplyRule.objects.get()
    assert said(rule) == [("Hello", "letter.pdf"), ("", "menu.pdf")]
    shown = browser.get(f"{PAGES}{rule.pk}/")
    assert [part.media.name for part in shown.context["parts"].parts] == ["letter.pdf", "menu.pdf"]
    assert browser.post(f"{PAGES}{rule.pk}/", RULE | {"body": ["Bye"], "media": [""]}).status_code == 302
    assert said(rule) == [("Bye", None)]
    acts = {"a0-kind": "webhook", "body": "", "media": ""}
    assert browser.post(f"{PAGES}{rule.pk}/", RULE | acts).status_code == 302
    assert said(rule) == []


@pytest.mark.parametrize(
    ("body", "file", "sentence"),
    [
        ("Hi {{nme}}", None, "is not known here"),
        ("Hello", b"MZ" + bytes(300), "program"),
    ],
)
def test_refuses_answer_where_it_is_written(browser, acme, body, file, sentence):
    files = {"file-0": upload(file, "letter.pdf")} if file else {}
    shown = text(browser.post(f"{PAGES}new/", RULE | {"body": body, "media": ""} | files))
    assert sentence in re.search(r'id="wrong-0"><li>([^<]+)', shown)[1]
    assert (AutoReplyRule.objects.count(), MediaFile.objects.count()) == (0, 0)


def test_refuses_rule_that_does_nothing(browser, acme):
    shown = text(browser.post(f"{PAGES}new/", RULE | {"body": " ", "media": ""}))
    assert "A rule answers with something, or does something." in shown
    assert AutoReplyRule.objects.count() == 0


def test_tells_what_is_wrong_in_form(browser, acme):
    sent = {"name": "X", "c0-kind": "pattern", "c0-pattern": "(?=a)", "body": "y", "media": "", "kinds": "person"}
    shown = text(browser.post(f"{PAGES}new/", sent | {"cool_down": "a", "delay": "0"}))
    assert "Rest in a chat: a whole number from 0 to 43200." in shown
    shown = text(browser.post(f"{PAGES}new/", sent | {"cool_down": "1", "delay": "0"}))
    assert "Look-around such as" in shown
    assert AutoReplyRule.objects.count() == 0


def test_reads_numbers_of_form(browser, acme):
    conditions = {"c0-kind": "first_message", "c0-days": "0030", "a0-kind": "remind", "a0-text": "Call"}
    sent = RULE | conditions | {"body": "Hi", "media": ""}
    for changed, sentence in (
        ({"cool_down": "43201"}, "Rest in a chat: a whole number from 0 to 43200."),
        ({"delay": "9" * 5_000}, "Wait before answering: a whole number from 0 to 300."),
        ({"c0-days": "1.5"}, "This has to be a whole number from"),
        ({"a0-minutes": "٢"}, "This has to be a whole number from"),
    ):
        assert sentence in text(browser.post(f"{PAGES}new/", sent | {"a0-minutes": "60"} | changed))
    assert AutoReplyRule.objects.count() == 0
    right = {"a0-minutes": " 0000060 ", "cool_down": "0000043200", "delay": "00"}
    assert browser.post(f"{PAGES}new/", sent | right).status_code == 302
    rule = AutoReplyRule.objects.get()
    assert (rule.conditions, rule.actions) == (
        [{"kind": "first_message", "days": 30}],
        [{"kind": "remind", "text": "Call", "minutes": 60}],
    )
    assert (rule.cool_down_minutes, rule.delay_seconds) == (43_200, 0)


@pytest.mark.parametrize("place", ["1", "", "-1", "²", "9" * 5_000])
def test_takes_no_row_away_that_is_not_there(browser, acme, place):
    sent = {"name": "X", "c0-kind": "any", "body": ["a"], "media": [""], "kinds": "person"}
    shown = text(browser.post(f"{PAGES}new/", sent | {"do": f"drop-condition:{place}"}))
    assert 'name="c0-kind" value="any"' in shown


def test_shows_reasons(browser, acme, number):
    rule = add_rule(acme, conditions=words("price"), name="Price list")
    write(number)
    receive(number, "the price?")
    shown = text(browser.get(f"{PAGES}decisions/"))
    assert "Did not answer: a member wrote less than a minute ago." in shown
    assert "Would have answered (“price” stands in it)." in shown
    assert "Price list" in shown
    assert "Nothing was decided yet" in text(browser.get(f"{PAGES}decisions/?rule={rule.pk}"))


def test_tries_rules(browser, acme):
    rule = add_rule(acme, conditions=words("price"), enabled=False)
    shown = text(browser.post(f"{PAGES}try/", {"rule": str(rule.pk), "span": "7", "samples": "Price?\nhello"}))
    assert "Answered." in shown
    assert "Did not answer: no rule fits." in shown


def test_keeps_hours(browser, acme):
    sent = {
        "name": "Office",
        "time_zone": "Europe/Berlin",
        "day1": "9-12:30, 14:00–18",
        "holiday_date": ["2026-12-24", ""],
        "holiday_name": ["Eve", ""],
        "holiday_from": ["12:00", ""],
        "holiday_to": ["", ""],
    }
    assert browser.post(f"{PAGES}hours/", sent).status_code == 302
    hours = BusinessHours.objects.get()
    assert hours.intervals == [
        {"day": 1, "from": "09:00", "to": "12:30"},
        {"day": 1, "from": "14:00", "to": "18:00"},
    ]
    assert hours.holidays == [{"date": "2026-12-24", "name": "Eve", "from": "12:00", "to": "24:00"}]
    shown = text(browser.post(f"{PAGES}hours/{hours.pk}/", sent | {"day1": "25:00-26:00"}))
    assert "Write a time like 09:00" in shown
    assert "09:00–12:30, 14:00–18:00" in text(browser.get(f"{PAGES}hours/"))
    browser.post(f"{PAGES}hours/{hours.pk}/delete/")
    assert BusinessHours.objects.count() == 0


CAUTION = {
    "silence_minutes": "0",
    "chat_per_hour": "2",
    "number_per_hour": "30",
    "loop_exchanges": "5",
    "loop_minutes": "15",
}


def test_changes_how_cautious_rules_are(browser, acme, number):
    assert f'href="{PAGES}caution/"' in text(browser.get(PAGES))
    shown = text(browser.get(f"{PAGES}caution/"))
    for value, default in (("30", "30"), ("10", "10"), ("60", "60"), ("8", "8")):
        assert f'value="{value}"' in shown and f"Default: {default}." in shown
    assert browser.post(f"{PAGES}caution/", CAUTION).status_code == 302
    setting = AutoReplySetting.objects.get()
    assert {name: str(getattr(setting, name)) for name in CAUTION} == CAUTION
    assert Event.objects.get(kind="auto_reply_setting.updated").changed == sorted(CAUTION)
    assert "Default: 30." in text(browser.get(f"{PAGES}caution/"))
    assert "silent in that chat for 0 minutes. At most 2 answers" in text(browser.get(PAGES))
    add_rule(acme, conditions=[{"kind": "any"}], cool_down_minutes=0)
    for _turn in range(3):
        receive(number, "the price?")
    assert len(answers()) == 2


@pytest.mark.parametrize(
    ("name", "value", "sentence"),
    [
        ("silence_minutes", "1441", "less than or equal to 1440"),
        ("silence_minutes", "-1", "greater than or equal to 0"),
        ("chat_per_hour", "0", "greater than or equal to 1"),
        ("number_per_hour", "1001", "less than or equal to 1000"),
        ("loop_exchanges", "1", "greater than or equal to 2"),
        ("loop_minutes", "9" * 5_000, "Enter a whole number"),
        ("loop_minutes", "", "This field is required"),
    ],
)
def test_refuses_caution_out_of_bounds(browser, acme, name, value, sentence):
    shown = text(browser.post(f"{PAGES}caution/", CAUTION | {name: value}))
    assert sentence in shown and shown.count("errorlist") == 1
    assert AutoReplySetting.objects.count() == 0


def test_shows_members_how_cautious_rules_are(bobs_browser, acme):
    shown = text(bobs_browser.get(f"{PAGES}caution/"))
    assert "The owner or an admin of your workspace can change these limits." in shown
    assert "Answers an hour in one chat:</span> <strong>10</strong>" in shown
    assert 'name="silence_minutes"' not in shown
    assert bobs_browser.post(f"{PAGES}caution/", CAUTION).status_code == 403
    assert AutoReplySetting.objects.count() == 0


def test_lets_members_look_only(bobs_browser, acme):
    rule = add_rule(acme)
    assert "Switch off" not in text(bobs_browser.get(PAGES))
    for path in ("new/", f"{rule.pk}/"):
        assert bobs_browser.get(PAGES + path).status_code == 403
    for path in (f"{rule.pk}/switch/", f"{rule.pk}/delete/", f"{rule.pk}/up/", "suggested/"):
        assert bobs_browser.post(PAGES + path).status_code == 403
    bobs_browser.post(f"{PAGES}hours/", {"name": "x", "time_zone": "UTC"})
    assert BusinessHours.objects.count() == 0
    assert AutoReplyRule.objects.get().enabled
