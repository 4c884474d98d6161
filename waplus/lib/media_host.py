"""Where MEDIA_HOST is set: files that people uploaded are there and nowhere else, and nothing else is there.

A file that a browser took for a page would run, if at all, at an origin that
has no cookie, no page and no API.
"""

from urllib.parse import urlsplit

from django.conf import settings
from django.core.exceptions import MiddlewareNotUsed
from django.http import HttpResponseNotFound


class MediaHostMiddleware:
    """Keeps the paths of files and all other paths apart by the host that was asked."""

    def __init__(self, get_response):
        if not settings.MEDIA_HOST:
            raise MiddlewareNotUsed
        self.get_response = get_response
        self._host = urlsplit(settings.MEDIA_HOST).netloc

    def __call__(self, request):
        if request.path.startswith("/media/") != (request.get_host() == self._host):
            return HttpResponseNotFound("Not found.", content_type="text/plain")
        return self.get_response(request)
