"""A quick reply while it is written: what stands in the form, whole or not, and what its buttons do to it."""

from dataclasses import dataclass, field
from uuid import UUID

from django.http import QueryDict

from accounts.models import Workspace
from messaging.models import MediaFile, QuickReply, Visibility
from messaging.models.content import MAX_PARTS
from messaging.services.quick_replies.texts import MAX_LANGUAGES
from waplus.lib.errors import Refused


@dataclass
class DraftPart:
    """A message: its text, and its file."""

    body: str = ""
    media: MediaFile | None = None
    error: str = ""


@dataclass
class DraftText:
    """The messages in one language."""

    language: str = ""
    parts: list[DraftPart] = field(default_factory=lambda: [DraftPart()])
    error: str = ""


@dataclass
class Draft:
    """All that stands in the form. `shown` is the language that is open, `default` the one that others fall back to."""

    id: str = ""
    name: str = ""
    shortcut: str = ""
    folder: str = ""
    visibility: str = Visibility.TEAM
    texts: list[DraftText] = field(default_factory=lambda: [DraftText()])
    default: int = 0
    shown: int = 0
    errors: dict[str, str] = field(default_factory=dict)

    @classmethod
    def of_reply(cls, reply: QuickReply) -> "Draft":
        """A reply as it is kept."""
        ids = [part["media"] for text in reply.contents for part in text["parts"] if part["media"]]
        found = _files(reply.workspace, ids)
        texts = [
            DraftText(text["language"], [DraftPart(part["body"], found.get(part["media"])) for part in text["parts"]])
            for text in reply.contents
        ]
        folder = str(reply.folder_id or "")
        return cls(str(reply.pk), reply.name, reply.shortcut, folder, reply.visibility, texts)

    @classmethod
    def of_form(cls, workspace: Workspace, posted: QueryDict) -> "Draft":
        """What a person sent; too much of anything is left out, for no form has it."""
        draft = cls(**{name: posted.get(name, "")[:100] for name in ("id", "name", "shortcut", "folder", "visibility")})
        languages = posted.getlist("language")[:MAX_LANGUAGES] or [""]
        bodies = [posted.getlist(f"body-{index}")[:MAX_PARTS] for index in range(len(languages))]
        media = [posted.getlist(f"media-{index}")[:MAX_PARTS] for index in range(len(languages))]
        found = _files(workspace, [id for ids in media for id in ids])
        draft.texts = [
            DraftText(
                language[:16],
                [
                    DraftPart(body.replace("\r\n", "\n"), found.get(ids[place]) if place < len(ids) else None)
                    for place, body in enumerate(texts)
                ]
                or [DraftPart()],
            )
            for language, texts, ids in zip(languages, bodies, media, strict=True)
        ]
        draft.default = _place(posted.get("default"), len(languages))
        draft.shown = _place(posted.get("shown"), len(languages))
        return draft

    def values(self) -> dict:
        """What the service is asked to keep."""
        texts = [
            {
                "language": text.language,
                "parts": [{"body": part.body, "media": part.media and part.media.pk} for part in text.parts],
            }
            for text in self.texts
        ]
        return {
            "name": self.name,
            "shortcut": self.shortcut,
            "folder": _as_id(self.folder),
            "visibility": self.visibility if self.visibility in Visibility.values else Visibility.TEAM,
            "texts": texts,
            "default_language": self.texts[self.default].language,
        }

    def do(self, what: str) -> None:
        """What a button does: `add-language`, `drop-language:1`, `add-part:0`, `drop-part:0:1`, `drop-file:0:1`."""
        action, *places = what.split(":")
        numbers = [int(place) for place in places if place.isascii() and place.isdecimal()]
        if action == "add-language" and len(self.texts) < MAX_LANGUAGES:
            self.texts.append(DraftText())
            self.shown = len(self.texts) - 1
            return
        if not numbers or numbers[0] >= len(self.texts):
            return
        text = self.texts[numbers[0]]
        self.shown = numbers[0]
        if action == "drop-language" and len(self.texts) > 1:
            del self.texts[numbers[0]]
            self.shown = 0
            self.default = 0 if self.default == numbers[0] else self.default - (self.default > numbers[0])
        elif action == "add-part" and len(text.parts) < MAX_PARTS:
            text.parts.append(DraftPart())
        elif len(numbers) > 1 and numbers[1] < len(text.parts):
            if action == "drop-part" and len(text.parts) > 1:
                del text.parts[numbers[1]]
            elif action == "drop-file":
                text.parts[numbers[1]].media = None

    def note(self, refusal: Refused) -> None:
        """Show a refusal where the person can mend it."""
        path = refusal.fields[0].field if refusal.fields else ""
        name, *places = path.split(".")
        numbers = [int(place) for place in places if place.isdecimal()]
        sentence = refusal.fields[0].detail if refusal.fields else refusal.detail
        if name == "texts" and numbers and numbers[0] < len(self.texts):
            text = self.texts[numbers[0]]
            self.shown = numbers[0]
            if len(numbers) > 1 and numbers[1] < len(text.parts):
                text.parts[numbers[1]].error = sentence
            else:
                text.error = sentence
        else:
            self.errors[name if name in ("name", "shortcut", "folder", "visibility") else ""] = sentence


def _files(workspace: Workspace, ids: list[str]) -> dict[str, MediaFile]:
    wanted = {id for id in map(_as_id, ids) if id}
    return {str(file.pk): file for file in MediaFile.objects.for_workspace(workspace).filter(pk__in=wanted)}


def _as_id(text: str) -> UUID | None:
    try:
        return UUID(text)
    except (ValueError, TypeError, AttributeError):
        return None


def _place(text: str | None, length: int) -> int:
    return int(text) if text and text.isascii() and text.isdecimal() and int(text) < length else 0
