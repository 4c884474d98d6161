"""Imports in the browser, from the upload to undoing."""

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.urls import reverse

from crm.models import Contact, ImportBatch, ImportState, Tag
from crm.services.imports.runs import run_waiting
from crm.tests.test_pages_contacts import add, said
from waplus.lib.ids import uuid7

FILE = (
    "Nome;Telefone;E-mail;Observação\n"
    "Ana Lima;(11) 98765-4321;ana@example.com;prefere manhã\n"
    "Bruno Costa;(11) 91234-5678;;\n"
    ";12;;\n"
)


def csv_file(text: str = FILE, name: str = "clientes.csv") -> SimpleUploadedFile:
    return SimpleUploadedFile(name, text.encode(), "text/csv")


def upload(client, **values) -> ImportBatch:
    client.post(reverse("new-import"), {"id": uuid7(), "file": csv_file(), **values})
    return ImportBatch.objects.order_by("-id").first()


def choose(batch: ImportBatch, **values) -> dict:
    """What the form of the columns sends as it was shown."""
    return {
        "target": [column["target"] for column in batch.columns],
        "default_country": "BR",
        "duplicates": "merge",
        "has_header": "on",
        **values,
    }


def page_of(client, batch: ImportBatch) -> str:
    return client.get(reverse("import", args=[batch.pk])).content.decode()


def test_list_imports(client, alice, acme):
    client.force_login(alice)
    assert "Nothing imported yet" in client.get(reverse("imports")).content.decode()
    upload(client)
    assert "clientes.csv" in client.get(reverse("imports")).content.decode()


def test_upload_twice_is_once(client, alice, acme):
    client.force_login(alice)
    id = uuid7()
    for _ in range(2):
        response = client.post(reverse("new-import"), {"id": id, "file": csv_file()})
        assert response.url == reverse("import", args=[id])
    assert ImportBatch.objects.count() == 1


@pytest.mark.parametrize(
    ("content", "name"),
    [("", "empty.csv"), ("\x00\x01\x02", "x.xlsx"), ("a,b\n1,2\n", "nothing.csv")],
)
def test_upload_wrong_file(client, alice, acme, content, name):
    client.force_login(alice)
    response = client.post(reverse("new-import"), {"id": uuid7(), "file": csv_file(content, name)})
    if response.status_code == 302:
        # Its columns can be named by hand; a preview without any is refused.
        batch = ImportBatch.objects.get()
        response = client.post(reverse("change-import", args=[batch.pk]), choose(batch, target=["ignore", "ignore"]))
        assert response.context["form"].non_field_errors()
    else:
        assert response.context["form"].errors["file"]
    assert not Contact.objects.exists()


def test_upload_nothing(client, alice, acme):
    client.force_login(alice)
    response = client.post(reverse("new-import"), {"id": uuid7()})
    assert list(response.context["form"].errors) == ["file"]
    assert not ImportBatch.objects.exists()


def test_import_file(client, alice, acme):
    tag = Tag.objects.create(workspace=acme, name="Feira", folded="feira")
    add(acme, alice, "Bruno", "+5511912345678")
    client.force_login(alice)
    batch = upload(client)
    text = page_of(client, batch)
    assert "What is in the columns?" in text
    assert "(11) 98765-4321" in text

    client.post(reverse("change-import", args=[batch.pk]), choose(batch, tags=[tag.pk]))
    assert "Reading the file…" in page_of(client, batch)
    run_waiting()
    response = client.get(reverse("import", args=[batch.pk]))
    assert {one["value"]: one["count"] for one in response.context["counts"]} == {
        "created": 1,
        "merged": 1,
        "unchanged": 0,
        "skipped": 0,
        "refused": 1,
    }
    assert len(response.context["rows"]) == 3
    refused = client.get(reverse("import", args=[batch.pk]), {"outcome": "refused"})
    assert [row.row_number for row in refused.context["rows"]] == [3]
    assert Contact.objects.count() == 1

    client.post(reverse("start-import", args=[batch.pk]))
    run_waiting()
    text = page_of(client, batch)
    assert "Refused rows" in text
    assert "Undo this import" in text
    assert Contact.objects.count() == 2
    download = client.get(reverse("import-refusals", args=[batch.pk]))
    assert download["Content-Disposition"] == 'attachment; filename="clientes-refused.csv"'
    assert b",12," in download.getvalue()

    client.post(reverse("undo-import", args=[batch.pk]))
    assert "Taking it back…" in page_of(client, batch)
    run_waiting()
    assert "Taken back: 1 contacts deleted" in page_of(client, batch)
    assert list(Contact.objects.values_list("name", flat=True)) == ["Bruno"]


def test_change_columns(client, alice, acme):
    client.force_login(alice)
    batch = upload(client)
    targets = ["company", "phone", "ignore", "ignore"]
    client.post(reverse("change-import", args=[batch.pk]), choose(batch, target=targets, duplicates="skip"))
    batch.refresh_from_db()
    assert [column["target"] for column in batch.columns] == targets
    assert batch.duplicates == "skip"
    assert batch.state == ImportState.PREVIEWING


def test_change_columns_with_nonsense(client, alice, acme):
    client.force_login(alice)
    batch = upload(client)
    address = reverse("change-import", args=[batch.pk])
    for values in ({"target": ["name"]}, {"target": ["x"] * 4}, {"duplicates": "x"}, {"tags": [uuid7()]}):
        response = client.post(address, choose(batch, **values))
        assert response.status_code == 200
        assert response.context["form"].errors
    batch.refresh_from_db()
    assert batch.state == ImportState.UPLOADED


def test_cancel_import(client, alice, acme):
    client.force_login(alice)
    batch = upload(client)
    response = client.post(reverse("cancel-import", args=[batch.pk]), follow=True)
    assert said(response) == ["The import is cancelled."]
    assert "Nothing of it was imported." in response.content.decode()


def test_reach_import_of_others(client, alice, acme, charlie, other):
    client.force_login(charlie)
    batch = upload(client)
    client.force_login(alice)
    assert client.get(reverse("import", args=[batch.pk])).status_code == 404
    assert client.get(reverse("import-refusals", args=[batch.pk])).status_code == 404
    for name in ("change-import", "start-import", "cancel-import", "undo-import"):
        assert client.post(reverse(name, args=[batch.pk]), choose(batch)).status_code == 404
    batch.refresh_from_db()
    assert batch.state == ImportState.UPLOADED
