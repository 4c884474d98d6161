"""An import from the upload to its undoing: columns, preview, policies, counts, crashes, later edits."""

import threading
from pathlib import Path
from uuid import UUID

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connections

from accounts.models import Resource
from accounts.services import plans
from accounts.tests.together import at_once
from crm.models import (
    Chat,
    Contact,
    ContactIdentity,
    ContactTag,
    GroupMember,
    ImportBatch,
    ImportRow,
    Note,
    StagedRow,
    Tag,
    Tombstone,
    WhatsAppAccount,
)
from crm.services.imports import planning, runs
from crm.services.spreadsheets import workbook
from crm.tasks import run_waiting_imports
from waplus.lib.ids import uuid7

pytestmark = pytest.mark.django_db

ANA = b'Name,Company,E-mail,Phone,Tags,Notes\nAna,Padaria,ana@example.com,+55 11 98765-4321,"VIP, New",Calls back\n'
PEOPLE = b"Name,Phone\n" + b"".join(b"Person %d,+4915112%06d\n" % (n, n) for n in range(1, 13))


def upload(device, content: bytes, **fields) -> dict:
    answer = device.client.post(
        "/api/v1/imports/", {"file": SimpleUploadedFile("people.csv", content), **fields}, format="multipart"
    )
    assert answer.status_code == 202, answer.json()
    return answer.json()


def post(device, batch: dict, what: str) -> dict:
    answer = device.client.post(f"/api/v1/imports/{batch['id']}/{what}/")
    assert answer.status_code == 202, answer.json()
    run_waiting_imports()
    return device.client.get(f"/api/v1/imports/{batch['id']}/").json()


def imported(device, content: bytes, **fields) -> dict:
    batch = upload(device, content, **fields)
    run_waiting_imports()
    return device.client.get(f"/api/v1/imports/{batch['id']}/").json()


def outcomes(batch: dict) -> tuple[int, ...]:
    kinds = ("created", "merged", "unchanged", "skipped", "refused")
    return tuple(batch[f"rows_{kind}"] for kind in kinds)


def state_of_contacts() -> list:
    models = (Contact, ContactIdentity, ContactTag, Tag, Note)
    return [list(model.objects.order_by("pk").values()) for model in models]


def test_previews_without_writing(alice_device, acme):
    imported(alice_device, ANA)
    before = state_of_contacts()
    batch = upload(
        alice_device, ANA + b"Bea,,,+4915112345678,,\nBea B.,Bakery,,+4915112345678,,\n,,,,,nobody\n", start="false"
    )
    assert (batch["state"], [column["target"] for column in batch["columns"]]) == (
        "uploaded",
        ["name", "company", "email", "phone", "tags", "note"],
    )
    assert batch["columns"][0]["samples"] == ["Ana", "Bea", "Bea B."]
    ready = post(alice_device, batch, "preview")
    assert (ready["state"], ready["preview"]) == (
        "previewed",
        {"total": 4, "created": 1, "merged": 1, "unchanged": 1, "skipped": 0, "refused": 1},
    )
    rows = alice_device.client.get(f"/api/v1/imports/{batch['id']}/preview/rows/").json()["results"]
    assert [(row["row_number"], row["outcome"], row["name"]) for row in rows] == [
        (1, "unchanged", "Ana"),
        (2, "created", "Bea"),
        (3, "merged", "Bea B."),
        (4, "refused", ""),
    ]
    assert state_of_contacts() == before
    done = post(alice_device, batch, "start")
    assert (done["state"], outcomes(done)) == ("finished", (1, 1, 1, 0, 1))
    assert StagedRow.objects.count() == 0


def test_starts_nothing_that_names_nobody(alice_device, acme):
    batch = upload(alice_device, b"A;B\n1;2\n", start="false")
    for what in ("preview", "start"):
        answer = alice_device.client.post(f"/api/v1/imports/{batch['id']}/{what}/")
        assert (answer.status_code, answer.json()["code"]) == (422, "file_unreadable")
    assert ImportBatch.objects.get().state == "uploaded"


def test_maps_columns_by_hand(alice_device, acme):
    batch = upload(alice_device, b"A;B;C\nx;Ana;(089) 123456\ny;Bea;030 1234567\n", start="false")
    client, path = alice_device.client, f"/api/v1/imports/{batch['id']}/"
    tag = Tag.objects.create(workspace=acme, name="Fair", folded="fair")
    for wrong in (["name"], ["name", "nonsense", "phone"], ["name", f"field:{uuid7()}", "phone"]):
        assert client.patch(path, {"targets": wrong}, format="json").status_code == 400
    assert client.patch(path, {"tags": [str(uuid7())]}, format="json").status_code == 400
    changed = client.patch(
        path, {"targets": ["ignore", "name", "phone"], "default_country": "DE", "tags": [str(tag.pk)]}, format="json"
    ).json()
    assert (changed["default_country"], changed["tags"]) == ("DE", [str(tag.pk)])
    done = post(alice_device, batch, "start")
    assert outcomes(done) == (2, 0, 0, 0, 0)
    assert sorted(ContactIdentity.objects.values_list("value", flat=True)) == ["+49301234567", "+4989123456"]
    assert sorted(Contact.objects.filter(contact_tags__tag=tag).values_list("name", flat=True)) == ["Ana", "Bea"]
    assert client.patch(path, {"default_country": "BR"}, format="json").status_code == 409


def test_writes_everything_that_row_says(alice_device, acme):
    batch = imported(alice_device, ANA)
    assert outcomes(batch) == (1, 0, 0, 0, 0)
    contact = Contact.objects.get()
    assert (contact.name, contact.company, contact.email) == ("Ana", "Padaria", "ana@example.com")
    assert contact.sort_name == "ana"
    assert contact.search_text == " ana padaria ana@example.com 5511987654321 551187654321"
    assert sorted(contact.contact_tags.values_list("tag__name", flat=True)) == ["New", "VIP"]
    assert [(note.text, note.author_id) for note in contact.notes.all()] == [
        ("Calls back", ImportBatch.objects.get().created_by_id)
    ]
    assert alice_device.client.get("/api/v1/contacts/?q=98765-4321").json()["results"][0]["name"] == "Ana"


@pytest.mark.parametrize(
    ("policy", "expected", "counts"),
    [
        ("skip", ("Ana", "", {"+5511987654321"}), (0, 0, 0, 1, 0)),
        ("merge", ("Ana", "Padaria", {"+5511987654321", "+4930123456"}), (0, 1, 0, 0, 0)),
        ("update", ("Ana Maria", "Padaria", {"+5511987654321", "+4930123456"}), (0, 1, 0, 0, 0)),
    ],
)
def test_keeps_to_duplicate_policy(alice_device, acme, policy, expected, counts):
    imported(alice_device, b"Name,Phone\nAna,+55 11 98765-4321\n")
    content = b"Name,Company,Phone,Phone 2\nAna Maria,Padaria,+55 11 8765-4321,+49 30 123456\n"
    content = content.replace(b"8765-4321", b"98765-4321")
    batch = imported(alice_device, content, duplicates=policy)
    assert outcomes(batch) == counts
    contact = Contact.objects.get()
    assert (contact.name, contact.company, set(contact.identities.values_list("value", flat=True))) == expected
    before = state_of_contacts()
    again = imported(alice_device, content, duplicates=policy)
    assert outcomes(again) == ((0, 0, 0, 1, 0) if policy == "skip" else (0, 0, 1, 0, 0))
    assert (state_of_contacts(), ImportRow.objects.filter(batch=again["id"]).count()) == (before, 0)


def test_knows_people_without_number_again(alice_device, acme):
    content = "Name,Company,E-mail\nAna,,ana@example.com\nBea,Bäckerei,\n王小明,,\n,Acme,\nCarl,,\n".encode()
    assert outcomes(imported(alice_device, content)) == (5, 0, 0, 0, 0)
    before = state_of_contacts()
    assert outcomes(imported(alice_device, content)) == (0, 0, 5, 0, 0)
    assert state_of_contacts() == before
    other = imported(alice_device, b"Name,E-mail\nANA,Ana@Example.com\nAnna,ana@example.com\n")
    assert outcomes(other) == (1, 0, 1, 0, 0)


def test_gives_refused_rows_back(alice_device, acme):
    batch = imported(alice_device, b'Name,Phone,=cmd\nAna,+4915112345678,\n,12,"=HYPERLINK(""x"")"\n')
    answer = alice_device.client.get(f"/api/v1/imports/{batch['id']}/result/")
    lines = b"".join(answer.streaming_content).decode("utf-8-sig").splitlines()
    assert lines[0] == "Row,Reason,Name,Phone,'=cmd"
    assert lines[1].startswith("2,Phone: ")
    assert lines[1].endswith(""",,12,"'=HYPERLINK(""x"")\"""")


def test_undoes_whole_batch(alice_device, acme):
    imported(alice_device, b"Name,Phone\nKnown,+4930123456\n")
    before, used = state_of_contacts(), plans.used_of(workspace=acme, resource=Resource.CONTACTS)
    content = ANA + b"Known,Acme,k@example.com,+4930123456,VIP,Note\nKnown,,,+493012345678,,\n,,,+4930123456,Late,\n"
    batch = imported(alice_device, content)
    assert outcomes(batch) == (2, 2, 0, 0, 0)
    undone = post(alice_device, batch, "undo")
    assert (undone["state"], undone["contacts_deleted"], undone["rows_restored"], undone["rows_kept"]) == (
        "undone",
        2,
        2,
        0,
    )
    after = state_of_contacts()
    assert [[row["id"] for row in rows] for rows in after] == [[row["id"] for row in rows] for rows in before]
    known = Contact.objects.get()
    assert (known.name, known.company, known.email, known.search_text) == ("Known", "", "", " known 4930123456")
    assert plans.used_of(workspace=acme, resource=Resource.CONTACTS) == used == 1
    assert Tombstone.objects.filter(kind="contact").count() == 2
    assert post(alice_device, batch, "undo")["state"] == "undone"


def test_finds_chats_of_imported_people_at_once_and_lets_them_go_with_them(alice_device, acme, other):
    """A chat that WhatsApp has shown before is the imported person's; it is no use that would keep them from going."""
    account, foreign = (WhatsAppAccount.objects.create(workspace=one, jid="4915100000@c.us") for one in (acme, other))
    digits, known, stranger = "4915112345678", "493012345678", "4917700000000"

    def chat(account, jid: str, kind: str = "person") -> Chat:
        return Chat.objects.create(
            workspace=account.workspace, whatsapp_account=account, jid=jid, kind=kind, search_text=""
        )

    chats = [chat(account, f"{number}@c.us") for number in (digits, known, stranger)]
    group = chat(account, "1@g.us", "group")
    member = GroupMember.objects.create(workspace=acme, chat=group, jid=f"{digits}@c.us")
    theirs = chat(foreign, f"{digits}@c.us")
    imported(alice_device, b"Name,Phone\nKnown,+493011111111\n")
    batch = imported(alice_device, b"Name,Phone,Phone 2\nAna,+4915112345678,\nKnown,+493011111111,+493012345678\n")

    def owners() -> list:
        rows = [type(row).objects.get(pk=row.pk) for row in (*chats, member, theirs)]
        return [row.contact and row.contact.name for row in rows]

    assert owners() == ["Ana", "Known", None, "Ana", None]
    undone = post(alice_device, batch, "undo")
    assert (undone["contacts_deleted"], undone["rows_restored"], undone["rows_kept"]) == (1, 1, 0)
    assert owners() == [None, None, None, None, None]
    assert Chat.objects.count() == 5 and list(Contact.objects.values_list("name", flat=True)) == ["Known"]


def test_leaves_later_edits_alone(alice_device, acme):
    imported(alice_device, b"Name,Phone\nKnown,+4930123456\n")
    client = alice_device.client
    batch = imported(
        alice_device,
        b"Name,Company,E-mail,Phone,Tags,Notes\nKnown,Acme,k@example.com,+4930123456,VIP,Note\n"
        b"Edited,,,+49151000001,,\nNoted,,,+49151000002,,\nTagged,,,+49151000003,VIP,\nUntouched,,,+49151000004,VIP,\n",
    )
    ids = dict(Contact.objects.values_list("name", "id"))
    assert client.patch(f"/api/v1/contacts/{ids['Known']}/", {"company": "Other"}, format="json").status_code == 200
    assert (
        client.patch(f"/api/v1/contacts/{ids['Edited']}/", {"email": "e@example.com"}, format="json").status_code == 200
    )
    user = ImportBatch.objects.first().created_by
    now = ImportBatch.objects.last().created_at
    Note.objects.create(
        workspace=acme, contact_id=ids["Noted"], text="x", search_text=" x", author=user, created_at=now
    )
    ContactTag.objects.filter(contact=ids["Tagged"]).delete()
    undone = post(alice_device, batch, "undo")
    assert (undone["contacts_deleted"], undone["rows_restored"], undone["rows_kept"]) == (1, 1, 3)
    assert sorted(Contact.objects.values_list("name", flat=True)) == ["Edited", "Known", "Noted", "Tagged"]
    known = Contact.objects.get(name="Known")
    assert (known.company, known.email, known.notes.count(), known.contact_tags.count()) == ("Other", "", 0, 0)
    rows = client.get(f"/api/v1/imports/{batch['id']}/rows/").json()["results"]
    assert [(row["undone"], row["kept_because"]) for row in rows] == [
        ("restored", "Some of what the import wrote was changed since, and stays."),
        ("kept", "The contact was changed since."),
        ("kept", "The contact is in use: something was added to it since."),
        ("kept", "The contact is in use: something was added to it since."),
        ("deleted", ""),
    ]


def test_updating_moves_contact_without_stage_to_that_of_the_file(alice_device, acme):
    stage = alice_device.client.post("/api/v1/stages/", {"name": "Won"}).json()["id"]
    imported(alice_device, b"Name,Phone\nAna,+4930123456\n")
    batch = imported(alice_device, b"Name,Phone,Stage\nAna,+4930123456,Won\n", duplicates="update")
    assert outcomes(batch) == (0, 1, 0, 0, 0)
    assert str(Contact.objects.get().stage_id) == stage


def test_undoing_puts_nobody_at_stage_that_is_gone(alice_device, acme):
    client = alice_device.client
    first, second = (client.post("/api/v1/stages/", {"name": name}).json()["id"] for name in ("First", "Second"))
    for name, stage, number in (("Moved", first, "+4930123456"), ("Entered", None, "+4930123457")):
        contact = {"name": name, "stage": stage, "identities": [{"kind": "phone", "value": number}]}
        assert client.post("/api/v1/contacts/", contact, format="json").status_code == 201
    people = b"Name,Phone,Stage\nMoved,+4930123456,Second\nEntered,+4930123457,Second\n"
    batch = imported(alice_device, people, duplicates="update")
    assert set(Contact.objects.values_list("stage_id", flat=True)) == {UUID(second)}
    assert client.delete(f"/api/v1/stages/{first}/").status_code in (200, 204)
    undone = post(alice_device, batch, "undo")
    assert (undone["state"], undone["rows_restored"], undone["rows_kept"]) == ("undone", 2, 0)
    assert set(Contact.objects.values_list("stage_id", flat=True)) == {None}


class Meanwhile:
    """Somebody notes one of the numbers just when the worker calls a function, `before` or after it."""

    def __init__(self, monkeypatch, owner, name: str, device, number: str, *, before: bool):
        original = getattr(owner, name)
        self.answers = []

        def note() -> None:
            contact = {"name": "Noted", "identities": [{"kind": "phone", "value": number}]}
            self.answers.append(device.client.post("/api/v1/contacts/", contact, format="json"))
            connections.close_all()

        def call(*args, **kwargs):
            self.thread = threading.Thread(target=note)
            if before:
                self.thread.start()
                self.thread.join(0.2)
            result = original(*args, **kwargs)
            if not before:
                self.thread.start()
                self.thread.join(0.2)
            return result

        monkeypatch.setattr(owner, name, call)

    def status(self) -> int:
        self.thread.join(20)
        [answer] = self.answers
        return answer.status_code


@pytest.mark.django_db(transaction=True)
def test_who_notes_number_that_is_being_imported_waits_for_it(alice_device, bob_device, acme, monkeypatch):
    batch = upload(alice_device, PEOPLE)
    meanwhile = Meanwhile(monkeypatch, runs, "write_plan", bob_device, "+4915112000007", before=False)
    run_waiting_imports()
    assert meanwhile.status() == 409
    found = ImportBatch.objects.get(pk=batch["id"])
    assert (found.state, found.rows_created, found.attempts) == ("finished", 12, 0)
    assert plans.used_of(workspace=acme, resource=Resource.CONTACTS) == Contact.objects.count() == 12


@pytest.mark.django_db(transaction=True)
def test_who_notes_number_whose_import_is_undone_does_not_block_it(alice_device, bob_device, acme, monkeypatch):
    batch = imported(alice_device, PEOPLE)
    meanwhile = Meanwhile(monkeypatch, plans, "release", bob_device, "+4915112000007", before=True)
    undone = post(alice_device, batch, "undo")
    there = 1 if meanwhile.status() == 201 else 0
    assert (undone["state"], undone["contacts_deleted"]) == ("undone", 12)
    assert plans.used_of(workspace=acme, resource=Resource.CONTACTS) == Contact.objects.count() == there


def test_cancels_and_undoes_what_was_written(alice_device, acme, monkeypatch):
    monkeypatch.setattr(runs, "CHUNK", 5)
    batch = upload(alice_device, PEOPLE)
    runs.note_attempt(batch["id"])
    runs.run_import(ImportBatch.objects.get().pk, seconds=0)
    row = ImportBatch.objects.get()
    row.refresh_from_db()
    runs._write_next(row)
    cancelled = alice_device.client.delete(f"/api/v1/imports/{batch['id']}/").json()
    assert (cancelled["state"], cancelled["rows_done"], outcomes(cancelled)) == ("cancelled", 5, (5, 0, 0, 0, 0))
    run_waiting_imports()
    assert (Contact.objects.count(), StagedRow.objects.count()) == (5, 0)
    undone = post(alice_device, batch, "undo")
    assert (undone["state"], undone["contacts_deleted"], Contact.objects.count()) == ("undone", 5, 0)


@pytest.mark.parametrize("lost", [False, True])
def test_goes_on_after_worker_was_killed(alice_device, acme, monkeypatch, lost):
    """A chunk that broke off leaves nothing; the next worker goes on behind the last whole one, and doubles nothing."""
    monkeypatch.setattr(runs, "CHUNK", 5)
    batch = upload(alice_device, PEOPLE)
    real, calls = runs.write_plan, []

    def killed(plan, now):
        calls.append(plan)
        real(plan, now)
        if len(calls) == 2:
            raise KeyboardInterrupt

    monkeypatch.setattr(runs, "write_plan", killed)
    with pytest.raises(KeyboardInterrupt):
        run_waiting_imports()
    row = ImportBatch.objects.get()
    assert (row.state, row.rows_done, row.rows_created, Contact.objects.count()) == ("running", 5, 5, 5)
    if lost:
        # What a crash of the database does to a table without a log.
        StagedRow.objects.all().delete()
    run_waiting_imports()
    row.refresh_from_db()
    assert (row.state, row.rows_done, row.rows_created, row.rows_unchanged) == ("finished", 12, 12, 0)
    assert Contact.objects.count() == ContactIdentity.objects.count() == 12
    assert list(row.rows.order_by("row_number").values_list("row_number", flat=True)) == list(range(1, 13))
    assert batch["id"] == str(row.pk)


def test_plans_anew_when_number_was_taken_meanwhile(alice_device, acme, monkeypatch):
    batch = upload(alice_device, b"Name,Phone\nAna,+4915112345678\n")
    real, calls = runs.Plan, []

    def overtaken(*args, **kwargs):
        plan = real(*args, **kwargs)
        if not calls:
            # Somebody commits a contact with the same number between the look and the write.
            other = ContactIdentity.objects.model
            contact = Contact.objects.create(
                workspace=acme, name="Quick", search_text=" quick", created_at=row.created_at, updated_at=row.created_at
            )
            other.objects.create(workspace=acme, contact=contact, kind="phone", value="+4915112345678", match_key="4915112345678", source="person", observed_at=row.created_at)  # fmt: skip
        calls.append(plan)
        return plan

    row = ImportBatch.objects.get(pk=batch["id"])
    monkeypatch.setattr(runs, "Plan", overtaken)
    run_waiting_imports()
    # The test's own savepoint took the other contact back together with the chunk; the second plan found nothing in its way.
    row.refresh_from_db()
    assert (row.state, len(calls), row.rows_created, Contact.objects.count()) == ("finished", 2, 1, 1)


@pytest.mark.django_db(transaction=True)
def test_imports_one_file_once_with_many_workers(alice_device, acme):
    upload(alice_device, PEOPLE)

    def work():
        try:
            run_waiting_imports()
        finally:
            connections.close_all()

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    run_waiting_imports()
    batch = ImportBatch.objects.get()
    assert (batch.state, batch.rows_created, Contact.objects.count()) == ("finished", 12, 12)


@pytest.mark.django_db(transaction=True)
def test_uploads_of_one_id_at_one_moment_are_one_import(alice_device, acme, settings):
    id = str(uuid7())
    answers = at_once(
        *[
            lambda: alice_device.client.post(
                "/api/v1/imports/",
                {"file": SimpleUploadedFile("people.csv", PEOPLE), "id": id, "start": "false"},
                format="multipart",
            )
        ]
        * 4
    )
    assert sorted(answer.status_code for answer in answers) == [200] * 3 + [202]
    assert str(ImportBatch.objects.get().pk) == id
    assert len([path for path in Path(settings.MEDIA_ROOT).rglob("*") if path.is_file()]) == 1


def test_makes_ids_of_contacts_that_ascend_with_rows(alice_device, acme):
    upload(alice_device, PEOPLE)
    made = planning.MadeIds(ImportBatch.objects.get())
    ids = [made(number) for number in (1, 2, 63, 64, 65, 4095, 1_000_000, 2**32 - 1)]
    assert ids == sorted(ids)
    assert len(set(ids)) == len(ids)
    assert {UUID(id).version for id in ids} == {7}
    assert all(str(UUID(id)) == id for id in ids)


def test_keeps_other_workspaces_out(alice_device, charlie_device, acme, other):
    imported(charlie_device, ANA)
    batch = imported(alice_device, ANA)
    assert outcomes(batch) == (1, 0, 0, 0, 0)
    client, path = charlie_device.client, f"/api/v1/imports/{batch['id']}/"
    for method, where in (
        ("get", ""),
        ("patch", ""),
        ("delete", ""),
        ("post", "undo/"),
        ("post", "start/"),
        ("get", "result/"),
    ):
        assert getattr(client, method)(f"{path}{where}").status_code == 404
    assert Contact.objects.for_workspace(acme).count() == Contact.objects.for_workspace(other).count() == 1


def test_cancels_what_nobody_started(alice_device, acme, settings):
    batch = upload(alice_device, ANA, start="false")
    runs.cancel_abandoned()
    assert ImportBatch.objects.get().state == "uploaded"
    settings.IMPORT_PENDING_DAYS = -1
    runs.cancel_abandoned()
    row = ImportBatch.objects.get(pk=batch["id"])
    assert (row.state, row.problem, row.columns[0]["samples"]) == ("cancelled", "It was never started.", [])


def test_reads_workbooks_and_cards_through_the_same_door(alice_device, acme):
    book = b"".join(workbook([["Nombre", "Apellidos", "Móvil"], ["Ana", "Núñez", "+34 612 34 56 78"]]))
    assert outcomes(imported(alice_device, book)) == (1, 0, 0, 0, 0)
    card = b"BEGIN:VCARD\nVERSION:3.0\nN:N\xc3\xba\xc3\xb1ez;Ana;;;\nTEL:+34 612 34 56 78\nORG:Acme\nEND:VCARD\n"
    assert outcomes(imported(alice_device, card)) == (0, 1, 0, 0, 0)
    assert list(Contact.objects.values_list("name", "company")) == [("Ana Núñez", "Acme")]


def test_puts_new_tags_behind_the_others(alice_device, acme):
    for position, name in enumerate(("First", "Second")):
        Tag.objects.create(workspace=acme, name=name, folded=name.lower(), position=position)
    imported(alice_device, b'Name,Phone,Tags\nAna,+4915112345678,"Fair, Second"\nBen,+4915112345679,Late\n')
    order = Tag.objects.for_workspace(acme).order_by("position", "id").values_list("name", flat=True)
    assert list(order) == ["First", "Second", "Fair", "Late"]
