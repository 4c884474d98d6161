"""Ids are UUIDv7 (RFC 9562): they sort by time, and the client may make them."""

from uuid import UUID

from django.core.exceptions import ValidationError
from uuid_utils.compat import uuid7

__all__ = ["uuid7", "validate_uuid7"]


def validate_uuid7(value: UUID) -> None:
    """Refuse a client-made id that is not a UUIDv7 of the RFC variant."""
    if value.version != 7:
        raise ValidationError("An id must be a UUIDv7.", code="invalid_id")
