"""Whom a scheduled message goes to: addresses, zones, and what of them waits."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from accounts.models import Workspace
from crm.models import Contact, WhatsAppAccount
from messaging.models import RecipientState, ScheduleClock, ScheduledMessage, ScheduledRecipient, ScheduleState
from messaging.models.scheduled import COUNTED, MAX_RECIPIENTS
from messaging.services.addressing import address_for, addresses_of
from messaging.services.scheduling import times
from waplus.lib.errors import UNKNOWN_ID, Invalid
from waplus.lib.locks import Hold, held


@dataclass(frozen=True)
class To:
    """Somebody to write to as a request names them: a contact, a chat, or a contact at a certain chat."""

    contact: Contact | None = None
    chat_jid: str = ""


@dataclass(frozen=True)
class Found:
    """Where that leads to."""

    contact_id: UUID | None
    chat_jid: str
    keeps_address: bool
    zone: str

    @property
    def who(self) -> UUID | str:
        """What a schedule has once."""
        return self.contact_id or self.chat_jid


def hold_contacts(workspace: Workspace, recipients: Sequence[To]) -> None:
    """Keep contacts from being merged or put away until their rows are there to move along; contacts are locked first."""
    wanted = {to.contact.pk for to in recipients if to.contact is not None}
    if not wanted:
        return
    contacts = Contact.objects.for_workspace(workspace).alive().filter(pk__in=wanted).order_by("pk")
    there = {contact.pk for contact in held(contacts, Hold.FROM_CHANGE)}
    for index, to in enumerate(recipients):
        if to.contact is not None and to.contact.pk not in there:
            raise Invalid(f"recipients.{index}.contact", "does_not_exist", UNKNOWN_ID)


def look_up(*, workspace: Workspace, account: WhatsAppAccount, recipients: Sequence[To]) -> list[Found]:
    """The addresses and zones of who is to be written to. Refuses nobody, too many, the same one twice, and who has none."""
    if not 1 <= len(recipients) <= MAX_RECIPIENTS:
        raise Invalid("recipients", "recipients", f"A scheduled message goes to 1 to {MAX_RECIPIENTS} recipients.")
    contacts = [to.contact.pk for to in recipients if to.contact is not None and not to.chat_jid]
    known = addresses_of(workspace=workspace, account=account, contact_ids=contacts) if contacts else {}
    found, seen = [], {}
    for index, to in enumerate(recipients):
        one = _found(workspace, account, to, known, f"recipients.{index}")
        if seen.setdefault(one.chat_jid, index) != index or seen.setdefault(one.who, index) != index:
            raise Invalid(f"recipients.{index}", "duplicate", "This recipient is named twice.")
        found.append(one)
    return found


def _found(workspace, account, to: To, known: dict, field: str) -> Found:
    if to.contact is not None and not to.chat_jid:
        chat_jid, zone = known[to.contact.pk]
        if not chat_jid:
            raise Invalid(f"{field}.contact", "no_identity", "This contact has no number and no WhatsApp ID.")
        return Found(to.contact.pk, chat_jid, False, zone)
    try:
        address = address_for(workspace=workspace, account=account, contact=to.contact, chat_jid=to.chat_jid)
    except Invalid as refused:
        error = refused.fields[0]
        raise Invalid(f"{field}.{error.field}", error.code, error.detail) from refused
    return Found(to.contact and to.contact.pk, address.chat_jid, True, address.zone)


def zone_for(message: ScheduledMessage, recipient_zone: str) -> str:
    """The zone of the clock that counts: the recipient's where that was chosen and is known, else the sender's."""
    return (message.clock == ScheduleClock.RECIPIENT and recipient_zone) or message.time_zone


def new_recipient(message: ScheduledMessage, found: Found, now: datetime, *, is_new: bool) -> ScheduledRecipient:
    """A recipient, not yet saved, who waits for the first time (or for the end of the pause)."""
    zone = zone_for(message, found.zone)
    first = times.first(message, zone, now, is_new=is_new)
    is_paused = message.state == ScheduleState.PAUSED
    return ScheduledRecipient(
        workspace_id=message.workspace_id,
        scheduled_message=message,
        contact_id=found.contact_id,
        chat_jid=found.chat_jid,
        keeps_address=found.keeps_address,
        time_zone=zone,
        recipient_zone=found.zone,
        **({"state": RecipientState.PAUSED} if is_paused else {"next_wall": first.wall, "next_at": first.at}),
    )


def counted(recipients: Sequence[ScheduledRecipient]) -> int:
    """How many of them take a place of the plan."""
    return sum(recipient.state in COUNTED for recipient in recipients)


def earliest(recipients: Sequence[ScheduledRecipient]) -> datetime | None:
    """When the next of them is due."""
    return min((recipient.next_at for recipient in recipients if recipient.next_at is not None), default=None)
