"""Histories of a workspace: writers whose transactions interleave, and devices that pull in between.

Everything runs in one thread over several connections, so that a history is
what its steps say, and one that fails is shortened and repeats.
"""

from datetime import UTC, datetime

from django.db import DatabaseError, connection
from django.utils import timezone
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, rule
from rest_framework.test import APIClient

from accounts import actors
from accounts.services import workspaces
from conftest import join, make_device, make_person
from crm.models import Contact, ContactTag, Note, Reminder, Tab, Tag
from crm.tests.sync.connections import Writer
from crm.tests.sync.devices import Replica
from crm.tests.sync.server_state import server_state
from waplus.lib.ids import uuid7

WRITERS = 3
NAMES = st.sampled_from(["Ana", "Bea", "Cid", "Dé 😀", "", '"quoted"\\', "سارة"])
A_WRITER = st.integers(0, WRITERS - 1)
A_DEVICE = st.integers(0, 1)
A_ROW = st.integers(0, 7)


class Diverged(AssertionError):
    """A device holds something else than the server."""


class History(RuleBasedStateMachine):
    """Steps of writers and devices; at the end every device holds what the server holds, to the byte."""

    def __init__(self):
        super().__init__()
        self.writers = [Writer() for _ in range(WRITERS)]
        self.replicas = []
        self.noted: set[str] = set()

    @initialize(limit=st.sampled_from([1, 2, 7, 1000]))
    def found_workspace(self, limit):
        tag = uuid7().hex
        self.people = [make_person(f"Alice{tag}"), make_person(f"Bob{tag}")]
        self.workspace = workspaces.create_workspace(
            owner=self.people[0], name="Acme", actor=actors.person(self.people[0])
        )
        join(self.workspace, self.people[1])
        self.replicas = [Replica(_client(make_device(person, self.workspace)), limit=limit) for person in self.people]

    def teardown(self):
        try:
            for writer in self.writers:
                writer.commit()
            if self.replicas:
                self.compare()
                self.compare_outcomes()
        finally:
            for writer in self.writers:
                writer.close()

    def compare(self) -> None:
        for replica in self.replicas:
            while replica.queue:
                replica.push()
        for replica, person in zip(self.replicas, self.people, strict=True):
            held, wanted = replica.pull().rows, server_state(self.workspace, person)
            if held != wanted:
                differing = {key for key in {*held, *wanted} if held.get(key) != wanted.get(key)}
                raise Diverged(f"{len(differing)} rows differ: {sorted(differing)}")

    def compare_outcomes(self) -> None:
        """What a device was told is what became: rows that it made are there once, others are not."""
        for replica in self.replicas:
            for result in replica.outcomes.values():
                assert result["status"] in ("applied", "merged", "unchanged", "refused")
        noted = [row for row in self.replicas[0].rows.values() if str(row.get("text", "")).startswith("offline ")]
        texts = [row["text"] for row in noted]
        if len(texts) != len(set(texts)) or not set(texts) <= self.noted:
            raise Diverged("a note that was pushed is there twice")

    # --- Transactions -----------------------------------------------------------------------------

    @rule(writer=A_WRITER)
    def commit(self, writer):
        self.writers[writer].commit()

    @rule(writer=A_WRITER)
    def roll_back(self, writer):
        self.writers[writer].roll_back()

    @rule(writer=A_WRITER)
    def crash(self, writer):
        self.writers[writer].die()

    # --- Writers ----------------------------------------------------------------------------------

    def _write(self, writer: int, work) -> None:
        """Do something in a writer's open transaction; where another one stands in the way, it gives up."""
        with self.writers[writer].working():
            try:
                work()
            except DatabaseError:
                connection.rollback()

    def _nth(self, model, number: int):
        rows = model._base_manager.filter(workspace=self.workspace).order_by("id")
        return rows[number % (rows.count() or 1)] if rows else None

    @rule(writer=A_WRITER, name=NAMES)
    def add_contact(self, writer, name):
        now = timezone.now()
        self._write(
            writer,
            lambda: Contact.objects.create(
                workspace=self.workspace, name=name, search_text=" ", created_at=now, updated_at=now
            ),
        )

    @rule(writer=A_WRITER, number=A_ROW, name=NAMES)
    def rename_contact(self, writer, number, name):
        def work():
            if contact := self._nth(Contact, number):
                contact.name, contact.updated_at = name, timezone.now()
                contact.save(update_fields=["name", "updated_at"])

        self._write(writer, work)

    @rule(writer=A_WRITER, number=A_ROW)
    def bin_contact(self, writer, number):
        def work():
            if contact := self._nth(Contact, number):
                Contact.objects.filter(pk=contact.pk).update(deleted_at=None if contact.deleted_at else timezone.now())

        self._write(writer, work)

    @rule(writer=A_WRITER, number=A_ROW)
    def delete_contact_for_good(self, writer, number):
        self._write(writer, lambda: (contact := self._nth(Contact, number)) and contact.delete())

    @rule(writer=A_WRITER, number=A_ROW)
    def delete_and_bring_back(self, writer, number):
        """As undoing a merge or an import does: the same id again, in one transaction."""

        def work():
            if note := self._nth(Note, number):
                Note.objects.filter(pk=note.pk).delete()
                note.changed_xid = None
                Note(
                    id=note.id,
                    workspace=self.workspace,
                    contact_id=note.contact_id,
                    text="back",
                    search_text=" back",
                    created_at=note.created_at,
                ).save(force_insert=True)

        self._write(writer, work)

    @rule(writer=A_WRITER, number=A_ROW, text=NAMES)
    def write_note(self, writer, number, text):
        def work():
            if contact := self._nth(Contact, number):
                Note.objects.create(
                    workspace=self.workspace, contact=contact, text=text, search_text=" ", created_at=timezone.now()
                )

        self._write(writer, work)

    @rule(writer=A_WRITER, name=NAMES)
    def tag_everybody(self, writer, name):
        """In bulk and by SQL: no service and no `save()` is asked."""

        def work():
            tag, _ = Tag.objects.get_or_create(workspace=self.workspace, folded=name, defaults={"name": name})
            with connection.cursor() as cursor:
                cursor.execute(
                    "INSERT INTO crm_contacttag (id, workspace_id, contact_id, tag_id, added_at) "
                    "SELECT gen_random_uuid(), workspace_id, id, %s, now() FROM crm_contact WHERE workspace_id = %s "
                    "ON CONFLICT DO NOTHING",
                    [tag.pk, self.workspace.pk],
                )

        self._write(writer, work)

    @rule(writer=A_WRITER)
    def untag_everybody(self, writer):
        self._write(writer, lambda: ContactTag.objects.for_workspace(self.workspace).delete())

    @rule(writer=A_WRITER, colour=st.sampled_from(["red", "blue"]))
    def paint_all_tags(self, writer, colour):
        self._write(writer, lambda: Tag.objects.for_workspace(self.workspace).update(colour=colour))

    @rule(writer=A_WRITER, owner=st.integers(0, 1), shared=st.booleans())
    def save_tab(self, writer, owner, shared):
        self._write(
            writer,
            lambda: Tab.objects.create(
                workspace=self.workspace, name="Mine", owner=self.people[owner], shared=shared, filter={"a": [1, None]}
            ),
        )

    @rule(writer=A_WRITER, number=A_ROW)
    def share_or_hide_tab(self, writer, number):
        def work():
            if tab := self._nth(Tab, number):
                Tab.objects.filter(pk=tab.pk).update(shared=not tab.shared)

        self._write(writer, work)

    @rule(writer=A_WRITER, minute=st.integers(0, 59))
    def set_reminder(self, writer, minute):
        wall = datetime(2027, 3, 28, 2, minute)
        self._write(
            writer,
            lambda: Reminder.objects.create(
                workspace=self.workspace,
                text="Call",
                wall_time=wall,
                occurrence_wall=wall,
                time_zone="Europe/Berlin",
                due_at=wall.replace(tzinfo=UTC),
            ),
        )

    # --- Devices ----------------------------------------------------------------------------------

    @rule(device=A_DEVICE)
    def pull_page(self, device):
        self.replicas[device].pull_page()

    @rule(device=A_DEVICE)
    def pull(self, device):
        self.replicas[device].pull()

    @rule(device=A_DEVICE)
    def lose_answer(self, device):
        """The answer gets lost on its way; the device asks again with the token that it has."""
        self.replicas[device].ask(self.replicas[device].token)

    @rule(device=A_DEVICE, name=NAMES)
    def note_person_offline(self, device, name):
        """With one of three numbers, so that both devices note the same person."""
        number = f"+49151234567{len(name) % 3}0"
        self.replicas[device].change(
            "contact", "create", name=name or "x", identities=[{"kind": "phone", "value": number}]
        )

    @rule(device=A_DEVICE, number=A_ROW)
    def write_note_offline(self, device, number):
        replica = self.replicas[device]
        made = [each["id"] for each in replica.queue if (each["kind"], each["op"]) == ("contact", "create")]
        ids = [*made, *replica.of("contact")]
        if ids:
            text = f"offline {uuid7()}"
            self.noted.add(text)
            replica.change("note", "create", contact=ids[number % len(ids)], text=text)

    @rule(device=A_DEVICE, number=A_ROW, name=NAMES)
    def rename_offline(self, device, number, name):
        replica = self.replicas[device]
        if ids := list(replica.of("contact")):
            replica.change("contact", "update", ids[number % len(ids)], name=name or "x", company=name)

    @rule(device=A_DEVICE, number=A_ROW)
    def bin_offline(self, device, number):
        replica = self.replicas[device]
        if ids := list(replica.of("contact")):
            replica.change("contact", ("delete", "restore")[number % 2], ids[number % len(ids)])

    @rule(device=A_DEVICE, lose_answer=st.booleans())
    def push(self, device, lose_answer):
        """A push cannot wait for a writer of this thread: they end first, one way or the other."""
        for number, writer in enumerate(self.writers):
            writer.commit() if number % 2 else writer.roll_back()
        self.replicas[device].push(lose_answer=lose_answer)

    @rule(device=A_DEVICE)
    def forget_everything(self, device):
        """A new device."""
        old = self.replicas[device]
        self.replicas[device] = Replica(old.client, old.limit)


def _client(device) -> APIClient:
    return device.client
