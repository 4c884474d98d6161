"""What quick replies say: checked, and written for many of them at once."""

import re
from collections.abc import Mapping, Sequence
from uuid import UUID

from accounts.models import Workspace
from messaging.models import ContentPart, QuickReply, QuickReplyText
from messaging.services.contents import clean_parts, hold_media
from messaging.services.templating import check_text
from messaging.services.templating.variables import Fields
from waplus.lib.errors import Invalid
from waplus.lib.languages import canonical_language
from waplus.lib.text import fold, searchable, strip_invisible

MAX_LANGUAGES = 20
MAX_SHORTCUT = 32

_SHORTCUT = re.compile(r"[\w.\-]+")


def clean_shortcut(text: str) -> tuple[str, str]:
    """A shortcut as it is shown (`/Hello`) and as it is compared (`hello`); two empty texts without one."""
    name = strip_invisible(text).strip().removeprefix("/")
    if not name:
        return "", ""
    if len(name) > MAX_SHORTCUT:
        raise Invalid("shortcut", "max_length", f"A shortcut has at most {MAX_SHORTCUT} characters.")
    if not _SHORTCUT.fullmatch(name):
        raise Invalid("shortcut", "invalid", "A shortcut is one word of letters, digits, “-”, “_” and “.”.")
    return f"/{name}", (fold(name) or name)[:100]


def search_text_of(name: str, shortcut_key: str) -> str:
    """What search looks into: the shortcut, and the name."""
    return searchable(*filter(None, (shortcut_key, fold(name))))


def clean_language(tag: str, field: str) -> str:
    """A language's tag in its usual spelling."""
    try:
        return canonical_language(tag)
    except ValueError as error:
        raise Invalid(field, "invalid_language", str(error)) from None


def clean_texts(
    workspace: Workspace, texts: Sequence[Mapping], default_language: str = "", *, fields: Fields | None = None
) -> tuple[list[dict], str]:
    """Texts as `QuickReply.contents` has them, the default language first, and that language.

    Without a default it is the first text's. Every part is checked as a template.
    """
    if not texts:
        raise Invalid("texts", "required", "A quick reply has a text in at least one language.")
    if len(texts) > MAX_LANGUAGES:
        raise Invalid("texts", "too_many", f"A quick reply has at most {MAX_LANGUAGES} languages.")
    fields, cleaned = fields or Fields(workspace), {}
    for index, text in enumerate(texts):
        path = f"texts.{index}"
        language = clean_language(text.get("language", ""), f"{path}.language")
        if language in cleaned:
            raise Invalid(f"{path}.language", "repeated", f"There are two texts in {language}.")
        parts = clean_parts(text.get("parts") or [], field=f"{path}.parts")
        for position, part in enumerate(parts):
            check_text(workspace, part["body"], field=f"{path}.parts.{position}.body", fields=fields)
        cleaned[language] = [{"body": part["body"], "media": part["media"] and str(part["media"])} for part in parts]
    default = clean_language(default_language, "default_language") if default_language else next(iter(cleaned))
    if default not in cleaned:
        raise Invalid("default_language", "does_not_exist", f"There is no text in {default}.")
    ordered = {default: cleaned.pop(default), **cleaned}
    return [{"language": language, "parts": parts} for language, parts in ordered.items()], default


def hold_files(workspace: Workspace, contents: Sequence[Mapping]) -> None:
    """Keep the files of texts until this transaction ends; refuses what is no file of the workspace."""
    for index, text in enumerate(contents):
        ids = [part["media"] and UUID(part["media"]) for part in text["parts"]]
        hold_media(workspace=workspace, ids=ids, field=f"texts.{index}.parts")


def write_texts(workspace: Workspace, replies: Sequence[QuickReply]) -> None:
    """Write the texts and parts that `contents` of new replies say, in two statements however many there are.

    The caller has held the files and checked the rest.
    """
    texts, parts = [], []
    for reply in replies:
        for content in reply.contents:
            text = QuickReplyText(workspace=workspace, reply=reply, language=content["language"])
            texts.append(text)
            parts += [
                ContentPart(
                    workspace=workspace,
                    quick_reply_text=text,
                    position=position,
                    body=part["body"],
                    media_id=part["media"],
                )
                for position, part in enumerate(content["parts"])
            ]
    QuickReplyText.objects.bulk_create(texts, batch_size=1000)
    ContentPart.objects.bulk_create(parts, batch_size=1000)


def replace_texts(workspace: Workspace, reply: QuickReply) -> None:
    """Write what `contents` says instead of what the reply said. The caller has it locked."""
    ContentPart.objects.for_workspace(workspace).filter(quick_reply_text__reply=reply).delete()
    QuickReplyText.objects.for_workspace(workspace).filter(reply=reply).delete()
    write_texts(workspace, [reply])


def bodies_of(reply: QuickReply) -> list[str]:
    """All texts of a reply, in all languages."""
    return [part["body"] for text in reply.contents for part in text["parts"]]
