"""Moments in filters: days and spans of days in a stated time zone."""

import datetime as dt
from dataclasses import dataclass
from zoneinfo import ZoneInfo

from crm.filters.reading import MAX_DAYS, Wrong, members, moment, whole, zone
from crm.filters.sql import Sql, all_of
from waplus.lib.walltime import to_utc


@dataclass(frozen=True)
class Span:
    """From when (inclusive) until when (exclusive), as written: days mean their midnight in `zone`.

    `last_days` begins with the midnight that many days before today,
    `older_than_days` ends with it.
    """

    after: dt.datetime | dt.date | None = None
    before: dt.datetime | dt.date | None = None
    last_days: int | None = None
    older_than_days: int | None = None
    zone: str = "UTC"

    @classmethod
    def read(cls, value, path: str) -> "Span":
        found = members(value, path, "after", "before", "last_days", "older_than_days", "zone")
        if set(found) == {"zone"}:
            raise Wrong(path, "invalid", "A time zone alone selects nothing.")
        return cls(
            **{name: moment(found[name], f"{path}.{name}") for name in ("after", "before") if name in found},
            **{
                name: whole(found[name], f"{path}.{name}", MAX_DAYS)
                for name in ("last_days", "older_than_days")
                if name in found
            },
            zone=zone(found.get("zone", "UTC"), f"{path}.zone"),
        )

    def data(self) -> dict:
        written = {name: getattr(self, name) for name in ("after", "before")}
        written = {name: value.isoformat() for name, value in written.items() if value is not None}
        days = {name: getattr(self, name) for name in ("last_days", "older_than_days")}
        return {**written, **{name: value for name, value in days.items() if value is not None}, "zone": self.zone}

    def condition(self, column: str, now: dt.datetime) -> Sql:
        """Over a column that has a value."""
        bounds = [
            (">=", self._moment(self.after)),
            ("<", self._moment(self.before)),
            (">=", self._midnight(self.last_days, now)),
            ("<", self._midnight(self.older_than_days, now)),
        ]
        return all_of(Sql(f"{column} {sign} %s", (bound,)) for sign, bound in bounds if bound is not None)

    def _moment(self, value: dt.datetime | dt.date | None) -> dt.datetime | None:
        if value is None or isinstance(value, dt.datetime):
            return value
        return to_utc(dt.datetime.combine(value, dt.time()), self.zone)

    def _midnight(self, days: int | None, now: dt.datetime) -> dt.datetime | None:
        if days is None:
            return None
        today = now.astimezone(ZoneInfo(self.zone)).date()
        return self._moment(today - dt.timedelta(days=days))


def today_in(zone_name: str, now: dt.datetime) -> dt.date:
    """The day that it is in a zone."""
    return now.astimezone(ZoneInfo(zone_name)).date()
