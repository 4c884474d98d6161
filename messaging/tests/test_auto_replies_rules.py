"""Rules and hours: what is saved, what is refused and where, and how words, patterns and hours are understood."""

import time
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from accounts import actors
from accounts.models import Event
from crm.models import Chat, ContactTag, Tag
from crm.services.contacts import create_contact, update_contact
from crm.services.tags import create_tag, delete_tag, tag_contact
from messaging.models import AutoReplyDecision, AutoReplyRule, BusinessHours, QueuedMessage
from messaging.services.auto_replies.conditions import compiled_pattern
from messaging.services.auto_replies.hours import Opening
from messaging.services.auto_replies.matching import TextConditions
from messaging.services.auto_replies.rules import update_rule
from messaging.tests.auto_reply_calls import ANY, CHAT, add_rule, answers, receive, said, words
from messaging.tests.calls import problem
from waplus.lib.ids import uuid7
from waplus.lib.text import fold, strip_invisible

RULES = "/api/v1/auto-replies/"
HOURS = "/api/v1/business-hours/"


def rule(**values) -> dict:
    return {"name": "Price", "conditions": ANY, "parts": [{"body": "It is 10."}], "enabled": True} | values


def made(device, **values) -> dict:
    answer = device.client.post(RULES, rule(**values), format="json")
    assert answer.status_code == 201, answer.json()
    return answer.json()


# --- Words and patterns ------------------------------------------------------------------------------------------


def finds(match: str, keyword: str, text: str) -> bool:
    conditions = TextConditions()
    conditions.add_keywords(0, [keyword], match)
    return 0 in conditions.found_in(text)


@pytest.mark.parametrize(
    ("match", "keyword", "text", "expected"),
    [
        ("word", "price", "What's the PRICE?", True),
        ("word", "price", "priceless", False),
        ("word", "preço", "qual o PRECO?", True),
        ("word", "good morning", "oh, Good  Morning to you", True),
        ("word", "good morning", "good evening, morning", False),
        ("word", "營業時間", "請問營業時間是幾點", True),
        ("word", "👍", "ok 👍", True),
        ("exact", "hi", "Hi!", True),
        ("exact", "hi", "hi there", False),
        ("exact", "👍", "👍", True),
        ("contains", "rice", "What's the price?", True),
        ("starts", "order", "Orders 55", True),
        ("starts", "order", "my order", False),
        ("word", "price", "pri\u200bce", True),
    ],
)
def test_finds_keyword(match, keyword, text, expected):
    assert finds(match, keyword, text) is expected


def test_names_first_keyword_that_stands_in_it():
    conditions = TextConditions()
    conditions.add_keywords(0, ["cost", "price", "how much"], "word")
    assert conditions.found_in("how much is the price") == {0: "price"}


def test_reads_evil_pattern_quickly():
    """The same pattern keeps `re` busy for seconds at 28 characters."""
    conditions = TextConditions()
    conditions.add_pattern(0, "(a+)+$")
    started = time.process_time()
    assert conditions.found_in("a" * 4000 + "!") == {}
    assert time.process_time() - started < 1


@given(st.text(max_size=300))
def test_reads_any_text(text):
    conditions = TextConditions()
    conditions.add_keywords(0, ["price", "👍", "ß"], "word")
    conditions.add_keywords(1, ["x"], "exact")
    conditions.add_keywords(2, ["a b"], "starts")
    conditions.add_pattern(3, r"\d{3}")
    assert set(conditions.found_in(text)) <= {0, 1, 2, 3}


@given(st.text(max_size=60))
def test_finds_what_equals_the_keyword(text):
    if fold(strip_invisible(text)):
        for match in ("exact", "contains", "starts"):
            assert finds(match, strip_invisible(text), text)


def test_patterns_ignore_case():
    assert compiled_pattern("order #[0-9]+").search("ORDER #55")


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("pattern", "code"),
    [
        ("a(?=b)", "invalid_pattern"),
        (r"(a)\1", "invalid_pattern"),
        ("(", "invalid_pattern"),
        ("a" * 501, "max_length"),
        ("", "invalid"),
        (7, "invalid"),
    ],
)
def test_refuses_pattern(alice_device, pattern, code):
    answer = alice_device.client.post(RULES, rule(conditions=[{"kind": "pattern", "pattern": pattern}]), format="json")
    assert problem(answer) == (400, "invalid", ("conditions.0.pattern", code))
    if code == "invalid_pattern":
        assert "Look-around such as (?=…) and back references such as \\1 do not exist here." in answer.json()["detail"]
    assert AutoReplyRule.objects.count() == 0


@pytest.mark.django_db
def test_refuses_nul_in_pattern(alice_device):
    body = '{"name": "x", "conditions": [{"kind": "pattern", "pattern": "a\\u0000b"}], "parts": [{"body": "y"}]}'
    answer = alice_device.client.post(RULES, body, content_type="application/json")
    assert answer.status_code == 400
    assert AutoReplyRule.objects.count() == 0


# --- Rules on the API --------------------------------------------------------------------------------------------


@pytest.mark.django_db
def test_makes_rule_once(alice_device, number):
    id = str(uuid7())
    conditions = [{"kind": "keyword", "words": ["  Price ", "PRICE", "cost"], "match": "word"}]
    first = alice_device.client.post(RULES, rule(id=id, conditions=conditions), format="json")
    again = alice_device.client.post(RULES, rule(id=id, name="Other"), format="json")
    assert (first.status_code, again.status_code) == (201, 200)
    assert first.json() == again.json()
    assert first.json()["conditions"] == [{"kind": "keyword", "words": ["Price", "cost"], "match": "word"}]
    assert first.json()["parts"] == [{"body": "It is 10.", "media": None}]
    assert AutoReplyRule.objects.count() == 1


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("values", "field", "code"),
    [
        ({"conditions": []}, "conditions", "required"),
        ({"conditions": [{"kind": "sun"}]}, "conditions.0.kind", "invalid_choice"),
        ({"conditions": [{}]}, "conditions.0.kind", "invalid_choice"),
        ({"conditions": [{"kind": "any", "x": 1}]}, "conditions.0", "unknown_field"),
        ({"conditions": [{"kind": "keyword", "words": [], "match": "word"}]}, "conditions.0.words", "invalid"),
        ({"conditions": [{"kind": "keyword", "words": ["a"]}]}, "conditions.0.match", "required"),
        ({"conditions": [{"kind": "first_message", "days": 0}]}, "conditions.0.days", "invalid"),
        ({"conditions": [{"kind": "last_outbound", "hours": True}]}, "conditions.0.hours", "invalid"),
        ({"conditions": [{"kind": "contact", "filter": {}}]}, "conditions.0.filter", "required"),
        ({"conditions": [{"kind": "contact", "filter": {"owner": "me"}}]}, "conditions.0.filter", "invalid"),
        (
            {"conditions": [{"kind": "contact", "filter": {"tag": {"any": [str(uuid7())]}}}]},
            "conditions.0.filter.tag.any.0",
            "does_not_exist",
        ),
        ({"conditions": ANY * 11}, "conditions", "max_length"),
        ({"parts": [{"body": "Hello {{nobody}}"}]}, "parts.0.body", "unknown_variable"),
        ({"parts": []}, "parts", "required"),
        ({"actions": [{"kind": "tag", "tag": "x"}]}, "actions.0.tag", "invalid"),
        ({"actions": [{"kind": "fly"}]}, "actions.0.kind", "invalid_choice"),
        ({"chat_kinds": []}, "chat_kinds", "invalid_choice"),
        ({"name": " "}, "name", "blank"),
    ],
)
def test_refuses_rule(alice_device, values, field, code):
    answer = alice_device.client.post(RULES, rule(**values), format="json")
    assert problem(answer) == (400, "invalid", (field, code))
    assert AutoReplyRule.objects.count() == 0


@pytest.mark.django_db
def test_knows_nothing_of_other_workspace(alice_device, other, foreign_number, charlie):
    tag, _ = create_tag(workspace=other, actor=actors.person(charlie), name="Theirs")
    hours = BusinessHours.objects.create(workspace=other, name="Theirs", time_zone="UTC")
    for values in (
        {"conditions": [{"kind": "hours", "hours": str(hours.pk), "is": "inside"}]},
        {"actions": [{"kind": "tag", "tag": str(tag.pk)}]},
        {"actions": [{"kind": "assign", "member": str(charlie.pk)}]},
        {"whatsapp_accounts": [str(foreign_number.pk)]},
    ):
        answer = alice_device.client.post(RULES, rule(**values), format="json")
        assert answer.json()["errors"][0]["code"] == "does_not_exist"
    assert AutoReplyRule.objects.count() == 0


@pytest.mark.django_db
def test_lets_only_admins_change_rules(alice_device, bob_device):
    found = made(alice_device)
    path = f"{RULES}{found['id']}/"
    assert bob_device.client.get(RULES).json()["results"] == [found]
    for answer in (
        bob_device.client.post(RULES, rule(), format="json"),
        bob_device.client.patch(path, {"enabled": False}, format="json"),
        bob_device.client.delete(path),
        bob_device.client.put(f"{RULES}order/", {"ids": [found["id"]]}, format="json"),
        bob_device.client.patch(f"{RULES}setting/", {"silence_minutes": 0}, format="json"),
    ):
        assert problem(answer) == (403, "forbidden")
    assert alice_device.client.get(path).json() == found


@pytest.mark.django_db
def test_goes_by_changed_rule_at_once(alice_device, acme, number, clock):
    found = made(alice_device, cool_down_minutes=0, delay_seconds=0)
    receive(number, "a")
    path = f"{RULES}{found['id']}/"
    assert alice_device.client.patch(path, {"parts": [{"body": "It is 12."}]}, format="json").status_code == 200
    clock.advance(60)
    receive(number, "b")
    assert alice_device.client.patch(path, {"enabled": False}, format="json").json()["enabled"] is False
    clock.advance(60)
    receive(number, "c")
    assert answers() == ["It is 10.", "It is 12."]


@pytest.mark.django_db
def test_refuses_change_of_older_state(alice_device):
    found = made(alice_device)
    path = f"{RULES}{found['id']}/"
    tag = alice_device.client.get(path)["ETag"]
    assert alice_device.client.patch(path, {"name": "New"}, format="json", HTTP_IF_MATCH=tag).status_code == 200
    refused = alice_device.client.patch(path, {"name": "Newer"}, format="json", HTTP_IF_MATCH=tag)
    assert problem(refused) == (412, "precondition_failed")


@pytest.mark.django_db
def test_tries_rules_in_order_and_stops(alice_device, acme, number, clock):
    first = made(alice_device, name="First", parts=[{"body": "one"}], cool_down_minutes=0)
    second = made(alice_device, name="Second", parts=[{"body": "two"}], cool_down_minutes=0)
    decision = receive(number, "a")
    assert [told["why"] for told in decision.rules] == ["fits", "stopped"]
    answer = alice_device.client.put(f"{RULES}order/", {"ids": [second["id"]]}, format="json")
    assert [row["name"] for row in answer.json()["results"]] == ["Second", "First"]
    clock.advance(60)
    receive(number, "b")
    alice_device.client.patch(f"{RULES}{second['id']}/", {"stop_after_match": False}, format="json")
    clock.advance(60)
    receive(number, "c")
    assert answers() == ["one", "two", "two", "one"]
    assert first["position"] == 0


@pytest.mark.django_db
def test_lists_decisions(alice_device, charlie_device, acme, number, clock):
    one = add_rule(acme, conditions=words("price"), says="10")
    receive(number, "the price?")
    clock.advance(60)
    receive(number, "hm", chat_jid="5511987650000@c.us")
    listed = alice_device.client.get(f"{RULES}decisions/").json()["results"]
    assert [row["sentence"] for row in listed] == ["Did not answer: no rule fits.", "Answered."]
    assert listed[1]["rules"] == [
        {"rule": str(one.pk), "why": "fits", "sentence": "Fits (“price” stands in it).", "failed": []}
    ]
    assert listed[0]["others"] == ["1 rule looks for words that are not in the message."]
    for query, expected in (
        ({"verdict": "answered"}, 1),
        ({"rule": str(one.pk)}, 1),
        ({"chat_jid": CHAT}, 1),
        ({"rule": str(uuid7())}, 0),
        ({"whatsapp_account": str(number.pk)}, 2),
    ):
        assert len(alice_device.client.get(f"{RULES}decisions/", query).json()["results"]) == expected
    assert problem(alice_device.client.get(f"{RULES}decisions/", {"verdict": "x"}))[0] == 400
    assert charlie_device.client.get(f"{RULES}decisions/").json()["results"] == []


@pytest.mark.django_db
def test_takes_over_on_the_api(bob_device, charlie_device, acme, number):
    add_rule(acme)
    payload = {"whatsapp_account": str(number.pk), "chat_jid": "5511987654321@s.whatsapp.net"}
    answer = bob_device.client.post(f"{RULES}chats/take-over/", payload, format="json")
    assert (answer.status_code, answer.json()["chat_jid"], answer.json()["taken_over"]) == (200, CHAT, True)
    assert said(receive(number)) == "Did not answer: a member has taken the chat over."
    assert len(bob_device.client.get(f"{RULES}chats/").json()["results"]) == 1
    assert charlie_device.client.post(f"{RULES}chats/give-back/", payload, format="json").status_code == 400
    bob_device.client.post(f"{RULES}chats/give-back/", payload, format="json")
    assert said(receive(number)) == "Answered."
    assert bob_device.client.get(f"{RULES}chats/").json()["results"] == []


# --- What conditions mean ----------------------------------------------------------------------------------------


@pytest.fixture
def ana(acme, alice):
    contact, _ = create_contact(
        workspace=acme,
        actor=actors.person(alice),
        source="manual",
        name="Ana Silva",
        identities=[{"kind": "phone", "value": "+5511987654321"}],
    )
    return contact


@pytest.mark.django_db
def test_asks_for_tags_of_contact(acme, alice, number, ana, clock):
    tag, _ = create_tag(workspace=acme, actor=actors.person(alice), name="VIP")
    wears = {"tag": {"any": [str(tag.pk)]}}
    add_rule(acme, says="vip", conditions=[{"kind": "contact", "filter": wears}])
    add_rule(acme, says="not vip", conditions=[{"kind": "contact", "filter": {"not": wears}}])
    receive(number, "a", contact_id=ana.pk)
    receive(number, "a", chat_jid="5511987650000@c.us")
    tag_contact(workspace=acme, contact_id=ana.pk, tag_id=tag.pk, actor=actors.person(alice))
    clock.advance(60)
    decision = receive(number, "b", contact_id=ana.pk)
    assert sorted(answers()) == ["not vip", "not vip", "vip"]
    assert [told["why"] for told in decision.rules] == ["fits", "stopped"]


@pytest.mark.django_db
def test_answers_first_message_only(acme, number, clock):
    add_rule(acme, conditions=[{"kind": "first_message"}])
    assert said(receive(number, "a")) == "Answered."
    clock.advance(3600 * 24 * 400)
    decision = receive(number, "b")
    assert said(decision) == "Did not answer: no rule fits."
    assert decision.rules[0]["why"] == "first_message"


@pytest.mark.django_db
def test_answers_first_message_in_days(acme, number, clock):
    add_rule(acme, conditions=[{"kind": "first_message", "days": 7}])
    found = []
    for days in (0, 6, 6, 7):
        clock.advance(days * 24 * 3600)
        found.append(said(receive(number, "a")) == "Answered.")
    assert found == [True, False, False, True]


@pytest.mark.django_db
def test_takes_known_chat_for_no_new_one(acme, number, clock):
    chat = Chat.objects.create(
        workspace=acme,
        whatsapp_account=number,
        jid=CHAT,
        kind="person",
        search_text="",
        last_inbound_at=clock.now - timedelta(days=3),
        last_outbound_at=clock.now - timedelta(days=3),
    )
    add_rule(acme, says="first", conditions=[{"kind": "first_message"}])
    add_rule(acme, says="in two days", conditions=[{"kind": "first_message", "days": 2}], stop_after_match=False)
    add_rule(acme, says="quiet for four", conditions=[{"kind": "last_outbound", "hours": 96}])
    add_rule(acme, says="quiet for two", conditions=[{"kind": "last_outbound", "hours": 48}])
    receive(number, "a", chat_id=chat.pk)
    assert answers() == ["in two days", "quiet for two"]


# --- What rules do -----------------------------------------------------------------------------------------------


@pytest.mark.django_db
def test_does_what_rule_says_once(acme, alice, bob, number, ana):
    tag, _ = create_tag(workspace=acme, actor=actors.person(alice), name="Lead")
    rule = add_rule(
        acme,
        says="Hello {{first_name}}, {{sender.name}} here",
        actions=[
            {"kind": "tag", "tag": str(tag.pk)},
            {"kind": "assign", "member": str(bob.pk), "only_if_unowned": True},
            {"kind": "remind", "text": "Call back", "minutes": 60},
            {"kind": "webhook"},
        ],
    )
    decision = receive(number, contact_id=ana.pk, message_id="ONE")
    receive(number, contact_id=ana.pk, message_id="ONE")
    ana.refresh_from_db()
    assert answers() == ["Hello Ana, Alice here"]
    assert ana.owner == bob
    assert list(ContactTag.objects.filter(contact=ana).values_list("tag", flat=True)) == [tag.pk]
    reminder = ana.reminders.get()
    assert (reminder.text, reminder.assignee) == ("Call back", bob)
    kinds = list(Event.objects.filter(object_id=decision.pk).order_by("id").values_list("kind", "changed"))
    assert kinds == [("auto_reply.triggered", [f"rules.{rule.pk}"]), ("auto_reply.answered", [])]


@pytest.mark.django_db
def test_tells_what_could_not_be_done(acme, alice, number):
    tag, _ = create_tag(workspace=acme, actor=actors.person(alice), name="Lead")
    rule = add_rule(acme, says="", actions=[{"kind": "tag", "tag": str(tag.pk)}])
    decision = receive(number)
    assert (decision.verdict, said(decision)) == ("failed", "A rule fits, and nothing of it could be done.")
    assert decision.rules == [{"rule": str(rule.pk), "why": "fits", "failed": [{"action": "tag", "code": "invalid"}]}]
    delete_tag(workspace=acme, tag_id=tag.pk, actor=actors.person(alice))
    assert Tag.objects.count() == 0
    assert receive(number).verdict == "failed"


@pytest.mark.django_db
def test_sends_late_answer_to_nobody(acme, number, clock):
    """The answer's own end is ten minutes behind its beginning."""
    add_rule(acme, delay_seconds=30)
    receive(number)
    queued = QueuedMessage.objects.get()
    assert queued.expires_at - queued.due_at == timedelta(minutes=10)


# --- Hours -------------------------------------------------------------------------------------------------------


def opening(zone: str, intervals, holidays=()) -> Opening:
    return Opening.of(
        BusinessHours(
            name="Office",
            time_zone=zone,
            intervals=[{"day": day, "from": start, "to": end} for day, start, end in intervals],
            holidays=list(holidays),
        )
    )


@pytest.mark.parametrize(
    ("zone", "span", "moment", "expected"),
    [
        # Berlin, 29 March 2026: 02:00 becomes 03:00.
        ("Europe/Berlin", (7, "02:00", "03:00"), "2026-03-29T00:59:59", False),
        ("Europe/Berlin", (7, "02:00", "03:00"), "2026-03-29T01:00:00", False),
        ("Europe/Berlin", (7, "03:00", "04:00"), "2026-03-29T01:00:00", True),
        ("Europe/Berlin", (7, "01:00", "04:00"), "2026-03-29T00:59:59", True),
        # Berlin, 25 October 2026: 02:00 to 03:00 comes twice.
        ("Europe/Berlin", (7, "02:00", "03:00"), "2026-10-25T00:30:00", True),
        ("Europe/Berlin", (7, "02:00", "03:00"), "2026-10-25T01:30:00", True),
        ("Europe/Berlin", (7, "02:00", "03:00"), "2026-10-25T02:00:00", False),
        # New York, 8 March 2026.
        ("America/New_York", (7, "02:00", "03:00"), "2026-03-08T07:00:00", False),
        ("America/New_York", (7, "03:00", "03:30"), "2026-03-08T07:00:00", True),
        # Lord Howe moves by half an hour: 4 October 2026, 02:00 becomes 02:30.
        ("Australia/Lord_Howe", (7, "02:00", "02:30"), "2026-10-03T15:30:00", False),
        ("Australia/Lord_Howe", (7, "02:30", "03:00"), "2026-10-03T15:30:00", True),
        # Kathmandu is three quarters of an hour off, and the weekday is the local one.
        ("Asia/Kathmandu", (1, "00:00", "00:30"), "2026-05-31T18:15:00", True),
        ("America/Sao_Paulo", (7, "23:00", "24:00"), "2026-06-01T02:59:59", True),
        ("America/Sao_Paulo", (7, "23:00", "24:00"), "2026-06-01T03:00:00", False),
        ("UTC", (1, "09:00", "17:00"), "2026-06-01T09:00:00", True),
        ("UTC", (1, "09:00", "17:00"), "2026-06-01T17:00:00", False),
    ],
)
def test_reads_hours_by_the_wall_clock(zone, span, moment, expected):
    assert opening(zone, [span]).is_open(datetime.fromisoformat(moment).replace(tzinfo=UTC)) is expected


@pytest.mark.parametrize(
    ("holiday", "hour", "expected"),
    [
        ({"date": "2026-06-01"}, 10, False),
        ({"date": "2026-06-02"}, 10, True),
        ({"date": "2026-06-01", "from": "12:00", "to": "24:00"}, 11, True),
        ({"date": "2026-06-01", "from": "12:00", "to": "24:00"}, 12, False),
    ],
)
def test_keeps_holidays(holiday, hour, expected):
    hours = opening("America/Sao_Paulo", [(1, "09:00", "17:00")], [{"name": "Day", **holiday}])
    assert hours.is_open(datetime(2026, 6, 1, hour + 3, tzinfo=UTC)) is expected


@pytest.mark.django_db
def test_answers_outside_of_hours(alice_device, acme, number, clock):
    found = alice_device.client.post(
        HOURS,
        {"name": "Office", "time_zone": "UTC", "intervals": [{"day": 1, "from": "13:00", "to": "17:00"}]},
        format="json",
    ).json()
    add_rule(acme, says="closed", conditions=[{"kind": "hours", "hours": found["id"], "is": "outside"}])
    assert said(receive(number, "a")) == "Answered."
    clock.advance(3600)
    decision = receive(number, "b")
    assert decision.rules[0] | {"rule": 0} == {"rule": 0, "why": "inside", "name": "Office"}
    holidays = {"holidays": [{"date": "2026-06-01", "name": "Whit Monday"}]}
    assert alice_device.client.patch(f"{HOURS}{found['id']}/", holidays, format="json").status_code == 200
    clock.advance(60)
    assert said(receive(number, "c")) == "Answered."
    assert problem(alice_device.client.delete(f"{HOURS}{found['id']}/")) == (409, "in_use")
    assert BusinessHours.objects.count() == 1


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("values", "field"),
    [
        ({"intervals": [{"day": 0, "from": "09:00", "to": "10:00"}]}, "intervals.0.day"),
        ({"intervals": [{"day": 1, "from": "9", "to": "10:00"}]}, "intervals.0.from"),
        ({"intervals": [{"day": 1, "from": "10:00", "to": "10:00"}]}, "intervals.0.to"),
        ({"intervals": [{"day": 1, "from": "10:00", "to": "24:01"}]}, "intervals.0.to"),
        (
            {"intervals": [{"day": 1, "from": "09:00", "to": "12:00"}, {"day": 1, "from": "11:00", "to": "13:00"}]},
            "intervals",
        ),
        ({"holidays": [{"date": "2026-02-30"}]}, "holidays.0.date"),
        ({"holidays": [{"date": "2026-02-03", "from": "09:00"}]}, "holidays.0.to"),
        ({"time_zone": "Mars/Base"}, "time_zone"),
    ],
)
def test_refuses_hours(alice_device, values, field):
    answer = alice_device.client.post(HOURS, {"name": "Office", "time_zone": "UTC"} | values, format="json")
    assert (answer.status_code, answer.json()["errors"][0]["field"]) == (400, field)
    assert BusinessHours.objects.count() == 0


@pytest.mark.django_db
def test_changes_owner_for_variables(acme, alice, bob, number, ana):
    update_contact(workspace=acme, contact_id=ana.pk, actor=actors.person(alice), owner=bob.pk)
    rule = add_rule(acme, says="{{sender.name}}")
    receive(number, contact_id=ana.pk)
    assert answers() == ["Bob"]
    update_rule(workspace=acme, rule_id=rule.pk, actor=actors.person(alice), name="Other")
    assert AutoReplyDecision.objects.count() == 1
