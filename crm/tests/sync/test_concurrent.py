"""Writers, devices and processes that really run at once, without turns; whatever happens, devices end with what the server has."""

import os
import random
import signal
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import pytest
from django.db import DatabaseError, connection, transaction
from django.utils import timezone

from accounts import actors
from crm.models import Contact, ContactIdentity, ContactTag, Note, PushedChange, Tag
from crm.services import bin, contacts, tags
from crm.services.bulk import running, sets, starting
from crm.services.sync.handlers import registry
from crm.services.sync.kinds import kind_named
from crm.tasks import run_waiting_imports
from crm.tests.sync.devices import Replica
from crm.tests.sync.histories import Diverged
from crm.tests.sync.server_state import document_of, server_state
from crm.tests.test_imports import upload
from waplus.lib.errors import Refused
from waplus.lib.ids import uuid7

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("roomy")]

SECONDS = 3.0


class ByTime(Replica):
    """A device that asks for what changed since the newest time that it saw."""

    def __init__(self, client, workspace):
        super().__init__(client)
        self.workspace, self.since = workspace, timezone.now()

    def pull(self) -> "ByTime":
        kind = kind_named("contact")
        for row in Contact.objects.filter(workspace=self.workspace, updated_at__gt=self.since).order_by("updated_at"):
            self.rows["contact", str(row.pk)] = document_of(kind, row)
            self.since = row.updated_at
        return self


def at_liberty(seconds: float, *jobs) -> None:
    """Let each job run again and again, in a thread and on a connection of its own, until the time is over.

    Writers may lose a lock or find nothing to do any more; everything else that goes wrong is the test's.
    """
    over = time.monotonic() + seconds

    def again(job) -> None:
        try:
            while time.monotonic() < over:
                job()
        finally:
            connection.close()

    with ThreadPoolExecutor(len(jobs)) as pool:
        for done in [pool.submit(again, job) for job in jobs]:
            done.result()


def writing(work):
    """A job that does some work in a transaction, and takes its time before the commit."""

    def job() -> None:
        try:
            with transaction.atomic():
                work()
                time.sleep(random.random() * 0.03)
        except (DatabaseError, Refused):
            pass

    return job


def some(model, workspace):
    """A row of a workspace, whichever."""
    ids = list(model._base_manager.filter(workspace=workspace).values_list("pk", flat=True)[:40])
    return model._base_manager.filter(pk=random.choice(ids)).first() if ids else None


def writers(workspace, user) -> list:
    """What colleagues, imports and sweeps do to the rows: by the ORM and by SQL, in longer and shorter transactions."""

    def add() -> None:
        now = timezone.now()
        Contact.objects.create(workspace=workspace, name="Ana", search_text=" ", created_at=now, updated_at=now)

    def rename() -> None:
        if contact := some(Contact, workspace):
            Contact.objects.filter(pk=contact.pk).update(name=f"{random.random()}", updated_at=timezone.now())

    def annotate() -> None:
        if contact := some(Contact, workspace):
            Note.objects.create(
                workspace=workspace, contact=contact, text="x", search_text=" ", created_at=timezone.now()
            )

    def tag_all() -> None:
        tag = Tag.objects.get_or_create(workspace=workspace, folded="t", defaults={"name": "T"})[0]
        with connection.cursor() as cursor:
            cursor.execute(
                "INSERT INTO crm_contacttag (id, workspace_id, contact_id, tag_id, added_at) "
                "SELECT gen_random_uuid(), workspace_id, id, %s, now() FROM crm_contact WHERE workspace_id = %s "
                "ORDER BY id LIMIT 20 ON CONFLICT DO NOTHING",
                [tag.pk, workspace.pk],
            )

    def untag_all() -> None:
        ContactTag.objects.filter(workspace=workspace).delete()

    def delete() -> None:
        if note := some(Note, workspace):
            note.delete()

    return [writing(work) for work in (add, add, rename, annotate, tag_all, untag_all, delete)]


def user_of(replica: Replica):
    """A job that does with a device what people and lost connections do."""

    def job() -> None:
        step = random.randrange(8)
        ids = list(replica.of("contact"))
        if step < 2:
            replica.pull_page() if step else replica.pull()
        elif step < 4 and replica.token:
            number = f"+49151234567{random.randrange(30):02}"
            replica.change("contact", "create", name="Bea", identities=[{"kind": "phone", "value": number}])
        elif step == 4 and ids:
            replica.change("contact", "update", random.choice(ids), name=f"{random.random()}", company="C")
        elif step == 5 and ids:
            replica.change("note", "create", contact=random.choice(ids), text=f"offline {uuid7()}")
        else:
            replica.push(lose_answer=random.random() < 0.3)

    return job


def settle(replicas: dict) -> None:
    """Push what waits, pull, and compare; `replicas` are the people's."""
    for replica in replicas:
        while replica.queue:
            replica.push()
    for replica, (workspace, user, kinds) in replicas.items():
        held, wanted = replica.pull().rows, server_state(workspace, user)
        differing = [key for key in wanted if (not kinds or key[0] in kinds) and held.get(key) != wanted[key]]
        gone = [key for key in held if key not in wanted]
        if differing or gone:
            raise Diverged(f"{len(differing)} rows differ, {len(gone)} are gone")


def test_devices_among_free_writers_end_with_what_the_server_has(acme, alice, bob, alice_device, bob_device):
    first, second = Replica(alice_device.client, limit=7).pull(), Replica(bob_device.client).pull()
    at_liberty(SECONDS, *writers(acme, alice), user_of(first), user_of(second))
    settle({first: (acme, alice, ()), second: (acme, bob, ())})
    pushed = Note.objects.filter(text__startswith="offline ").values_list("text", flat=True)
    assert len(pushed) == len(set(pushed))
    assert first.outcomes and second.outcomes


def test_finds_that_a_cursor_by_time_loses_rows(acme, alice, alice_device):
    """Positive control: beside a device that loses nothing, one that asks by `updated_at` does."""
    device, by_time = Replica(alice_device.client), ByTime(alice_device.client, acme)
    at_liberty(SECONDS, *writers(acme, alice)[:3] * 2, device.pull, by_time.pull)
    settle({device: (acme, alice, ())})
    with pytest.raises(Diverged):
        settle({by_time: (acme, alice, ("contact",))})


def test_finds_that_a_serial_cursor_loses_rows(acme, alice, alice_device, serial_cursor):
    device = Replica(alice_device.client)
    at_liberty(SECONDS, *writers(acme, alice)[:3] * 2, device.pull)
    with pytest.raises(Diverged):
        settle({device: (acme, alice, ())})


# --- Processes that are killed --------------------------------------------------------------------


def pusher(client, batches: list[list[dict]], told: int) -> int:
    """A process that pushes batch after batch and tells of each answer; its number."""
    if number := os.fork():
        return number
    try:
        # The parent's connection: it must not be closed from here, nor spoken over.
        connection.connection = None
        for batch in batches:
            answer = client.post("/api/v1/sync/", {"changes": batch})
            os.write(told, b"+" if answer.status_code == 200 else b"-")
    finally:
        os._exit(0)


def test_pushers_killed_in_the_middle_apply_everything_once(acme, alice, alice_device):
    """Each next process begins with the batch whose answer the killed one did not live to hear."""
    device = Replica(alice_device.client).pull()
    people = [device.change("contact", "create", name=f"Ana {n}") for n in range(40)]
    for n in range(80):
        device.change("note", "create", contact=people[n % 40], text=f"{n}")
    sent = list(device.queue)
    batches = [sent[at : at + 6] for at in range(0, len(sent), 6)]
    heard = killed = 0
    while heard < len(batches):
        hearing, told = os.pipe()
        number = pusher(alice_device.client, batches[heard:], told)
        os.close(told)
        patience = random.uniform(0.05, 0.4)
        timer = threading.Timer(patience, os.kill, (number, signal.SIGKILL))
        timer.start()
        while answer := os.read(hearing, 1):
            assert answer == b"+"
            heard += 1
        timer.cancel()
        os.close(hearing)
        killed += os.WIFSIGNALED(os.waitpid(number, 0)[1])
    assert killed > 0
    assert Contact.objects.count() == 40
    assert sorted(Note.objects.values_list("text", flat=True), key=int) == [str(n) for n in range(80)]
    assert PushedChange.objects.count() == len(sent)
    answer = alice_device.client.post("/api/v1/sync/", {"changes": sent})
    assert {result["status"] for result in answer.json()["results"]} == {"applied"}
    assert (Contact.objects.count(), Note.objects.count()) == (40, 80)
    device.pull()
    assert device.rows == server_state(acme, alice)


# --- Everything at once ---------------------------------------------------------------------------


def test_pushes_beside_imports_merges_bulk_actions_and_the_bin(
    acme, alice, bob, alice_device, bob_device, monkeypatch, settings
):
    """They lock the same contacts in their own ways: nobody is answered 500, and no push is half done."""
    monkeypatch.setattr(starting, "AT_ONCE", 1)
    monkeypatch.setattr(sets, "CHUNK", 5)
    settings.BIN_DAYS = 0
    who = {"workspace": acme, "actor": actors.person(alice)}
    for n in range(30):
        contacts.create_contact(
            name=f"Ana {n}", identities=[{"kind": "phone", "value": f"+49151234567{n:02}"}], source="person", **who
        )
    tag = tags.create_tag(name="VIP", **who)[0]
    client = bob_device.client

    def ask(method, path: str, **body) -> None:
        answer = getattr(client, method)(path, body, format="json")
        assert answer.status_code < 500 or answer.json()["code"] == "unavailable", answer.content

    def merge() -> None:
        kept, absorbed = some(Contact, acme), some(Contact, acme)
        if kept and absorbed:
            ask("post", f"/api/v1/contacts/{kept.pk}/merge/", contact=str(absorbed.pk))

    def import_some() -> None:
        rows = "\n".join(f"Bea {random.random()},+49151234567{n:02}" for n in random.sample(range(40), 20))
        assert upload(alice_device, f"Name,Phone\n{rows}".encode()).status_code == 202
        run_waiting_imports()

    def tag_in_bulk() -> None:
        action = random.choice(["add_tags", "remove_tags"])
        ask("post", "/api/v1/contacts/bulk/", action=action, filter={}, tags=[str(tag.pk)])
        running.run_open_actions()

    def throw_away() -> None:
        if contact := some(Contact, acme):
            ask("delete", f"/api/v1/contacts/{contact.pk}/")
        bin.empty_bins()

    first, second = Replica(alice_device.client).pull(), Replica(bob_device.client).pull()
    at_liberty(SECONDS, user_of(first), user_of(second), merge, import_some, tag_in_bulk, throw_away)
    settle({first: (acme, alice, ()), second: (acme, bob, ())})
    codes = {result["code"] for replica in (first, second) for result in replica.outcomes.values()}
    assert codes <= {"", "conflict", "not_found", "depends_on_refused", "invalid", "number_in_use"}
    # Nothing hangs on nobody, and no number has two contacts.
    assert not Note.objects.filter(contact=None).exists()
    keys = ContactIdentity.objects.filter(holds_key=True).values_list("match_key", flat=True)
    assert len(keys) == len(set(keys))


def deadlock() -> None:
    """What PostgreSQL answers to the one of two transactions that it ends."""
    with connection.cursor() as cursor:
        cursor.execute("DO $$ BEGIN RAISE EXCEPTION 'deadlock detected' USING ERRCODE = '40P01'; END $$")


@pytest.mark.parametrize(("times", "status", "notes", "remembered"), [(2, "applied", 1, 1), (3, "refused", 0, 0)])
def test_push_that_meets_deadlocks_is_tried_again(acme, alice_device, monkeypatch, times, status, notes, remembered):
    """Three times; then it is the device that sends it again, and the ledger knows nothing of it."""
    operation, left = registry.operation_of("note", "create"), [deadlock] * times

    def handler(change):
        applied = operation.handler(change)
        if left:
            left.pop()()
        return applied

    device = Replica(alice_device.client)
    contact = device.change("contact", "create", name="Ana")
    device.push()
    monkeypatch.setitem(registry._operations, ("note", "create"), registry.Operation(handler, operation.role))
    device.change("note", "create", contact=contact, text="x")
    [result] = alice_device.client.post("/api/v1/sync/", {"changes": device.queue}).json()["results"]
    assert (result["status"], result["code"]) == (status, "" if notes else "unavailable")
    assert (Note.objects.count(), PushedChange.objects.count()) == (notes, 1 + remembered)
    device.push()
    assert (device.queue, Note.objects.count()) == ([], 1)


def test_request_that_meets_a_deadlock_is_asked_to_come_again(acme, alice_device, monkeypatch):
    contact = Replica(alice_device.client).change("contact", "create", name="Ana")
    path = f"/api/v1/contacts/{contact}/"
    alice_device.client.post("/api/v1/contacts/", {"id": contact, "name": "Ana"})
    with monkeypatch.context() as broken:
        broken.setattr(contacts, "update_contact", lambda **values: deadlock())
        answer = alice_device.client.patch(path, {"name": "Anna"})
    assert (answer.status_code, answer.json()["code"], answer.headers["Retry-After"]) == (503, "unavailable", "1")
    assert alice_device.client.patch(path, {"name": "Anna"}).status_code == 200
    assert Contact.objects.get().version == 2
