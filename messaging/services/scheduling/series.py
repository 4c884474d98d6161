"""A series: pause it and let it go on, leave out one of its times, or give one time a message of its own."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from uuid import UUID

from django.db import transaction
from django.utils import timezone

from accounts.actors import Actor
from accounts.models import User, Workspace
from accounts.services.events import record_event
from crm.models import Contact
from messaging.models import (
    DispatchState,
    QueuedMessage,
    RecipientState,
    ScheduledMessage,
    ScheduledRecipient,
    ScheduleState,
)
from messaging.models.scheduled import MAX_EXCLUDED
from messaging.services.contents import parts_of
from messaging.services.scheduling import places, times
from messaging.services.scheduling.changes import (
    finish_change,
    hint_if_near,
    locked,
    refuse_if_gone,
    schedule_message,
)
from messaging.services.scheduling.recipients import To, counted
from waplus.lib.errors import Invalid, Refused
from waplus.lib.locks import Hold, held
from waplus.lib.walltime import to_utc

PAUSED = "paused"
IN_PAUSE = "The series was paused at its time."


def _series(workspace: Workspace, message_id: UUID):
    message, recipients = locked(workspace, message_id)
    if not message.rrule:
        raise Refused("wrong_state", "This message goes out once: cancel it, or change its time.")
    return message, recipients


@transaction.atomic
def pause_series(*, workspace: Workspace, message_id: UUID, actor: Actor) -> ScheduledMessage:
    """Send nothing of a series until it is resumed; what falls into the pause is skipped for good."""
    message, recipients = _series(workspace, message_id)
    if message.state == ScheduleState.PAUSED:
        return message
    queued = places.waiting_places(message)
    refuse_if_gone(message, recipients, queued)
    now, before = timezone.now(), counted(recipients)
    to_come = [place for place in queued if place.due_at > now]
    kept = [*places.take_back(to_come), *(place for place in queued if place.due_at <= now)]
    QueuedMessage.objects.filter(pk__in=[place.pk for place in kept]).update(
        state=DispatchState.SKIPPED, reason_code=PAUSED, reason=IN_PAUSE, held_by=""
    )
    # Whose last time was taken back from the queue waits for it again, should the pause be a short one.
    undone = {place.chat_jid for place in to_come if not place.fence}
    for recipient in recipients:
        if recipient.state == RecipientState.WAITING or recipient.chat_jid in undone:
            recipient.state, recipient.next_wall, recipient.next_at = RecipientState.PAUSED, None, None
    message.state = ScheduleState.PAUSED
    finish_change(message, recipients, before)
    record_event(kind="scheduled_message.paused", actor=actor, workspace=workspace, obj=message, changed=["state"])
    return message


@transaction.atomic
def resume_series(*, workspace: Workspace, message_id: UUID, actor: Actor) -> ScheduledMessage:
    """Let a series go on with its next time after now."""
    message, recipients = _series(workspace, message_id)
    if message.state != ScheduleState.PAUSED:
        if message.state == ScheduleState.WAITING:
            return message
        raise Refused("wrong_state", "Only a paused series goes on.")
    now, before = timezone.now(), counted(recipients)
    for recipient in recipients:
        if recipient.state == RecipientState.PAUSED:
            _go_on(message, recipient, now)
    message.state = ScheduleState.WAITING
    finish_change(message, recipients, before)
    record_event(kind="scheduled_message.resumed", actor=actor, workspace=workspace, obj=message, changed=["state"])
    hint_if_near(message)
    return message


def _go_on(message: ScheduledMessage, recipient, after: datetime) -> None:
    following = times.following(message, recipient.time_zone, after)
    if following is None:
        recipient.state, recipient.next_wall, recipient.next_at = RecipientState.DONE, None, None
    else:
        recipient.state = RecipientState.WAITING
        recipient.next_wall, recipient.next_at = following.wall, following.at


def _leave_out(message: ScheduledMessage, recipients: Sequence, wall: datetime | None, now: datetime) -> datetime:
    """Leave out a time of a series (without one: the next) for everybody who has not been handed it; answers which."""
    queued = places.waiting_places(message)
    refuse_if_gone(message, recipients, queued)
    if wall is None:
        walls = [recipient.next_wall for recipient in recipients if recipient.next_wall is not None]
        if not walls:
            raise Refused("wrong_state", "Nothing of this series is to come before it goes on.")
        wall = min(walls)
    wall = wall.replace(microsecond=0)
    zones = {recipient.time_zone for recipient in recipients}
    before_it = wall - timedelta(seconds=1)
    found = times.next_occurrence(
        times.parse_rule(message.rrule),
        start=message.wall_time,
        zone=message.time_zone,
        after=before_it,
        excluded=message.excluded,
    )
    if found is None or found.wall != wall:
        raise Invalid("wall_time", "not_an_occurrence", "The series does not occur at this time.")
    if all(to_utc(wall, zone) <= now for zone in zones):
        raise Invalid("wall_time", "in_the_past", "This time of the series has passed.")
    if len(message.excluded) >= MAX_EXCLUDED:
        raise Invalid("excluded", "too_many", f"A series leaves out {MAX_EXCLUDED} times at most.")
    message.excluded = sorted({*message.excluded, wall})
    moments = {recipient: to_utc(wall, recipient.time_zone) for recipient in recipients}
    for recipient, mine in places.by_recipient(queued, recipients).items():
        places.cancel_places(places.take_back([one for one in mine if one.occurrence_at == moments[recipient]]))
    for recipient in recipients:
        if recipient.next_wall == wall:
            _go_on(message, recipient, recipient.next_at)
    return wall


@transaction.atomic
def skip_occurrence(
    *, workspace: Workspace, message_id: UUID, actor: Actor, wall_time: datetime | None = None
) -> ScheduledMessage:
    """Leave out one time of a series, by its wall-clock time (without one: the next). Leaving it out again changes nothing."""
    message, recipients = _series(workspace, message_id)
    if wall_time is not None and wall_time in message.excluded:
        return message
    now, before = timezone.now(), counted(recipients)
    _leave_out(message, recipients, wall_time, now)
    finish_change(message, recipients, before)
    record_event(kind="scheduled_message.skipped", actor=actor, workspace=workspace, obj=message, changed=["excluded"])
    return message


@transaction.atomic
def change_occurrence(
    *,
    workspace: Workspace,
    message_id: UUID,
    user: User,
    actor: Actor,
    occurrence: datetime,
    id: UUID | None = None,
    **values,
) -> tuple[ScheduledMessage, bool]:
    """Give one time of a series a message of its own, and whether it is new; the series leaves that time out.

    `values` are what is different (those of `schedule_message`); all else is as in the series.
    """
    own = ScheduledMessage.objects.for_workspace(workspace).filter(pk=id)
    if id is not None and (existing := own.first()):
        return existing, False
    # Contacts are locked before everything else. Who is in the bin is left to the series.
    theirs = ScheduledRecipient.objects.for_workspace(workspace).filter(scheduled_message=message_id)
    contacts = Contact.objects.for_workspace(workspace).alive().filter(pk__in=theirs.values("contact")).order_by("pk")
    alive = {contact.pk: contact for contact in held(contacts, Hold.FROM_CHANGE)}
    message, recipients = _series(workspace, message_id)
    # Whoever asked the same at the same moment has left the time out while this one waited for the series.
    if id is not None and (existing := own.first()):
        return existing, False
    now, before = timezone.now(), counted(recipients)
    _leave_out(message, recipients, occurrence, now)
    finish_change(message, recipients, before)
    record_event(kind="scheduled_message.skipped", actor=actor, workspace=workspace, obj=message, changed=["excluded"])
    same = {
        "whatsapp_account": message.whatsapp_account,
        "recipients": [
            To(alive.get(recipient.contact_id), recipient.chat_jid if recipient.keeps_address else "")
            for recipient in recipients
            if recipient.contact_id is None or recipient.contact_id in alive
        ],
        "parts": [{"body": part.body, "media": part.media_id} for part in parts_of(message)],
        "wall_time": occurrence,
        "time_zone": message.time_zone,
        "clock": message.clock,
        "lateness_minutes": message.lateness_minutes,
        "on_late": message.on_late,
    }
    return schedule_message(workspace=workspace, user=user, actor=actor, id=id, **same | values)
