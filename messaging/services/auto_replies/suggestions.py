"""Two rules that most people want, made switched off with one click."""

from django.db import transaction
from django.utils.translation import gettext as _

from accounts.actors import Actor
from accounts.models import User, Workspace
from messaging.models import AutoReplyRule, BusinessHours
from messaging.services.auto_replies.hours import create_hours
from messaging.services.auto_replies.rules import create_rule
from waplus.lib.errors import Invalid

SUGGESTIONS = ("out_of_hours", "greeting")


@transaction.atomic
def create_suggested_rule(*, workspace: Workspace, user: User, actor: Actor, suggestion: str) -> AutoReplyRule:
    """A ready-made rule, switched off: `out_of_hours` (with weekday hours, if there are none yet) or `greeting`."""
    if suggestion == "greeting":
        return create_rule(
            workspace=workspace,
            user=user,
            actor=actor,
            name=_("First greeting"),
            conditions=[{"kind": "any"}, {"kind": "first_message"}],
            parts=[{"body": _("Hello {{first_name|there}}, thank you for your message! We will answer you shortly.")}],
        )[0]
    if suggestion != "out_of_hours":
        raise Invalid("suggestion", "invalid_choice", f"One of: {', '.join(SUGGESTIONS)}.")
    hours = BusinessHours.objects.for_workspace(workspace).order_by("id").first()
    if hours is None:
        hours, _is_new = create_hours(
            workspace=workspace,
            actor=actor,
            name=_("Opening hours"),
            time_zone=user.time_zone,
            intervals=[{"day": day, "from": "09:00", "to": "18:00"} for day in range(1, 6)],
        )
    return create_rule(
        workspace=workspace,
        user=user,
        actor=actor,
        name=_("Out of hours"),
        cool_down_minutes=8 * 60,
        conditions=[{"kind": "any"}, {"kind": "hours", "hours": str(hours.pk), "is": "outside"}],
        parts=[{"body": _("Thank you for your message! We are closed now, and answer you when we are back.")}],
    )[0]
