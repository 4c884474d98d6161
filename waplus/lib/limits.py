"""The cap on request bodies, before anything reads them."""

import re

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.template.loader import get_template

from waplus.lib.api.problem_documents import problem_response
from waplus.lib.audience import is_program

# As much of a refused body is read and thrown away, in bytes: a browser shows the answer only when it could send all.
_THROWN_AWAY = 400 * 1024 * 1024


class BodySizeMiddleware:
    """Refuse a body over the cap by its declared length; a body without a length is refused, too.

    `wsgi.input` of the web server ends at the declared length, so the declared
    length is the truth. Paths that take files have a cap of their own in
    `UPLOAD_PATHS` (pattern of the whole path to the setting's name).
    """

    UPLOAD_PATHS = {
        re.compile(r"/api/v1/imports/|/imports/new/"): "MAX_IMPORT_BYTES",
        re.compile(r"/api/v1/media/|/messages/files/"): "MAX_MEDIA_UPLOAD_BYTES",
        # Forms that write messages take files with them.
        re.compile(
            r"/messages/((quick-replies|scheduled|auto-replies)/(new|[0-9a-f-]{36})|broadcasts/(new|[0-9a-f-]{36}/message))/"
        ): "MAX_MEDIA_UPLOAD_BYTES",
        re.compile(r"/api/v1/quick-replies/import/|/messages/quick-replies/import/"): "MAX_REPLY_FILE_BYTES",
        re.compile(r"/api/v1/media/uploads/[0-9a-f-]{36}/parts/[0-9]+/"): "MAX_MEDIA_PART_BYTES",
        re.compile(r"/api/v1/suppressions/lists/|/messages/do-not-contact/lists/"): "MAX_NUMBER_LIST_BYTES",
        re.compile(r"/api/v1/(contacts|chats)/[0-9a-f-]{36}/avatar/"): "MAX_AVATAR_UPLOAD_BYTES",
    }

    def __init__(self, get_response):
        self.get_response = get_response

    def __call__(self, request):
        if request.headers.get("Transfer-Encoding"):
            return problem_response(request, "too_large", "Send the body with a Content-Length.")
        try:
            length = int(request.META.get("CONTENT_LENGTH") or 0)
        except ValueError:
            length = -1
        if length < 0:
            return problem_response(request, "malformed", "Content-Length is not a number of bytes.")
        named = (name for path, name in self.UPLOAD_PATHS.items() if path.fullmatch(request.path))
        cap = getattr(settings, next(named, "MAX_BODY_BYTES"))
        if length > cap:
            return self._too_large(request, length, cap)
        return self.get_response(request)

    @staticmethod
    def _too_large(request: HttpRequest, length: int, cap: int) -> HttpResponse:
        if is_program(request):
            return problem_response(request, "too_large", f"The body may have at most {cap} bytes.")
        if length <= _THROWN_AWAY:
            while request.read(1024 * 1024):
                pass
        page = get_template("413.html").render({"megabytes": cap // (1024 * 1024), "back": request.path})
        return HttpResponse(page, status=413)
