"""Places of a scheduled message in the queue that nobody has been handed yet: rewritten, taken back, cancelled."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta

from django.utils import timezone

from messaging.models import ContentPart, DispatchState, QueuedMessage, ScheduledMessage, ScheduledRecipient
from messaging.services.queueing import reserve_message_id
from messaging.services.scheduling.texts import MISSING_VARIABLE, say

# Somebody decides about what is late, so it can still be cancelled.
OPEN_TO_CANCEL = (DispatchState.QUEUED, DispatchState.LATE)
CONTENT = ["body", "media", "expires_at", "on_late", "state", "reason_code", "reason"]
ADDRESS = ["whatsapp_account", "contact", "chat_jid", "recipient_zone"]
TIME = ["due_at", "not_before", "occurrence_at", "held_by"]


def waiting_places(message: ScheduledMessage, states: Sequence[str] = (DispatchState.QUEUED,)) -> list[QueuedMessage]:
    """Its places in the queue that no device holds, locked: a claim either had them before, or sees what is done to them."""
    rows = QueuedMessage.objects.for_workspace(message.workspace_id).filter(scheduled_message=message, state__in=states)
    return list(rows.select_for_update().order_by("id"))


def last_state(message: ScheduledMessage) -> str | None:
    """Where the part that was queued last is."""
    rows = QueuedMessage.objects.for_workspace(message.workspace_id).filter(scheduled_message=message)
    return rows.order_by("-occurrence_at", "position").values_list("state", flat=True).first()


def by_recipient(
    places: Iterable[QueuedMessage], recipients: Iterable[ScheduledRecipient]
) -> dict[ScheduledRecipient, list[QueuedMessage]]:
    """Whose each place is: that of the recipient with its address."""
    of_address = {recipient.chat_jid: recipient for recipient in recipients}
    found = defaultdict(list)
    for place in places:
        if (recipient := of_address.get(place.chat_jid)) is not None:
            found[recipient].append(place)
    return found


def take_back(places: Sequence[QueuedMessage]) -> list[QueuedMessage]:
    """Delete places that no device ever had; answers those that stay, for the history of their attempts."""
    fresh = [place.pk for place in places if not place.fence]
    QueuedMessage.objects.filter(pk__in=fresh).delete()
    return [place for place in places if place.fence]


def cancel_places(places: Sequence[QueuedMessage]) -> None:
    """Cancel places."""
    QueuedMessage.objects.filter(pk__in=[place.pk for place in places]).update(
        state=DispatchState.CANCELLED, held_by=""
    )


def rewrite(
    message: ScheduledMessage,
    recipient: ScheduledRecipient,
    places: Sequence[QueuedMessage],
    parts: Sequence[ContentPart],
    at: datetime | None = None,
) -> None:
    """Bring what the schedule says now to a recipient's places, which keep their turn in the chat.

    `at` moves them to another moment. Parts that are new get places, those that
    are gone lose theirs.
    """
    occurrences = defaultdict(list)
    for place in places:
        occurrences[place.occurrence_at].append(place)
    for occurrence_at, held in occurrences.items():
        _rewrite_occurrence(message, recipient, held, parts, at or occurrence_at)


def _rewrite_occurrence(message, recipient, held, parts, at: datetime) -> None:
    on = (recipient.next_wall or message.wall_time).date() if not message.rrule else at.date()
    said = say(workspace=message.workspace, parts=parts, contact=held[0].contact, sender=message.created_by, on=on)
    present = {place.position: place for place in held}
    moved = at != held[0].occurrence_at
    gone_before = min(present)  # parts before it are on their way already
    new = []
    for part in parts:
        place = present.pop(part.position, None)
        if place is None and part.position < gone_before:
            continue
        is_new = place is None
        if is_new:
            place = _copy(held[0], part.position)
        place.whatsapp_account, place.on_late = message.whatsapp_account, message.on_late
        if not recipient.keeps_address and recipient.contact_id:
            place.contact_id = recipient.contact_id
        place.chat_jid, place.recipient_zone = recipient.chat_jid, recipient.recipient_zone
        place.body, place.media_id = said.bodies.get(part.position, ""), part.media_id
        if moved:
            place.due_at = place.occurrence_at = place.not_before = at
            place.held_by = ""
        place.expires_at = place.due_at + timedelta(minutes=message.lateness_minutes)
        if said.problem:
            place.state, place.reason_code, place.reason = DispatchState.SKIPPED, MISSING_VARIABLE, said.problem
        new.append(place) if is_new else place.save(update_fields=[*CONTENT, *ADDRESS, *TIME])
    QueuedMessage.objects.bulk_create(new)
    cancel_places(take_back(list(present.values())))


def _copy(place: QueuedMessage, position: int) -> QueuedMessage:
    """Another place beside one, for a part that was added."""
    return QueuedMessage(
        workspace_id=place.workspace_id,
        source=place.source,
        origin_id=place.origin_id,
        scheduled_message_id=place.scheduled_message_id,
        occurrence_at=place.occurrence_at,
        position=position,
        contact_id=place.contact_id,
        message_id=reserve_message_id(),
        created_by_id=place.created_by_id,
        due_at=place.due_at,
        not_before=place.due_at,
        expires_at=place.expires_at,
        queued_at=timezone.now(),
    )
