"""What members who have gone leave behind: handed over by the floors above, a chunk at a time.

A member may look after a hundred thousand contacts, and nothing that is written
in bulk may stay open for long. So the end of a membership leaves a row, and a
sweep hands over what hangs on it; a sweep that dies goes on where it stopped.
"""

from collections.abc import Callable
from dataclasses import dataclass
from uuid import UUID

from django.db import connection, transaction

from accounts.models import Departure, User, Workspace
from waplus.lib.hints import hint_after_commit

CHUNK = 2_000


@dataclass(frozen=True)
class _Handover:
    hand_over: Callable[..., int]
    count: Callable[..., int]
    words: Callable[[int], str]


_handovers: dict[str, _Handover] = {}


def register_departure(
    name: str, hand_over: Callable[..., int], *, count: Callable[..., int], words: Callable[[int], str]
) -> None:
    """Tell what becomes of what a member looked after; apps add theirs at start, under a name of their own.

    `hand_over(workspace=, user_id=, heir_id=, limit=)` gives at most `limit`
    rows to the user `heir_id`, or to nobody if that is None, records its event,
    and answers how many rows there were. It is called in a transaction of its
    own, and again until it answers 0. `count(workspace=, user_id=)` is how much
    a person would see change hands, and `words(count)` says it.
    """
    _handovers[name] = _Handover(hand_over, count, words)


def looked_after(*, workspace: Workspace, user: User) -> list[str]:
    """What a member looks after, in words, without what there is none of."""
    counts = {handover.words: handover.count(workspace=workspace, user_id=user.pk) for handover in _handovers.values()}
    return [words(count) for words, count in counts.items() if count]


def note_departure(*, workspace: Workspace, user: User, heir: User | None = None) -> None:
    """Remember, in the transaction that ends a membership, that what the person looked after needs another one."""
    Departure.objects.update_or_create(workspace=workspace, user=user, defaults={"heir": heir})
    hint_after_commit("accounts.tasks.finish_departures")


def finish_departures() -> int:
    """Hand over everything that departed members left; answers how many rows changed hands."""
    changed = 0
    for departure_id in list(Departure.objects.order_by("pk").values_list("pk", flat=True)):
        while (rows := _hand_over_chunk(departure_id)) is not None:
            changed += rows
    return changed


@transaction.atomic
def _hand_over_chunk(departure_id: UUID) -> int | None:
    """One chunk of one departure: how many rows, or None when there is nothing more to do for it."""
    departure = (
        Departure.objects.select_for_update(skip_locked=True, of=("self",))
        .select_related("workspace")
        .filter(pk=departure_id)
        .first()
    )
    if departure is None:
        return None
    if hold_member(workspace=departure.workspace, user_id=departure.user_id):
        departure.delete()  # they are back, or were let in again: it stays theirs
        return None
    heir_id = departure.heir_id
    if heir_id is not None and not hold_member(workspace=departure.workspace, user_id=heir_id):
        heir_id = None
    for handover in _handovers.values():
        whose = {"workspace": departure.workspace, "user_id": departure.user_id, "heir_id": heir_id}
        if rows := handover.hand_over(**whose, limit=CHUNK):
            return rows
    departure.delete()
    return None


def hold_member(*, workspace: Workspace, user_id: UUID) -> bool:
    """Whether a person is a member who can log in; if so, nobody ends that before this transaction has ended.

    Whoever makes a member responsible for something asks here first: the
    departure that ends the membership then finds what was written.
    """
    with connection.cursor() as cursor:
        cursor.execute(
            """
            SELECT 1 FROM accounts_membership m JOIN accounts_user u ON u.id = m.user_id AND u.is_active
            WHERE m.workspace_id = %s AND m.user_id = %s FOR SHARE
            """,
            [workspace.pk, user_id],
        )
        return cursor.fetchone() is not None
