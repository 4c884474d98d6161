"""Moving something one place up or down in a list that people order."""

from collections.abc import Sequence
from uuid import UUID

from django.http import Http404


def moved(ids: Sequence[UUID], moving: UUID, direction: str) -> list[UUID]:
    """The ids with one of them a place further `up` or `down`; at the end of the list it stays. Unknown: not found."""
    order = list(ids)
    if moving not in order:
        raise Http404
    place = order.index(moving)
    goal = place - 1 if direction == "up" else place + 1
    if 0 <= goal < len(order):
        order[place], order[goal] = order[goal], order[place]
    return order
