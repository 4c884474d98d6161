"""Answers with a file's bytes: all of them, or the one stretch that was asked for (RFC 9110, section 14).

Several stretches at once are answered with the whole, as the standard allows:
nobody who loads files here needs more than going on where a load broke off.
"""

import re
from collections.abc import Callable
from typing import BinaryIO

from django.http import HttpRequest, HttpResponse, HttpResponseBase, HttpResponseNotModified, StreamingHttpResponse

CHUNK = 64 * 1024
_RANGE = re.compile(r"bytes=(\d{0,19})-(\d{0,19})")


class _Unsatisfiable(Exception):
    """The stretch begins behind the end."""


class _Stretch:
    """The bytes from `start` to before `end` of an open file, in chunks; closes it."""

    def __init__(self, file: BinaryIO, start: int, end: int):
        self._file = file
        self._left = end - start
        file.seek(start)

    def __iter__(self):
        return self

    def __next__(self) -> bytes:
        chunk = self._file.read(min(CHUNK, self._left)) if self._left else b""
        if not chunk:
            raise StopIteration
        self._left -= len(chunk)
        return chunk

    def close(self) -> None:
        self._file.close()


def _asked_for(request: HttpRequest, size: int, tag: str) -> tuple[int, int] | None:
    """The stretch as (first byte, byte behind the last), or None for the whole file."""
    found = _RANGE.fullmatch(request.headers.get("Range", "").strip())
    condition = request.headers.get("If-Range", "").strip()
    if not found or (condition and condition != tag) or found[1] == found[2] == "":
        return None
    if found[1] == "":  # the last so many bytes
        if not int(found[2]) or not size:
            raise _Unsatisfiable
        return max(size - int(found[2]), 0), size
    first, last = int(found[1]), int(found[2]) if found[2] else size - 1
    if found[2] and last < first:
        return None  # no range by the grammar, so it is ignored
    if first >= size:
        raise _Unsatisfiable
    return first, min(last, size - 1) + 1


def file_answer(
    request: HttpRequest, opened: Callable[[], BinaryIO], *, size: int, tag: str, content_type: str, headers: dict
) -> HttpResponseBase:
    """Answer a GET or HEAD with a file of `size` bytes. `tag` is its strong ETag; `opened` opens it if it is needed."""
    headers = {**headers, "ETag": tag, "Accept-Ranges": "bytes"}
    if tag in request.headers.get("If-None-Match", ""):
        return HttpResponseNotModified(headers=headers)
    try:
        stretch = _asked_for(request, size, tag)
    except _Unsatisfiable:
        return HttpResponse(status=416, headers={**headers, "Content-Range": f"bytes */{size}"})
    first, end = stretch or (0, size)
    headers["Content-Length"] = str(end - first)
    if stretch:
        headers["Content-Range"] = f"bytes {first}-{end - 1}/{size}"
    status = 206 if stretch else 200
    if request.method == "HEAD":
        return HttpResponse(status=status, content_type=content_type, headers=headers)
    return StreamingHttpResponse(
        _Stretch(opened(), first, end), status=status, content_type=content_type, headers=headers
    )
