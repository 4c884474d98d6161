"""Where the clock of a phone's owner probably stands: the time zone of a country or area code that has just one.

Two maintained sources: the zones of each country (`zone.tab` of the IANA data)
and libphonenumber's zones of each prefix (`phonenumbers.tzdata`). Zones whose
clocks show the same time all year (Rome and the Vatican) are one. In a country
with several clocks a prefix tells the zone only where mobile numbers carry area
codes: North America, Mexico, Brazil. Everywhere else a mobile number can live
anywhere in its country, and no zone is better than a wrong one.
"""

from collections import Counter, defaultdict
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from importlib.resources import files
from zoneinfo import ZoneInfo

import phonenumbers
from phonenumbers.tzdata import TIMEZONE_DATA

from waplus.lib.walltime import zone_names

# Two clocks are the same where they are at all of these: every fortnight of three years, all changes to and from DST.
_COMPARED_AT = tuple(datetime(2025, 1, 1, tzinfo=UTC) + timedelta(days=14 * index) for index in range(79))
# Where mobile numbers carry area codes. Kazakhstan (77) is a country of its own behind Russia's code.
_GEOGRAPHIC = ("1", "52", "55", "77")
# Digits of the longest prefix that is told apart: an area code behind its country's. Single exchanges move.
LONGEST = 5


@lru_cache(maxsize=1024)
def _clock(zone: str) -> tuple[timedelta, ...]:
    """What a zone's clocks are ahead of UTC at the moments at which zones are compared."""
    here = ZoneInfo(zone)
    return tuple(moment.astimezone(here).utcoffset() for moment in _COMPARED_AT)


def _zones_of_countries() -> dict[str, list[str]]:
    """`{ISO 3166 code: zones}`, the most populous place of a country first."""
    zones = defaultdict(list)
    for line in files("tzdata.zoneinfo").joinpath("zone.tab").read_text().splitlines():
        if not line.startswith("#"):
            country, _, zone, *_ = line.split("\t")
            zones[country].append(zone)
    return zones


def _only(zones: Sequence[str], spread: Counter) -> str:
    """The one zone of some, where their clocks agree; of these the first that is spread most. '' without one."""
    zones = [zone for zone in zones if zone in zone_names() and not zone.startswith("Etc/")]
    return max(zones, key=lambda zone: spread[zone]) if len(set(map(_clock, zones))) == 1 else ""


@lru_cache(maxsize=1)
def zones_of_prefixes() -> dict[str, str]:
    """`{prefix of digits: IANA zone}`, '' where a prefix has several clocks; the longest prefix that fits counts.

    Prefixes that say the same as a shorter one are left out.
    """
    countries, nothing = _zones_of_countries(), Counter()
    found: dict[str, str] = {}
    for code, regions in phonenumbers.COUNTRY_CODE_TO_REGION_CODE.items():
        zones = [zone for region in regions for zone in countries.get(region, ())]
        zone = _only(zones, nothing) or _only(TIMEZONE_DATA.get(str(code), ()), nothing)
        if zone:
            found[str(code)] = zone
    spread = Counter(zone for zones in TIMEZONE_DATA.values() for zone in zones)
    for prefix in sorted(TIMEZONE_DATA, key=len):
        if prefix.startswith(_GEOGRAPHIC) and len(prefix) <= LONGEST:
            zone = _only(TIMEZONE_DATA[prefix], spread)
            if _longest(found, prefix) != zone:
                found[prefix] = zone
    return found


def _longest(zones: dict[str, str], digits: str) -> str:
    for length in range(min(len(digits), LONGEST), 0, -1):
        zone = zones.get(digits[:length])
        if zone is not None:
            return zone
    return ""


def zone_of_phone(match_key: str) -> str:
    """The IANA zone of a number (its match key: digits with the country code); '' where it is not known."""
    return _longest(zones_of_prefixes(), match_key) if match_key.isdecimal() else ""
