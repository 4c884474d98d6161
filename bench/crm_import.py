"""Rows a second of an import of 100,000 rows with two tags each, as a share of a bare COPY of already clean rows.

Both write into the same tables with the same indexes, in the large workspace
of the benchmarks' data. The import starts with the upload of a CSV and ends
when the last row can be searched for; numbers are read, canonicalised and
looked up on the way. The second figure imports the same file again: no row is
written, and the raw counterpart copies clean rows into a bare staging table
and asks the database which of them differ from what is there. Measured in
turn, each round with numbers of its own. `BENCH_IMPORT_ROWS` is the number of
rows.

Then a file of `BENCH_IMPORT_MEMORY_ROWS` (as many) is imported by a process of
its own, whose largest memory is the third figure, and taken back, which is only
told: nothing compares with it.
"""

import io
import os
import re
import statistics
import subprocess
import sys
import time

from bench._crm_data import found, prepare
from bench._figures import figure
from bench._leftovers import taken_away

GOAL = 0.5
ROUNDS = 3
MOST_MEMORY = 300  # megabytes

# Works on a batch as the worker does, and prints the most memory that the process ever had, in kilobytes.
_WORK = """
import django, sys
django.setup()
from uuid import UUID
from crm.services.imports import runs
runs.note_attempt(UUID(sys.argv[1]))
runs.run_import(UUID(sys.argv[1]))
print(open("/proc/self/status").read())
"""


def run() -> None:
    """Prepare, measure in turn, print."""
    data = prepare()
    rows = int(os.environ.get("BENCH_IMPORT_ROWS", "100000"))
    tags = _tags(data.workspace)
    print(f"{rows:,} rows with two tags each, beside {data.contacts:,} contacts of the workspace; rows/s")
    print(f"{'round':<6} {'import':>8} {'COPY':>8} {'ratio':>6} {'again':>9} {'compare':>9} {'ratio':>6}")
    rounds = []
    with taken_away(data.workspace):
        for number in range(ROUNDS):
            people, others = _people(number * 2, rows), _people(number * 2 + 1, rows)
            tables, content, staged = _clean(data, others, tags), _csv(people), _staged(people, tags)
            raw = rows / _timed(_copy, tables)
            ours = rows / _timed(_import, data, content, rows)
            compare = rows / _timed(_compare, data, staged)
            again = rows / _timed(_import, data, content, 0)
            rounds.append((ours / raw, again / compare))
            print(
                f"{number + 1:<6} {ours:>8,.0f} {raw:>8,.0f} {ours / raw:>6.2f} {again:>9,.0f} {compare:>9,.0f} "
                f"{again / compare:>6.2f}",
                flush=True,
            )
        alone = int(os.environ.get("BENCH_IMPORT_MEMORY_ROWS", str(rows)))
        peak = _alone(data, _csv(_people(2 * ROUNDS * rows // alone + 1, alone)), alone)
    figure("crm_import", statistics.median(one for one, _ in rounds), GOAL)
    figure("crm_reimport", statistics.median(other for _, other in rounds), GOAL)
    figure("crm_import_memory", peak / MOST_MEMORY, 1.0, at_most=True)


def _timed(work, *arguments) -> float:
    """Seconds that something takes, with nothing left over from before in the indexes."""
    from django.db import connection

    with connection.cursor() as cursor:
        cursor.execute("SELECT gin_clean_pending_list('contact_search')")
    began = time.monotonic()
    work(*arguments)
    return time.monotonic() - began


def _tags(workspace) -> list[tuple[str, str]]:
    from crm.models import Tag

    return [(tag.name, str(tag.pk)) for tag in Tag.objects.for_workspace(workspace).order_by("position")[:2]]


def _people(block: int, rows: int) -> list[tuple[str, str, str, str]]:
    """Name, company, address and digits of people whom nobody has; German mobile numbers, which have one spelling."""
    from bench import _crm_names as names

    given, family = names.given_names("latin"), names.family_names("latin")
    first = block * rows
    return [
        (
            f"{given[n % len(given)]} {family[n * 7 % len(family)]}",
            f"{names.COMPANIES[n % len(names.COMPANIES)]} {n % 300}" if n % 3 == 0 else "",
            f"imported{first + n}@example.org" if n % 5 < 2 else "",
            f"49176{10_000_000 + first + n}",
        )
        for n in range(rows)
    ]


def _csv(people) -> bytes:
    text = io.StringIO()
    text.write("Name,Company,E-mail,Phone,Tags\r\n")
    for name, company, email, digits in people:
        text.write(f'"{name}","{company}",{email},+{digits[:2]} {digits[2:5]} {digits[5:]},"Tag 1, Tag 2"\r\n')
    return text.getvalue().encode()


def _clean(data, people, tags) -> list[tuple[str, str, str]]:
    """Table, columns and rows for COPY, ready to be written."""
    from django.utils import timezone

    from crm.models.contacts import search_text_of, sort_name_of
    from waplus.lib.ids import uuid7

    contacts, identities, tagged, now = [], [], [], timezone.now().isoformat()
    for name, company, email, digits in people:
        id, texts = uuid7(), {"name": name, "profile_name": "", "company": company, "email": email}
        sort_name = sort_name_of(**texts, numbers=[digits])
        search_text = search_text_of(**texts, numbers=[digits])
        workspace = data.workspace.pk
        contacts.append(f"{id}\t{workspace}\t{name}\t\t{company}\t{email}\t{sort_name}\t{search_text}\t{now}\t{now}\n")
        identities.append(f"{uuid7()}\t{workspace}\t{id}\tphone\t+{digits}\t{digits}\tt\timport\t{now}\n")
        tagged += [f"{uuid7()}\t{workspace}\t{id}\t{tag}\t{now}\t{data.user.pk}\n" for _, tag in tags]
    return [
        (
            "crm_contact",
            "id, workspace_id, name, profile_name, company, email, sort_name, search_text, created_at, updated_at",
            "".join(contacts),
        ),
        (
            "crm_contactidentity",
            "id, workspace_id, contact_id, kind, value, match_key, holds_key, source, observed_at",
            "".join(identities),
        ),
        ("crm_contacttag", "id, workspace_id, contact_id, tag_id, added_at, added_by_id", "".join(tagged)),
    ]


def _copy(tables) -> None:
    from django.db import connection, transaction

    with transaction.atomic(), connection.cursor() as cursor:
        for table, columns, rows in tables:
            cursor.copy_expert(f"COPY {table} ({columns}) FROM STDIN", io.StringIO(rows))


def _staged(people, tags) -> str:
    ids = ",".join(id for _, id in tags)
    return "".join(
        f"{name}\t{company}\t{email}\t+{digits}\t{digits}\t{{{ids}}}\n" for name, company, email, digits in people
    )


def _compare(data, staged: str) -> None:
    from django.db import connection, transaction

    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(
            "CREATE TEMP TABLE clean (name text, company text, email text, value text, key text, tags uuid[]) ON COMMIT DROP"
        )
        cursor.copy_expert("COPY clean FROM STDIN", io.StringIO(staged))
        cursor.execute(
            """SELECT count(*) FROM clean s
               LEFT JOIN crm_contactidentity i ON i.workspace_id = %(workspace)s AND i.match_key = s.key AND i.holds_key
               LEFT JOIN crm_contact c ON c.id = i.contact_id
               WHERE c.id IS NULL OR i.value <> s.value OR (s.name <> '' AND c.name = '')
                  OR (s.company <> '' AND c.company = '') OR (s.email <> '' AND c.email = '')
                  OR 2 <> (SELECT count(*) FROM crm_contacttag t WHERE t.workspace_id = c.workspace_id
                           AND t.contact_id = c.id AND t.tag_id = ANY (s.tags))""",
            {"workspace": data.workspace.pk},
        )
        if cursor.fetchone() != (0,):
            raise RuntimeError("the database differs from what was imported")


def _alone(data, content: bytes, rows: int) -> float:
    """Import a file and take it back, each in a process of its own; answers the importing one's most memory in megabytes."""
    from accounts import actors
    from crm.services.imports import batches

    batch = _upload(data, content)
    began = time.monotonic()
    peak = _work(batch)
    imported = time.monotonic() - began
    if (batch.state, batch.rows_created) != ("finished", rows):
        raise RuntimeError(f"{batch.state} {batch.problem}: {batch.rows_created} created")
    batches.undo_import(workspace=data.workspace, batch_id=batch.pk, actor=actors.person(data.user))
    began = time.monotonic()
    _work(batch)
    undone = time.monotonic() - began
    if (batch.state, batch.contacts_deleted) != ("undone", rows):
        raise RuntimeError(f"{batch.state} {batch.problem}: {batch.contacts_deleted} deleted")
    print(f"{rows:,} rows by a process alone: {imported:.0f} s, {peak:.0f} MB at most; taken back in {undone:.0f} s")
    return peak


def _work(batch) -> float:
    environment = {**os.environ, "DJANGO_SETTINGS_MODULE": "waplus.settings"}
    command = [sys.executable, "-c", _WORK, str(batch.pk)]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=True)
    batch.refresh_from_db()
    return int(re.search(r"VmHWM:\s+(\d+)", done.stdout)[1]) / 1024


def _upload(data, content: bytes):
    from django.core.files.uploadedfile import SimpleUploadedFile

    from accounts import actors
    from crm.services.imports import batches

    return batches.upload_file(
        workspace=data.workspace,
        user=data.user,
        actor=actors.person(data.user),
        file=SimpleUploadedFile("people.csv", content),
    )[0]


def _import(data, content: bytes, created: int) -> None:
    """An upload and its run, as the web process and the worker do them; checks what the batch and the search say."""
    from crm.services.imports import runs

    batch = _upload(data, content)
    runs.note_attempt(batch.pk)
    runs.run_import(batch.pk)
    batch.refresh_from_db()
    last = content.rstrip().splitlines()[-1].split(b",")[3].decode()
    if (batch.state, batch.rows_created, batch.rows_refused) != ("finished", created, 0):
        raise RuntimeError(f"{batch.state} {batch.problem}: {batch.rows_created} created, {batch.rows_refused} refused")
    if len(found(data.workspace, last)) != 1:
        raise RuntimeError("the last row is not found")
