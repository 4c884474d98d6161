"""Exports: what leaves can come back, and no spreadsheet program runs any of it."""

import csv
import io

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from openpyxl import load_workbook

from accounts.models import Event
from crm.models import Contact, CustomField, FieldValue, ImportBatch
from crm.services import tables
from crm.tasks import run_waiting_imports
from waplus.lib.text import fold

pytestmark = pytest.mark.django_db

FILE = (
    "Name,Company,E-mail,Phone,Phone 2,Labels,Notes,Segment,Since,Worth\n"
    '"=HYPERLINK(""http://x"")",Padaria,ana@example.com,+55 11 98765-4321,+49 30 123456,"VIP ::: New","a\nb",Retail,31.12.2025,"1.234,50"\n'
    "王小明,,,,,,@SUM(A1),Public,,\n"
)


def field(workspace, name: str, kind: str, **values) -> CustomField:
    return CustomField.objects.create(workspace=workspace, name=name, folded=fold(name), kind=kind, **values)


@pytest.fixture
def fields(acme):
    options = [
        {"id": f"o{n}", "label": label, "colour": "blue", "retired": False}
        for n, label in enumerate(["Retail", "Public"])
    ]
    field(acme, "Segment", "choice", options=options)
    field(acme, "Since", "date", position=1)
    field(acme, "Worth", "money", currency="EUR", position=2)


def imported(device, content: bytes) -> ImportBatch:
    file = SimpleUploadedFile("people", content)
    answer = device.client.post("/api/v1/imports/", {"file": file}, format="multipart")
    assert answer.status_code == 202, answer.json()
    run_waiting_imports()
    return ImportBatch.objects.get(pk=answer.json()["id"])


def exported(device, query: str = "") -> bytes:
    answer = device.client.get(f"/api/v1/contacts/export/{query}")
    assert answer.status_code == 200, answer.getvalue()
    return b"".join(answer.streaming_content)


def rows_of(content: bytes) -> list[list[str]]:
    if content.startswith(b"PK"):
        sheet = load_workbook(io.BytesIO(content)).active
        assert all(cell.data_type in ("s", "n") for row in sheet for cell in row)
        return [[cell or "" for cell in row] for row in sheet.iter_rows(values_only=True)]
    return list(csv.reader(io.StringIO(content.decode("utf-8-sig"), newline="")))


@pytest.mark.parametrize("form", ["csv", "xlsx"])
def test_exports_contacts_with_everything(alice_device, acme, fields, form):
    batch = imported(alice_device, FILE.encode())
    assert (batch.rows_created, batch.rows_refused) == (2, 0)
    titles, first, second = rows_of(exported(alice_device, f"?as={form}"))
    quote = "'" if form == "csv" else ""
    assert titles[-3:] == ["Segment", "Since", "Worth"]
    assert first[:7] == [
        f'{quote}=HYPERLINK("http://x")',
        *("Padaria", "ana@example.com", "+5511987654321 ::: +4930123456"),
        *("", "VIP ::: New", ""),
    ]
    assert (first[8], first[-3:]) == ("a\nb", ["Retail", "2025-12-31", "1234.50"])
    assert (second[0], second[8]) == ("王小明", f"{quote}@SUM(A1)")
    assert Event.objects.get(kind="contact.exported").count == 2


@pytest.mark.parametrize("form", ["csv", "xlsx"])
def test_reads_own_export_again_without_change(alice_device, acme, fields, form):
    imported(alice_device, FILE.replace("=HYPERLINK", "HYPERLINK").replace("@SUM", "SUM").encode())
    before = list(Contact.objects.order_by("pk").values()), list(FieldValue.objects.order_by("pk").values())
    batch = imported(alice_device, exported(alice_device, f"?as={form}"))
    assert (batch.rows_unchanged, batch.rows_created, batch.rows_merged, batch.problem) == (2, 0, 0, "")
    assert (list(Contact.objects.order_by("pk").values()), list(FieldValue.objects.order_by("pk").values())) == before


def test_exports_what_query_finds(alice_device, acme, charlie_device):
    imported(alice_device, b"Name,Phone\nAna,+4915112345678\nBea,+4915112345679\n")
    assert [row[0] for row in rows_of(exported(alice_device, "?q=bea"))] == ["Name", "Bea"]
    assert len(rows_of(exported(charlie_device))) == 1
    for wrong in ("?as=pdf", "?q=%00", "?q=" + "x" * 300):
        assert alice_device.client.get(f"/api/v1/contacts/export/{wrong}").status_code == 400


@pytest.mark.parametrize(
    ("cell", "safe"),
    [
        ("=1+1", "'=1+1"),
        ("+1+1|cmd", "'+1+1|cmd"),
        ("-2", "'-2"),
        ("@SUM(A1)", "'@SUM(A1)"),
        ("|x", "'|x"),
        ("%x", "'%x"),
        ("\t=1", "'\t=1"),
        ("\r=1", "'\r=1"),
        (" =1", "' =1"),
        ("＝1+1", "'＝1+1"),
        ("\u200b=1", "'\u200b=1"),
        ("+4915112345678", "+4915112345678"),
        ("+4915112345678 ::: +4930123456", "+4915112345678 ::: +4930123456"),
        ("+4915112345678*2", "'+4915112345678*2"),
        ("Ana = Bea", "Ana = Bea"),
        ("", ""),
    ],
)  # fmt: skip
def test_defuses_cells_that_could_be_formulas(cell, safe):
    assert tables.safe_cell(cell) == safe
