"""What a number may still send now, in one statement."""

from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from uuid import UUID

from django.db import connection, transaction

from accounts.models import Membership, Role
from crm.models import Chat, WhatsAppAccount
from messaging.models import HeldBy, SendingBudget
from messaging.services.budget.quiet import quiet_zones
from waplus.lib.ids import uuid7
from waplus.lib.prepared import PreparedStatement

HOUR = timedelta(hours=1)
REPLY_DAYS = 7
# Fewer new contacts say nothing about how many answer.
REPLY_LEAST = 20
# What the warm-up leads to where a day has no limit.
FULL_DAY = 1_500
# Of a small share nothing would be left: whoever starts with a number could write to a single new person a day.
NEW_LEAST = 5
# A number with chats as old as this is no young one.
GROWN_UP = timedelta(days=30)

# A message counts when it was let go (`sending_at`), and from being handed out on, which is before that. Nothing is
# counted for a limit that is not set.
_NOW = PreparedStatement(
    f"""
SELECT b.spacing_seconds, b.jitter_seconds, b.max_per_hour, b.max_per_day, b.max_new_per_day, b.quiet_from,
       b.quiet_until, b.zone, b.warm_up_from, b.warm_up_start, b.warm_up_days, b.min_reply_percent,
       CASE WHEN b.cold_paused_until > $3 THEN b.cold_paused_until END, b.cold_pause_code,
       d.today, d.ends, sent.hour, sent.day, sent.oldest, new.today, replies.asked, replies.answered, replies.oldest
FROM messaging_sendingbudget b
CROSS JOIN LATERAL (
    SELECT ($3 AT TIME ZONE b.zone)::date AS today, date_trunc('day', $3 AT TIME ZONE b.zone) AT TIME ZONE b.zone AS starts,
           (date_trunc('day', $3 AT TIME ZONE b.zone) + interval '1 day') AT TIME ZONE b.zone AS ends,
           $3 - interval '1 hour' AS hour_starts
) d
CROSS JOIN LATERAL (
    SELECT count(*) FILTER (WHERE at > d.hour_starts) AS hour, count(*) FILTER (WHERE at >= d.starts) AS day,
           min(at) FILTER (WHERE at > d.hour_starts) AS oldest
    FROM (
        SELECT q.sending_at AS at FROM messaging_queuedmessage q
        WHERE q.whatsapp_account_id = $2 AND q.sending_at >= least(d.starts, d.hour_starts)
          AND (b.max_per_hour IS NOT NULL OR b.max_per_day IS NOT NULL OR b.warm_up_from IS NOT NULL)
        UNION ALL
        SELECT $3 FROM messaging_queuedmessage q
        WHERE q.whatsapp_account_id = $2 AND q.state = 'leased' AND q.lease_until > $3
          AND (q.sending_at IS NULL OR q.sending_at < least(d.starts, d.hour_starts))
          AND (b.max_per_hour IS NOT NULL OR b.max_per_day IS NOT NULL OR b.warm_up_from IS NOT NULL)
    ) one
) sent
CROSS JOIN LATERAL (
    SELECT count(DISTINCT chat_key) AS today FROM (
        SELECT q.chat_key FROM messaging_queuedmessage q
        WHERE q.whatsapp_account_id = $2 AND q.is_new_contact AND q.sending_at >= d.starts
          AND b.max_new_per_day IS NOT NULL
        UNION ALL
        SELECT q.chat_key FROM messaging_queuedmessage q
        WHERE q.whatsapp_account_id = $2 AND q.is_new_contact AND q.state = 'leased' AND q.lease_until > $3
          AND b.max_new_per_day IS NOT NULL
    ) one
) new
CROSS JOIN LATERAL (
    SELECT count(*) AS asked, count(*) FILTER (WHERE has_answered) AS answered, min(at) AS oldest FROM (
        SELECT min(q.sending_at) AS at, bool_or(q.replied_at IS NOT NULL OR EXISTS (
            SELECT 1 FROM crm_chat c
            WHERE c.workspace_id = $1 AND c.whatsapp_account_id = $2 AND c.jid = q.chat_jid
              AND c.last_inbound_at > q.sending_at
        ) OR EXISTS (
            SELECT 1 FROM crm_chat c
            WHERE c.workspace_id = $1 AND c.contact_id = q.contact_id AND c.whatsapp_account_id = $2
              AND c.last_inbound_at > q.sending_at
        )) AS has_answered
        FROM messaging_queuedmessage q
        WHERE q.whatsapp_account_id = $2 AND q.is_new_contact AND q.sending_at >= $3 - interval '{REPLY_DAYS} days'
          AND q.sent_at IS NOT NULL AND b.min_reply_percent IS NOT NULL
        GROUP BY q.chat_key
    ) one
) replies
WHERE b.workspace_id = $1 AND b.whatsapp_account_id = $2
""",
    planned_once=True,
)


@dataclass(frozen=True)
class BudgetNow:
    """What a number may still send at a moment. None stands for no limit; `spacing` and `jitter` are seconds.

    What is used of something without a limit is None as well: nothing is counted
    then. `left_hour` counts over the last sixty minutes, `left_day` and `left_new` over
    the day of the budget's zone. `hour_ends_at` and `day_ends_at` are when the
    next message of a used-up hour or day may go. `cold_held_until` holds messages
    to new contacts for `cold_held_by`; `quiet` maps the zones in which it is quiet
    to the moment when it ends, and `quiet_until` reads it.
    """

    left_hour: int | None = None
    left_day: int | None = None
    left_new: int | None = None
    hour_ends_at: datetime | None = None
    day_ends_at: datetime | None = None
    cold_held_until: datetime | None = None
    cold_held_by: str = ""
    spacing: float = 0.0
    jitter: float = 0.0
    zone: str = "UTC"
    quiet: dict[str, datetime] = field(default_factory=dict)
    max_hour: int | None = None
    max_day: int | None = None
    max_new: int | None = None
    used_hour: int | None = None
    used_day: int | None = None
    used_new: int | None = None
    asked: int = 0
    answered: int = 0
    warm_up_day: int | None = None
    counts_replies: bool = False

    @property
    def asks_for_new(self) -> bool:
        """Whether anything of it depends on who is a new contact."""
        return self.max_new is not None or self.cold_held_until is not None or bool(self.quiet) or self.counts_replies

    def quiet_until(self, recipient_zone: str = "") -> datetime | None:
        """When the quiet hours of a recipient end, whose zone may be unknown; None outside of them."""
        return self.quiet.get(recipient_zone or self.zone)

    @property
    def quiet_param(self) -> str:
        """`quiet` as the parameter of `quiet_until_sql`: `{zone: moment}`, the zone of the budget under the empty name."""
        own = {"": self.quiet[self.zone]} if self.zone in self.quiet else {}
        pairs = (f'"{zone}":"{until.isoformat()}"' for zone, until in {**self.quiet, **own}.items())
        return "{" + ",".join(pairs) + "}"


@dataclass(frozen=True)
class _Row:
    """The columns of `_NOW`, in their order."""

    spacing: int
    jitter: int
    max_hour: int | None
    max_day: int | None
    max_new: int | None
    quiet_from: time | None
    quiet_until: time | None
    zone: str
    warm_up_from: date | None
    warm_up_start: int
    warm_up_days: int
    min_reply_percent: int | None
    paused_until: datetime | None
    pause_code: str
    today: date
    day_ends_at: datetime
    used_hour: int
    used_day: int
    oldest: datetime | None
    used_new: int
    asked: int
    answered: int
    first_asked: datetime | None


def budget_now(account: WhatsAppAccount, now: datetime) -> BudgetNow:
    """What a number may still send now; a budget with safe settings is made at the first look."""
    return budget_of_id(account.workspace_id, account.pk, now)


def budget_of_id(workspace_id: UUID, account_id: UUID, now: datetime) -> BudgetNow:
    """The same, by ids."""
    rows = _NOW.fetch([workspace_id, account_id, now])
    if not rows:
        ensure_budget(WhatsAppAccount.objects.get(workspace=workspace_id, pk=account_id), now)
        rows = _NOW.fetch([workspace_id, account_id, now])
    return _judged(_Row(*rows[0]), now)


def _judged(row: _Row, now: datetime) -> BudgetNow:
    warm_up_day, max_day, max_new = warmed(
        row.warm_up_from, row.warm_up_start, row.warm_up_days, row.today, row.max_day, row.max_new
    )
    held_until, held_by = row.paused_until, HeldBy.COLD_PAUSED if row.paused_until else ""
    if (
        held_until is None
        and row.min_reply_percent is not None
        and row.asked >= REPLY_LEAST
        and row.answered * 100 < row.min_reply_percent * row.asked
    ):
        # Answers free them at once; without any, the first that leave the days that count do. Look again by tomorrow.
        held_until = max(now + HOUR, min(row.first_asked + timedelta(days=REPLY_DAYS), now + timedelta(days=1)))
        held_by = HeldBy.REPLY_RATIO
    return BudgetNow(
        left_hour=_left(row.max_hour, row.used_hour),
        left_day=_left(max_day, row.used_day),
        left_new=_left(max_new, row.used_new),
        hour_ends_at=(row.oldest or now) + HOUR,
        day_ends_at=row.day_ends_at,
        cold_held_until=held_until,
        cold_held_by=held_by,
        spacing=float(row.spacing),
        jitter=float(row.jitter),
        zone=row.zone,
        quiet=quiet_zones(row.quiet_from, row.quiet_until, now),
        max_hour=row.max_hour,
        max_day=max_day,
        max_new=max_new,
        used_hour=None if row.max_hour is None else row.used_hour,
        used_day=None if max_day is None else row.used_day,
        used_new=None if max_new is None else row.used_new,
        asked=row.asked,
        answered=row.answered,
        warm_up_day=warm_up_day,
        counts_replies=row.min_reply_percent is not None,
    )


def _left(most: int | None, used: int) -> int | None:
    return None if most is None else max(0, most - used)


def warmed(
    since: date | None, first: int, days: int, today: date, max_day: int | None, max_new: int | None
) -> tuple[int | None, int | None, int | None]:
    """Which day of its warm-up a number has (from 1; None without one), and the day's limits then.

    Messages rise from `first` to the full day in equal steps over so many days;
    new contacts keep their share of the messages, but at least `NEW_LEAST` (or the
    limit itself, where that is lower) may always go.
    """
    passed = None if since is None else (today - since).days
    if passed is None or not 0 <= passed < days:
        return None, max_day, max_new
    full = FULL_DAY if max_day is None else max_day
    if first >= full:
        return passed + 1, full, max_new
    day = first + (full - first) * passed // days
    return passed + 1, day, max_new and min(max_new, max(NEW_LEAST, max_new * day // full))


def ensure_budget(account: WhatsAppAccount, now: datetime) -> SendingBudget:
    """The budget of a number, made with safe settings if there is none.

    A number whose chats reach back a month is taken for a grown-up one; any other
    warms up from now. Nights are those of the owner's clock.
    """
    budgets = SendingBudget.objects.for_workspace(account.workspace_id)
    budget = budgets.filter(whatsapp_account=account).first()
    if budget is not None:
        return budget
    owner = Membership.objects.filter(workspace=account.workspace_id, role=Role.OWNER).select_related("user").first()
    zone = usable_zone(owner.user.time_zone) if owner else "UTC"
    chats = Chat.objects.for_workspace(account.workspace_id).filter(whatsapp_account=account)
    is_grown_up = chats.filter(last_message_at__lt=now - GROWN_UP).exists()
    with transaction.atomic():
        SendingBudget.objects.bulk_create(
            [
                SendingBudget(
                    id=uuid7(),
                    workspace_id=account.workspace_id,
                    whatsapp_account=account,
                    zone=zone,
                    warm_up_from=None if is_grown_up else now.date(),
                )
            ],
            ignore_conflicts=True,
        )
    return budgets.get(whatsapp_account=account)


def usable_zone(zone: str) -> str:
    """The zone if PostgreSQL knows it as well, which counts the days of budgets by it; UTC otherwise."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT EXISTS (SELECT 1 FROM pg_timezone_names WHERE name = %s)", [zone])
        return zone if cursor.fetchone()[0] else "UTC"
