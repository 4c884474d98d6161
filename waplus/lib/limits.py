"""The cap on request bodies, before anything reads them."""

from django.conf import settings

from waplus.lib.api.problem_documents import problem_response


class BodySizeMiddleware:
    """Refuse a body over the cap by its declared length; a body without a length is refused, too.

    `wsgi.input` of the web server ends at the declared length, so the declared
    length is the truth. Views that take files name a cap of their own through
    `UPLOAD_PATHS` (path prefix to bytes).
    """

    UPLOAD_PATHS = {"/api/v1/imports/": "MAX_IMPORT_BYTES", "/imports/new/": "MAX_IMPORT_BYTES"}

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
        cap = getattr(settings, self.UPLOAD_PATHS.get(request.path, "MAX_BODY_BYTES"))
        if length > cap:
            return problem_response(request, "too_large", f"The body may have at most {cap} bytes.")
        return self.get_response(request)
