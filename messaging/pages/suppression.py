"""The do-not-contact list in the browser: add, look, lift, and the words that people write."""

from uuid import UUID

from django import forms
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_http_methods, require_POST

from accounts import actors
from accounts.models import Membership, Role
from accounts.page_access import member_page, refused_at, told
from crm.models import Contact
from messaging.models import Suppression, SuppressionSource, WordKind
from messaging.models.suppression import MAX_NOTE, MAX_WORD
from messaging.services.suppression import words
from messaging.services.suppression.acts import lift, lift_contact, suppress, suppressions_of
from messaging.services.suppression.shown import name_suppressed
from waplus.lib.api.pagination import PageRequest, Sort
from waplus.lib.errors import Refused
from waplus.lib.ids import uuid7

PAGE = 50
SORTS = {"newest": Sort("id", descending=True, decode=UUID)}


class NewSuppressionForm(forms.Form):
    """Somebody by number. The id is made with the form, so that sending it twice adds one."""

    id = forms.UUIDField(widget=forms.HiddenInput)
    phone = forms.CharField(
        label=gettext_lazy("Phone number"),
        max_length=60,
        widget=forms.TextInput(attrs={"type": "tel", "autocomplete": "off", "placeholder": "+55 11 98765-4321"}),
    )
    note = forms.CharField(label=gettext_lazy("Note"), max_length=MAX_NOTE, required=False)


class LiftForm(forms.Form):
    """What the new consent rests on."""

    reason = forms.CharField(label=gettext_lazy("What the consent rests on"), max_length=MAX_NOTE)


class WordForm(forms.Form):
    """A word, and what it does."""

    word = forms.CharField(label=gettext_lazy("Word"), max_length=MAX_WORD)
    kind = forms.ChoiceField(
        label=gettext_lazy("What it does"),
        choices=[(WordKind.OUT, WordKind.OUT.label), (WordKind.IN, WordKind.IN.label)],
    )
    language = forms.CharField(
        label=gettext_lazy("Language"),
        max_length=16,
        required=False,
        widget=forms.TextInput(attrs={"placeholder": "pt", "autocapitalize": "none"}),
    )


def _page(request: HttpRequest, membership: Membership, *, status: int = 200, **shown) -> HttpResponse:
    asked = {"cursor": request.GET["cursor"]} if request.GET.get("cursor") else {}
    rows = Suppression.objects.for_workspace(membership.workspace).filter(lifted_at=None, part_of=None)
    try:
        page = PageRequest.of({**asked, "limit": str(PAGE)}, SORTS, "newest")
    except Refused:
        return redirect("do-not-contact")
    found, more = page.page(list(page.rows(rows.select_related("contact", "created_by"))))
    name_suppressed(found)
    known = words.words_of(membership.workspace)
    context = {
        "suppressions": found,
        "more": more,
        "first": not asked,
        "form": NewSuppressionForm(initial={"id": uuid7()}),
        "word_form": WordForm(auto_id="word-%s"),
        "words_out": [(word, language) for word, (kind, language) in known.items() if kind == WordKind.OUT],
        "words_in": [(word, language) for word, (kind, language) in known.items() if kind == WordKind.IN],
    }
    return render(request, "messaging/do_not_contact.html", {**context, **shown}, status=status)


@require_http_methods(["GET", "HEAD", "POST"])
@member_page()
def do_not_contact(request, membership):
    """The list; a POST adds a number."""
    if request.method != "POST":
        return _page(request, membership)
    form = NewSuppressionForm(request.POST)
    if form.is_valid():
        with refused_at(form):
            _row, is_new = suppress(
                workspace=membership.workspace,
                actor=actors.person(request.user),
                source=SuppressionSource.PERSON,
                **form.cleaned_data,
            )
            messages.success(request, _("It is on the list.") if is_new else _("It was on the list already."))
            return redirect("do-not-contact")
    return _page(request, membership, form=form)


@require_POST
@member_page(Role.ADMIN)
def lift_suppression(request, membership, suppression_id):
    """Allow messages again, with what the consent rests on."""
    form = LiftForm(request.POST)
    with told(request, _("Messages are allowed again.")):
        lift(
            workspace=membership.workspace,
            actor=actors.person(request.user),
            suppression_id=suppression_id,
            evidence=form.cleaned_data["reason"] if form.is_valid() else "",
        )
    return redirect("do-not-contact")


@require_POST
@member_page(Role.ADMIN)
def set_word(request, membership):
    """Give a word a meaning."""
    form = WordForm(request.POST, auto_id="word-%s")
    if form.is_valid():
        with refused_at(form):
            words.set_word(workspace=membership.workspace, actor=actors.person(request.user), **form.cleaned_data)
            messages.success(request, _("The word counts from now on."))
            return redirect("do-not-contact")
    return _page(request, membership, word_form=form)


@require_POST
@member_page(Role.ADMIN)
def remove_word(request, membership):
    """Take a word's meaning away."""
    with told(request, _("The word means nothing any more.")):
        words.remove_word(
            workspace=membership.workspace, actor=actors.person(request.user), word=request.POST.get("word", "")
        )
    return redirect("do-not-contact")


@require_http_methods(["GET", "HEAD", "POST"])
@member_page()
def contact_consent(request, membership, contact_id):
    """The part of a contact's page that says whether they may be written to; a POST changes it."""
    contact = get_object_or_404(Contact.objects.for_workspace(membership.workspace).alive(), pk=contact_id)
    by = {"workspace": membership.workspace, "actor": actors.person(request.user), "contact": contact}
    if request.method == "POST":
        with told(request):
            if request.POST.get("do") == "lift":
                if membership.may(Role.ADMIN):
                    lift_contact(**by, evidence=request.POST.get("reason", "")[:MAX_NOTE])
            else:
                suppress(**by, source=SuppressionSource.PERSON, note=request.POST.get("note", "")[:MAX_NOTE])
        return redirect("contact", contact_id)
    held = suppressions_of(workspace=membership.workspace, contact=contact)
    return render(
        request,
        "messaging/parts/contact_consent.html",
        {"contact": contact, "suppressions": held},
    )
