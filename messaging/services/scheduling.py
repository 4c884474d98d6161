"""Scheduled messages: make, change, cancel, and move into the queue what is due."""

from datetime import datetime, timedelta
from uuid import UUID

from django.db import IntegrityError, connection, transaction
from django.utils import timezone

from accounts.actors import Actor
from accounts.models import Resource, User, Workspace
from accounts.services import plans
from accounts.services.changes import set_changed
from accounts.services.events import record_event
from crm.models import Contact, WhatsAppAccount
from messaging.models import DispatchState, QueuedMessage, ScheduledMessage, ScheduleState
from messaging.services.addressing import address_for
from waplus.lib.errors import Invalid, NotFound, Refused
from waplus.lib.hints import hint_after_commit
from waplus.lib.ids import uuid7
from waplus.lib.walltime import to_utc

# How far ahead of its time a message enters the queue. Nobody gets it before its
# time; being there early makes the hand-out as exact as the extension's asking,
# whatever the rhythm of beat.
LEAD = timedelta(seconds=60)
# A message that was meant for the past: a clock a little wrong is no reason to refuse.
TOLERANCE = timedelta(minutes=5)
# A year that was mistyped is told at once; the ends of the calendar, where zones cannot be applied, are far beyond.
YEARS_AHEAD = 10


def _due(wall_time: datetime, time_zone: str) -> datetime:
    now = timezone.now()
    if wall_time.year > now.year + YEARS_AHEAD:
        raise Invalid("wall_time", "too_far", f"A message can be scheduled {YEARS_AHEAD} years ahead at most.")
    if wall_time.year < now.year - 1 or (due_at := to_utc(wall_time, time_zone)) < now - TOLERANCE:
        raise Invalid("wall_time", "in_the_past", "This time has passed in that time zone.")
    return max(due_at, now)


@transaction.atomic
def schedule_message(
    *,
    workspace: Workspace,
    user: User,
    actor: Actor,
    whatsapp_account: WhatsAppAccount,
    body: str,
    wall_time: datetime,
    time_zone: str,
    contact: Contact | None = None,
    chat_jid: str = "",
    lateness_minutes: int = 60,
    id: UUID | None = None,
) -> tuple[ScheduledMessage, bool]:
    """Schedule a message, and whether it is new: a repeat with the same id answers the one that is there."""
    if id is not None and (existing := ScheduledMessage.objects.filter(pk=id).first()):
        if existing.workspace_id != workspace.pk:
            raise Refused("id_taken", field="id")
        return existing, False
    plans.reserve(workspace=workspace, resource=Resource.SCHEDULED_MESSAGES)
    try:
        with transaction.atomic():
            message = ScheduledMessage.objects.create(
                id=id or uuid7(),
                workspace=workspace,
                whatsapp_account=whatsapp_account,
                contact=contact,
                chat_jid=address_for(
                    workspace=workspace, account=whatsapp_account, contact=contact, chat_jid=chat_jid
                ).chat_jid,
                body=body,
                wall_time=wall_time,
                time_zone=time_zone,
                due_at=_due(wall_time, time_zone),
                lateness_minutes=lateness_minutes,
                created_by=user,
            )
    except IntegrityError:
        plans.release(workspace=workspace, resource=Resource.SCHEDULED_MESSAGES)
        existing = ScheduledMessage.objects.for_workspace(workspace).filter(pk=id).first()
        if existing is None:
            raise Refused("id_taken", field="id") from None
        return existing, False
    record_event(kind="scheduled_message.created", actor=actor, workspace=workspace, obj=message)
    _hint_if_near(message)
    return message, True


def _hint_if_near(message: ScheduledMessage) -> None:
    if message.due_at <= timezone.now() + LEAD:
        hint_after_commit("messaging.tasks.queue_due_messages")


def _locked(workspace: Workspace, message_id: UUID) -> tuple[ScheduledMessage, QueuedMessage | None]:
    """A scheduled message with its place in the queue (none while it waits), both locked.

    The sweep locks the schedule first and a claim locks the queue's row, so
    either this call sees what they did, or they see what this call did.
    """
    message = (
        ScheduledMessage.objects.for_workspace(workspace).select_for_update(no_key=True).filter(pk=message_id).first()
    )
    if message is None:
        raise NotFound
    queued = (
        QueuedMessage.objects.filter(scheduled_message=message).select_for_update().order_by("-occurrence_at").first()
    )
    return message, queued


def _refuse_if_gone(message: ScheduledMessage, queued: QueuedMessage | None) -> None:
    if message.state == ScheduleState.CANCELLED:
        raise Refused("wrong_state", "The message is cancelled.")
    if queued is not None and queued.state != DispatchState.QUEUED:
        raise Refused(
            "wrong_state",
            f"The message can no longer be changed; where it is: {DispatchState(queued.state).label.lower()}.",
            extra={"dispatch_state": queued.state},
        )


@transaction.atomic
def update_scheduled_message(
    *, workspace: Workspace, message_id: UUID, actor: Actor, precondition=lambda message: None, **values
) -> ScheduledMessage:
    """Change a message until it is handed out, wherever it waits."""
    message, queued = _locked(workspace, message_id)
    precondition(message)
    _refuse_if_gone(message, queued)
    # The contact that it has already, merged meanwhile or not, is no reason to write elsewhere.
    if values.get("contact") and values["contact"].pk == message.contact_id and not values.get("chat_jid"):
        del values["contact"]
    if "chat_jid" in values or "contact" in values:
        contact = values.get("contact", message.contact)
        values["chat_jid"] = address_for(
            workspace=workspace,
            account=values.get("whatsapp_account", message.whatsapp_account),
            contact=contact,
            chat_jid=values.get("chat_jid", ""),
        ).chat_jid
    changed = set_changed(message, values)
    if not changed:
        return message
    if {"wall_time", "time_zone"} & set(changed):
        message.due_at = _due(message.wall_time, message.time_zone)
    if queued is not None:
        _change_place(message, queued)
    message.save()
    record_event(kind="scheduled_message.updated", actor=actor, workspace=workspace, obj=message, changed=changed)
    _hint_if_near(message)
    return message


def _change_place(message: ScheduledMessage, queued: QueuedMessage) -> None:
    """Bring an edit to a message that stands in the queue.

    With its time unchanged it keeps its place, so that no later message of its
    chat overtakes it; so does one that was handed out before, for the history
    of its attempts. Another one waits anew.
    """
    if queued.fence or queued.due_at == message.due_at:
        queued.whatsapp_account, queued.chat_jid, queued.body = message.whatsapp_account, message.chat_jid, message.body
        queued.contact = message.contact
        queued.due_at = queued.occurrence_at = queued.not_before = message.due_at
        queued.expires_at = message.due_at + timedelta(minutes=message.lateness_minutes)
        queued.save()
        return
    queued.delete()
    plans.reserve(workspace=message.workspace, resource=Resource.SCHEDULED_MESSAGES)
    message.state = ScheduleState.WAITING


@transaction.atomic
def cancel_scheduled_message(*, workspace: Workspace, message_id: UUID, actor: Actor) -> ScheduledMessage:
    """Cancel a message until it is handed out; cancelling again changes nothing."""
    message, queued = _locked(workspace, message_id)
    if message.state == ScheduleState.CANCELLED:
        return message
    _refuse_if_gone(message, queued)
    if queued is not None:
        queued.state = DispatchState.CANCELLED
        queued.save(update_fields=["state"])
    else:
        plans.release(workspace=workspace, resource=Resource.SCHEDULED_MESSAGES)
    message.state = ScheduleState.CANCELLED
    message.save(update_fields=["state", "updated_at"])
    record_event(kind="scheduled_message.cancelled", actor=actor, workspace=workspace, obj=message, changed=["state"])
    return message


# WhatsApp Web's own ids are 3EB0 and 18 hex digits.
_QUEUE_DUE = """
WITH due AS (
    SELECT id FROM messaging_scheduledmessage
    WHERE state = 'waiting' AND due_at <= %(horizon)s
    ORDER BY due_at LIMIT %(limit)s FOR NO KEY UPDATE SKIP LOCKED
), moved AS (
    UPDATE messaging_scheduledmessage m SET state = 'queued' FROM due WHERE m.id = due.id
    RETURNING m.id, m.workspace_id, m.whatsapp_account_id, m.contact_id, m.chat_jid, m.body, m.due_at,
              m.lateness_minutes, m.created_by_id
), queued AS (
    INSERT INTO messaging_queuedmessage (
        id, workspace_id, source, origin_id, scheduled_message_id, occurrence_at, position, whatsapp_account_id,
        contact_id, chat_jid, body, message_id, created_by_id, due_at, not_before, held_by, expires_at, on_late,
        recipient_zone, state, fence, is_new_contact, reason_code, reason, queued_at
    )
    SELECT gen_random_uuid(), workspace_id, 'scheduled', id, id, due_at, 0, whatsapp_account_id,
           contact_id, chat_jid, body,
           '3EB0' || upper(substr(replace(gen_random_uuid()::text, '-', '') || replace(gen_random_uuid()::text, '-', ''), 14, 18)),
           created_by_id, due_at, due_at, '', due_at + lateness_minutes * interval '1 minute', 'skip',
           '', 'queued', 0, FALSE, '', '', %(now)s
    FROM moved
    ON CONFLICT (origin_id, occurrence_at, chat_jid, position) DO NOTHING
    RETURNING 1
), freed AS (
    SELECT workspace_id, count(*) AS places FROM moved GROUP BY workspace_id ORDER BY workspace_id
), released AS (
    UPDATE accounts_usage u SET used = greatest(u.used - freed.places, 0) FROM freed
    WHERE u.workspace_id = freed.workspace_id AND u.resource = 'scheduled_messages' AND u.period IS NULL
)
SELECT count(*) FROM queued
"""


def queue_due_messages(*, limit: int = 5000) -> int:
    """Move what is due (or soon will be) into the queue; answers how many messages entered it.

    One statement, so a worker that dies leaves nothing half-done; rows that
    another sweep has locked are its business, and an occurrence enters once.
    """
    now = timezone.now()
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(_QUEUE_DUE, {"horizon": now + LEAD, "now": now, "limit": limit})
        return cursor.fetchone()[0]
