"""How much a WhatsApp number may send, so that WhatsApp does not take it for a spammer's."""

from datetime import time

from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from accounts.scoping import WorkspaceModel
from crm.models import WhatsAppAccount
from waplus.lib.constraints import CompositeForeignKey, ScopedForeignKey
from waplus.lib.walltime import validate_zone


class HeldBy(models.TextChoices):
    """What of a budget holds messages back: the whole number, or one message (`QueuedMessage.held_by`)."""

    HOUR = "hour", _("The messages of this hour are used up")
    DAY = "day", _("The messages of today are used up")
    NEW_CONTACTS = "new_contacts", _("The new contacts of today are used up")
    QUIET_HOURS = "quiet_hours", _("It is night where the message would arrive")
    REPLY_RATIO = "reply_ratio", _("Too few new contacts have answered")
    COLD_PAUSED = "cold_paused", _("WhatsApp refused something, so messages to new contacts rest")


def _within(name: str, low: int, high: int) -> models.CheckConstraint:
    return models.CheckConstraint(
        condition=Q(**{f"{name}__isnull": True}) | Q(**{f"{name}__gte": low, f"{name}__lte": high}),
        name=f"sending_budget_{name}",
    )


# The least and the most that a person may set; None stands for "no limit" where the column allows it.
BOUNDS = {
    "spacing_seconds": (0, 600),
    "jitter_seconds": (0, 600),
    "max_per_hour": (1, 100_000),
    "max_per_day": (1, 1_000_000),
    "max_new_per_day": (0, 100_000),
    "warm_up_start": (1, 1_000),
    "warm_up_days": (1, 90),
    "min_reply_percent": (1, 90),
}


def _bounded(name: str) -> list:
    low, high = BOUNDS[name]
    return [MinValueValidator(low), MaxValueValidator(high)]


class SendingBudget(WorkspaceModel):
    """The budget of a WhatsApp number, over everything that sends (docs/budget.md). Hours of the day are local to `zone`."""

    whatsapp_account = ScopedForeignKey(WhatsAppAccount, models.CASCADE, related_name="+", db_index=False)
    spacing_seconds = models.PositiveSmallIntegerField(
        _("seconds between two messages"), default=8, validators=_bounded("spacing_seconds")
    )
    jitter_seconds = models.PositiveSmallIntegerField(
        _("up to as many more, by chance"), default=7, validators=_bounded("jitter_seconds")
    )
    max_per_hour = models.PositiveIntegerField(
        _("messages an hour"), null=True, default=180, validators=_bounded("max_per_hour")
    )
    max_per_day = models.PositiveIntegerField(
        _("messages a day"), null=True, default=1_500, validators=_bounded("max_per_day")
    )
    max_new_per_day = models.PositiveIntegerField(
        _("new contacts a day"), null=True, default=40, validators=_bounded("max_new_per_day")
    )
    quiet_from = models.TimeField(_("quiet from"), null=True, default=time(21))
    quiet_until = models.TimeField(_("quiet until"), null=True, default=time(8))
    zone = models.CharField(_("time zone"), max_length=64, default="UTC", validators=[validate_zone])
    warm_up_from = models.DateField(_("warm-up since"), null=True)
    warm_up_start = models.PositiveSmallIntegerField(
        _("messages on its first day"), default=50, validators=_bounded("warm_up_start")
    )
    warm_up_days = models.PositiveSmallIntegerField(
        _("days until the full budget"), default=14, validators=_bounded("warm_up_days")
    )
    min_reply_percent = models.PositiveSmallIntegerField(
        _("new contacts who answer, in per cent"), null=True, default=10, validators=_bounded("min_reply_percent")
    )
    cold_paused_until = models.DateTimeField(_("new contacts rest until"), null=True)
    cold_pause_code = models.CharField(_("code of WhatsApp’s error"), max_length=64, blank=True)
    cold_pauses = models.PositiveSmallIntegerField(_("rests in a row"), default=0)
    created_at = models.DateTimeField(_("added"), auto_now_add=True)
    updated_at = models.DateTimeField(_("changed"), auto_now=True)

    class Meta(WorkspaceModel.Meta):
        constraints = [
            *WorkspaceModel.Meta.constraints,
            CompositeForeignKey(field="whatsapp_account", name="sending_budget_account"),
            models.UniqueConstraint(fields=["workspace", "whatsapp_account"], name="sending_budget_once"),
            *(_within(name, low, high) for name, (low, high) in BOUNDS.items()),
            models.CheckConstraint(
                condition=Q(quiet_from__isnull=True, quiet_until__isnull=True)
                | (Q(quiet_from__isnull=False, quiet_until__isnull=False) & ~Q(quiet_from=F("quiet_until"))),
                name="sending_budget_quiet",
            ),
        ]

    def __str__(self) -> str:
        return f"budget of {self.whatsapp_account_id}"
