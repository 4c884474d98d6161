"""Scheduled messages as they are shown: with their parts, and with where they are for each recipient."""

from django.db.models import Case, IntegerField, OuterRef, Prefetch, QuerySet, Subquery, Value, When
from django.db.models.functions import JSONObject

from messaging.models import QueuedMessage, ScheduledMessage, ScheduledRecipient
from messaging.models.dispatch import GONE_OUT


def shown(schedules: QuerySet[ScheduledMessage] | None = None) -> QuerySet[ScheduledMessage]:
    """Schedules with all that an answer says of them, at a fixed number of queries a page.

    Each recipient has `place`: `{id, state, reason_code, reason}` of what was
    queued last, of several parts the first that has not gone out; or None.
    """
    places = (
        QueuedMessage.objects.filter(
            origin_id=OuterRef("scheduled_message_id"),
            occurrence_at=OuterRef("last_at"),
            chat_jid=OuterRef("chat_jid"),
        )
        .annotate(is_gone=Case(When(state__in=GONE_OUT, then=Value(1)), default=Value(0), output_field=IntegerField()))
        .order_by("is_gone", "position")
    )
    place = places.values(json=JSONObject(id="id", state="state", reason_code="reason_code", reason="reason"))[:1]
    recipients = ScheduledRecipient.objects.annotate(place=Subquery(place)).order_by("id")
    schedules = ScheduledMessage.objects.all() if schedules is None else schedules
    return schedules.prefetch_related("parts", Prefetch("recipients", queryset=recipients))
