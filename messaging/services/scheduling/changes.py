"""Make, change and cancel scheduled messages, each until it is handed out."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from uuid import UUID

from django.db import IntegrityError, transaction
from django.utils import timezone

from accounts.actors import Actor
from accounts.models import Resource, User, Workspace
from accounts.services import plans
from accounts.services.changes import set_changed
from accounts.services.events import record_event
from crm.models import WhatsAppAccount
from messaging.models import (
    DispatchState,
    RecipientState,
    ScheduleClock,
    ScheduledMessage,
    ScheduledRecipient,
    ScheduleState,
)
from messaging.models.scheduled import COUNTED
from messaging.services.addressing import addresses_of
from messaging.services.contents import clean_parts, parts_of, replace_parts, same_parts, write_parts
from messaging.services.scheduling import places, times
from messaging.services.scheduling.recipients import (
    To,
    counted,
    earliest,
    hold_contacts,
    look_up,
    new_recipient,
    zone_for,
)
from messaging.services.scheduling.sweep import LEAD
from messaging.services.scheduling.texts import check_parts
from waplus.lib.errors import NotFound, Refused
from waplus.lib.hints import hint_after_commit
from waplus.lib.ids import uuid7

# What says when a schedule is due.
TIMING = frozenset({"wall_time", "time_zone", "clock", "rrule", "excluded"})


@transaction.atomic
def schedule_message(
    *,
    workspace: Workspace,
    user: User,
    actor: Actor,
    whatsapp_account: WhatsAppAccount,
    recipients: Sequence[To],
    parts: Sequence[Mapping],
    wall_time: datetime,
    time_zone: str,
    clock: str = ScheduleClock.SENDER,
    rrule: str = "",
    excluded: Sequence[datetime] = (),
    lateness_minutes: int = 60,
    on_late: str = "skip",
    id: UUID | None = None,
) -> tuple[ScheduledMessage, bool]:
    """Schedule a message, and whether it is new: a repeat with the same id answers the one that is there."""
    if existing := ScheduledMessage.objects.of_client(workspace, id):
        return existing, False
    hold_contacts(workspace, recipients)
    parts = clean_parts(parts)
    check_parts(workspace, parts)
    rrule = times.canonical_rule(rrule)
    message = ScheduledMessage(
        id=id or uuid7(),
        workspace=workspace,
        whatsapp_account=whatsapp_account,
        wall_time=wall_time,
        time_zone=time_zone,
        clock=clock,
        rrule=rrule,
        excluded=times.canonical_exclusions(excluded, rrule),
        lateness_minutes=lateness_minutes,
        on_late=on_late,
        created_by=user,
    )
    plans.reserve(workspace=workspace, resource=Resource.SCHEDULED_MESSAGES, amount=len(recipients))
    found = look_up(workspace=workspace, account=whatsapp_account, recipients=recipients)
    rows = [new_recipient(message, one, timezone.now(), is_new=True) for one in found]
    message.due_at = earliest(rows)
    try:
        with transaction.atomic():
            message.save(force_insert=True)
    except IntegrityError:
        plans.release(workspace=workspace, resource=Resource.SCHEDULED_MESSAGES, amount=len(recipients))
        existing = ScheduledMessage.objects.for_workspace(workspace).filter(pk=id).first()
        if existing is None:
            raise Refused("id_taken", field="id") from None
        return existing, False
    ScheduledRecipient.objects.bulk_create(rows)
    write_parts(workspace=workspace, parts=parts, scheduled_message=message)
    record_event(kind="scheduled_message.created", actor=actor, workspace=workspace, obj=message)
    hint_if_near(message)
    return message, True


def hint_if_near(message: ScheduledMessage) -> None:
    """Wake the sweep for what is due before it would come by itself."""
    if message.state == ScheduleState.WAITING and message.due_at <= timezone.now() + LEAD:
        hint_after_commit("messaging.tasks.queue_due_messages")


def locked(workspace: Workspace, message_id: UUID) -> tuple[ScheduledMessage, list[ScheduledRecipient]]:
    """A schedule and its recipients, locked.

    The sweep passes by a schedule that is locked, and a claim locks places in the
    queue: either this call sees what they did, or they see what this call did.
    """
    message = (
        ScheduledMessage.objects.for_workspace(workspace)
        .select_for_update(no_key=True, of=["self"])
        .select_related("whatsapp_account", "created_by")
        .filter(pk=message_id)
        .first()
    )
    if message is None:
        raise NotFound
    message.workspace = workspace
    recipients = ScheduledRecipient.objects.for_workspace(workspace).filter(scheduled_message=message)
    return message, list(recipients.select_for_update(no_key=True).order_by("id"))


def refuse_if_gone(message: ScheduledMessage, recipients: Sequence[ScheduledRecipient], queued: Sequence) -> None:
    """Refuse to change what is cancelled, and what no longer waits for anything."""
    if message.state == ScheduleState.CANCELLED:
        raise Refused("wrong_state", "The message is cancelled.")
    if not queued and not counted(recipients):
        state = places.last_state(message)
        label = DispatchState(state).label.lower() if state else "gone"
        raise Refused(
            "wrong_state",
            f"The message can no longer be changed; where it is: {label}.",
            extra={"dispatch_state": state},
        )


@transaction.atomic
def update_scheduled_message(
    *, workspace: Workspace, message_id: UUID, actor: Actor, precondition=lambda message: None, **values
) -> ScheduledMessage:
    """Change a scheduled message until it is handed out, wherever it waits; what was handed out stays as it was.

    `values` are those of `schedule_message`. Of a series the future changes:
    another time or rule goes on with what is later than now.
    """
    wanted, parts = values.pop("recipients", None), values.pop("parts", None)
    hold_contacts(workspace, wanted or ())
    message, recipients = locked(workspace, message_id)
    queued = places.waiting_places(message)
    precondition(message)
    refuse_if_gone(message, recipients, queued)
    held = places.by_recipient(queued, recipients)
    if "rrule" in values:
        values["rrule"] = times.canonical_rule(values["rrule"])
    if "excluded" in values or "rrule" in values:
        values["excluded"] = times.canonical_exclusions(
            values.get("excluded", message.excluded), values.get("rrule", message.rrule)
        )
    changed = set_changed(message, values)
    before = counted(recipients)
    if parts is not None and _replace_parts(message, parts):
        changed.append("parts")
    now = timezone.now()
    if wanted is not None and (new := _replace_recipients(message, recipients, held, wanted, now)) is not None:
        recipients = new
        changed.append("recipients")
    if not changed:
        return message
    if "whatsapp_account" in changed:
        _find_addresses(message, recipients)
    if TIMING & set(changed):
        _move(message, recipients, held, now)
    parts = list(parts_of(message)) if held else []
    for recipient, mine in held.items():
        places.rewrite(message, recipient, mine, parts)
    finish_change(message, recipients, before)
    record_event(kind="scheduled_message.updated", actor=actor, workspace=workspace, obj=message, changed=changed)
    hint_if_near(message)
    return message


def finish_change(message: ScheduledMessage, recipients: Sequence[ScheduledRecipient], before: int) -> None:
    """Save the schedule and its recipients, with what follows from them: its state, and its places in the plan."""
    difference = counted(recipients) - before
    if difference > 0:
        plans.reserve(workspace=message.workspace, resource=Resource.SCHEDULED_MESSAGES, amount=difference)
    plans.release(workspace=message.workspace, resource=Resource.SCHEDULED_MESSAGES, amount=max(-difference, 0))
    if message.state != ScheduleState.PAUSED:
        waits = any(recipient.state == RecipientState.WAITING for recipient in recipients)
        message.state = ScheduleState.WAITING if waits else ScheduleState.QUEUED
    message.due_at = earliest(recipients) or message.due_at
    message.save()
    ScheduledRecipient.objects.bulk_update(
        recipients,
        [
            "contact",
            "chat_jid",
            "keeps_address",
            "time_zone",
            "recipient_zone",
            "next_wall",
            "next_at",
            "last_at",
            "state",
        ],
    )


def _replace_parts(message: ScheduledMessage, parts: Sequence[Mapping]) -> bool:
    """Write other parts, and whether they are other ones."""
    parts = clean_parts(parts)
    if same_parts(list(parts_of(message)), parts):
        return False
    check_parts(message.workspace, parts)
    replace_parts(workspace=message.workspace, parts=parts, scheduled_message=message)
    return True


def _replace_recipients(message, recipients, held: dict, wanted: Sequence[To], now: datetime):
    """The recipients that are wanted now, or None where they are the same; whoever is gone loses their places.

    The contact that it goes to already, merged meanwhile or not, is no reason to write elsewhere. A contact that is
    to be written to at another chat is another recipient.
    """
    of_contact = {recipient.contact_id: recipient for recipient in recipients if recipient.contact_id}
    kept, new = [], []
    for to in wanted:
        present = of_contact.get(to.contact and to.contact.pk)
        if present is not None and to.chat_jid in ("", present.chat_jid):
            kept.append(present)
        else:
            new.append(to)
    of_chat = {recipient.chat_jid: recipient for recipient in recipients}
    found = look_up(workspace=message.workspace, account=message.whatsapp_account, recipients=new) if new else []
    added = []
    for one in found:
        present = of_chat.get(one.chat_jid)
        if present is not None and present not in kept and one.contact_id in (None, present.contact_id):
            kept.append(present)
        else:
            added.append(new_recipient(message, one, now, is_new=False))
    gone = [recipient for recipient in recipients if recipient not in kept]
    if not gone and not added:
        return None
    for recipient in gone:
        places.cancel_places(places.take_back(held.pop(recipient, [])))
    ScheduledRecipient.objects.filter(pk__in=[recipient.pk for recipient in gone]).delete()
    ScheduledRecipient.objects.bulk_create(added)
    return [*kept, *added]


def _find_addresses(message: ScheduledMessage, recipients: Sequence[ScheduledRecipient]) -> None:
    """Look up where another number writes to the contacts."""
    theirs = [recipient for recipient in recipients if not recipient.keeps_address]
    known = addresses_of(
        workspace=message.workspace,
        account=message.whatsapp_account,
        contact_ids=[recipient.contact_id for recipient in theirs],
    )
    for recipient in theirs:
        recipient.chat_jid = known[recipient.contact_id][0] or recipient.chat_jid


def _move(message: ScheduledMessage, recipients, held: dict, now: datetime) -> None:
    """Let recipients wait for the new time.

    A place whose time stays keeps its turn, so that no later message of its chat
    overtakes it; so does one that was handed out before, for the history of its
    attempts. Of a message that goes out once, whoever has been sent it is done.
    """
    parts = list(parts_of(message))
    if not message.rrule and message.state == ScheduleState.PAUSED:
        message.state = ScheduleState.WAITING  # only a series rests
    for recipient in recipients:
        mine = held.pop(recipient, [])
        recipient.time_zone = zone_for(message, recipient.recipient_zone)
        if message.state == ScheduleState.PAUSED:
            continue
        if not message.rrule and recipient.state not in COUNTED and not mine:
            continue
        first = times.first(message, recipient.time_zone, now, is_new=False)
        if not message.rrule and any(place.fence or place.due_at == first.at for place in mine):
            places.rewrite(message, recipient, mine, parts, at=first.at)
            message.due_at = recipient.last_at = first.at
            continue
        # What of a series has come already belongs to its past.
        past = [place for place in mine if message.rrule and place.due_at <= now]
        if stay := [*past, *places.take_back([place for place in mine if place not in past])]:
            held[recipient] = stay
        recipient.next_wall, recipient.next_at, recipient.state = first.wall, first.at, RecipientState.WAITING


@transaction.atomic
def cancel_scheduled_message(*, workspace: Workspace, message_id: UUID, actor: Actor) -> ScheduledMessage:
    """Cancel what has not been handed out; cancelling again changes nothing."""
    message, recipients = locked(workspace, message_id)
    if message.state == ScheduleState.CANCELLED:
        return message
    queued = places.waiting_places(message, places.OPEN_TO_CANCEL)
    refuse_if_gone(message, recipients, queued)
    before = counted(recipients)
    places.cancel_places(queued)
    for recipient in recipients:
        if recipient.state in COUNTED:
            recipient.state, recipient.next_wall, recipient.next_at = RecipientState.CANCELLED, None, None
    finish_change(message, recipients, before)
    message.state = ScheduleState.CANCELLED
    message.save(update_fields=["state", "updated_at"])
    record_event(kind="scheduled_message.cancelled", actor=actor, workspace=workspace, obj=message, changed=["state"])
    return message
