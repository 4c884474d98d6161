"""How much of a chat is synced: what its row tells, measured by all that is known of its conversation."""

from django.db.models import DateTimeField, Exists, F, OuterRef, QuerySet, Subquery
from django.db.models.functions import Greatest

from crm.models import Chat, ChatKind
from messaging.models import ConversationMessage, ConversationSync
from messaging.services.conversations.coverage import Completeness, completeness_of

# All chats of a conversation: those of one number with one contact, under whatever id.
_ADDRESSES = Chat.objects.filter(
    workspace=OuterRef("workspace"),
    whatsapp_account=OuterRef("whatsapp_account"),
    contact=OuterRef("chat__contact"),
    kind=ChatKind.PERSON,
)
_WAITING = ConversationMessage.objects.filter(
    chat=OuterRef("chat"), type="ciphertext", has_content=False, revoked_at=None, sent_at__isnull=False
)


def measured(syncs: QuerySet) -> QuerySet:
    """Rows with their chats and with what they are measured by: `newest_at` and `is_waiting`. One query for all of them.

    WhatsApp may go on under another address of a person, so the newest message
    is that of all chats of the conversation. `is_waiting` tells that the text of
    a message that is there has not come yet.
    """
    newest = _ADDRESSES.order_by(F("last_message_at").desc(nulls_last=True)).values("last_message_at")[:1]
    return syncs.select_related("chat").annotate(
        newest_at=Greatest(F("chat__last_message_at"), Subquery(newest), output_field=DateTimeField(null=True)),
        is_waiting=Exists(_WAITING),
    )


def completeness(sync: ConversationSync) -> Completeness:
    """How much of a chat is synced, of content where that is on. `sync` is `measured`."""
    content = sync.content_rule_id is not None
    return completeness_of(
        ranges=sync.content_covered if content else sync.covered,
        reached_start=sync.content_reached_start if content else sync.reached_start,
        messages=sync.content_count if content else sync.message_count,
        whatsapp_count=sync.whatsapp_count,
        newest=sync.newest_at.timestamp() if sync.newest_at else None,
        is_waiting=content and sync.is_waiting,
    )
