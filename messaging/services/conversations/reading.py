"""Reading synced messages: a chat's in order, both ways, and all messages that have some words.

What is switched off is gone from here at once, however long its deletion takes.
"""

from dataclasses import dataclass
from uuid import UUID

from django.db.models import Prefetch, Q, QuerySet

from accounts.models import Workspace
from crm.filters.sql import TRUE, Sql, all_of, containing
from crm.models.contacts import search_words
from crm.search.newest import Bounds, Key, Order, page_of_newest
from messaging.models import ConversationMessage, ConversationSync, Deleting, MessageReaction
from messaging.services.conversations.measuring import measured
from messaging.services.conversations.places import Place, places_of_chats
from waplus.lib.errors import NotFound

# A frequent word is found among the newest messages sooner than by the index, which collects everything first. Words
# of fewer than three letters are looked for among the newest alone.
FIRST_WALK, LAST_WALK = 2_000, 50_000
LOOKED_UP = 3_000
_READABLE = """
FROM messaging_conversationmessage m
WHERE m.workspace_id = %s AND m.sent_at IS NOT NULL AND NOT EXISTS (
    SELECT 1 FROM messaging_conversationsync s WHERE s.chat_id = m.chat_id AND s.deleting <> ''
)"""


@dataclass(frozen=True)
class Conversation:
    """A chat, where its messages are kept, and how it is synced; None: it never was."""

    place: Place
    sync: ConversationSync | None

    @property
    def shows(self) -> bool:
        """Whether there is anything to read: not while something of it is being deleted."""
        return self.sync is not None and self.sync.deleting == Deleting.NOTHING


def conversation_of(*, workspace: Workspace, chat_id: UUID) -> Conversation:
    """A chat's conversation, or `NotFound`."""
    place = places_of_chats(workspace, [chat_id]).get(chat_id)
    if place is None:
        raise NotFound
    syncs = measured(ConversationSync.objects.for_workspace(workspace))
    return Conversation(place, syncs.filter(chat=place.home).first())


def messages_of(*, workspace: Workspace, conversation: Conversation) -> QuerySet:
    """The messages of a conversation that may be read, without stubs, with the reactions that stand."""
    if not conversation.shows:
        return ConversationMessage.objects.none()
    standing = MessageReaction.objects.exclude(emoji="").order_by("reacted_at", "id")
    return (
        ConversationMessage.objects.for_workspace(workspace)
        .filter(chat=conversation.place.home, sent_at__isnull=False)
        .prefetch_related(Prefetch("reactions", queryset=standing))
    )


def stretch_of(
    *,
    workspace: Workspace,
    conversation: Conversation,
    before: Key | None = None,
    after: Key | None = None,
    limit: int = 50,
) -> tuple[list[ConversationMessage], bool]:
    """Messages in the order in which they were sent, and whether there are more on that side.

    The newest ones; or those just before, or just after, the key of a message (`sent_at`, `id`).
    """
    rows = messages_of(workspace=workspace, conversation=conversation)
    if after is not None:
        moment, id = after
        later = rows.filter(sent_at__gte=moment).filter(Q(sent_at__gt=moment) | Q(pk__gt=id))
        page = list(later.order_by("sent_at", "pk")[: limit + 1])
        return page[:limit], len(page) > limit
    if before is not None:
        moment, id = before
        rows = rows.filter(sent_at__lte=moment).filter(Q(sent_at__lt=moment) | Q(pk__lt=id))
    page = list(rows.order_by("-sent_at", "-pk")[: limit + 1])
    return page[:limit][::-1], len(page) > limit


def search(
    *, workspace: Workspace, text: str, chat_id: UUID | None = None, limit: int = 50, behind: Key | None = None
) -> tuple[list[ConversationMessage], Key | None]:
    """Messages that have all words of a query, the newest first, and behind which key the next page begins.

    Three letters and more are found anywhere in a word, fewer where one begins.
    A page may be short and have a next one: each request reads only so far.
    """
    words = list(dict.fromkeys(search_words(text[:200])))
    if not words:
        return [], None
    condition = all_of([Sql("m.search_text <> ''"), *(_has(word) for word in words)])
    within = TRUE
    if chat_id is not None:
        home = conversation_of(workspace=workspace, chat_id=chat_id).place.home
        within = Sql("m.chat_id = %s", (home,))
    found, following = page_of_newest(
        Order("m", "m.id, m.search_text", "m.sent_at", Sql(_READABLE, (workspace.pk,))),
        condition=condition,
        driver=all_of([condition, within]) if any(len(word) > 2 for word in words) else None,
        along=within,
        limit=limit,
        behind=behind,
        bounds=Bounds(FIRST_WALK, LAST_WALK, LOOKED_UP),
    )
    messages = ConversationMessage.objects.for_workspace(workspace).select_related("chat")
    rows = messages.in_bulk([id for _, id in found])
    return [rows[id] for _, id in found if id in rows], following


def _has(word: str) -> Sql:
    return Sql("m.search_text LIKE %s", (containing(word if len(word) > 2 else f" {word}"),))
