"""Activity: what happened in the workspace, in readable words."""

from uuid import UUID

from django.shortcuts import redirect, render
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_safe

from accounts.event_words import icon_of, words_of
from accounts.models import Event, ExtensionInstance, Membership, Role, User
from accounts.models.events import ActorKind
from accounts.page_access import member_page
from waplus.lib.api.pagination import PageRequest, Sort
from waplus.lib.errors import Refused

SORTS = {"newest": Sort("id", descending=True, decode=UUID)}


def _describe(events: list[Event]) -> list[dict]:
    """Rows for the page: who, what, whom it concerned, when. Two queries for all names together."""
    people = {event.actor_user_id for event in events if event.actor_user_id}
    names = {user.pk: str(user) for user in User.objects.filter(pk__in=people)}
    concerned = {
        row.pk: str(row.user)
        for row in Membership.objects.filter(
            pk__in=[event.object_id for event in events if event.object_type == "membership"]
        ).select_related("user")
    }
    devices = {
        row.pk: str(row)
        for row in ExtensionInstance.objects.filter(
            pk__in=[event.object_id for event in events if event.object_type == "instance"]
        )
    }
    rows = []
    for event in events:
        who = names.get(event.actor_user_id)
        whom = concerned.get(event.object_id) or devices.get(event.object_id) or ""
        rows.append(
            {
                "who": who or (_("WAPlus") if event.actor_kind == ActorKind.SYSTEM else _("A former member")),
                "words": words_of(event.kind),
                "whom": "" if whom == who else whom,
                "changed": ", ".join(dict.fromkeys(name.partition(".")[0] for name in event.changed)).replace("_", " ")
                if event.kind.endswith(".updated")
                else "",
                "count": event.count,
                "icon": icon_of(event.object_type),
                "through_extension": event.actor_kind == ActorKind.INSTANCE,
                "when": event.happened_at,
            }
        )
    return rows


@require_safe
@member_page(Role.ADMIN)
def activity(request, membership):
    """Events of the workspace, newest first, in pages that do not shift when new ones arrive."""
    try:
        asked = PageRequest.of({"cursor": request.GET.get("cursor"), "limit": "50"}, SORTS, "newest")
    except Refused:
        return redirect("activity")
    events, next_cursor = asked.page(list(asked.rows(Event.objects.filter(workspace=membership.workspace))))
    return render(
        request,
        "pages/activity.html",
        {"rows": _describe(events), "next_cursor": next_cursor, "first_page": asked.key is None},
    )
