"""The timeline of a contact: what happened with it, in words, newest first."""

from uuid import UUID

from django.http import Http404
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from accounts.page_access import member_page
from crm.pages.contact_page import page_contact
from crm.services.timeline.pages import SORTS, timeline_page
from crm.services.timeline.registry import timeline_sources
from crm.templatetags.crm import readable
from waplus.lib.api.pagination import PageRequest
from waplus.lib.errors import NotFound, Refused

PAGE = "20"
ICONS = {
    "tag": "tag",
    "note": "note",
    "reminder": "bell",
    "merge": "merge",
    "import": "upload",
    "chat": "chat",
}


def _sentences() -> dict[str, str]:
    """What happened, by kind; `who` did it, `what` it was about."""
    return {
        "contact.created": _("%(who)s added the contact"),
        "contact.updated": _("%(who)s changed %(what)s"),
        "contact.observed": _("WhatsApp showed something new"),
        "contact.deleted": _("%(who)s moved the contact to the bin"),
        "contact.restored": _("%(who)s took the contact out of the bin"),
        "tag.added": _("%(who)s added the tag %(what)s"),
        "tag.removed": _("%(who)s took the tag %(what)s off"),
        "note.written": _("%(who)s wrote a note"),
        "note.edited": _("%(who)s changed a note"),
        "reminder.made": _("%(who)s set a reminder"),
        "reminder.done": _("%(who)s did a reminder"),
        "merge.made": _("%(who)s merged %(what)s into this contact"),
        "merge.undone": _("%(who)s undid the merge with %(what)s"),
        "import.created": _("Came with the import %(what)s"),
        "import.changed": _("The import %(what)s added to it"),
        "chat.message": _("Last message in %(what)s"),
        **{kind: str(words) for source in timeline_sources() for kind, words in source.sentences.items()},
    }


def _icons() -> dict[str, str]:
    """Icons by kind, of those that have one of their own."""
    return {kind: source.icon for source in timeline_sources() if source.icon for kind in source.kinds}


def _field_words() -> dict[str, str]:
    return {
        "name": _("the name"),
        "company": _("the company"),
        "email": _("the e-mail address"),
        "identities": _("the numbers"),
        "owner": _("the owner"),
        "stage": _("the stage"),
        "profile_name": _("the profile name"),
        "avatar": _("the photo"),
    }


def _changed(fields: list[dict]) -> str:
    """The fields of a change, each with what it came to where that has a name."""
    words, parts = _field_words(), []
    for field in fields:
        to = (field.get("to") or {}).get("name", "")
        if field["field"] == "fields":
            parts.append(f"“{to}”")
        else:
            label = words.get(field["field"], field["field"].replace("_", " "))
            parts.append(f"{label} → {to}" if to else label)
    return ", ".join(dict.fromkeys(parts)) or _("the contact")


def _row(entry: dict, sentences: dict[str, str]) -> dict:
    named = next((entry[name]["name"] for name in ("tag", "contact", "batch", "chat") if entry.get(name)), "")
    what = f"“{readable(named)}”" if named else ""
    if entry["kind"] == "contact.updated":
        what = _changed(entry.get("fields", []))
    actor = entry["actor"]
    who = (actor["name"] or _("A former member")) if actor else "WAPlus"
    sentence = sentences.get(entry["kind"], entry["kind"].replace(".", " "))
    return {
        "at": entry["at"],
        "icon": _icons().get(entry["kind"]) or ICONS.get(entry["kind"].partition(".")[0], "contacts"),
        "words": sentence % {"who": who, "what": what},
        "text": entry.get("text", ""),
    }


@require_safe
@member_page()
def timeline(request, membership, contact_id: UUID):
    """One page of the timeline; the page of the contact takes its list in."""
    contact = page_contact(membership, contact_id)
    try:
        page = PageRequest.of({"cursor": request.GET.get("cursor"), "limit": PAGE}, SORTS, "newest")
        entries, next_cursor = timeline_page(workspace=membership.workspace, contact_id=contact_id, page=page)
    except NotFound as error:
        raise Http404 from error
    except Refused:
        return redirect("timeline", contact_id)
    sentences = _sentences()
    rows = [_row(entry, sentences) for entry in entries]
    return render(
        request,
        "crm/timeline.html",
        {"contact": contact, "rows": rows, "next_cursor": next_cursor, "first_page": page.key is None},
    )
