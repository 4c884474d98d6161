"""Shapes of a number's budget on the API."""

from rest_framework import serializers

from messaging.models import HeldBy, SendingBudget
from messaging.models.budget import BOUNDS
from messaging.services.budget.changes import SETTINGS
from messaging.services.budget.forecast import Forecast
from waplus.lib.walltime import validate_zone

_NO_LIMIT = ("max_per_hour", "max_per_day", "max_new_per_day", "min_reply_percent")


def _number(name: str) -> serializers.IntegerField:
    low, high = BOUNDS[name]
    may_be_none = name in _NO_LIMIT
    return serializers.IntegerField(
        min_value=low,
        max_value=high,
        allow_null=may_be_none,
        **({"help_text": "null: no limit."} if may_be_none else {}),
    )


class BudgetSettingsSerializer(serializers.ModelSerializer):
    """The settings. Times are local to `zone`, or to the recipient where their zone is known."""

    spacing_seconds = _number("spacing_seconds")
    jitter_seconds = _number("jitter_seconds")
    max_per_hour = _number("max_per_hour")
    max_per_day = _number("max_per_day")
    max_new_per_day = _number("max_new_per_day")
    warm_up_start = _number("warm_up_start")
    warm_up_days = _number("warm_up_days")
    min_reply_percent = _number("min_reply_percent")
    quiet_from = serializers.TimeField(allow_null=True, help_text="null together with quiet_until: no quiet hours.")
    quiet_until = serializers.TimeField(allow_null=True)
    zone = serializers.CharField(max_length=64, validators=[validate_zone])
    warm_up_from = serializers.DateField(allow_null=True, help_text="null: no warm-up.")

    class Meta:
        model = SendingBudget
        fields = list(SETTINGS)


class BudgetChangeSerializer(BudgetSettingsSerializer):
    resume_cold = serializers.BooleanField(
        required=False, help_text="true ends the rest of messages to new contacts after an error of WhatsApp."
    )

    class Meta(BudgetSettingsSerializer.Meta):
        fields = [*SETTINGS, "resume_cold"]


class MeterSerializer(serializers.Serializer):
    """How much of a limit is used; `limit` is null without one."""

    used = serializers.IntegerField(allow_null=True, help_text="null where there is no limit: nothing is counted then.")
    limit = serializers.IntegerField(allow_null=True)
    left = serializers.IntegerField(allow_null=True)
    free_at = serializers.DateTimeField(help_text="When more may go, once it is used up.")


class HeldSerializer(serializers.Serializer):
    code = serializers.CharField(
        help_text="hour, day, new_contacts, quiet_hours, reply_ratio, cold_paused, or another."
    )
    label = serializers.CharField()
    count = serializers.IntegerField()
    until = serializers.DateTimeField()


class BudgetSerializer(serializers.Serializer):
    """A number's budget: its settings, what is used, what it holds back, and an estimate of when that goes."""

    settings = BudgetSettingsSerializer()
    hour = MeterSerializer()
    day = MeterSerializer()
    new_contacts = MeterSerializer()
    asked = serializers.IntegerField(help_text="New contacts of the last seven days.")
    answered = serializers.IntegerField(help_text="How many of them have written back.")
    warm_up_day = serializers.IntegerField(allow_null=True)
    cold_held_until = serializers.DateTimeField(allow_null=True)
    cold_held_by = serializers.CharField(allow_blank=True)
    cold_pause_code = serializers.CharField(allow_blank=True, help_text="WhatsApp's error, as the extension told it.")
    waiting = serializers.IntegerField()
    held = HeldSerializer(many=True)
    next_at = serializers.DateTimeField(allow_null=True, help_text="An estimate.")
    last_at = serializers.DateTimeField(allow_null=True, help_text="An estimate from the limits as they are today.")


# What holds messages back beside the budget.
OTHERS = {"in_bin": "The contact is in the bin"}


def told(settings: SendingBudget, seen: Forecast) -> dict:
    """A budget as `BudgetSerializer` shows it."""
    now = seen.budget
    labels = {code.value: code.label for code in HeldBy} | OTHERS
    return {
        "settings": settings,
        "hour": _meter(now.used_hour, now.max_hour, now.left_hour, now.hour_ends_at),
        "day": _meter(now.used_day, now.max_day, now.left_day, now.day_ends_at),
        "new_contacts": _meter(now.used_new, now.max_new, now.left_new, now.day_ends_at),
        "asked": now.asked,
        "answered": now.answered,
        "warm_up_day": now.warm_up_day,
        "cold_held_until": now.cold_held_until,
        "cold_held_by": now.cold_held_by,
        "cold_pause_code": settings.cold_pause_code,
        "waiting": seen.waiting,
        "held": [
            {"code": one.code, "label": labels.get(one.code, one.code), "count": one.count, "until": one.until}
            for one in seen.held
        ],
        "next_at": seen.next_at,
        "last_at": seen.last_at,
    }


def _meter(used: int | None, limit: int | None, left: int | None, free_at) -> dict:
    return {"used": used, "limit": limit, "left": left, "free_at": free_at}
