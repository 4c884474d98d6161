"""The demo workspace shows the whole CRM, and is made once."""

import pytest
from django.core.management import call_command
from django.db.models import Q

from accounts.models import Event, Membership, Resource, Workspace
from accounts.services import plans
from crm.models import (
    Avatar,
    Chat,
    Contact,
    CustomField,
    FieldKind,
    FieldValue,
    GroupMember,
    ImportBatch,
    Merge,
    MergeSuggestion,
    Note,
    NoteEdit,
    Reminder,
    ReminderState,
    Stage,
    Tab,
    Tag,
)
from crm.services.reminders.lists import reminders_of
from waplus.demo.people import names
from waplus.management.commands import create_demo

pytestmark = pytest.mark.django_db


@pytest.fixture
def demo(monkeypatch) -> Workspace:
    monkeypatch.setattr(create_demo, "demo_password", lambda: "a password of the tests")
    call_command("create_demo")
    return Workspace.objects.get()


def test_demo_shows_everything(demo):
    owner = Membership.objects.get(role="owner").user
    alive = Contact.objects.for_workspace(demo).alive()
    assert alive.count() == plans.used_of(workspace=demo, resource=Resource.CONTACTS) == 292
    assert len({name for _world, _index, name in names()}) == 282
    for script in ("Ткаченко", "منصور", "王", "陽子", "민준", "शर्मा", "Ελένη", "כהן", "มาลี"):
        assert alive.filter(name__regex=script).exists(), script
    assert Tag.objects.count() == len(set(Tag.objects.values_list("colour", flat=True))) == 6
    assert not Stage.objects.exclude(pk__in=alive.values("stage")).exists()
    assert {field.kind for field in CustomField.objects.all()} == set(FieldKind)
    assert not CustomField.objects.exclude(pk__in=FieldValue.objects.values("field")).exists()
    batch = ImportBatch.objects.get()
    assert (batch.state, batch.rows_created, batch.rows_refused) == ("finished", 283, 1)
    assert alive.exclude(owner=None).values("owner").distinct().count() == 2
    assert Note.objects.filter(pinned=True).count() == NoteEdit.objects.count() == 1
    assert Note.objects.exclude(deleted_at=None).count() == 1
    assert Contact.objects.exclude(deleted_at=None).count() == 2
    heaps = reminders_of(workspace=demo, user=owner)
    assert (len(heaps.overdue), len(heaps.today), len(heaps.upcoming)) == (2, 1, 3)
    assert Reminder.objects.exclude(rrule="").count() == 2
    assert Reminder.objects.filter(state=ReminderState.DONE).count() == 1
    assert Tab.objects.filter(shared=True).count() == 4 and Tab.objects.filter(shared=False).count() == 1
    assert set(Chat.objects.values_list("kind", flat=True)) == {"person", "group", "channel", "broadcast"}
    assert not Chat.objects.filter(kind="person", contact=None).exists()
    assert Chat.objects.filter(awaiting_reply=True).exists() and Chat.objects.exclude(own_name="").count() == 1
    assert GroupMember.objects.exclude(contact=None).count() == GroupMember.objects.count() > 30
    assert Avatar.objects.count() == 27 and alive.exclude(avatar=None).count() == 24
    assert {one.reason for one in MergeSuggestion.objects.all()} == {"same_person", "same_email"}
    assert Merge.objects.get().kept.name == "Ana Lima"


def test_demo_again_changes_nothing(demo):
    before = Contact.objects.count(), Event.objects.count(), Membership.objects.count()
    call_command("create_demo")
    assert Workspace.objects.get() == demo
    assert (Contact.objects.count(), Event.objects.count(), Membership.objects.count()) == before


def test_demo_has_no_place_in_production(settings):
    settings.PRODUCTION = True
    with pytest.raises(create_demo.CommandError):
        call_command("create_demo")
    assert not Workspace.objects.filter(Q(name__startswith="Demo")).exists()
