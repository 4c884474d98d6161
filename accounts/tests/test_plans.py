"""Limits of plans: they hold when many race for the last place, and what is counted can be counted again."""

from datetime import UTC, datetime

import pytest
from django.apps import apps
from django.db import transaction
from django.utils import timezone

from accounts import actors
from accounts.models import Event, Plan, Resource, Usage, Workspace
from accounts.services import plans
from accounts.tasks import recount_usage
from accounts.tests.together import assert_refused, at_once
from conftest import make_device
from waplus.lib.errors import Refused

Contact = apps.get_model("crm.Contact")
pytestmark = pytest.mark.django_db
really_at_once = pytest.mark.django_db(transaction=True)


def limit(**limits) -> None:
    Plan.objects.filter(code="team").update(**limits)


def used(workspace, resource=Resource.CONTACTS) -> int:
    return plans.used_of(workspace=workspace, resource=resource)


def reserve_refused(workspace, amount: int = 1, resource=Resource.CONTACTS) -> Refused:
    with pytest.raises(Refused) as refusal:
        plans.reserve(workspace=workspace, resource=resource, amount=amount)
    assert refusal.value.code == "plan_limit_reached"
    return refusal.value


def test_reserves_up_to_limit_and_not_beyond(acme):
    limit(max_contacts=3)
    for _ in range(3):
        plans.reserve(workspace=acme, resource=Resource.CONTACTS)
    refusal = reserve_refused(acme)
    assert refusal.extra == {"resource": "contacts", "limit": 3, "used": 3}
    assert refusal.detail == "The plan “Team” allows 3 × contacts; 3 are in use."
    assert used(acme) == 3


def test_reserves_many_or_none(acme):
    limit(max_contacts=1000)
    plans.reserve(workspace=acme, resource=Resource.CONTACTS, amount=998)
    refusal = reserve_refused(acme, 3)
    assert refusal.detail == "The plan “Team” allows 1,000 × contacts; 998 are in use, and this needs 3 more."
    assert used(acme) == 998
    plans.reserve(workspace=acme, resource=Resource.CONTACTS, amount=2)
    plans.reserve(workspace=acme, resource=Resource.CONTACTS, amount=0)
    assert used(acme) == 1000


def test_first_reservation_respects_limit(acme):
    limit(max_contacts=2)
    reserve_refused(acme, 3)
    assert not Usage.objects.filter(workspace=acme, resource="contacts").exists()
    limit(max_contacts=0)
    reserve_refused(acme)


def test_releases_what_was_reserved_and_never_below_nothing(acme):
    plans.reserve(workspace=acme, resource=Resource.CONTACTS, amount=3)
    plans.release(workspace=acme, resource=Resource.CONTACTS)
    assert used(acme) == 2
    plans.release(workspace=acme, resource=Resource.CONTACTS, amount=5)
    assert used(acme) == 0
    plans.release(workspace=acme, resource=Resource.SCHEDULED_MESSAGES)
    assert used(acme, Resource.SCHEDULED_MESSAGES) == 0


def test_rollback_gives_place_back(acme):
    with pytest.raises(ZeroDivisionError), transaction.atomic():
        plans.reserve(workspace=acme, resource=Resource.CONTACTS, amount=7)
        assert used(acme) == 7
        raise ZeroDivisionError
    assert used(acme) == 0


def test_workspaces_and_resources_count_apart(acme, other):
    plans.reserve(workspace=acme, resource=Resource.CONTACTS, amount=2)
    plans.reserve(workspace=acme, resource=Resource.AI_CREDITS, amount=3)
    assert (used(acme), used(acme, Resource.AI_CREDITS), used(other), used(other, Resource.AI_CREDITS)) == (2, 3, 0, 0)


@really_at_once
def test_twenty_who_race_for_five_places_get_five(acme):
    limit(max_contacts=5)
    answers = at_once(*[lambda: plans.reserve(workspace=acme, resource=Resource.CONTACTS)] * 20)
    assert answers.count(None) == 5
    assert [answer.code for answer in answers if answer is not None] == ["plan_limit_reached"] * 15
    assert used(acme) == 5
    assert Usage.objects.filter(workspace=acme, resource="contacts").count() == 1


@really_at_once
def test_contacts_created_at_once_stop_at_limit(alice_device, acme):
    limit(max_contacts=4)
    client = alice_device.client
    answers = at_once(*[lambda n=n: client.post("/api/v1/contacts/", {"name": f"Contact {n}"}) for n in range(10)])
    assert sorted(answer.status_code for answer in answers) == [201] * 4 + [403] * 6
    assert Contact.objects.count() == used(acme) == 4
    assert Event.objects.filter(kind="contact.created").count() == 4


@really_at_once
def test_recount_loses_no_reservation_that_comes_meanwhile(alice_device, acme):
    Usage.objects.update_or_create(workspace=acme, resource="contacts", period=None, defaults={"used": 900})
    client = alice_device.client
    at_once(
        *[lambda n=n: client.post("/api/v1/contacts/", {"name": f"Contact {n}"}) for n in range(6)],
        *[lambda: plans.recount(acme)] * 3,
    )
    plans.recount(acme)
    assert used(acme) == Contact.objects.count() == 6


def test_recount_repairs_drift(alice_device, acme, caplog):
    alice_device.client.post("/api/v1/contacts/", {"name": "One"})
    Usage.objects.filter(workspace=acme, resource="contacts").update(used=41)
    Usage.objects.filter(workspace=acme, resource="members").delete()
    assert plans.recount(acme) == {"contacts": (41, 1), "members": (0, 2)}
    assert (used(acme), used(acme, Resource.MEMBERS)) == (1, 2)
    assert plans.recount(acme) == {}
    assert "usage of contacts" in caplog.text


def test_sweep_recounts_every_workspace(acme, other):
    Usage.objects.update(used=77)
    recount_usage()
    assert (used(acme, Resource.MEMBERS), used(other, Resource.MEMBERS)) == (2, 1)


def test_months_are_counted_apart(acme, monkeypatch):
    limit(max_ai_credits=10)

    def at(*moment):
        monkeypatch.setattr(timezone, "now", lambda: datetime(*moment, tzinfo=UTC))

    at(2026, 1, 31, 23, 59)
    plans.reserve(workspace=acme, resource=Resource.AI_CREDITS, amount=10)
    reserve_refused(acme, resource=Resource.AI_CREDITS)
    at(2026, 2, 1, 0, 0)
    assert used(acme, Resource.AI_CREDITS) == 0
    plans.reserve(workspace=acme, resource=Resource.AI_CREDITS, amount=4)
    assert used(acme, Resource.AI_CREDITS) == 4
    rows = Usage.objects.filter(workspace=acme, resource="ai_credits").order_by("period")
    assert [(str(row.period), row.used) for row in rows] == [("2026-01-01", 10), ("2026-02-01", 4)]


def test_refusal_says_what_and_how_far(alice_device):
    limit(max_contacts=0)
    body = assert_refused(alice_device.client.post("/api/v1/contacts/", {"name": "One"}), "plan_limit_reached")
    assert (body["resource"], body["limit"], body["used"]) == ("contacts", 0, 0)
    assert body["detail"] == "The plan “Team” allows 0 × contacts; 0 are in use."
    assert not Contact.objects.exists()
    assert not Event.objects.filter(kind="contact.created").exists()


def test_limit_is_read_afresh(acme):
    """A workspace in hand may be older than the change of its plan."""
    free = Plan.objects.get(code="free")
    Plan.objects.filter(code="free").update(max_contacts=1)
    stale = Workspace.objects.select_related("plan").get(pk=acme.pk)
    plans.change_plan(workspace=acme, plan=free, actor=actors.SYSTEM)
    plans.reserve(workspace=stale, resource=Resource.CONTACTS)
    reserve_refused(stale)


def test_change_of_plan_keeps_what_is_there(acme):
    plans.reserve(workspace=acme, resource=Resource.CONTACTS, amount=1001)
    over = plans.change_plan(workspace=acme, plan=Plan.objects.get(code="free"), actor=actors.SYSTEM)
    assert [(row["resource"], row["used"], row["limit"]) for row in over] == [("contacts", 1001, 1000)]
    assert used(acme) == 1001
    reserve_refused(acme)
    acme.refresh_from_db()
    assert acme.plan.code == "free"
    assert Event.objects.filter(kind="workspace.plan_changed").count() == 1
    assert plans.change_plan(workspace=acme, plan=Plan.objects.get(code="business"), actor=actors.SYSTEM) == []
    plans.reserve(workspace=acme, resource=Resource.CONTACTS)


def test_change_to_same_plan_is_no_event(acme):
    plans.change_plan(workspace=acme, plan=Plan.objects.get(code="team"), actor=actors.SYSTEM)
    assert not Event.objects.filter(kind="workspace.plan_changed").exists()


def test_one_plan_is_default(team_plan):
    plans.update_plan(plan=team_plan, actor=actors.SYSTEM, is_default=True)
    assert [plan.code for plan in Plan.objects.filter(is_default=True)] == ["team"]
    team_plan.refresh_from_db()
    with pytest.raises(Refused) as refusal:
        plans.update_plan(plan=team_plan, actor=actors.SYSTEM, is_default=False)
    assert refusal.value.code == "conflict"
    assert [plan.code for plan in Plan.objects.filter(is_default=True)] == ["team"]


def test_plan_sets_rate_of_each_device(alice, acme, alice_device):
    limit(requests_per_minute=5)
    codes = [alice_device.client.get("/api/v1/plans/").status_code for _ in range(12)]
    assert codes[:5] == [200] * 5
    assert 429 in codes
    laptop = make_device(alice, acme)
    assert laptop.client.get("/api/v1/plans/").status_code == 200


def test_lists_plans(alice_device):
    rows = alice_device.client.get("/api/v1/plans/").json()
    assert [row["code"] for row in rows] == ["free", "team", "business"]
    assert rows[0]["max_contacts"] == 1000
