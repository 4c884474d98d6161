"""A number: which device sends from it, which others are there, pausing, warnings, and chats it cannot write to."""

from uuid import UUID

from django.http import Http404
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from accounts import actors
from accounts.models import InstanceSession
from accounts.page_access import member_page, told
from crm.models import Chat, WhatsAppAccount
from crm.templatetags.crm import chat_title, readable
from messaging.models import Dispatcher, DispatchWarning, NumberPresence, UnreachableChat
from messaging.pages.budget import seen_of
from messaging.services.budget.state import ensure_budget
from messaging.services.dispatch import choose_dispatcher, pause_number, resume_number
from messaging.services.presence import ALIVE
from messaging.services.reachability import clear_unreachable

SHOWN = 50


def _account(membership, account_id: UUID) -> WhatsAppAccount:
    account = WhatsAppAccount.objects.for_workspace(membership.workspace).filter(pk=account_id).first()
    if account is None:
        raise Http404
    return account


@require_safe
@member_page()
def number(request, membership, account_id):
    """One number."""
    workspace, account, now = membership.workspace, _account(membership, account_id), timezone.now()
    dispatcher = (
        Dispatcher.objects.for_workspace(workspace)
        .filter(whatsapp_account=account)
        .select_related("instance__user", "chosen_by", "paused_by")
        .first()
    )
    presences = list(
        NumberPresence.objects.for_workspace(workspace)
        .filter(whatsapp_account=account)
        .select_related("instance__user")
        .order_by("-seen_at")[:SHOWN]
    )
    # Who cannot log in here any more cannot be chosen.
    living = set(
        InstanceSession.objects.for_workspace(workspace)
        .filter(instance__in=[one.instance_id for one in presences], revoked_at=None, expires_at__gt=now)
        .values_list("instance", flat=True)
    )
    holder = dispatcher.instance_id if dispatcher else None
    for one in presences:
        one.is_alive = one.seen_at > now - ALIVE
        one.is_holder = one.instance_id == holder
        one.may_be_chosen = one.instance_id in living and not one.is_holder
    unreachable = list(
        UnreachableChat.objects.for_workspace(workspace).filter(whatsapp_account=account).order_by("-since")[:SHOWN]
    )
    chats = Chat.objects.for_workspace(workspace).filter(
        whatsapp_account=account, jid__in=[one.chat_jid for one in unreachable]
    )
    names = {chat.jid: chat_title(chat) for chat in chats}
    for one in unreachable:
        one.to = names.get(one.chat_jid) or readable(one.chat_jid)
    warnings = DispatchWarning.objects.for_workspace(workspace).filter(whatsapp_account=account)
    return render(
        request,
        "messaging/number.html",
        {
            "number": account,
            **seen_of(ensure_budget(account, now), account),
            "dispatcher": dispatcher,
            "holds": bool(dispatcher and holder and dispatcher.lease_until and dispatcher.lease_until > now),
            "presences": presences,
            "warnings": warnings.filter(resolved_at=None).order_by("kind"),
            "settled": warnings.filter(resolved_at__isnull=False).order_by("-id")[:5],
            "unreachable": unreachable,
        },
    )


@require_POST
@member_page()
def choose_device(request, membership, account_id):
    """Let another device send from the number."""
    try:
        instance_id = UUID(request.POST.get("instance", ""))
    except ValueError as error:
        raise Http404 from error
    with told(request, _("This device sends from the number now.")):
        choose_dispatcher(
            workspace=membership.workspace,
            account_id=account_id,
            instance_id=instance_id,
            user=request.user,
            actor=actors.person(request.user),
        )
    return redirect("number", account_id)


@require_POST
@member_page()
def pause(request, membership, account_id):
    """Hand out nothing more."""
    said = _("Nothing more is sent from this number until you go on.")
    return _switch(request, membership, account_id, pause_number, said)


@require_POST
@member_page()
def resume(request, membership, account_id):
    """Hand out again."""
    return _switch(request, membership, account_id, resume_number, _("Messages of this number are sent again."))


def _switch(request, membership, account_id, switch_number, said):
    _account(membership, account_id)
    with told(request, said):
        switch_number(
            workspace=membership.workspace,
            account_id=account_id,
            user=request.user,
            actor=actors.person(request.user),
        )
    return redirect("number", account_id)


@require_POST
@member_page()
def reach_again(request, membership, unreachable_id):
    """Let messages go to a chat again."""
    row = UnreachableChat.objects.for_workspace(membership.workspace).filter(pk=unreachable_id).first()
    with told(request, _("Messages go there again.")):
        clear_unreachable(
            workspace=membership.workspace, unreachable_id=unreachable_id, actor=actors.person(request.user)
        )
    return redirect("number", row.whatsapp_account_id)
