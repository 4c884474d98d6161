"""When a broadcast may be sent: hours and days in the recipient's zone or ours, and how many people an hour."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

from messaging.models import Broadcast, HoursOf
from waplus.lib.walltime import to_utc

# A broadcast without an end is over so long after its start.
LONGEST = timedelta(days=30)


@dataclass(frozen=True)
class Slot:
    """A stretch in which a zone may be written to, and where on the zone's own open time (seconds from 0) it begins."""

    opens_at: datetime
    closes_at: datetime
    offset: float

    @property
    def seconds(self) -> float:
        return (self.closes_at - self.opens_at).total_seconds()


def zone_of(broadcast: Broadcast, recipient_zone: str) -> str:
    """The zone whose clock counts for a recipient; '' of an unknown one is ours."""
    return recipient_zone if broadcast.hours_of == HoursOf.RECIPIENT and recipient_zone else broadcast.time_zone


def end_of(broadcast: Broadcast, start: datetime) -> datetime:
    """From when on nothing of it is sent any more."""
    return broadcast.ends_at or start + LONGEST


def open_times(broadcast: Broadcast, zone: str, start: datetime, end: datetime) -> Iterator[tuple[datetime, datetime]]:
    """The stretches between two moments in which a zone may be written to, in order.

    Walls follow the two rules of `waplus.lib.walltime`, so a day of change is
    shorter or longer by what its clocks jump within the hours.
    """
    if not broadcast.has_hours:
        yield start, end
        return
    day = start.astimezone(ZoneInfo(zone)).date()
    while True:
        opens = to_utc(datetime.combine(day, broadcast.hours_from or time.min), zone)
        if opens >= end:
            return
        following = day + timedelta(days=1)
        last = broadcast.hours_to
        closes = to_utc(datetime.combine(day, last) if last else datetime.combine(following, time.min), zone)
        if day.isoweekday() in broadcast.hours_days and closes > start and opens < closes:
            yield max(opens, start), min(closes, end)
        day = following


def slots(broadcast: Broadcast, zone: str, start: datetime, needed: float) -> list[Slot]:
    """Stretches of a zone from `start` until they hold `needed` seconds, or until the end of the broadcast."""
    found, offset = [], 0.0
    for opens, closes in open_times(broadcast, zone, start, end_of(broadcast, start)):
        found.append(Slot(opens, closes, offset))
        offset += found[-1].seconds
        if offset > needed:
            break
    return found


def next_opening(broadcast: Broadcast, zone: str, now: datetime) -> datetime | None:
    """When a zone may be written to: `now` if it may; None if not before the end."""
    start = broadcast.started_at or now
    return next((opens for opens, _ in open_times(broadcast, zone, now, end_of(broadcast, start))), None)


def is_open(broadcast: Broadcast, recipient_zone: str, now: datetime) -> bool:
    """Whether a recipient may be written to now."""
    return next_opening(broadcast, zone_of(broadcast, recipient_zone), now.astimezone(UTC)) == now


def open_now_sql(*, broadcast: str, message: str, now: str) -> str:
    """SQL: whether a message's recipient may be written to now, by the clock of `zone_of`.

    The arguments are SQL: the aliases of a broadcast and of a row of its queue, and a moment.
    """
    local = (
        f"({now} AT TIME ZONE CASE WHEN {broadcast}.hours_of = 'recipient' AND {message}.recipient_zone <> ''"
        f" THEN {message}.recipient_zone ELSE {broadcast}.time_zone END)"
    )
    return (
        f"({broadcast}.hours_from IS NULL AND {broadcast}.hours_to IS NULL AND cardinality({broadcast}.hours_days) = 7"
        f" OR extract(isodow FROM {local})::int = ANY({broadcast}.hours_days)"
        f" AND {local}::time >= coalesce({broadcast}.hours_from, '00:00')"
        f" AND ({broadcast}.hours_to IS NULL OR {local}::time < {broadcast}.hours_to))"
    )
