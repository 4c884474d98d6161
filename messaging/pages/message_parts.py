"""What a message says while a form writes it: one to ten parts, each with a text, a file that is here, or one from the computer.

Every form that writes messages has `messaging/parts/message_parts.html` in it, is sent as `multipart/form-data`, has
its path in `UPLOAD_PATHS` of `waplus.lib.limits`, and does this with a POST:

    parts = MessageParts.of_form(workspace, request.POST)
    is_whole = parts.keep_files(request, membership)
    if parts.do(request.POST.get("do", "")) or not is_whole:
        ...                             # show the form again, with `initial=unjudged(Form, request.POST)`
    with refused_at(form), parts.noted():
        service(parts=parts.values())
        return redirect(...)
    ...                                 # show the form again, with what was refused

The template wants `parts` and `files=recent_files(workspace)`. Everything works without a script.
"""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from uuid import UUID

from django import forms
from django.conf import settings
from django.http import HttpRequest, QueryDict

from accounts import actors
from accounts.models import Membership, Workspace
from accounts.models.plans import MEBIBYTE
from messaging.models import ContentPart, MediaFile
from messaging.models.content import MAX_PARTS
from messaging.models.scheduled import MAX_BODY
from messaging.services.media.keeping import keep_file
from waplus.lib.errors import NotFound, Refused
from waplus.lib.text import place_in

# Files that a form offers without another upload.
OFFERED = 50


@dataclass
class MessagePart:
    """One message of several: its text, its file, what is wrong with it (a sentence), and whether a button just added it."""

    body: str = ""
    media: MediaFile | None = None
    error: str = ""
    is_new: bool = False


@dataclass
class MessageParts:
    """The parts in their order. `key` tells texts apart where one form has several, and is empty otherwise.

    Names of fields: `body`, `media` (an id) and `file-<place>`; with a key `body-<key>`, `media-<key>` and
    `file-<key>-<place>`. Buttons called `do` say `add-part` and `drop-part:<place>`, with a key
    `add-part:<key>` and `drop-part:<key>:<place>`.
    """

    key: str = ""
    parts: list[MessagePart] = field(default_factory=lambda: [MessagePart()])
    error: str = ""

    most = MAX_PARTS
    longest = MAX_BODY

    @classmethod
    def of_form(cls, workspace: Workspace, posted: QueryDict, key: str = "") -> "MessageParts":
        """What a person sent; too much is left out, for no form has it, and so are files that are not there (any more)."""
        suffix = f"-{key}" if key else ""
        bodies = posted.getlist(f"body{suffix}")[:MAX_PARTS]
        ids = [as_id(text) for text in posted.getlist(f"media{suffix}")[: len(bodies)]]
        found = MediaFile.objects.for_workspace(workspace).in_bulk({id for id in ids if id})
        ids += [None] * (len(bodies) - len(ids))
        rows = [MessagePart(body.replace("\r\n", "\n"), found.get(id)) for body, id in zip(bodies, ids, strict=True)]
        return cls(key, rows or [MessagePart()])

    @classmethod
    def of_kept(cls, kept: Iterable[ContentPart], key: str = "") -> "MessageParts":
        """What is kept, such as `parts_of(schedule)`."""
        return cls(key, [MessagePart(part.body, part.media) for part in kept] or [MessagePart()])

    @property
    def suffix(self) -> str:
        return f"-{self.key}" if self.key else ""

    @property
    def colon(self) -> str:
        """What stands between a button's action and the place."""
        return f":{self.key}" if self.key else ""

    @property
    def is_full(self) -> bool:
        return len(self.parts) >= MAX_PARTS

    @property
    def is_empty(self) -> bool:
        """Whether nothing is written and no file chosen."""
        return not any(part.body.strip() or part.media for part in self.parts)

    def values(self) -> list[dict]:
        """The parts as services take them, empty ones included: services refuse those."""
        return [{"body": part.body, "media": part.media and part.media.pk} for part in self.parts]

    def leave_out_empty(self) -> None:
        """Take away parts without text and file; the last of them stays."""
        self.parts = [part for part in self.parts if part.body.strip() or part.media] or [MessagePart()]

    def do(self, what: str) -> bool:
        """Do what a button says, and whether it was one of this text's buttons."""
        for action in ("add-part", "drop-part"):
            name = f"{action}{self.colon}"
            if what == name or what.startswith(f"{name}:"):
                place = what[len(name) + 1 :]
                found = place_in(self.parts, place)
                if action == "add-part" and not place and not self.is_full:
                    self.parts.append(MessagePart(is_new=True))
                elif action == "drop-part" and found is not None and len(self.parts) > 1:
                    del self.parts[found]
                return True
        return False

    def keep_files(self, request: HttpRequest, membership: Membership) -> bool:
        """Keep the files that came with the form, and attach them; whether all of them could be.

        They are kept whatever becomes of the form, so that nobody chooses them twice; one that stays unused is
        deleted like every other. The rules are those of every upload (`keep_file`), and a refusal stands at its part.
        """
        is_whole = True
        for place, part in enumerate(self.parts):
            file = request.FILES.get(f"file{self.suffix}-{place}")
            if file is None:
                continue
            try:
                part.media, _is_new = keep_file(
                    workspace=membership.workspace,
                    user=request.user,
                    actor=actors.person(request.user),
                    file=file.file,
                    name=file.name or "",
                )
            except Refused as refusal:
                part.error, is_whole = refusal.detail, False
        return is_whole

    @contextmanager
    def noted(self, field: str = "parts") -> Iterator[None]:
        """Run a service and show at its part what it refuses below `field`; what speaks of something else is raised."""
        try:
            yield
        except NotFound:
            raise
        except Refused as refusal:
            if not self.note(refusal, field):
                raise

    def note(self, refusal: Refused, field: str = "parts") -> bool:
        """Show a refusal at the part that it speaks of, and whether it speaks of this text."""
        path = refusal.fields[0].field if refusal.fields else ""
        if path != field and not path.startswith(f"{field}."):
            return False
        place, sentence = path[len(field) + 1 :].partition(".")[0], refusal.fields[0].detail
        if (found := place_in(self.parts, place)) is not None:
            self.parts[found].error = sentence
        else:
            self.error = sentence
        return True


@dataclass(frozen=True)
class Offered:
    """Files to choose from, newest first, and the most that one from the computer may have: bytes, and mebibytes."""

    rows: list[MediaFile]
    max_bytes: int

    @property
    def max_megabytes(self) -> int:
        return self.max_bytes // MEBIBYTE


def recent_files(workspace: Workspace) -> Offered:
    """What a form offers. The cap is that of the plan and of WhatsApp's largest kind; `keep_file` knows the kind's own."""
    rows = MediaFile.objects.for_workspace(workspace).order_by("-id")[:OFFERED]
    most = min(workspace.plan.max_media_mb * MEBIBYTE, max(settings.WHATSAPP_MAX_BYTES.values()))
    return Offered(list(rows), most)


def unjudged(form: type[forms.Form], posted: QueryDict) -> dict:
    """What a form was sent with, for its `initial`: it is shown again unjudged, as a button asked for something else."""
    widgets = {name: field.widget for name, field in form.base_fields.items()}
    sent = (name for name, widget in widgets.items() if not widget.value_omitted_from_data(posted, {}, name))
    return {name: widgets[name].value_from_datadict(posted, {}, name) for name in sent}


def as_id(text: str) -> UUID | None:
    """An id that a form carries as text, or None where it is none."""
    try:
        return UUID(text)
    except (ValueError, TypeError, AttributeError):
        return None
