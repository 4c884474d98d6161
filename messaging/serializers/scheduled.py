"""Shapes of scheduled messages on the API."""

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from accounts.api import ClientIdField, ScopedRelatedField
from crm.models import Contact, WhatsAppAccount
from messaging.models import (
    DispatchState,
    LatePolicy,
    RecipientState,
    ScheduleClock,
    ScheduledMessage,
    ScheduledRecipient,
    ScheduleState,
)
from messaging.models.scheduled import MAX_EXCLUDED, MAX_RECIPIENTS
from messaging.serializers.content import PartsField
from messaging.services.scheduling.recipients import To
from waplus.lib.api.wall_time import WallTimeField
from waplus.lib.errors import UNKNOWN_ID, Invalid
from waplus.lib.recurrence import MAX_LENGTH
from waplus.lib.walltime import validate_zone


class ToSerializer(serializers.Serializer):
    """Somebody to write to."""

    contact = serializers.UUIDField(required=False, allow_null=True)
    chat_jid = serializers.CharField(
        max_length=64,
        required=False,
        allow_blank=True,
        help_text="A chat. Without it the contact is written to where the number talks with it at that time.",
    )

    def validate(self, attrs):
        if not attrs.get("contact") and not attrs.get("chat_jid"):
            raise serializers.ValidationError("Say whom to write to: a contact or a chat.", code="required")
        return attrs


class RecipientSerializer(serializers.ModelSerializer):
    """Whom a scheduled message goes to, and where it is there."""

    dispatch_id = serializers.SerializerMethodField(help_text="Id in the queue of what entered it last; null before.")
    dispatch_state = serializers.SerializerMethodField(help_text="Where that is; null before it was queued.")
    reason_code = serializers.SerializerMethodField()
    reason = serializers.SerializerMethodField(help_text="Why it failed or was skipped.")
    state = serializers.ChoiceField(choices=RecipientState.choices, read_only=True)
    next_wall = WallTimeField(allow_null=True, read_only=True, help_text="The next time on the clock of time_zone.")

    class Meta:
        model = ScheduledRecipient
        fields = [
            *("id", "contact", "chat_jid", "time_zone", "recipient_zone", "state", "next_wall", "next_at", "last_at"),
            *("dispatch_id", "dispatch_state", "reason_code", "reason"),
        ]
        read_only_fields = ["time_zone", "recipient_zone", "state", "next_at", "last_at"]
        extra_kwargs = {"chat_jid": {"required": False}}

    def get_dispatch_id(self, recipient) -> str | None:
        return recipient.place and recipient.place["id"]

    @extend_schema_field(serializers.ChoiceField(choices=DispatchState, allow_null=True))
    def get_dispatch_state(self, recipient):
        return recipient.place and recipient.place["state"]

    def get_reason_code(self, recipient) -> str:
        return recipient.place["reason_code"] if recipient.place else ""

    def get_reason(self, recipient) -> str:
        return recipient.place["reason"] if recipient.place else ""


@extend_schema_field(RecipientSerializer(many=True))
class RecipientsField(serializers.ListField):
    """`recipients`: 1 to 100 of `{"contact"}`, `{"chat_jid"}`, or both (that contact, in that chat)."""

    def __init__(self, **kwargs):
        super().__init__(**{"min_length": 1, "max_length": MAX_RECIPIENTS, "child": ToSerializer(), **kwargs})

    def to_internal_value(self, data):
        rows = super().to_internal_value(data)
        wanted = [row["contact"] for row in rows if row.get("contact")]
        workspace = self.context["request"].auth.workspace
        contacts = Contact.objects.for_workspace(workspace).alive().in_bulk(wanted)
        for index, row in enumerate(rows):
            if row.get("contact") and row["contact"] not in contacts:
                raise Invalid(f"recipients.{index}.contact", "does_not_exist", UNKNOWN_ID)
        return [To(contacts.get(row.get("contact")), row.get("chat_jid", "")) for row in rows]

    def to_representation(self, data):
        return RecipientSerializer(data.all(), many=True).data


class ScheduledMessageSerializer(serializers.ModelSerializer):
    id = ClientIdField()
    whatsapp_account = ScopedRelatedField(queryset=WhatsAppAccount.objects)
    recipients = RecipientsField(help_text="1 to 100 of {contact}, {chat_jid} or both.")
    parts = PartsField(help_text="What is sent, one WhatsApp message a part. Texts may have {{variables}}.")
    wall_time = WallTimeField(help_text="Local time without an offset, such as 2026-03-29T09:00.")
    time_zone = serializers.CharField(
        max_length=64, validators=[validate_zone], help_text="The sender's zone; also where the recipient's is unknown."
    )
    clock = serializers.ChoiceField(
        choices=ScheduleClock.choices, default=ScheduleClock.SENDER, help_text="Whose clock the time is on."
    )
    rrule = serializers.CharField(
        max_length=MAX_LENGTH, allow_blank=True, default="", help_text="RFC 5545 without DTSTART; empty: once."
    )
    excluded = serializers.ListField(
        child=WallTimeField(), max_length=MAX_EXCLUDED, default=list, help_text="Times of the series that are left out."
    )
    lateness_minutes = serializers.IntegerField(
        min_value=1, max_value=7 * 24 * 60, default=60, help_text="How long after its time it may still go out."
    )
    on_late = serializers.ChoiceField(
        choices=LatePolicy.choices, default=LatePolicy.SKIP, help_text="What becomes of it after that."
    )
    state = serializers.ChoiceField(choices=ScheduleState.choices, read_only=True)

    class Meta:
        model = ScheduledMessage
        fields = [
            *("id", "whatsapp_account", "recipients", "parts", "wall_time", "time_zone", "clock", "rrule", "excluded"),
            *("due_at", "lateness_minutes", "on_late", "state", "created_at", "updated_at"),
        ]
        read_only_fields = ["due_at", "state", "created_at", "updated_at"]


class ScheduledMessageChangeSerializer(ScheduledMessageSerializer):
    lateness_minutes = serializers.IntegerField(min_value=1, max_value=7 * 24 * 60)

    class Meta(ScheduledMessageSerializer.Meta):
        fields = [
            *("whatsapp_account", "recipients", "parts", "wall_time", "time_zone", "clock", "rrule", "excluded"),
            *("lateness_minutes", "on_late"),
        ]
        read_only_fields = []

    id = state = None


class OccurrenceSerializer(serializers.Serializer):
    """A time of a series."""

    wall_time = WallTimeField(required=False, help_text="As the rule names it; without it: the next one.")


class OwnOccurrenceSerializer(ScheduledMessageChangeSerializer):
    """One time of a series with a message of its own: what is different."""

    id = ClientIdField()
    occurrence = WallTimeField(help_text="The time of the series that it replaces, as the rule names it.")

    class Meta(ScheduledMessageSerializer.Meta):
        fields = [
            *("id", "occurrence", "whatsapp_account", "recipients", "parts", "wall_time", "time_zone", "clock"),
            *("lateness_minutes", "on_late"),
        ]
        read_only_fields = []

    rrule = excluded = None


class EntrySerializer(serializers.Serializer):
    """One time of a schedule in the calendar."""

    scheduled_message = serializers.UUIDField(source="schedule.pk")
    at = serializers.DateTimeField()
    wall_time = WallTimeField(source="wall", allow_null=True, help_text="On the clock of time_zone; null for the past.")
    time_zone = serializers.CharField(source="zone")
    rrule = serializers.CharField(source="schedule.rrule")
    recipients = serializers.IntegerField(help_text="How many at this moment.")
    state = serializers.ChoiceField(choices=RecipientState.choices, help_text="done: it has entered the queue.")
    states = serializers.DictField(
        child=serializers.IntegerField(), help_text="Of what has entered the queue: recipients by where it is."
    )


class CalendarSerializer(serializers.Serializer):
    results = EntrySerializer(many=True)
    truncated = serializers.BooleanField(help_text="There is more than is shown; ask for fewer days.")
