"""The files that are taken, and how they may be called."""

import re
from dataclasses import dataclass

MAX_NAME = 200


@dataclass(frozen=True)
class FileType:
    """One kind of file: its media type, what of WhatsApp's four kinds it is sent as, and how its names end."""

    media_type: str
    kind: str
    extensions: tuple[str, ...]


_OFFICE = "application/vnd.openxmlformats-officedocument"
_OPEN_DOCUMENT = "application/vnd.oasis.opendocument"

JPEG = FileType("image/jpeg", "image", ("jpg", "jpeg", "jpe", "jfif"))
PNG = FileType("image/png", "image", ("png",))
WEBP = FileType("image/webp", "image", ("webp",))
GIF = FileType("image/gif", "image", ("gif",))
MP4 = FileType("video/mp4", "video", ("mp4", "m4v"))
THREE_GP = FileType("video/3gpp", "video", ("3gp", "3gpp"))
OGG = FileType("audio/ogg", "audio", ("ogg", "oga", "opus"))
MP3 = FileType("audio/mpeg", "audio", ("mp3",))
AAC = FileType("audio/aac", "audio", ("aac",))
M4A = FileType("audio/mp4", "audio", ("m4a",))
AMR = FileType("audio/amr", "audio", ("amr",))
PDF = FileType("application/pdf", "document", ("pdf",))
DOC = FileType("application/msword", "document", ("doc",))
XLS = FileType("application/vnd.ms-excel", "document", ("xls",))
PPT = FileType("application/vnd.ms-powerpoint", "document", ("ppt",))
DOCX = FileType(f"{_OFFICE}.wordprocessingml.document", "document", ("docx",))
XLSX = FileType(f"{_OFFICE}.spreadsheetml.sheet", "document", ("xlsx",))
PPTX = FileType(f"{_OFFICE}.presentationml.presentation", "document", ("pptx",))
ODT = FileType(f"{_OPEN_DOCUMENT}.text", "document", ("odt",))
ODS = FileType(f"{_OPEN_DOCUMENT}.spreadsheet", "document", ("ods",))
ODP = FileType(f"{_OPEN_DOCUMENT}.presentation", "document", ("odp",))
TEXT = FileType("text/plain", "document", ("txt",))
CSV = FileType("text/csv", "document", ("csv",))
VCARD = FileType("text/vcard", "document", ("vcf",))
ZIP = FileType("application/zip", "document", ("zip",))

TYPES = (
    *(JPEG, PNG, WEBP, GIF, MP4, THREE_GP, OGG, MP3, AAC, M4A, AMR, PDF, DOC, XLS, PPT, DOCX, XLSX, PPTX),
    *(ODT, ODS, ODP, TEXT, CSV, VCARD, ZIP),
)
PICTURES = (JPEG, PNG, WEBP, GIF)


def ending(name: str) -> str:
    """What stands behind the last dot of a name, in small letters."""
    return name.rpartition(".")[2].lower() if "." in name else ""


def proper_name(name: str, file_type: FileType) -> str:
    """A name that is safe to show and to save under, and that ends as files of this type do.

    Folders, what cannot be printed (marks that turn the direction of writing
    included) and what a file system refuses go; an ending that the bytes belie
    is replaced, so that no program is saved by the name of a picture or the
    other way round.
    """
    name = re.split(r"[/\\]", name)[-1]
    name = "".join(character for character in name if character.isprintable())
    name = re.sub(r'[<>:"|?*]', "_", " ".join(name.split())).strip(". ")
    extension = file_type.extensions[0]
    if ending(name) in file_type.extensions:
        stem, _, extension = name.rpartition(".")
    else:
        stem = re.sub(r"\.[A-Za-z0-9]{1,5}$", "", name)
        if ending(stem) in file_type.extensions:
            stem = stem.rpartition(".")[0]
    return f"{stem.strip('. ')[:MAX_NAME] or 'file'}.{extension}"
