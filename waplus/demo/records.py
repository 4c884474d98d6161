"""What the demo's team has kept: the address book, notes, reminders, owners, merges, and something in the bin."""

from datetime import datetime, time, timedelta
from uuid import UUID
from zoneinfo import ZoneInfo

from django.core.files.uploadedfile import SimpleUploadedFile

from accounts import actors
from accounts.actors import Actor
from accounts.models import User, Workspace
from crm.models import Contact, IdentityKind, IdentitySource
from crm.services.bin import delete_contact
from crm.services.bulk.starting import start_bulk_action
from crm.services.contacts import create_contact
from crm.services.imports import batches, runs
from crm.services.merging import merge_contacts
from crm.services.notes import delete_note, edit_note, write_note
from crm.services.reminders.changes import complete_reminder, create_reminder
from crm.services.suggestion_search import search_doubles
from crm.services.tags import tag_contact
from waplus.demo.people import address_book
from waplus.demo.vocabulary import Vocabulary

ZONE = "America/Sao_Paulo"
PARTNER = "Ana Lima"


def import_address_book(*, workspace: Workspace, user: User) -> dict[str, UUID]:
    """Import the customers; answers the ids of their contacts by name."""
    file = SimpleUploadedFile("customers.csv", address_book(), "text/csv")
    batch, _is_new = batches.upload_file(workspace=workspace, user=user, actor=actors.person(user), file=file)
    runs.note_attempt(batch.pk)
    runs.run_import(batch.pk)
    return dict(Contact.objects.for_workspace(workspace).alive().values_list("name", "pk"))


def place_customers(*, workspace: Workspace, owner: User, colleague: User, words: Vocabulary) -> None:
    """Say who looks after whom, for many contacts at once."""
    for user, tags in ((owner, ("VIP", "Press")), (colleague, ("Wholesale", "Gift box"))):
        found = {"tag": {"any": [str(words.tags[name].pk) for name in tags]}}
        to = {"workspace": workspace, "user": owner, "actor": actors.person(owner), "filter": found}
        start_bulk_action(**to, action="set_owner", owner=user.pk)


def write_notes(*, workspace: Workspace, owner: User, colleague: User, contacts: dict[str, UUID]) -> None:
    """Write notes: a pinned one, one that was changed, and one that is in the bin."""
    mine, theirs = ({"workspace": workspace, "actor": actors.person(user)} for user in (owner, colleague))
    partner = contacts[PARTNER]
    write_note(
        **mine,
        contact_id=partner,
        pinned=True,
        text="Runs three cafés. Orders on Tuesdays, pays within a week.\nSpeaks for the whole coffee club.",
    )
    note, _is_new = write_note(**theirs, contact_id=partner, text="Wants 20 kg of the house blend from March on.")
    edit_note(**mine, note_id=note.pk, text="Wants 25 kg of the house blend from March on, ground for espresso.")
    write_note(**theirs, contact_id=partner, text="Sent the new price list.")
    wrong, _is_new = write_note(**theirs, contact_id=partner, text="Moved to Lisbon? (That was another Ana.)")
    delete_note(**theirs, note_id=wrong.pk)
    for name, text in (
        ("João Gonçalves", "Likes to be called in the afternoon."),
        ("أحمد العتيبي", "يفضل القهوة العربية."),
    ):
        write_note(**mine, contact_id=contacts[name], text=text)


def set_reminders(
    *, workspace: Workspace, owner: User, colleague: User, contacts: dict[str, UUID], now: datetime
) -> None:
    """Set reminders: overdue, due today, recurring, a colleague's, and one that is done."""
    here = now.astimezone(ZoneInfo(ZONE)).replace(tzinfo=None, second=0, microsecond=0)
    in_two_hours = here + timedelta(hours=2)
    today = in_two_hours if in_two_hours.date() == here.date() else here.replace(hour=23, minute=59)
    monday = datetime.combine(here.date() + timedelta(days=7 - here.weekday()), time(9))
    to = {"workspace": workspace, "user": owner, "actor": actors.person(owner), "time_zone": ZONE}

    def remind(name: str, text: str, wall_time: datetime, assignee: User = owner, **values):
        contact = Contact.objects.get(pk=contacts[name]) if name else None
        return create_reminder(**to, contact=contact, text=text, wall_time=wall_time, assignee=assignee, **values)[0]

    two_days_ago = datetime.combine(here.date() - timedelta(days=2), time(15))
    remind(PARTNER, "Ask whether the gift boxes have arrived", two_days_ago)
    remind("Beatriz Araújo", "Send the offer again", two_days_ago - timedelta(days=3))
    remind(PARTNER, "Call about the tasting on Saturday", today)
    remind("Lucía Núñez", "Ask for the new address", monday + timedelta(hours=5))
    remind("", "Go through everybody who waits for an answer", monday, rrule="FREQ=WEEKLY;BYDAY=MO")
    remind(PARTNER, "Send the invoice of the month", monday.replace(day=1) + timedelta(days=32), rrule="FREQ=MONTHLY")
    remind("Antônio Brandão", "Deliver the samples", today, colleague)
    done = remind(PARTNER, "Thank for the order", here - timedelta(days=1))
    complete_reminder(workspace=workspace, reminder_id=done.pk, actor=actors.person(owner))


def meet_doubles(*, workspace: Workspace, actor: Actor, contacts: dict[str, UUID], words: Vocabulary) -> None:
    """Let one contact go into another, find another pair that looks like one person, and put some away."""

    def add(name: str, email: str = "", number: str = "") -> UUID:
        identities = [{"kind": IdentityKind.PHONE, "value": number}] if number else []
        made = {"name": name, "email": email, "identities": identities, "source": IdentitySource.PERSON}
        return create_contact(workspace=workspace, actor=actor, **made)[0].pk

    partner = Contact.objects.get(pk=contacts[PARTNER])
    for name in ("VIP", "Event"):
        tag_contact(workspace=workspace, contact_id=partner.pk, tag_id=words.tags[name].pk, actor=actor)
    double = add("Ana (Café Jatobá)", number="+55 11 3000-0001")
    merge_contacts(workspace=workspace, actor=actor, kept_id=partner.pk, absorbed_id=double)
    other = add("A. Lima", email=partner.email)
    search_doubles(workspace=workspace, ids=[other])
    for name in ("Test", "Wrong number"):
        delete_contact(workspace=workspace, contact_id=add(name), actor=actor)
