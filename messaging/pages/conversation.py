"""One synced conversation in the browser: its messages, search in them, and its switch."""

from uuid import UUID

from django import forms
from django.http import Http404
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_POST, require_safe

from accounts import actors
from accounts.page_access import member_page, told
from crm.services.chats import chat_of
from messaging.models import ConversationRule, RuleKind
from messaging.services.conversations import reading, switching
from messaging.services.conversations.measuring import completeness
from messaging.services.conversations.switches import OFF, switches_of
from messaging.services.media.links import file_url, thumbnail_url
from waplus.lib.api.pagination import PageRequest, Sort, moment
from waplus.lib.errors import NotFound

PAGE = 40
_SORTS = {"sent_at": Sort("sent_at", decode=moment)}
MODES = ("content", "metadata", "off", "rules")


class ModeForm(forms.Form):
    """What of a chat is synced."""

    mode = forms.ChoiceField(choices=[(mode, mode) for mode in MODES])


@require_safe
@member_page()
def conversation(request, membership, chat_id):
    """The newest messages; those before a cursor are a part that the page puts above them."""
    workspace = membership.workspace
    try:
        found = reading.conversation_of(workspace=workspace, chat_id=chat_id)
    except NotFound as error:
        raise Http404 from error
    query = " ".join(request.GET.get("q", "").replace("\x00", "").split())[:200]
    cursor = request.GET.get("before")
    page = PageRequest.of({"cursor": cursor, "limit": str(PAGE)}, _SORTS, "sent_at")
    if query:
        key = page.key if cursor else None
        rows, following = reading.search(workspace=workspace, text=query, chat_id=chat_id, limit=PAGE, behind=key)
        older = page.cursor_behind(*following) if following else None
        rows = rows[::-1]
    else:
        rows, has_more = reading.stretch_of(workspace=workspace, conversation=found, before=page.key, limit=PAGE)
        older = page.cursor_behind(rows[0].sent_at, rows[0].pk) if has_more else None
    for row in rows:
        _prepare(row)
    chat = chat_of(workspace=workspace, chat_id=chat_id)
    context = {"chat": chat, "rows": rows, "older": older, "query": query, "found": found}
    if request.htmx and cursor:
        return render(request, "messaging/parts/bubbles.html", context)
    return render(request, "messaging/conversation.html", context | _switch_of(workspace, chat, found))


def _prepare(row) -> None:
    """What a bubble shows of a message's file: links that expire, only where the file is here."""
    row.file = None
    media = row.media
    if media is not None or row.media_details:
        row.file = {
            "name": (media and media.name) or row.media_details.get("name") or row.type,
            "size": (media and media.size) or row.media_details.get("size"),
            "link": file_url(media) if media else None,
            "thumbnail": thumbnail_url(media) if media else None,
        }


def _switch_of(workspace, chat, found) -> dict:
    switch = switches_of(workspace, [found.place.home]).get(found.place.home, OFF) if found.place.may_sync else OFF
    rule = ConversationRule.objects.for_workspace(workspace).filter(kind=RuleKind.CHAT, pk=switch.own).first()
    loss = switching.preview(workspace=workspace, rule=None, chat_id=chat.pk, metadata_on=False, content_on=False)
    return {
        "switch": switch,
        "rule": rule,
        "mode": "content" if switch.content else "metadata" if switch.metadata else "off",
        "loss": loss,
        "may_sync": found.place.may_sync,
        "completeness": completeness(found.sync) if found.sync else None,
        "choices": [
            ("content", gettext_lazy("Sync who wrote when, and what")),
            ("metadata", gettext_lazy("Sync only who wrote when")),
            ("off", gettext_lazy("Off")),
        ],
    }


@require_POST
@member_page()
def switch_conversation(request, membership, chat_id: UUID):
    """Set the switch of one chat, or let it follow the rules again."""
    form = ModeForm(request.POST)
    if form.is_valid():
        mode = form.cleaned_data["mode"]
        workspace, actor = membership.workspace, actors.person(request.user)
        with told(request, _("The switch is saved.")):
            if mode == "rules":
                own = ConversationRule.objects.for_workspace(workspace).filter(chat=chat_id).first()
                if own is not None:
                    switching.remove_rule(workspace=workspace, actor=actor, rule_id=own.pk)
            else:
                switching.switch_chats(
                    workspace=workspace,
                    actor=actor,
                    kind=RuleKind.CHAT,
                    target_id=chat_id,
                    metadata_on=mode != "off",
                    content_on=mode == "content",
                )
    return redirect("conversation", chat_id=chat_id)
