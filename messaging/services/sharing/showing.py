"""What a link shows: its messages as they are now, without what was left out or is to be masked."""

from dataclasses import dataclass
from datetime import datetime

from django.db.models import Q

from crm.models import Contact
from messaging.models import ConversationMessage, ShareLink
from messaging.services.media.links import file_url, thumbnail_url
from messaging.services.sharing.messages import readable_messages
from messaging.services.sharing.redaction import mask_numbers


@dataclass(frozen=True)
class Shown:
    """One message as a stranger may see it. `is_removed`: only that there is one."""

    is_removed: bool
    from_me: bool = False
    sender: str = ""
    sent_at: datetime | None = None
    text: str = ""
    is_edited: bool = False
    is_revoked: bool = False
    file_name: str = ""
    link: str | None = None
    thumbnail: str | None = None
    has_file: bool = False
    has_content: bool = True


def shown_messages(share: ShareLink) -> list[Shown]:
    """The messages of an open link in order; none when everything that it showed is gone."""
    if _is_in_bin(share):
        return []
    rows = readable_messages(share.workspace, share.chat_id).filter(pk__in=share.message_ids)
    messages = list(rows.select_related("media").order_by("sent_at", "pk"))
    removed = set(share.removed_ids)
    if all(message.pk in removed for message in messages):
        return []
    peer = _peer(share)
    return [Shown(True) if message.pk in removed else _shown(share, message, peer) for message in messages]


def _is_in_bin(share: ShareLink) -> bool:
    """Whether a member deleted the contact, even if it can still be taken back; a merged one is who it was merged into."""
    contacts = Contact.objects.for_workspace(share.workspace).filter(pk__in={share.contact_id, share.chat.contact_id})
    return contacts.filter(Q(deleted_at__isnull=False) | Q(merged_into__deleted_at__isnull=False)).exists()


def title_of(share: ShareLink) -> str:
    """Whom the conversation is with, as far as the link tells it."""
    return _redacted(share, _peer(share))


def _peer(share: ShareLink) -> str:
    chat = share.chat
    if chat.own_name or chat.name:
        return chat.own_name or chat.name
    contact = Contact.objects.for_workspace(share.workspace).filter(pk=chat.contact_id).first()
    return (contact and contact.name) or _plain(chat.jid)


def _plain(jid: str) -> str:
    """A person's number, or nothing: other ids tell a reader nothing."""
    digits, _, server = jid.partition("@")
    return f"+{digits}" if server == "c.us" else ""


def _redacted(share: ShareLink, text: str) -> str:
    return mask_numbers(text) if share.redact_numbers else text


def _shown(share: ShareLink, message: ConversationMessage, peer: str) -> Shown:
    media = message.media
    if message.from_me:
        sender = share.workspace.name
    else:
        sender = _plain(message.participant) if message.participant else peer
    details = message.media_details
    shows_file = share.include_media and media is not None
    name = (media and media.name) or details.get("name") or ""
    return Shown(
        is_removed=False,
        from_me=message.from_me,
        sender=_redacted(share, sender),
        sent_at=message.sent_at,
        text=_redacted(share, message.text),
        is_edited=message.edited_at is not None,
        is_revoked=message.revoked_at is not None,
        file_name=_redacted(share, name) if share.include_media else "",
        link=file_url(media) if shows_file else None,
        thumbnail=thumbnail_url(media) if shows_file else None,
        has_file=media is not None or bool(details),
        has_content=message.has_content,
    )
