"""One id a request: taken from `X-Request-Id` if it is well-formed, else made; sent back and put into every log line."""

import logging
import re
from contextvars import ContextVar

from waplus.lib.ids import uuid7

WELL_FORMED = re.compile(r"[A-Za-z0-9_-]{8,64}")
_current: ContextVar[str] = ContextVar("request_id", default="-")


def current_request_id() -> str:
    """The id of the request that this thread works for, or `-` outside of one."""
    return _current.get()


class RequestIdMiddleware:
    """Give the request an id before anything else can log or fail."""

    def __init__(self, get_response):
        self.get_response = get_response

    def __call__(self, request):
        offered = request.headers.get("X-Request-Id", "")
        request.id = offered if WELL_FORMED.fullmatch(offered) else uuid7().hex
        token = _current.set(request.id)
        try:
            response = self.get_response(request)
        finally:
            _current.reset(token)
        response["X-Request-Id"] = request.id
        return response


class RequestIdFilter(logging.Filter):
    """Adds `request_id` to log records."""

    def filter(self, record: logging.LogRecord) -> bool:
        record.request_id = _current.get()
        return True
