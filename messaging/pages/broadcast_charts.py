"""The chart of a report: bars of what happened by the hour, or by the day where there are many hours."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

SERIES = ("sent", "delivered", "read", "replied")
MOST_HOURS = 48
WIDTH, HEIGHT = 640, 160


@dataclass(frozen=True)
class Bar:
    """One bar of a stretch, in units of the drawing."""

    series: str
    count: int
    x: float
    y: float
    width: float
    height: float


@dataclass(frozen=True)
class Stretch:
    """An hour or a day: when it began (local time), how many of each series, and their bars."""

    begins_at: datetime
    counts: dict[str, int]
    bars: list[Bar]
    x: float

    @property
    def hour(self) -> str:
        """The hour as the zone's own clock shows it."""
        return f"{self.begins_at:%Y-%m-%d %H:%M}"


@dataclass(frozen=True)
class Chart:
    """Everything that the drawing and the table beside it show."""

    stretches: list[Stretch]
    by_day: bool
    highest: int
    width: int = WIDTH
    height: int = HEIGHT


def chart_of(hours: Sequence[dict], zone: str) -> Chart | None:
    """The chart of a report's hours in a time zone; None if nothing has happened."""
    if not hours:
        return None
    here = ZoneInfo(zone)
    first, last = hours[0]["hour"], hours[-1]["hour"]
    by_day = last - first >= timedelta(hours=MOST_HOURS)
    counts: dict[datetime, dict[str, int]] = {}
    for row in hours:
        local = row["hour"].astimezone(here)
        begins = local.replace(hour=0 if by_day else local.hour, minute=0)
        found = counts.setdefault(begins, dict.fromkeys(SERIES, 0))
        for name in SERIES:
            found[name] += row[name]
    step = timedelta(days=1) if by_day else timedelta(hours=1)
    moments = [min(counts)]
    # In a zone's own time, arithmetic is of walls: every day begins at its midnight.
    while moments[-1] + step <= max(counts) and len(moments) < 400:
        moments.append(moments[-1] + step)
    highest = max(max(found.values()) for found in counts.values())
    room = WIDTH / len(moments)
    width = room * 0.8 / len(SERIES)
    stretches = []
    for index, moment in enumerate(moments):
        found = counts.get(moment, dict.fromkeys(SERIES, 0))
        bars = [
            _bar(name, found[name], highest, index * room + room * 0.1 + place * width, width)
            for place, name in enumerate(SERIES)
            if found[name]
        ]
        stretches.append(Stretch(moment, found, bars, round(index * room, 2)))
    return Chart(stretches, by_day, highest)


def _bar(series: str, count: int, highest: int, x: float, width: float) -> Bar:
    height = max(HEIGHT * count / highest, 1)
    return Bar(series, count, round(x, 2), round(HEIGHT - height, 2), round(max(width, 0.5), 2), round(height, 2))
