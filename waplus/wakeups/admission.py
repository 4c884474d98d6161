"""Who may listen. These functions ask the database and run in threads, never in the event loop's."""

from collections.abc import Callable
from dataclasses import dataclass
from uuid import UUID

from django.db import close_old_connections

from accounts.models import Role
from accounts.services import tokens
from waplus.lib.errors import Refused


@dataclass(frozen=True, slots=True)
class Admission:
    """Whom a token lets listen, and until when (in seconds since the epoch)."""

    workspace_id: UUID
    instance_id: UUID
    session_id: UUID
    credentials_mark: str
    expires_at: float


def admit(authorization: bytes) -> Admission:
    """Whom an `Authorization` header speaks for. Raises `Refused`, and `django.db.Error` without a database."""
    scheme, _, token = authorization.partition(b" ")
    if scheme.lower() != b"bearer":
        raise Refused("not_authenticated")
    try:
        access = tokens.check_access(token.strip().decode("ascii"))
    except UnicodeDecodeError as error:
        raise Refused("token_invalid") from error
    if not access.membership.may(Role.MEMBER):
        raise Refused("forbidden")
    return Admission(
        workspace_id=access.workspace.pk,
        instance_id=access.instance.pk,
        session_id=access.session.pk,
        credentials_mark=access.credentials_mark,
        expires_at=access.expires_at.timestamp(),
    )


def with_connection(function: Callable, *arguments):
    """Call a function with this thread's connection, made anew if it is old or broken."""
    close_old_connections()
    return function(*arguments)
