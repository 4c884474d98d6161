"""Whether a program or a person asks: programs get problem documents, people get pages."""

from django.http import HttpRequest

_FOR_PROGRAMS = ("/api/", "/_allauth/", "/health/")


def is_program(request: HttpRequest) -> bool:
    """Whether what asks is a program, by the address alone: it must be known before anything of the request is read."""
    return request.path.startswith(_FOR_PROGRAMS)
