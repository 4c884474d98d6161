"""A quick reply while it is written: what stands in the form, whole or not, and what its buttons do to it."""

from dataclasses import dataclass, field
from uuid import UUID

from django.http import QueryDict

from accounts.models import Workspace
from messaging.models import MediaFile, QuickReply, Visibility
from messaging.pages.message_parts import MessagePart, MessageParts, as_id
from messaging.services.quick_replies.texts import MAX_LANGUAGES
from waplus.lib.errors import Refused


@dataclass
class DraftText(MessageParts):
    """The messages in one language."""

    language: str = ""


@dataclass
class Draft:
    """All that stands in the form. `shown` is the language that is open, `default` the one that others fall back to."""

    id: str = ""
    name: str = ""
    shortcut: str = ""
    folder: str = ""
    visibility: str = Visibility.TEAM
    texts: list[DraftText] = field(default_factory=lambda: [DraftText("0")])
    default: int = 0
    shown: int = 0
    errors: dict[str, str] = field(default_factory=dict)

    @classmethod
    def of_reply(cls, reply: QuickReply) -> "Draft":
        """A reply as it is kept."""
        ids = {UUID(part["media"]) for text in reply.contents for part in text["parts"] if part["media"]}
        found = MediaFile.objects.for_workspace(reply.workspace).in_bulk(ids)
        texts = [
            DraftText(
                str(index),
                [
                    MessagePart(part["body"], found.get(UUID(part["media"])) if part["media"] else None)
                    for part in text["parts"]
                ],
                language=text["language"],
            )
            for index, text in enumerate(reply.contents)
        ]
        folder = str(reply.folder_id or "")
        return cls(str(reply.pk), reply.name, reply.shortcut, folder, reply.visibility, texts)

    @classmethod
    def of_form(cls, workspace: Workspace, posted: QueryDict) -> "Draft":
        """What a person sent; too much of anything is left out, for no form has it."""
        draft = cls(**{name: posted.get(name, "")[:100] for name in ("id", "name", "shortcut", "folder", "visibility")})
        languages = posted.getlist("language")[:MAX_LANGUAGES] or [""]
        draft.texts = [DraftText.of_form(workspace, posted, str(index)) for index in range(len(languages))]
        for text, language in zip(draft.texts, languages, strict=True):
            text.language = language[:16]
        draft.default = _place(posted.get("default"), len(languages))
        draft.shown = _place(posted.get("shown"), len(languages))
        return draft

    def values(self) -> dict:
        """What the service is asked to keep."""
        return {
            "name": self.name,
            "shortcut": self.shortcut,
            "folder": as_id(self.folder),
            "visibility": self.visibility if self.visibility in Visibility.values else Visibility.TEAM,
            "texts": [{"language": text.language, "parts": text.values()} for text in self.texts],
            "default_language": self.texts[self.default].language,
        }

    def do(self, what: str) -> None:
        """What a button does: `add-language`, `drop-language:1`, or a button of a text's parts."""
        if what == "add-language" and len(self.texts) < MAX_LANGUAGES:
            self.texts.append(DraftText(str(len(self.texts))))
            self.shown = len(self.texts) - 1
        for index, text in enumerate(self.texts):
            if what == f"drop-language:{index}" and len(self.texts) > 1:
                self._drop(index)
                return
            if text.do(what):
                self.shown = index
                return

    def _drop(self, index: int) -> None:
        del self.texts[index]
        for place, text in enumerate(self.texts):
            text.key = str(place)
        self.shown = 0
        self.default = 0 if self.default == index else self.default - (self.default > index)

    def note(self, refusal: Refused) -> None:
        """Show a refusal where the person can mend it."""
        path = refusal.fields[0].field if refusal.fields else ""
        sentence = refusal.fields[0].detail if refusal.fields else refusal.detail
        for index, text in enumerate(self.texts):
            if text.note(refusal, f"texts.{index}.parts"):
                self.shown = index
                return
            if f"{path}.".startswith(f"texts.{index}."):
                text.error, self.shown = sentence, index
                return
        self.errors[path if path in ("name", "shortcut", "folder", "visibility") else ""] = sentence


def _place(text: str | None, length: int) -> int:
    return next((place for place in range(length) if text == str(place)), 0)
