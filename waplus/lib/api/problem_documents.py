"""Problem details (RFC 9457): the one shape of everything that the API refuses.

`type`, `title`, `status`, `detail`, `code`, `request_id`, and for bad input
`errors`, a list of `{field, code, detail}`. It needs no DRF, so that small
processes can refuse in the same words.
"""

import json
from dataclasses import asdict

from django.conf import settings
from django.http import HttpResponse

from waplus.lib.errors import CODES, FieldError

CONTENT_TYPE = "application/problem+json"


def problem(
    request_id: str, code: str, detail: str = "", fields: list[FieldError] = (), extra: dict | None = None
) -> dict:
    """The body of a problem document."""
    known = CODES[code]
    body = {
        "type": f"{settings.BASE_URL}/api/v1/errors/#{code}",
        "title": known.title,
        "status": known.status,
        "detail": detail or known.advice,
        "code": code,
        "request_id": request_id,
        **(extra or {}),
    }
    if fields:
        body["errors"] = [asdict(field) for field in fields]
    return body


def problem_response(request, code: str, detail: str = "", extra: dict | None = None) -> HttpResponse:
    """A problem document as a plain Django answer, for what fails outside of DRF."""
    body = problem(getattr(request, "id", "-"), code, detail, extra=extra)
    return HttpResponse(json.dumps(body), status=body["status"], content_type=CONTENT_TYPE)
