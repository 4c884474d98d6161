"""Which stretches of a chat are synced: ranges of seconds since 1970, gaps between them, and how much of all that is."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise

Range = Sequence[float]


def union(ranges: Iterable[Range], *more: Range) -> list[list[float]]:
    """Ranges in order, put together where they touch."""
    result: list[list[float]] = []
    for start, end in sorted([*map(tuple, ranges), *map(tuple, more)]):
        if result and start <= result[-1][1]:
            result[-1][1] = max(result[-1][1], end)
        else:
            result.append([start, end])
    return result


def gaps(ranges: Sequence[Range]) -> list[tuple[float, float]]:
    """What lies between ranges that are in order, the newest first."""
    return [(one[1], other[0]) for one, other in pairwise(ranges)][::-1]


@dataclass(frozen=True)
class Completeness:
    """How much of a chat is synced, from 0 to 1, and what that was measured by.

    `count`: messages against WhatsApp's own count. `time`: covered time since
    the first message. `time_so_far`: the same since the oldest message that is
    known, where the chat's beginning has not been reached. None where nothing
    is known yet.
    """

    value: float | None
    basis: str


def completeness_of(
    *,
    ranges: Sequence[Range],
    reached_start: bool,
    messages: int,
    whatsapp_count: int | None,
    newest: float | None,
    is_waiting: bool = False,
) -> Completeness:
    """Measure a chat. `newest` is when its last message was, as the CRM knows it.

    Never 1 while something is known to be missing: a gap, a beginning that was
    not reached, a newer message, or the text of one that is there (`is_waiting`).
    """
    if not ranges:
        return Completeness(0.0 if newest is not None or whatsapp_count else None, "time_so_far")
    is_covered = reached_start and len(ranges) == 1 and (newest is None or newest <= ranges[-1][1])
    is_whole = is_covered and not is_waiting
    if whatsapp_count:
        value = min(1.0, messages / whatsapp_count)
        return Completeness(1.0 if is_whole else min(value, 0.999), "count")
    if is_whole:
        return Completeness(1.0, "time")
    end = max(ranges[-1][1], newest or 0)
    span, covered = end - ranges[0][0], sum(stop - start for start, stop in ranges)
    value = covered / span if span > 0 else 0.0
    return Completeness(min(value, 0.999), "time" if reached_start else "time_so_far")
