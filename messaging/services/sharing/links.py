"""Making, revoking and opening links."""

import ipaddress
import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from django.contrib.auth import hashers
from django.core.cache import cache
from django.db import IntegrityError, transaction
from django.db.models import F, Q
from django.utils import timezone

from accounts.actors import Actor
from accounts.models import User, Workspace
from accounts.services.events import record_event
from crm.models import Chat
from messaging.models import ConversationMessage, ShareLink, ShareOpening
from messaging.models.sharing import MAX_SHARED
from messaging.services.sharing.messages import readable_messages
from waplus.lib.deletion import delete_in_chunks
from waplus.lib.errors import UNKNOWN_ID, Invalid, NotFound, Refused
from waplus.lib.hashing import hash_secret
from waplus.lib.ids import uuid7
from waplus.lib.locks import Hold, held

MAX_LIFE = timedelta(days=30)
# A link that has ended, and who opened it, can be looked up for as long.
KEPT_AFTER_END = timedelta(days=30)
# Wrong passwords that a link takes in a quarter of an hour, from everybody together.
MAX_TRIES = 10
# Openings of a link that are noted one by one; those behind them are only counted.
MAX_OPENINGS = 1_000
_TRIES_WINDOW = 15 * 60


@dataclass(frozen=True)
class Stretch:
    """Which messages: named one by one, or all from one to another as they stand when the link is made."""

    message_ids: tuple[UUID, ...] = ()
    from_id: UUID | None = None
    to_id: UUID | None = None


@transaction.atomic
def create_share(
    *,
    workspace: Workspace,
    user: User,
    actor: Actor,
    chat_id: UUID,
    stretch: Stretch,
    expires_at: datetime,
    removed_ids: tuple[UUID, ...] = (),
    password: str = "",
    redact_numbers: bool = True,
    include_media: bool = False,
    id: UUID | None = None,
) -> tuple[ShareLink, str | None]:
    """Make a link; answers it and its token, which is told this once. A repeat with the same id has no token."""
    if existing := ShareLink.objects.of_client(workspace, id):
        return existing, None
    # Neither deleted nor given to another contact before the link is there: what ends with either ends the link.
    found = held(Chat.objects.for_workspace(workspace).filter(pk=chat_id), Hold.FROM_CHANGE)
    if not found:
        raise Invalid("chat", "does_not_exist", UNKNOWN_ID)
    chat = found[0]
    now = timezone.now()
    if not now < expires_at <= now + MAX_LIFE:
        raise Invalid("expires_at", "invalid", f"A link lives up to {MAX_LIFE.days} days.")
    ids = _resolved(workspace, chat_id, stretch)
    if not set(removed_ids) <= set(ids):
        raise Invalid("removed", "invalid", "Only messages of the stretch can be left out.")
    token = secrets.token_urlsafe(32)
    share = ShareLink(
        id=id or uuid7(),
        workspace=workspace,
        chat=chat,
        contact_id=chat.contact_id,
        message_ids=ids,
        removed_ids=list(removed_ids),
        token_hash=hash_secret(token),
        password=hashers.make_password(password) if password else "",
        redact_numbers=redact_numbers,
        include_media=include_media,
        expires_at=expires_at,
        created_by=user,
        created_at=now,
    )
    try:
        with transaction.atomic():
            share.save(force_insert=True)
            record_event(kind="share.created", actor=actor, workspace=workspace, obj=share)
    except IntegrityError:
        if existing := ShareLink.objects.of_client(workspace, share.pk):
            return existing, None
        raise
    return share, token


def _resolved(workspace: Workspace, chat_id: UUID, stretch: Stretch) -> list[UUID]:
    rows = readable_messages(workspace, chat_id)
    if stretch.message_ids:
        ids = list(rows.filter(pk__in=stretch.message_ids).order_by("sent_at", "pk").values_list("pk", flat=True))
        if len(ids) != len(set(stretch.message_ids)):
            raise Invalid("messages", "does_not_exist", "Not all of these are synced messages of this chat.")
    else:
        if stretch.from_id is None:
            raise Invalid("messages", "required", "Say which messages, or from which one.")
        rows = _behind(rows, _bound(rows, stretch.from_id, "from"))
        if stretch.to_id is not None:
            rows = _up_to(rows, _bound(rows, stretch.to_id, "to"))
        ids = list(rows.order_by("sent_at", "pk").values_list("pk", flat=True)[: MAX_SHARED + 1])
    if len(ids) > MAX_SHARED:
        raise Invalid("messages", "too_many", f"A link shows up to {MAX_SHARED} messages.")
    return ids


def _bound(rows, message_id: UUID, field: str) -> ConversationMessage:
    found = rows.filter(pk=message_id).first()
    if found is None:
        raise Invalid(field, "does_not_exist", "This is no synced message of this chat, or not one of the stretch.")
    return found


def _behind(rows, first: ConversationMessage):
    return rows.filter(Q(sent_at__gt=first.sent_at) | Q(sent_at=first.sent_at, pk__gte=first.pk))


def _up_to(rows, last: ConversationMessage):
    return rows.filter(Q(sent_at__lt=last.sent_at) | Q(sent_at=last.sent_at, pk__lte=last.pk))


@transaction.atomic
def revoke_share(*, workspace: Workspace, actor: Actor, share_id: UUID) -> ShareLink:
    """End a link at once; a repeat changes nothing."""
    share = ShareLink.objects.for_workspace(workspace).select_for_update(no_key=True).filter(pk=share_id).first()
    if share is None:
        raise NotFound
    if share.revoked_at is None:
        share.revoked_at = timezone.now()
        share.save(update_fields=["revoked_at"])
        record_event(kind="share.revoked", actor=actor, workspace=workspace, obj=share, changed=["revoked_at"])
    return share


def find_share(token: str) -> ShareLink | None:
    """The link of a token, if it is open. Every other token is as good as none."""
    open_links = ShareLink.objects.filter(revoked_at=None, expires_at__gt=timezone.now())
    return open_links.select_related("workspace", "chat").filter(token_hash=hash_secret(token)).first()


def check_password(share: ShareLink, password: str) -> bool:
    """Whether the password is the right one. Raises `rate_limited` after too many wrong ones."""
    key = f"share-tries:{share.pk}"
    if (cache.get(key) or 0) >= MAX_TRIES:
        raise Refused("rate_limited", "There were too many wrong passwords. Try again in a quarter of an hour.")
    # Counted before it is looked at: those who try many at once do not get more tries by that.
    cache.add(key, 0, _TRIES_WINDOW)
    try:
        count = cache.incr(key)
    except ValueError:
        count = 1
    if count > MAX_TRIES:
        raise Refused("rate_limited", "There were too many wrong passwords. Try again in a quarter of an hour.")
    if not hashers.check_password(password, share.password):
        return False
    cache.delete(key)
    return True


@transaction.atomic
def record_opening(*, share: ShareLink, agent: str, address: str) -> None:
    """Note that somebody saw what a link shows."""
    links = ShareLink.objects.for_workspace(share.workspace_id).filter(pk=share.pk)
    links.update(opened_count=F("opened_count") + 1)
    # The row is this transaction's own until its end: the count says which opening this one is.
    count = links.values_list("opened_count", flat=True).first()
    if count is None or count > MAX_OPENINGS:
        return
    ShareOpening.objects.create(
        id=uuid7(),
        workspace_id=share.workspace_id,
        share=share,
        opened_at=timezone.now(),
        agent=agent[:60],
        network=network_of(address),
    )


def network_of(address: str) -> str:
    """The network of an address, so rough that thousands share it: 203.0.113.0/24, 2001:db8:1::/48."""
    try:
        ip = ipaddress.ip_address(address)
    except ValueError:
        return ""
    if ip.version == 6 and ip.ipv4_mapped:
        ip = ip.ipv4_mapped
    return str(ipaddress.ip_network((ip, 24 if ip.version == 4 else 48), strict=False))


def delete_old_shares() -> int:
    """Delete links that ended a month ago, with who opened them; answers how many."""
    before = timezone.now() - KEPT_AFTER_END
    return delete_in_chunks(ShareLink.objects.filter(Q(expires_at__lt=before) | Q(revoked_at__lt=before)))
