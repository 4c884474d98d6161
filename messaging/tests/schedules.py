"""Scheduled messages made at once, past the services, for tests that need one to be there."""

from datetime import timedelta

from django.utils import timezone

from messaging.models import ContentPart, ScheduledMessage, ScheduledRecipient

_RECIPIENT_STATES = {"queued": "done"}


def make_schedule(account, *, chat_jid: str, contact=None, body: str = "hello", due_at=None, state="waiting", **fields):
    """A scheduled message to one chat, in UTC and tomorrow unless it is told otherwise."""
    scope = {"workspace": account.workspace}
    due_at = due_at or timezone.now() + timedelta(days=1)
    fields = {"wall_time": due_at.replace(tzinfo=None), "time_zone": "UTC", **fields}
    schedule = ScheduledMessage.objects.create(**scope, whatsapp_account=account, due_at=due_at, state=state, **fields)
    waits = state == "waiting"
    ScheduledRecipient.objects.create(
        **scope,
        scheduled_message=schedule,
        contact=contact,
        chat_jid=chat_jid,
        keeps_address=True,
        time_zone=schedule.time_zone,
        next_wall=schedule.wall_time if waits else None,
        next_at=due_at if waits else None,
        last_at=due_at if state == "queued" else None,
        state=_RECIPIENT_STATES.get(state, state),
    )
    ContentPart.objects.create(**scope, scheduled_message=schedule, position=0, body=body)
    return schedule
