"""Lists of quick replies: by words, folder, language, and who sees them."""

from uuid import UUID

from django.db.models import Count, Exists, OuterRef, Q, QuerySet

from accounts.models import User, Workspace
from messaging.models import QuickReply, QuickReplyText, Visibility
from messaging.services.quick_replies.changes import visible_replies
from messaging.services.quick_replies.texts import clean_language
from messaging.services.quick_replies.using import with_uses
from waplus.lib.errors import Invalid
from waplus.lib.text import fold, strip_invisible


def found_replies(
    *,
    workspace: Workspace,
    user: User,
    query: str = "",
    folder: UUID | str | None = None,
    language: str = "",
    visibility: str = "",
) -> QuerySet[QuickReply]:
    """Those that a person sees and that match all that is given, with their uses. `folder` is an id or `none`.

    A query of `/he` finds shortcuts that begin so; other words are looked for in names and shortcuts.
    """
    replies = visible_replies(workspace=workspace, user=user)
    query = strip_invisible(query).strip()[:200]
    if query.startswith("/"):
        replies = replies.filter(shortcut_key__startswith=fold(query[1:]))
    else:
        for word in fold(query).split()[:8]:
            replies = replies.filter(search_text__contains=word)
    if folder == "none":
        replies = replies.filter(folder=None)
    elif folder is not None:
        replies = replies.filter(folder=folder)
    if language:
        texts = QuickReplyText.objects.for_workspace(workspace).filter(reply=OuterRef("pk"))
        tag = clean_language(language, "language")
        replies = replies.filter(Exists(texts.filter(Q(language=tag) | Q(language__startswith=f"{tag}-"))))
    if visibility and visibility not in Visibility.values:
        raise Invalid("visibility", "invalid_choice", f"One of: {', '.join(Visibility.values)}.")
    if visibility:
        replies = replies.filter(owner=None if visibility == Visibility.TEAM else user)
    return with_uses(replies)


def count_by_folder(*, workspace: Workspace, user: User) -> dict[UUID | None, int]:
    """How many a person sees in each folder that has any, and (None) in no folder."""
    seen = visible_replies(workspace=workspace, user=user).order_by()
    return dict(seen.values_list("folder").annotate(count=Count("pk")))
