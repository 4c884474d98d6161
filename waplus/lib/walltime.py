"""Wall-clock times: what a person means by "half past two on Sunday, in New York".

A wall-clock time is stored as it was meant (no offset) with its IANA zone; the
moment in UTC is derived. Two rules, stated once: a time that does not exist
(clocks jump forward) is taken as the same distance after the jump, so 02:30
becomes 03:30; a time that exists twice (clocks go back) is the first of the two.
"""

from datetime import UTC, datetime
from functools import lru_cache
from zoneinfo import ZoneInfo, available_timezones

from django.core.exceptions import ValidationError


@lru_cache(maxsize=1)
def zone_names() -> frozenset[str]:
    """Names that people may use: IANA zones, without the aliases of files and directories."""
    return frozenset(name for name in available_timezones() if "/" in name or name == "UTC")


def validate_zone(name: str) -> None:
    """Refuse a name that is no IANA time zone."""
    if name not in zone_names():
        raise ValidationError("This is not an IANA time zone such as America/Sao_Paulo.", code="invalid_time_zone")


def to_utc(wall: datetime, zone: str) -> datetime:
    """The moment in UTC of a naive wall-clock time in an IANA zone, by the two rules above.

    `fold=0` is PEP 495's first of the two in an overlap; in a gap it carries the
    offset from before the jump, which moves the time on by the length of the gap.
    """
    if wall.tzinfo is not None:
        raise ValueError("a wall-clock time carries no offset")
    return wall.replace(tzinfo=ZoneInfo(zone), fold=0).astimezone(UTC)


def exists(wall: datetime, zone: str) -> bool:
    """Whether the clocks of a zone ever showed a naive wall-clock time."""
    return to_utc(wall, zone).astimezone(ZoneInfo(zone)).replace(tzinfo=None) == wall.replace(fold=0)
