"""Lists of chats, the ones with the latest messages first (`crm.search.newest`).

For what few chats are an index has the order of the list with those alone.
"""

from collections.abc import Sequence
from uuid import UUID

from accounts.models import Workspace
from crm.filters.sql import EXISTS, TRUE, Sql, all_of, containing
from crm.models.chats import LISTED_AT_SQL
from crm.search.newest import Bounds, Key, Order, page_of_newest

FIRST_WALK = 1_000
# In chats that are read one after the other; a contact that is looked up for one is elsewhere in its table.
ALLOWANCE, LOOKED_UP = 20_000, 8
NAMED = 1_000
LISTED_AT = LISTED_AT_SQL.format(alias="crm_chat")


def named_so(words: Sequence[str]) -> Sql:
    """Whether folded words stand in a chat's names."""
    return all_of(Sql("crm_chat.search_text LIKE %s", (containing(word),)) for word in words)


def driver_of(words: Sequence[str]) -> Sql | None:
    """What of that an index knows: words of three characters and more; None without any."""
    known = [word for word in words if len(word) > 2]
    return named_so(known) if known else None


def page_of_chats(
    *,
    workspace: Workspace,
    condition: Sql = TRUE,
    driver: Sql | None = None,
    along: Sql = TRUE,
    limit: int,
    behind: Key | None = None,
    patience: int = 1,
) -> tuple[list[UUID], Key | None]:
    """The ids of a page in order, and behind which key the next one begins (None at the end).

    `condition` speaks of `crm_chat`; `driver` is another one that all matching
    chats fulfil and an index knows; `along` a third one, that an index in the
    order of the list knows (`Filter.along`). `patience` is how many times as far as
    usual the walk may go.
    """
    cap = max(patience * ALLOWANCE // (1 + LOOKED_UP * condition.text.count(EXISTS)), 1)
    order = Order("crm_chat", "crm_chat.*", LISTED_AT, Sql("FROM crm_chat WHERE workspace_id = %s", (workspace.pk,)))
    keys, following = page_of_newest(
        order,
        condition=condition,
        driver=driver,
        along=along,
        limit=limit,
        behind=behind,
        bounds=Bounds(min(FIRST_WALK, cap), cap, NAMED),
    )
    return [id for _, id in keys], following
