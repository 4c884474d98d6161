"""Writing a quick reply: languages, parts, files, variables, and how a contact would read it."""

from uuid import UUID

from django.contrib import messages
from django.http import Http404
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST

from accounts import actors
from accounts.models import Membership
from accounts.page_access import member_page
from crm.models import Contact
from messaging.models import QuickReply, Visibility
from messaging.pages.message_parts import as_id, recent_files
from messaging.pages.quick_reply_drafts import Draft, DraftText
from messaging.services.quick_replies import changes, folders
from messaging.services.templating import TemplateError, fill, known_variables, parse, problems_of, values_for
from waplus.lib.errors import NotFound, Refused
from waplus.lib.ids import uuid7

SAMPLES = 20


def _samples(membership: Membership) -> list[Contact]:
    """Contacts that a text can be tried on: those that changed last."""
    named = Contact.objects.for_workspace(membership.workspace).alive().exclude(sort_name="")
    return list(named.order_by("-updated_at", "-id")[:SAMPLES])


def _invented(membership: Membership) -> Contact:
    """Somebody to try a text on where nobody is chosen."""
    return Contact(workspace=membership.workspace, name="Ana Souza", company="Padaria Sol", email="ana@example.com")


def _sample(request, membership: Membership) -> Contact:
    try:
        chosen = UUID(request.POST.get("sample", ""))
    except ValueError:
        return _invented(membership)
    found = Contact.objects.for_workspace(membership.workspace).alive().filter(pk=chosen).first()
    return found or _invented(membership)


def _preview(request, membership: Membership, text: DraftText) -> dict:
    """How the sample would read a text, and what is wrong with it so far."""
    contact = _sample(request, membership)
    bodies = [part.body for part in text.parts]
    problems = problems_of(membership.workspace, bodies)
    fine = [body for body in bodies if _is_template(body)]
    values = values_for(membership.workspace, fine, contact=contact, sender=request.user)
    bubbles, missing = [], {}
    for part in text.parts:
        rendered = fill(part.body, values) if part.body in fine else None
        if rendered:
            missing |= dict.fromkeys(rendered.missing)
        said = rendered.text if rendered else part.body
        if said or part.media:
            bubbles.append({"text": said, "media": part.media})
    return {"bubbles": bubbles, "missing": list(missing), "problems": problems, "reader": contact}


def _is_template(body: str) -> bool:
    try:
        parse(body)
    except TemplateError:
        return False
    return True


def _page(request, membership: Membership, draft: Draft, reply: QuickReply | None, status: int = 200):
    context = {
        "draft": draft,
        "reply": reply,
        "folders": folders.folders_in_order(workspace=membership.workspace),
        "may_keep": reply is None or reply.owner_id is not None or reply.created_by_id == request.user.pk,
        "visibilities": Visibility.choices,
        "variables": known_variables(membership.workspace),
        "samples": _samples(membership),
        "sample": request.POST.get("sample", ""),
        "files": recent_files(membership.workspace),
        **_preview(request, membership, draft.texts[draft.shown]),
    }
    return render(request, "messaging/quick_reply.html", context, status=status)


@require_http_methods(["GET", "HEAD", "POST"])
@member_page()
def new_reply(request, membership):
    """Write a new quick reply. The id is made with the form, so that sending it twice makes one."""
    if request.method != "POST":
        language = request.user.language or "en"
        draft = Draft(
            id=str(uuid7()), folder=request.GET.get("folder", "")[:40], texts=[DraftText("0", language=language)]
        )
        return _page(request, membership, draft, None)
    return _posted(request, membership, None)


@require_http_methods(["GET", "HEAD", "POST"])
@member_page()
def edit_reply(request, membership, reply_id):
    """Change a quick reply."""
    try:
        reply = changes.reply_of(workspace=membership.workspace, user=request.user, reply_id=reply_id)
    except NotFound as error:
        raise Http404 from error
    if request.method != "POST":
        return _page(request, membership, Draft.of_reply(reply), reply)
    return _posted(request, membership, reply)


def _keep_files(request, membership: Membership, draft: Draft) -> bool:
    """Keep the files that came with the form; whether all of them could be. The language of a refused one is shown."""
    refused = [index for index, text in enumerate(draft.texts) if not text.keep_files(request, membership)]
    draft.shown = refused[0] if refused else draft.shown
    return not refused


def _posted(request, membership: Membership, reply: QuickReply | None):
    draft = Draft.of_form(membership.workspace, request.POST)
    what = request.POST.get("do", "save")
    if not _keep_files(request, membership, draft):
        return _page(request, membership, draft, reply)
    if what != "save":
        draft.do(what)
        return _page(request, membership, draft, reply)
    who = {"workspace": membership.workspace, "user": request.user, "actor": actors.person(request.user)}
    try:
        if reply is None:
            changes.create_reply(**who, id=as_id(draft.id), **draft.values())
        else:
            changes.update_reply(**who, reply_id=reply.pk, **draft.values())
    except NotFound as error:
        raise Http404 from error
    except Refused as refusal:
        draft.note(refusal)
        return _page(request, membership, draft, reply)
    messages.success(request, _("“%(name)s” is saved.") % {"name": draft.name.strip()})
    return redirect("quick-replies")


@require_POST
@member_page()
def preview_reply(request, membership):
    """What the form's open language says to the chosen contact, while it is typed."""
    draft = Draft.of_form(membership.workspace, request.POST)
    return render(
        request, "messaging/parts/quick_reply_preview.html", _preview(request, membership, draft.texts[draft.shown])
    )
