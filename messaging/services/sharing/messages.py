"""The messages that may be read of a chat now: what is switched off is gone from here at once."""

from uuid import UUID

from django.db.models import QuerySet

from accounts.models import Workspace
from messaging.models import ConversationMessage, ConversationSync, Deleting


def readable_messages(workspace: Workspace, chat_id: UUID) -> QuerySet[ConversationMessage]:
    """Messages of the conversation that a chat belongs to, without stubs; none while something of it is being deleted."""
    syncs = ConversationSync.objects.for_workspace(workspace)
    sync = syncs.filter(chat=chat_id).first()
    homes = {sync.home_id, chat_id} if sync else set()
    if not sync or syncs.filter(chat__in=homes).exclude(deleting=Deleting.NOTHING).exists():
        return ConversationMessage.objects.none()
    return ConversationMessage.objects.for_workspace(workspace).filter(chat=sync.home_id, sent_at__isnull=False)
