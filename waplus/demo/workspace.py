"""Filling the demo workspace, once and as a whole."""

from django.db import transaction
from django.utils import timezone

from accounts import actors
from accounts.models import User, Workspace
from waplus.demo import records, whatsapp
from waplus.demo.vocabulary import make_tabs, make_vocabulary


@transaction.atomic
def fill_workspace(*, workspace: Workspace, owner: User, colleague: User) -> None:
    """Put everything into an empty workspace, as services would have put it there day by day."""
    now, actor = timezone.now(), actors.person(owner)
    words = make_vocabulary(workspace=workspace, actor=actor)
    contacts = records.import_address_book(workspace=workspace, user=owner)
    team = {"workspace": workspace, "owner": owner, "colleague": colleague}
    records.place_customers(**team, words=words)
    whatsapp.report(workspace=workspace, actor=actor, now=now, contacts=contacts)
    records.write_notes(**team, contacts=contacts)
    records.set_reminders(**team, contacts=contacts, now=now)
    records.meet_doubles(workspace=workspace, actor=actor, contacts=contacts, words=words)
    make_tabs(workspace=workspace, user=owner, actor=actor, words=words)
