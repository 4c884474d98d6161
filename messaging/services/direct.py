"""A member's own message, sent through the queue at once by whichever device holds the number; and cancelling."""

from collections.abc import Sequence
from datetime import timedelta
from uuid import UUID

from django.db import IntegrityError, transaction
from django.utils import timezone

from accounts.actors import Actor
from accounts.models import User, Workspace
from accounts.services.events import record_event
from crm.models import Contact, WhatsAppAccount
from messaging.models import DispatchState, LatePolicy, MessageSource, QueuedMessage
from messaging.services.addressing import address_for
from messaging.services.contents import clean_parts, hold_media
from messaging.services.dispatch.moves import locked_message, move
from messaging.services.queueing import NewMessage, queue_messages
from waplus.lib.errors import Refused
from waplus.lib.ids import uuid7

# Until when a member may take a message back: nobody has it yet.
_STILL_HERE = (DispatchState.QUEUED, DispatchState.LATE)


@transaction.atomic
def send_message(
    *,
    workspace: Workspace,
    user: User,
    actor: Actor,
    whatsapp_account: WhatsAppAccount,
    parts: Sequence[dict],
    contact: Contact | None = None,
    chat_jid: str = "",
    send_within_minutes: int = 60,
    on_late: LatePolicy = LatePolicy.SKIP,
    id: UUID | None = None,
) -> tuple[list[QueuedMessage], bool]:
    """Queue the parts of a message, in their order, and whether they are new: a repeat answers those that are there.

    `id` is the id of the first part and the origin of all of them. They may be
    sent within so many minutes from now; later `on_late` says what happens.
    """
    id = id or uuid7()
    if existing := _parts(workspace, id):
        return existing, False
    parts = clean_parts(parts)
    address = address_for(workspace=workspace, account=whatsapp_account, contact=contact, chat_jid=chat_jid)
    hold_media(workspace=workspace, ids=[part["media"] for part in parts])
    now = timezone.now()
    rows = [
        NewMessage(
            id=uuid7() if position else id,
            source=MessageSource.DIRECT,
            origin_id=id,
            position=position,
            whatsapp_account_id=whatsapp_account.pk,
            contact_id=address.contact and address.contact.pk,
            chat_jid=address.chat_jid,
            recipient_zone=address.zone,
            body=part["body"],
            media_id=part["media"],
            created_by_id=user.pk,
            due_at=now,
            expires_at=now + timedelta(minutes=send_within_minutes),
            on_late=on_late,
        )
        for position, part in enumerate(parts)
    ]
    try:
        with transaction.atomic():
            is_new = queue_messages(workspace=workspace, rows=rows) == len(rows)
    except IntegrityError:
        is_new = False
    written = _parts(workspace, id)
    if not written:
        raise Refused("id_taken", field="id")
    if not is_new:
        # Somebody used the id a moment before: the same request, sent twice.
        return written, False
    record_event(kind="message.created", actor=actor, workspace=workspace, obj=written[0], count=len(written))
    return written, True


def _parts(workspace: Workspace, origin_id: UUID) -> list[QueuedMessage]:
    found = QueuedMessage.objects.for_workspace(workspace).filter(source=MessageSource.DIRECT, origin_id=origin_id)
    return list(found.order_by("position"))


@transaction.atomic
def cancel_message(*, workspace: Workspace, message_id: UUID, actor: Actor) -> QueuedMessage:
    """Take one message out of the queue until it is handed out; cancelling again changes nothing.

    A claim locks the rows that it hands out, so one of the two comes first, and the other one sees it.
    """
    message = locked_message(workspace=workspace, message_id=message_id)
    if message.state == DispatchState.CANCELLED:
        return message
    if message.state not in _STILL_HERE:
        raise Refused(
            "wrong_state",
            f"The message can no longer be cancelled; where it is: {DispatchState(message.state).label.lower()}.",
            extra={"state": message.state},
        )
    message.held_by = ""
    move(message, DispatchState.CANCELLED, actor)
    return message
