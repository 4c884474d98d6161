"""Loading a file by its signed link: nobody is logged in here, the link says everything."""

from django.conf import settings
from django.core.files.storage import Storage
from django.http import Http404, HttpResponseBase, HttpResponseRedirect
from django.utils.http import content_disposition_header
from django.views.decorators.http import require_safe

from messaging.models import MediaFile
from messaging.services.media.links import read_link
from waplus.lib.ranges import file_answer

# What a person uploaded is never shown as a page, nor run, nor kept by anybody in between.
HEADERS = {
    "Cache-Control": "private, no-store",
    "Content-Security-Policy": "default-src 'none'; sandbox",
    "X-Content-Type-Options": "nosniff",
    "X-Robots-Tag": "noindex, nofollow, noarchive",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Resource-Policy": "same-origin",
}
# Seconds for which the store's own link is valid: long enough to follow it, and to begin anew after a short break.
STORE_LINK_LIFE = 120


@require_safe
def media(request, signed: str) -> HttpResponseBase:
    """The file or its small picture; a link that is no good answers as if there were nothing."""
    link = read_link(signed)
    found = link and MediaFile.objects.filter(pk=link.media_id, workspace=link.workspace_id).first()
    if not found or (link.is_thumbnail and not found.thumbnail):
        raise Http404
    try:
        return _thumbnail(request, found) if link.is_thumbnail else _file(request, found)
    except FileNotFoundError as error:
        raise Http404 from error


def _thumbnail(request, found: MediaFile) -> HttpResponseBase:
    """Made by us and small: it always comes from here, so that pages need not allow pictures of the store."""
    with found.thumbnail.open("rb") as file:
        size = file.size
    headers = HEADERS | {"Cross-Origin-Resource-Policy": "cross-origin" if settings.MEDIA_HOST else "same-origin"}
    return file_answer(
        request,
        lambda: found.thumbnail.storage.open(found.thumbnail.name),
        size=size,
        tag=f'"{found.pk}-small"',
        content_type="image/webp",
        headers=headers | {"Content-Disposition": "inline"},
    )


def _file(request, found: MediaFile) -> HttpResponseBase:
    disposition = content_disposition_header(True, found.name or "file")
    storage = found.file.storage
    if not _is_local(storage):
        shown_as = {"ResponseContentDisposition": disposition, "ResponseContentType": found.media_type}
        url = storage.url(found.file.name, parameters=shown_as, expire=STORE_LINK_LIFE)
        return HttpResponseRedirect(url, headers=HEADERS)
    return file_answer(
        request,
        lambda: storage.open(found.file.name),
        size=found.size,
        tag=f'"{bytes(found.sha256).hex()}"',
        content_type=found.media_type,
        headers=HEADERS | {"Content-Disposition": disposition},
    )


def _is_local(storage: Storage) -> bool:
    try:
        storage.path("x")
    except NotImplementedError:
        return False
    return True
