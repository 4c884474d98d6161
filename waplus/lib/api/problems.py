"""Whatever DRF refuses or a service raises, as a problem document."""

import logging

from django.core.exceptions import PermissionDenied, RequestDataTooBig
from django.core.exceptions import ValidationError as DjangoValidationError
from django.db import OperationalError
from django.http import Http404
from rest_framework import exceptions, status
from rest_framework.response import Response
from rest_framework.views import set_rollback

from waplus.lib.api.problem_documents import CONTENT_TYPE, problem
from waplus.lib.errors import UNKNOWN_ID, FieldError, Refused

logger = logging.getLogger(__name__)

# What DRF calls its own refusals, and what we call them. Serializer errors keep
# DRF's codes (required, max_length, invalid_choice …), which are as stable.
_DRF_CODES = {
    exceptions.ParseError: "malformed",
    exceptions.NotAuthenticated: "not_authenticated",
    exceptions.AuthenticationFailed: "token_invalid",
    exceptions.PermissionDenied: "forbidden",
    exceptions.NotFound: "not_found",
    exceptions.MethodNotAllowed: "method_not_allowed",
    exceptions.UnsupportedMediaType: "unsupported_media_type",
    exceptions.Throttled: "rate_limited",
}

# Deadlocks and lost serializations of PostgreSQL: asked again, the same request succeeds.
_CROSSED = ("40P01", "40001")


def field_errors(detail, path: str = "") -> list[FieldError]:
    """Flatten DRF's nested error detail into dotted paths."""
    if isinstance(detail, dict):
        return [
            error
            for key, value in detail.items()
            for error in field_errors(value, path if key == "non_field_errors" else f"{path}.{key}".lstrip("."))
        ]
    if isinstance(detail, list):
        return [
            error
            for index, value in enumerate(detail)
            for error in field_errors(value, f"{path}.{index}".lstrip(".") if isinstance(value, dict | list) else path)
        ]
    return [FieldError(path, getattr(detail, "code", "invalid"), str(detail))]


def exception_handler(exc: Exception, context: dict) -> Response | None:
    """DRF's exception handler: every refusal as a problem document; anything else goes on to be a 500."""
    headers: dict[str, str] = {}
    if isinstance(exc, Refused):
        code, detail, fields, extra = exc.code, exc.detail, exc.fields, exc.extra
    elif isinstance(exc, exceptions.ValidationError):
        code, detail, extra = "invalid", "", None
        fields = field_errors(exc.detail)
    elif isinstance(exc, DjangoValidationError):
        code, detail, extra = "invalid", "", None
        fields = [FieldError("", error.code or "invalid", " ".join(error.messages)) for error in exc.error_list]
    elif isinstance(exc, Http404):
        code, detail, fields, extra = "not_found", UNKNOWN_ID, [], None
    elif isinstance(exc, PermissionDenied):
        code, detail, fields, extra = "forbidden", "", [], None
    elif isinstance(exc, RequestDataTooBig):
        code, detail, fields, extra = "too_large", "", [], None
    elif isinstance(exc, exceptions.APIException):
        code = next((ours for theirs, ours in _DRF_CODES.items() if isinstance(exc, theirs)), "invalid")
        detail, fields, extra = str(exc.detail), [], None
        if isinstance(exc, exceptions.Throttled) and exc.wait is not None:
            headers["Retry-After"] = str(max(1, round(exc.wait)))
    elif isinstance(exc, OperationalError) and getattr(exc.__cause__, "pgcode", None) in _CROSSED:
        # Whoever made the other's way free is told so; the transaction left nothing.
        logger.warning("two transactions stood in each other's way: %s", str(exc).strip())
        code, detail, fields, extra = (
            "unavailable",
            "Somebody changed the same things just now. Send it again.",
            [],
            None,
        )
        headers["Retry-After"] = "1"
    else:
        return None
    set_rollback()
    request = context["request"]
    body = problem(getattr(request, "id", "-"), code, detail, fields, extra)
    if body["status"] == status.HTTP_401_UNAUTHORIZED:
        headers["WWW-Authenticate"] = "Bearer"
    return Response(body, status=body["status"], headers=headers, content_type=CONTENT_TYPE)
