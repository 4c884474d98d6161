"""Quiet hours: by the clock of whoever would get the message.

A moment is quiet if the clock on the wall shows a time of the quiet hours; they
end at the first moment at which it shows their end. Where clocks jump over the
end, that is as much later as they jump (the rule of `waplus.lib.walltime`).
All of it is worked out here and nowhere else: statements are given the moments
of all zones, so that PostgreSQL's table of zones need not agree with ours.
"""

from datetime import UTC, datetime, time, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo

from waplus.lib.walltime import to_utc, zone_names


def quiet_until(start: time, end: time, zone: str, now: datetime) -> datetime | None:
    """When the quiet hours end that `now` falls into; None outside of them. They may go over midnight."""
    local = now.astimezone(ZoneInfo(zone))
    clock = local.time()
    is_quiet = start <= clock < end if start < end else clock >= start or clock < end
    if not is_quiet:
        return None
    wall = datetime.combine(local.date(), end)
    if clock >= end:
        wall += timedelta(days=1)
    # As far as the clock would run without a change; that settles which of two equal times is meant.
    near = (now + (wall - local.replace(tzinfo=None))).astimezone(UTC)
    if near.astimezone(ZoneInfo(zone)).replace(tzinfo=None) == wall:
        return near
    return to_utc(wall, zone)


def quiet_zones(start: time | None, end: time | None, now: datetime) -> dict[str, datetime]:
    """The zones in which it is quiet now, and until when; for a minute the same answer serves."""
    if start is None or end is None:
        return {}
    return _quiet_zones(start, end, now.astimezone(UTC).replace(second=0, microsecond=0))


@lru_cache(maxsize=256)
def _quiet_zones(start: time, end: time, minute: datetime) -> dict[str, datetime]:
    found = ((zone, quiet_until(start, end, zone, minute)) for zone in sorted(zone_names()))
    return {zone: until for zone, until in found if until is not None}
