"""Shapes of reminders on the API."""

from django.utils import timezone
from rest_framework import serializers

from accounts.api import ClientIdField, MemberField, ScopedRelatedField
from crm.models import Chat, Contact, Reminder
from crm.models.reminders import MAX_REMINDER
from waplus.lib.api.wall_time import WallTimeField
from waplus.lib.recurrence import MAX_LENGTH
from waplus.lib.walltime import validate_zone

MAX_MINUTES = 5 * 365 * 24 * 60


class ReminderSerializer(serializers.ModelSerializer):
    id = ClientIdField()
    contact = ScopedRelatedField(queryset=Contact.objects.alive(), required=False, allow_null=True)
    chat = ScopedRelatedField(queryset=Chat.objects, required=False, allow_null=True)
    text = serializers.CharField(max_length=MAX_REMINDER)
    wall_time = WallTimeField(
        help_text="Local time without an offset, such as 2026-03-29T09:00; the series begins here."
    )
    time_zone = serializers.CharField(
        max_length=64, required=False, validators=[validate_zone], help_text="IANA name; your own zone without it."
    )
    rrule = serializers.CharField(
        max_length=MAX_LENGTH,
        required=False,
        allow_blank=True,
        help_text="RFC 5545, such as FREQ=WEEKLY;BYDAY=MO,FR; never more often than daily. Empty: it does not recur.",
    )
    assignee = MemberField(
        required=False, allow_null=True, help_text="The person who is reminded: you without it, nobody with null."
    )
    occurrence_wall = WallTimeField(read_only=True, help_text="Local time of the occurrence that is up.")
    overdue = serializers.SerializerMethodField(help_text="Open, and its time has come.")

    class Meta:
        model = Reminder
        fields = [
            "id",
            "contact",
            "chat",
            "text",
            "wall_time",
            "time_zone",
            "rrule",
            "occurrence_wall",
            "due_at",
            "snoozed_until",
            "state",
            "overdue",
            "assignee",
            "created_by",
            "created_at",
            "done_at",
        ]
        read_only_fields = ["due_at", "snoozed_until", "state", "created_by", "created_at", "done_at"]

    def get_overdue(self, reminder) -> bool:
        return reminder.is_overdue(timezone.now())


class ReminderChangeSerializer(ReminderSerializer):
    class Meta(ReminderSerializer.Meta):
        fields = ["contact", "chat", "text", "wall_time", "time_zone", "rrule", "assignee"]
        read_only_fields = []

    id = None
    occurrence_wall = overdue = None


class SnoozeSerializer(serializers.Serializer):
    """For how long, or until when."""

    minutes = serializers.IntegerField(required=False, min_value=1, max_value=MAX_MINUTES, help_text="From now on.")
    until = WallTimeField(required=False, help_text="Local time in the reminder's zone.")


class DoneRequestSerializer(serializers.Serializer):
    occurrence = WallTimeField(
        required=False, help_text="`occurrence_wall` as you saw it: if that one is done already, nothing changes."
    )


class DoneSerializer(ReminderSerializer):
    missed = serializers.IntegerField(help_text="How many occurrences had passed meanwhile.", read_only=True)

    class Meta(ReminderSerializer.Meta):
        fields = [*ReminderSerializer.Meta.fields, "missed"]
