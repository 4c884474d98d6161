"""Reading a file into the table of staged rows, and finding the rows that are one person.

Every statement is short: rows go in by thousands to a transaction, because an
open writing transaction holds back what others can pull (docs/adr/0010).
"""

import time
from array import array
from collections.abc import Iterator

from django.conf import settings
from django.db import connection, transaction

from crm.models import CustomField, ImportBatch, Stage, Tag
from crm.services.imports import copying
from crm.services.imports.mapping import titles as t
from crm.services.imports.mapping.rows import Row, RowReader
from crm.services.imports.mapping.values import FieldReader
from crm.services.imports.reading import Layout, Unreadable, open_source
from waplus.lib.ids import uuid7
from waplus.lib.text import fold

CHUNK = 10_000  # rows
MAX_CHUNK = 4 << 20  # characters
MAX_SECONDS = 0.5
# Tags that one file may bring along: a column of something else, taken for tags, would make thousands.
MAX_NEW_TAGS = 200
MAX_REMEMBERED = 10_000
MAX_KEPT_CELL = 1_000
MAX_KEPT_CELLS = 100
EMPTY = "The row has no name, company, e-mail address or number."
_COLUMNS = (
    "workspace_id, batch_id, row_number, name, company, email, kinds, values, keys, tags, note, stage_id, fields, "
    "notes, refused, cells, outcome"
)


class Stopped(Exception):
    """Somebody cancelled the batch, or another worker has it."""


class TagNames:
    """Ids of tags by their names; unknown ones are given an id and are made when the run begins."""

    def __init__(self, batch: ImportBatch):
        self._known = dict(Tag.objects.for_workspace(batch.workspace_id).values_list("folded", "id"))
        self._known = {folded: str(id) for folded, id in self._known.items()}
        self._by_name: dict[str, str | None] = {}
        self.new: dict[str, str] = {}

    def id_of(self, name: str) -> str | None:
        """The tag's id; None if the file brings more new tags than are taken."""
        if name not in self._by_name and len(self._by_name) < MAX_REMEMBERED:
            self._by_name[name] = self._look_up(name)
        return self._by_name[name] if name in self._by_name else self._look_up(name)

    def _look_up(self, name: str) -> str | None:
        folded = fold(name)[:200]
        if folded not in self._known:
            if not folded or len(self.new) >= MAX_NEW_TAGS:
                return None
            self._known[folded] = str(uuid7())
            self.new[self._known[folded]] = name
        return self._known[folded]


def row_reader(batch: ImportBatch) -> RowReader:
    """The reader that the batch's mapping asks for."""
    stages = Stage.objects.for_workspace(batch.workspace_id).values_list("folded", "id")
    fields = CustomField.objects.for_workspace(batch.workspace_id).filter(retired_at=None)
    readers = {str(field.pk): FieldReader(field) for field in fields}
    targets = [column["target"] for column in batch.columns]
    # A field that was retired since is read no more.
    targets = [t.IGNORE if one.startswith(t.FIELD) and one[len(t.FIELD) :] not in readers else one for one in targets]
    return RowReader(
        [column["title"] for column in batch.columns],
        targets,
        batch.default_country,
        {folded: str(id) for folded, id in stages},
        readers,
    )


def stage(batch: ImportBatch) -> None:
    """Read the whole file. Raises `Unreadable`, `Stopped`, and `FileNotFoundError` if the file is gone."""
    clear(batch)
    _forget_tags(batch)
    tags, reader = TagNames(batch), row_reader(batch)
    ids = f"{batch.workspace_id}\t{batch.pk}"
    with batch.file.open("rb") as file:
        source = open_source(file, layout_of(batch))
        numbered, number = enumerate(source.records(), 1), 0
        while True:
            lines = _Lines(ids, batch, reader, tags, numbered)
            with transaction.atomic(), connection.cursor() as cursor:
                copying.copy(cursor, "crm_stagedrow", _COLUMNS, lines)
                number = lines.last or number
                advance(batch, rows_total=number, rows_staged=number)
            if lines.is_end:
                break
    _join_persons(batch)
    advance(batch, is_staged=True, new_tags=tags.new)


def _forget_tags(batch: ImportBatch) -> None:
    """Tags that were chosen for the batch and have been deleted since."""
    there = {
        str(id)
        for id in Tag.objects.for_workspace(batch.workspace_id).filter(pk__in=batch.tags).values_list("id", flat=True)
    }
    batch.tags = [tag for tag in batch.tags if tag in there]


class _Lines:
    """The next rows of a file as COPY takes them, so many that a transaction stays short."""

    def __init__(self, ids: str, batch: ImportBatch, reader: RowReader, tags: TagNames, numbered: Iterator):
        self._ids, self._batch, self._reader, self._tags, self._numbered = ids, batch, reader, tags, numbered
        self.last = 0
        self.is_end = True

    def __iter__(self) -> Iterator[str]:
        size, limit, read, end = 0, settings.MAX_IMPORT_ROWS, self._reader.read, time.monotonic() + MAX_SECONDS
        for count, (number, record) in enumerate(self._numbered, 1):
            if number > limit:
                raise Unreadable(f"The file has more than {limit:,} rows. Split it.")
            line = _line(self._ids, self._batch, read(number, record), record, self._tags)
            self.last = number
            yield line
            size += len(line)
            if count >= CHUNK or size > MAX_CHUNK or (count % 256 == 0 and time.monotonic() > end):
                self.is_end = False
                return


def layout_of(batch: ImportBatch) -> Layout:
    """The layout that was detected at the upload, or chosen since."""
    return Layout(batch.format, batch.encoding, batch.delimiter, batch.has_header)


def advance(batch: ImportBatch, **values) -> None:
    """Note progress, or raise `Stopped` if the batch is not what it was: cancelled, changed, or asked for otherwise."""
    if not ImportBatch.objects.filter(pk=batch.pk, state=batch.state, revision=batch.revision).update(**values):
        raise Stopped
    for name, value in values.items():
        setattr(batch, name, value)


def clear(batch: ImportBatch) -> None:
    """Take away staged rows, by thousands."""
    with connection.cursor() as cursor:
        start = 0
        while True:
            cursor.execute(
                "DELETE FROM crm_stagedrow WHERE batch_id = %s AND row_number > %s AND row_number <= %s",
                [batch.pk, start, start + 5 * CHUNK],
            )
            start += 5 * CHUNK
            if not cursor.rowcount:
                break


def _line(ids: str, batch: ImportBatch, row: Row, record: list[str], tags: TagNames) -> str:
    """A row as COPY takes it. `ids`: workspace and batch, as they stand in every row."""
    is_empty = row.is_empty
    wanted = list(batch.tags)
    for name in row.tags if not is_empty else ():
        tag = tags.id_of(name)
        if tag is None:
            row.notes.append(f"The file brings more than {MAX_NEW_TAGS} new tags; “{name}” was left out.")
        elif tag not in wanted:
            wanted.append(tag)
    if is_empty:
        row.notes = row.notes or [EMPTY]
    kinds, values, keys = zip(*row.identities, strict=True) if row.identities else ((), (), ())
    text = copying.text
    return "\t".join(
        (
            ids,
            str(row.number),
            text(row.name),
            text(row.company),
            text(row.email),
            copying.array(kinds),
            copying.array(values),
            copying.array(dict.fromkeys(keys)) if keys else copying.quoted_array(() if is_empty else row.keys),
            copying.array(wanted),
            text(row.note),
            row.stage or copying.NULL,
            copying.document(row.fields or None),
            text(" ".join(row.notes)[:1000]) if row.notes else "",
            "t" if is_empty else "f",
            copying.document(kept_cells(record)) if is_empty else copying.NULL,
            "",
        )
    )


def kept_cells(record: list[str]) -> list[str]:
    """The cells of a refused row, for its owner to mend; monstrous ones are cut."""
    return [cell[:MAX_KEPT_CELL].replace("\x00", "") for cell in record[:MAX_KEPT_CELLS]]


_SHARED_KEYS = """
WITH keyed AS MATERIALIZED (
    SELECT row_number, unnest(keys) AS key FROM crm_stagedrow WHERE batch_id = %(batch)s
), shared AS (
    SELECT key, min(row_number) AS first FROM keyed GROUP BY key HAVING count(*) > 1
)
SELECT k.row_number, s.first FROM keyed k JOIN shared s USING (key) WHERE k.row_number <> s.first ORDER BY 1
"""


def _join_persons(batch: ImportBatch) -> None:
    """Rows that share a key are one person, also over a third row: each learns the first row of its person.

    The database finds the few rows that share anything; the rest is a
    union-find over an array of four bytes a row.
    """
    parents = array("I", range(batch.rows_total + 1))

    def root(index: int) -> int:
        while parents[index] != index:
            parents[index] = parents[parents[index]]
            index = parents[index]
        return index

    touched = array("I")
    for number, first in _shared_keys(batch):
        one, other = root(number), root(first)
        if one != other:
            parents[max(one, other)] = min(one, other)
        touched.append(number)
        touched.append(first)
    members = sorted(set(touched)) if len(touched) < 100_000 else touched
    for start in range(0, len(members), CHUNK):
        numbers = list(members[start : start + CHUNK])
        with connection.cursor() as cursor:
            cursor.execute(
                """UPDATE crm_stagedrow s SET leader = m.leader
                   FROM unnest(%s::int[], %s::int[]) AS m (row_number, leader)
                   WHERE s.batch_id = %s AND s.row_number = m.row_number AND s.leader IS DISTINCT FROM m.leader""",
                [numbers, [root(number) for number in numbers], batch.pk],
            )


def _shared_keys(batch: ImportBatch) -> Iterator[tuple[int, int]]:
    with transaction.atomic(), connection.chunked_cursor() as cursor:
        cursor.itersize = CHUNK
        cursor.execute(_SHARED_KEYS, {"batch": batch.pk})
        yield from cursor
