"""Photos over HTTP, for programs with a token and for pages with a session alike."""

from django.http import Http404, HttpRequest, HttpResponse, HttpResponseNotModified

from crm.models import Avatar

# What an id shows never changes, so a browser need not ask again; what was made for a member is no shared cache's business.
HEADERS = {
    "Cache-Control": "private, max-age=31536000, immutable",
    "Content-Security-Policy": "default-src 'none'; sandbox",
    "X-Content-Type-Options": "nosniff",
    "Vary": "Authorization, Cookie",
}


def photo_answer(request: HttpRequest, avatar: Avatar) -> HttpResponse:
    """The photo's bytes with its ETag; 304 for who has it already."""
    tag = f'"{avatar.pk}"'
    headers = {**HEADERS, "ETag": tag}
    if tag in request.headers.get("If-None-Match", ""):
        return HttpResponseNotModified(headers=headers)
    try:
        with avatar.file.open("rb") as file:
            return HttpResponse(file.read(), content_type="image/jpeg", headers=headers)
    except FileNotFoundError as error:
        raise Http404 from error
