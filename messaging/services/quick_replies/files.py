"""Quick replies to a file and from one: JSON with everything, CSV for simple ones.

JSON is `{"format": "waplus-quick-replies", "version": 1, "quick_replies": […]}`, each
with `name`, `shortcut`, `folder` (its name), `visibility`, `default_language` and
`texts` as on the API; a file stands in it as `{"id", "name"}` and not with its
content. CSV has the columns of `TITLES` and holds replies of one language, one
part and no file. What is exported and imported again changes nothing.
"""

import csv
import io
import json
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import BinaryIO
from uuid import UUID

from django.db import transaction
from django.utils import timezone

from accounts.actors import Actor
from accounts.models import User, Workspace
from accounts.services.events import record_event
from crm.services.imports.reading.delimited import DelimitedText
from crm.services.imports.reading.source import Layout, Unreadable
from crm.services.naming import clean_name, folded_name, next_position
from crm.services.tables import safe_cell
from messaging.models import MediaFile, QuickReply, QuickReplyFolder, Visibility
from messaging.services.quick_replies.changes import MAX_PRIVATE, MAX_TEAM, visible_replies
from messaging.services.quick_replies.folders import MAX_FOLDERS
from messaging.services.quick_replies.texts import clean_shortcut, clean_texts, search_text_of, write_texts
from messaging.services.templating.variables import Fields
from waplus.lib.api.parsers import read_json
from waplus.lib.errors import Invalid, Refused
from waplus.lib.ids import uuid7
from waplus.lib.locks import Hold, held, take_turns

FORMAT, VERSION = "waplus-quick-replies", 1
FORMATS = {"json": "application/json", "csv": "text/csv; charset=utf-8"}
TITLES = ("Name", "Shortcut", "Folder", "Visibility", "Language", "Text")
MAX_ROWS = 2_000
MAX_BYTES = 16 * 1024 * 1024


@dataclass(frozen=True)
class Exported:
    """A file, and how many quick replies its format has no place for."""

    content: bytes
    left_out: int
    headers: dict[str, str]


def export_replies(*, workspace: Workspace, user: User, actor: Actor, format: str) -> Exported:
    """The team's quick replies and the person's own, in their order. That they were exported is recorded."""
    rows = list(visible_replies(workspace=workspace, user=user).select_related("folder").order_by("position", "id"))
    simple = [row for row in rows if _is_simple(row)] if format == "csv" else rows
    content = _csv(simple) if format == "csv" else _json(workspace, rows)
    with transaction.atomic():
        record_event(kind="quick_reply.exported", actor=actor, workspace=workspace, count=len(simple))
    left_out = len(rows) - len(simple)
    name = f"quick-replies-{timezone.now():%Y-%m-%d}.{format}"
    headers = {"Content-Disposition": f'attachment; filename="{name}"', "X-Left-Out": str(left_out)}
    return Exported(content, left_out, headers)


def _is_simple(reply: QuickReply) -> bool:
    return (
        len(reply.contents) == 1 and len(reply.contents[0]["parts"]) == 1 and not reply.contents[0]["parts"][0]["media"]
    )


def _json(workspace: Workspace, replies: list[QuickReply]) -> bytes:
    ids = {part["media"] for reply in replies for text in reply.contents for part in text["parts"] if part["media"]}
    names = dict(MediaFile.objects.for_workspace(workspace).filter(pk__in=ids).values_list("pk", "name"))
    rows = [
        {
            "name": reply.name,
            "shortcut": reply.shortcut,
            "folder": reply.folder and reply.folder.name,
            "visibility": reply.visibility.value,
            "default_language": reply.default_language,
            "texts": [
                {
                    "language": text["language"],
                    "parts": [
                        {
                            "body": part["body"],
                            "media": part["media"]
                            and {"id": part["media"], "name": names.get(UUID(part["media"]), "")},
                        }
                        for part in text["parts"]
                    ],
                }
                for text in reply.contents
            ],
        }
        for reply in replies
    ]
    document = {"format": FORMAT, "version": VERSION, "quick_replies": rows}
    return json.dumps(document, ensure_ascii=False, indent=1).encode()


def _csv(replies: list[QuickReply]) -> bytes:
    """UTF-8 with a byte order mark, by which Excel knows it; cells that could be formulas are defused."""
    buffer = io.StringIO()
    buffer.write("\ufeff")
    writer = csv.writer(buffer)
    writer.writerow(TITLES)
    for reply in replies:
        [text] = reply.contents
        # A slash alone is no formula; a name may be one.
        cells = (reply.name, reply.shortcut, reply.folder.name if reply.folder else "", reply.visibility.value)
        writer.writerow(map(safe_cell, (*cells, text["language"], text["parts"][0]["body"])))
    return buffer.getvalue().encode()


# --- Reading --------------------------------------------------------------------------------------


@dataclass(frozen=True)
class RefusedRow:
    """A row that was not taken: its number from 1, what it calls itself, and why."""

    row: int
    name: str
    field: str
    code: str
    detail: str


@dataclass
class Imported:
    """What became of a file."""

    created: int = 0
    unchanged: int = 0
    refused: list[RefusedRow] = field(default_factory=list)


def read_rows(file: BinaryIO, country: str = "") -> list[dict]:
    """The rows of a file as they stand in it; whether it is JSON or CSV is told by how it begins. Raises `Unreadable`."""
    file.seek(0, io.SEEK_END)
    if file.tell() > MAX_BYTES:
        raise Refused("too_large", f"The file has more than {MAX_BYTES // 1024 // 1024} MB.", field="file")
    file.seek(0)
    is_json = file.read(200).removeprefix(b"\xef\xbb\xbf").lstrip()[:1] in (b"{", b"[")
    file.seek(0)
    rows = _read_json(file.read()) if is_json else _read_csv(file, country)
    if not rows:
        raise Unreadable("There are no quick replies in the file.")
    if len(rows) > MAX_ROWS:
        raise Unreadable(f"The file has more than {MAX_ROWS:,} quick replies. Split it.")
    return rows


def _read_json(content: bytes) -> list:
    try:
        document = read_json(content.decode("utf-8-sig"))
    except (ValueError, RecursionError) as error:
        raise Unreadable("The file is no well-formed JSON in UTF-8.") from error
    if not isinstance(document, dict) or document.get("format") != FORMAT:
        raise Unreadable(f"This is JSON, but no export of quick replies: “format” has to be “{FORMAT}”.")
    if document.get("version") != VERSION:
        raise Unreadable(f"This export is of another version; {VERSION} is known here.")
    if not isinstance(rows := document.get("quick_replies"), list):
        raise Unreadable("“quick_replies” has to be a list.")
    return rows


def _read_csv(file: BinaryIO, country: str) -> list[dict]:
    source = DelimitedText(file, Layout(header=True, country=country))
    titles = [title.strip().lower() for title in source.titles]
    places = {title: titles.index(title.lower()) for title in TITLES if title.lower() in titles}
    if not {"Name", "Text"} <= places.keys():
        raise Unreadable(
            f"The first row names the columns; “Name” and “Text” are needed. All are: {', '.join(TITLES)}."
        )
    rows = []
    for record in source.records():
        cells = {title: _plain(record[place]) if place < len(record) else "" for title, place in places.items()}
        text = {"language": cells.get("Language") or "en", "parts": [{"body": cells["Text"], "media": None}]}
        rows.append(
            {
                "name": cells["Name"],
                "shortcut": cells.get("Shortcut", ""),
                "folder": cells.get("Folder") or None,
                "visibility": cells.get("Visibility", "").strip().lower() or Visibility.TEAM.value,
                "texts": [text],
            }
        )
        if len(rows) > MAX_ROWS:
            break
    return rows


def _plain(cell: str) -> str:
    """A cell without the apostrophe that `safe_cell` put before it."""
    return cell[1:] if cell.startswith("'") and safe_cell(cell[1:]) == cell else cell


# --- Taking ---------------------------------------------------------------------------------------


@transaction.atomic
def import_replies(*, workspace: Workspace, user: User, actor: Actor, file: BinaryIO) -> Imported:
    """Take quick replies from a file: team ones for the team, private ones for the person.

    A row that is not right is left out and told; the others are taken. One that
    is there word for word changes nothing, so a file can be imported again. A
    file of the workspace that a row names has to be there still.
    """
    rows = read_rows(file, workspace.default_country)
    take_turns("messaging_quickreplyfolder", workspace.pk)
    take_turns("messaging_quickreply", workspace.pk)
    taking = _Taking(workspace, user, rows)
    done = Imported()
    for number, row in enumerate(rows, 1):
        try:
            done.created += taking.take(row)
        except Refused as refusal:
            wrong = refusal.fields[0] if refusal.fields else None
            name = row.get("name") if isinstance(row, dict) else ""
            called = name[:80] if isinstance(name, str) else ""
            done.refused.append(
                RefusedRow(
                    number,
                    called,
                    wrong.field if wrong else "",
                    wrong.code if wrong else refusal.code,
                    refusal.detail,
                )
            )
    done.unchanged = len(rows) - done.created - len(done.refused)
    taking.write()
    if done.created:
        record_event(kind="quick_reply.imported", actor=actor, workspace=workspace, count=done.created)
    return done


class _Taking:
    """The rows of one file, judged one after the other against what is there and what was taken before them."""

    def __init__(self, workspace: Workspace, user: User, rows: list):
        self.workspace, self.user = workspace, user
        self.fields = Fields(workspace)
        self.files = {row.pk for row in held(self._files(rows), Hold.FROM_DELETION)}
        self.folders = {row.folded: row for row in QuickReplyFolder.objects.for_workspace(workspace)}
        self.new_folders: list[QuickReplyFolder] = []
        self.new: list[QuickReply] = []
        present = list(visible_replies(workspace=workspace, user=user))
        self.shortcuts = {(row.owner_id, row.shortcut_key): row.name for row in present if row.shortcut_key}
        self.known = {self._identity(row) for row in present}
        self.room = {
            None: MAX_TEAM - sum(row.owner_id is None for row in present),
            user.pk: MAX_PRIVATE - sum(row.owner_id is not None for row in present),
        }
        self.position = next_position(QuickReply, workspace)
        self.folder_position = next_position(QuickReplyFolder, workspace)

    def _files(self, rows: list):
        return MediaFile.objects.for_workspace(self.workspace).filter(pk__in=set(_named_files(rows))).order_by("pk")

    @staticmethod
    def _identity(reply: QuickReply) -> tuple:
        return reply.owner_id, reply.name, reply.shortcut_key, json.dumps(reply.contents, sort_keys=True)

    def take(self, row) -> bool:
        """Whether a row is new; raises `Refused` for one that is not right."""
        row = _object(row, "")
        reply = QuickReply(id=uuid7(), workspace=self.workspace, created_by=self.user)
        reply.name = clean_name(_text(row, "name"))
        reply.shortcut, reply.shortcut_key = clean_shortcut(_text(row, "shortcut"))
        visibility = _text(row, "visibility") or Visibility.TEAM.value
        if visibility not in Visibility.values:
            raise Invalid("visibility", "invalid_choice", f"One of: {', '.join(Visibility.values)}.")
        reply.owner_id = self.user.pk if visibility == Visibility.PRIVATE else None
        texts = [self._text(text, f"texts.{index}") for index, text in enumerate(_list(row, "texts", ""))]
        reply.contents, reply.default_language = clean_texts(
            self.workspace, texts, _text(row, "default_language"), fields=self.fields
        )
        if self._identity(reply) in self.known:
            return False
        if reply.shortcut_key and (other := self.shortcuts.get((reply.owner_id, reply.shortcut_key))):
            raise Invalid("shortcut", "name_taken", f"“{other}” has the shortcut {reply.shortcut} already.")
        if self.room[reply.owner_id] < 1:
            raise Invalid("", "limit_reached", "There are as many quick replies as there can be.")
        reply.folder = self._folder(_text(row, "folder"))
        reply.search_text = search_text_of(reply.name, reply.shortcut_key)
        reply.position = self.position + len(self.new)
        self.new.append(reply)
        self.room[reply.owner_id] -= 1
        self.known.add(self._identity(reply))
        if reply.shortcut_key:
            self.shortcuts[reply.owner_id, reply.shortcut_key] = reply.name
        return True

    def _text(self, text, path: str) -> dict:
        text = _object(text, path)
        parts = []
        for index, given in enumerate(_list(text, "parts", path)):
            part = _object(given, f"{path}.parts.{index}")
            media = part.get("media")
            if media is not None:
                media = self._file(media, f"{path}.parts.{index}.media")
            parts.append({"body": _text(part, "body", f"{path}.parts.{index}."), "media": media})
        return {"language": _text(text, "language", f"{path}."), "parts": parts}

    def _file(self, media, path: str) -> UUID:
        id, name = _reference(media)
        if id not in self.files:
            raise Invalid(
                path, "does_not_exist", f"The file “{name[:100]}” is not here; upload it and attach it by hand."
            )
        return id

    def _folder(self, name: str) -> QuickReplyFolder | None:
        if not name.strip():
            return None
        name = clean_name(name, "folder")
        folded = folded_name(name)
        if folded not in self.folders:
            if len(self.folders) >= MAX_FOLDERS:
                raise Invalid("folder", "limit_reached", f"A workspace has at most {MAX_FOLDERS} folders.")
            folder = QuickReplyFolder(id=uuid7(), workspace=self.workspace, name=name, folded=folded)
            folder.position = self.folder_position + len(self.new_folders)
            self.folders[folded] = folder
            self.new_folders.append(folder)
        return self.folders[folded]

    def write(self) -> None:
        """Write what was taken, in as many statements as there are kinds of rows."""
        QuickReplyFolder.objects.bulk_create(self.new_folders)
        QuickReply.objects.bulk_create(self.new, batch_size=1000)
        write_texts(self.workspace, self.new)


def _object(value, path: str) -> dict:
    if not isinstance(value, dict):
        raise Invalid(path, "invalid", "An object with names and values has to stand here.")
    return value


def _list(row: dict, name: str, path: str) -> list:
    if not isinstance(value := row.get(name), list):
        raise Invalid(f"{path}.{name}".lstrip("."), "required", "A list has to stand here.")
    return value


def _text(row: dict, name: str, path: str = "") -> str:
    value = row.get(name)
    if value is None:
        return ""
    if not isinstance(value, str):
        raise Invalid(f"{path}{name}", "invalid", "A text has to stand here.")
    return value


def _reference(media) -> tuple[UUID | None, str]:
    """The id and the name of a file that a row refers to."""
    id, name = (media.get("id"), media.get("name")) if isinstance(media, dict) else (media, "")
    try:
        return UUID(id), str(name or id)
    except (ValueError, TypeError, AttributeError):
        return None, str(name or id)


def _named_files(rows: Iterable) -> Iterable[UUID]:
    """Ids of the files that well-formed rows refer to."""
    for row in rows:
        texts = row.get("texts") if isinstance(row, dict) else None
        for text in texts if isinstance(texts, list) else ():
            parts = text.get("parts") if isinstance(text, dict) else None
            for part in parts if isinstance(parts, list) else ():
                if isinstance(part, dict) and (id := _reference(part.get("media"))[0]):
                    yield id
