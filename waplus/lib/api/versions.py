"""Old extensions are told so, in a sentence, instead of failing in odd ways."""

import re

from django.conf import settings

from waplus.lib.api.problem_documents import problem_response
from waplus.lib.errors import Refused

HEADER = "X-Client-Version"
_VERSION = re.compile(r"[0-9]{1,6}(\.[0-9]{1,6}){0,3}")


def version_key(text: str) -> tuple[int, ...] | None:
    """A Chrome extension's version (one to four dot-separated integers) as a comparable tuple, or None."""
    if not _VERSION.fullmatch(text):
        return None
    parts = [int(part) for part in text.split(".")]
    return tuple(parts + [0] * (4 - len(parts)))


def refuse_old_version(offered: str | None) -> None:
    """Raise `Refused` for the `X-Client-Version` of an extension below `MINIMUM_EXTENSION_VERSION`, or for one that is none.

    Programs that are no extension send no version and pass.
    """
    if offered is None:
        return
    version = version_key(offered)
    if version is None:
        raise Refused("malformed", f"{HEADER} must look like 1.2.3.")
    minimum = settings.MINIMUM_EXTENSION_VERSION
    if version < version_key(minimum):
        raise Refused(
            "extension_too_old",
            f"Version {offered} of the extension no longer works with this server. "
            f"Update it to {minimum} or newer: your data is safe and waits here.",
            extra={"minimum_version": minimum},
        )


class ClientVersionMiddleware:
    """Answer 426 to an API request of an extension below `MINIMUM_EXTENSION_VERSION`."""

    def __init__(self, get_response):
        self.get_response = get_response

    def __call__(self, request):
        if request.path.startswith("/api/"):
            try:
                refuse_old_version(request.headers.get(HEADER))
            except Refused as refusal:
                return problem_response(request, refusal.code, refusal.detail, extra=refusal.extra)
        return self.get_response(request)
