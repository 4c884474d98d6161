"""Changing a budget: by a person, and by what WhatsApp answers."""

from collections.abc import Callable
from datetime import datetime, time, timedelta
from uuid import UUID

from django.db import transaction
from django.utils import timezone

from accounts.actors import SYSTEM, Actor
from accounts.models import Workspace
from accounts.services.events import record_event
from crm.models import WhatsAppAccount
from crm.services.whatsapp_accounts import account_of
from messaging.models import SendingBudget
from messaging.services.budget.state import ensure_budget, usable_zone
from waplus.lib.errors import Invalid

SETTINGS = (
    *("spacing_seconds", "jitter_seconds", "max_per_hour", "max_per_day", "max_new_per_day", "quiet_from"),
    *("quiet_until", "zone", "warm_up_from", "warm_up_start", "warm_up_days", "min_reply_percent"),
)
LONGEST_NIGHT = timedelta(hours=16)
# After an error of WhatsApp messages to new contacts rest for an hour, then for twice as long each time, a week at most.
FIRST_PAUSE = timedelta(hours=1)
LONGEST_PAUSE = timedelta(days=7)
# Without an error for as long, the next one counts as the first.
FORGIVEN_AFTER = timedelta(days=7)


@transaction.atomic
def update_budget(
    *,
    workspace: Workspace,
    actor: Actor,
    account_id: UUID,
    precondition: Callable[[SendingBudget], None] = lambda budget: None,
    **values,
) -> SendingBudget:
    """Change settings of a number's budget. `resume_cold=True` ends the rest that an error of WhatsApp began."""
    account = account_of(workspace=workspace, account_id=account_id)
    budget = _locked(account)
    precondition(budget)
    if values.pop("resume_cold", False):
        values |= {"cold_paused_until": None, "cold_pause_code": "", "cold_pauses": 0}
    changed = {name for name, value in values.items() if getattr(budget, name) != value}
    for name in changed:
        setattr(budget, name, values[name])
    refuse_odd_night(budget.quiet_from, budget.quiet_until)
    if "zone" in changed and usable_zone(budget.zone) != budget.zone:
        raise Invalid("zone", "invalid_time_zone", "The database does not know this time zone: choose the next city.")
    if changed:
        budget.save(update_fields=[*changed, "updated_at"])
        record_event(
            kind="sending_budget.updated", actor=actor, workspace=workspace, obj=budget, changed=sorted(changed)
        )
    return budget


def _locked(account: WhatsAppAccount) -> SendingBudget:
    ensure_budget(account, timezone.now())
    budgets = SendingBudget.objects.for_workspace(account.workspace_id).filter(whatsapp_account=account)
    return budgets.select_for_update(no_key=True).get()


def refuse_odd_night(start: time | None, end: time | None) -> None:
    """Refuse quiet hours without a beginning or an end, with seconds, without length, or of more than 16 hours."""
    if start is None and end is None:
        return
    if start is None or end is None:
        raise Invalid("quiet_until", "required", "Quiet hours have a beginning and an end, or neither.")
    for name, moment in (("quiet_from", start), ("quiet_until", end)):
        if moment.second or moment.microsecond:
            raise Invalid(name, "invalid", "Quiet hours begin and end with a whole minute.")
    length = timedelta(hours=end.hour - start.hour, minutes=end.minute - start.minute) % timedelta(days=1)
    if not length or length > LONGEST_NIGHT:
        raise Invalid(
            "quiet_until", "too_long", "Quiet hours last 16 hours at most, or nothing would be sent on most days."
        )


@transaction.atomic
def note_whatsapp_error(account: WhatsAppAccount, code: str) -> datetime:
    """Let messages to new contacts rest after WhatsApp refused something; answers until when.

    Everything else goes on. Errors while they rest already do not prolong it:
    they come from messages that were on their way.
    """
    now = timezone.now()
    budget = _locked(account)
    if budget.cold_paused_until is not None and budget.cold_paused_until > now:
        return budget.cold_paused_until
    if budget.cold_paused_until is None or budget.cold_paused_until < now - FORGIVEN_AFTER:
        budget.cold_pauses = 0
    budget.cold_paused_until = now + min(LONGEST_PAUSE, FIRST_PAUSE * 2 ** min(budget.cold_pauses, 10))
    budget.cold_pauses += 1
    budget.cold_pause_code = code[:64]
    budget.save(update_fields=["cold_paused_until", "cold_pauses", "cold_pause_code", "updated_at"])
    record_event(
        kind="sending_budget.paused",
        actor=SYSTEM,
        workspace=account.workspace,
        obj=budget,
        changed=["cold_paused_until"],
    )
    return budget.cold_paused_until
