"""Old extensions are told so, in a sentence, instead of failing in odd ways."""

import re

from django.conf import settings

from waplus.lib.api.problems import problem_response

HEADER = "X-Client-Version"
_VERSION = re.compile(r"[0-9]{1,6}(\.[0-9]{1,6}){0,3}")


def version_key(text: str) -> tuple[int, ...] | None:
    """A Chrome extension's version (one to four dot-separated integers) as a comparable tuple, or None."""
    if not _VERSION.fullmatch(text):
        return None
    parts = [int(part) for part in text.split(".")]
    return tuple(parts + [0] * (4 - len(parts)))


class ClientVersionMiddleware:
    """Answer 426 to an API request of an extension below `MINIMUM_EXTENSION_VERSION`.

    Programs that are no extension send no `X-Client-Version` and pass.
    """

    def __init__(self, get_response):
        self.get_response = get_response
        self.minimum = version_key(settings.MINIMUM_EXTENSION_VERSION)

    def __call__(self, request):
        offered = request.headers.get(HEADER)
        if offered is not None and request.path.startswith("/api/"):
            version = version_key(offered)
            if version is None:
                return problem_response(request, "malformed", f"{HEADER} must look like 1.2.3.")
            if version < self.minimum:
                return problem_response(
                    request,
                    "extension_too_old",
                    f"Version {offered} of the extension no longer works with this server. "
                    f"Update it to {settings.MINIMUM_EXTENSION_VERSION} or newer: your data is safe and waits here.",
                    extra={"minimum_version": settings.MINIMUM_EXTENSION_VERSION},
                )
        return self.get_response(request)
