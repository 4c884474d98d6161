"""Links to files: whoever holds one may load the file until it expires, without a login.

A link names the file, its workspace, what of it (the file or its small picture)
and the moment when it expires, under a signature of its own salt. Nothing is
stored: a link dies with its time, with the file, or with SECRET_KEY.
"""

import struct
from base64 import urlsafe_b64decode, urlsafe_b64encode
from binascii import Error as NotBase64
from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID

from django.conf import settings
from django.core.signing import BadSignature, Signer
from django.urls import reverse
from django.utils import timezone

from messaging.models import MediaFile

_SALT = "messaging.media.links"
_LAYOUT = struct.Struct(">16s16scI")
_FILE, _THUMBNAIL = b"f", b"t"
# Within a minute a file's links are the same, so that what shows it twice loads it once.
_STEP = 60


@dataclass(frozen=True)
class MediaLink:
    """What a link says."""

    media_id: UUID
    workspace_id: UUID
    is_thumbnail: bool


def file_url(media: MediaFile, life: timedelta | None = None) -> str:
    """A link to a file that is valid for `life` (10 minutes without it), up to a minute longer."""
    return _url(media, _FILE, life)


def thumbnail_url(media: MediaFile, life: timedelta | None = None) -> str | None:
    """A link to the small picture of a file, or None where there is none."""
    return _url(media, _THUMBNAIL, life) if media.thumbnail else None


def _url(media: MediaFile, what: bytes, life: timedelta | None) -> str:
    until = timezone.now() + (life or settings.MEDIA_LINK_LIFE)
    expires = (int(until.timestamp()) // _STEP + 1) * _STEP
    packed = _LAYOUT.pack(media.pk.bytes, media.workspace_id.bytes, what, expires)
    signed = Signer(salt=_SALT).sign(urlsafe_b64encode(packed).decode().rstrip("="))
    return f"{settings.MEDIA_HOST or settings.BASE_URL}{reverse('media', args=[signed])}"


def read_link(signed: str) -> MediaLink | None:
    """What a link says; None for one that is not ours or has expired."""
    try:
        text = Signer(salt=_SALT).unsign(signed)
        media_id, workspace_id, what, expires = _LAYOUT.unpack(urlsafe_b64decode(text + "=" * (-len(text) % 4)))
    except (BadSignature, NotBase64, struct.error, ValueError):
        return None
    if expires <= timezone.now().timestamp():
        return None
    return MediaLink(UUID(bytes=media_id), UUID(bytes=workspace_id), what == _THUMBNAIL)
