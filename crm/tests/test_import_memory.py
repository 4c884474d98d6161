"""A file of any length is imported in the same memory."""

import os
import subprocess
import sys

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection

from accounts.models import Plan, Workspace
from crm.models import ImportBatch

# Runs one batch in a process of its own and prints the most memory that it had, in kilobytes. The kernel's other
# figure for that (`ru_maxrss`) would count what the process that started it had.
RUN = """
import django, re, sys
django.setup()
from uuid import UUID
from django.conf import settings
settings.MEDIA_ROOT = sys.argv[2]
from crm.services.imports import runs
runs.note_attempt(UUID(sys.argv[1]))
runs.run_import(UUID(sys.argv[1]))
print(re.search(r"VmHWM:\\s+(\\d+)", open("/proc/self/status").read())[1])
"""


def peak_megabytes(device, settings, rows: int, first: int) -> float:
    lines = (f"Person {n},Company {n % 100},p{n}@example.com,+4917{n:08},VIP\n" for n in range(first, first + rows))
    content = ("Name,Company,E-mail,Phone,Tags\n" + "".join(lines)).encode()
    answer = device.client.post(
        "/api/v1/imports/", {"file": SimpleUploadedFile("people.csv", content)}, format="multipart"
    )
    database = connection.settings_dict
    url = f"postgres://{database['USER']}:{database['PASSWORD']}@/{database['NAME']}"
    environment = {
        **os.environ,
        "DJANGO_SETTINGS_MODULE": "waplus.settings",
        "DATABASE_URL": f"{url}?host={database['HOST']}&port={database['PORT']}",
    }
    command = [sys.executable, "-c", RUN, answer.json()["id"], settings.MEDIA_ROOT]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=True)
    batch = ImportBatch.objects.get(pk=answer.json()["id"])
    assert (batch.state, batch.rows_created) == ("finished", rows)
    return int(done.stdout) / 1024


@pytest.mark.django_db(transaction=True)
def test_needs_no_more_memory_for_more_rows(alice_device, acme, settings):
    plan = Plan.objects.get(code="business")
    Workspace.objects.filter(pk=acme.pk).update(plan=plan)
    few = peak_megabytes(alice_device, settings, 6_000, 0)
    many = peak_megabytes(alice_device, settings, 18_000, 1_000_000)
    assert few < 200
    assert many - few < 15
