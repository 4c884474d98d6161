"""Links to conversations in the browser: what there are, and the making of one."""

from datetime import timedelta
from uuid import UUID

from django import forms
from django.db.models import Prefetch
from django.http import Http404
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from accounts import actors
from accounts.page_access import member_page, refused_at, told
from crm.models import Chat
from messaging.models import ConversationSync, ShareLink, ShareOpening
from messaging.serializers.sharing import share_url
from messaging.services import sharing
from messaging.services.sharing.messages import readable_messages

SHOWN, CHOSEN_FROM, OPENINGS = 100, 200, 20
DAYS = [(1, gettext_lazy("a day")), (7, gettext_lazy("a week")), (30, gettext_lazy("30 days"))]


class ShareForm(forms.Form):
    """The choices beside the messages."""

    first = forms.UUIDField(required=False)
    last = forms.UUIDField(required=False)
    days = forms.TypedChoiceField(choices=DAYS, coerce=int, initial=7)
    password = forms.CharField(max_length=128, min_length=6, required=False, strip=False)
    redact_numbers = forms.BooleanField(required=False, initial=True)
    include_media = forms.BooleanField(required=False)


@require_safe
@member_page()
def shares(request, membership):
    """The newest links, with their last openings; and chats that one can be made from."""
    return _listed(request, membership)


def _listed(request, membership, made: str = ""):
    workspace, now = membership.workspace, timezone.now()
    rows = list(
        ShareLink.objects.for_workspace(workspace)
        .select_related("chat", "created_by")
        .prefetch_related(
            Prefetch("openings", ShareOpening.objects.order_by("-id")[:OPENINGS], to_attr="last_openings")
        )
        .order_by("-id")[:SHOWN]
    )
    for row in rows:
        row.is_over = row.expires_at <= now
    synced = ConversationSync.objects.for_workspace(workspace).filter(deleting="", message_count__gt=0)
    chats = Chat.objects.for_workspace(workspace).filter(pk__in=synced.values("chat")).order_by("-last_message_at")
    return render(request, "messaging/shares.html", {"shares": rows, "chats": chats[:10], "made": made})


@require_http_methods(["GET", "HEAD", "POST"])
@member_page()
def new_share(request, membership, chat_id: UUID):
    """Choose a stretch of a conversation; the link is shown in the answer, and only there."""
    workspace = membership.workspace
    chat = Chat.objects.for_workspace(workspace).filter(pk=chat_id).first()
    if chat is None:
        raise Http404
    rows = list(readable_messages(workspace, chat_id).order_by("-sent_at", "-pk")[: CHOSEN_FROM + 1])
    has_more, rows = len(rows) > CHOSEN_FROM, rows[:CHOSEN_FROM][::-1]
    shown = {str(row.pk): row.pk for row in rows}
    removed = {shown[id] for id in request.POST.getlist("removed") if id in shown}
    form = ShareForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        chosen = form.cleaned_data
        first, last = chosen["first"], chosen["last"]
        span = [row.pk for row in rows]
        if first not in span or last not in span or span.index(first) > span.index(last):
            form.add_error(None, _("Choose the first and the last message, in this order."))
        else:
            span = span[span.index(first) : span.index(last) + 1]
            with refused_at(form):
                _share, token = sharing.create_share(
                    workspace=workspace,
                    user=request.user,
                    actor=actors.person(request.user),
                    chat_id=chat_id,
                    stretch=sharing.Stretch(tuple(span)),
                    expires_at=timezone.now() + timedelta(days=chosen["days"]),
                    removed_ids=tuple(id for id in span if id in removed),
                    password=chosen["password"],
                    redact_numbers=chosen["redact_numbers"],
                    include_media=chosen["include_media"],
                )
                return _listed(request, membership, share_url(token))
    context = {"chat": chat, "rows": rows, "has_more": has_more, "form": form, "removed": removed}
    context |= {"first": rows[0].pk, "last": rows[-1].pk} if rows else {}
    return render(request, "messaging/share_new.html", context)


@require_POST
@member_page()
def revoke_share(request, membership, share_id: UUID):
    """Take a link back."""
    with told(request, _("The link shows nothing any more.")):
        sharing.revoke_share(workspace=membership.workspace, actor=actors.person(request.user), share_id=share_id)
    return redirect("shares")
