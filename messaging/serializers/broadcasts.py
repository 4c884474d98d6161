"""Shapes of broadcasts on the API."""

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from accounts.api import ClientIdField, ScopedRelatedField
from crm.models import WhatsAppAccount
from messaging.models import Broadcast, DispatchState, HoursOf, LeftOut
from messaging.serializers.content import PartSerializer, PartsField
from messaging.services.broadcasts.drafting import MAX_NAME, MAX_RATE, MAX_REPLY_DAYS
from waplus.lib.api.wall_time import WallTimeField
from waplus.lib.walltime import validate_zone

_IDS = {"type": "array", "items": {"type": "string", "format": "uuid"}}
_SOURCE = {
    "type": "object",
    "description": "Exactly one of these.",
    "properties": {
        "filter": {"type": "object", "description": "The language of filters; an empty one means everybody."},
        "tab": {"type": "string", "format": "uuid"},
        "tags": {**_IDS, "description": "Who wears one of them."},
        "contacts": _IDS,
        "import": {"type": "string", "format": "uuid", "description": "Whom an import added or changed."},
    },
}


@extend_schema_field(
    {
        "type": "object",
        "properties": {
            "include": {"type": "array", "items": _SOURCE, "description": "Everybody whom one of these means."},
            "exclude": {"type": "array", "items": _SOURCE, "description": "Without those."},
        },
    }
)
class AudienceField(serializers.JSONField):
    """Whom a broadcast is meant for; the service reads it, with the path of whatever is wrong."""


class HoursSerializer(serializers.Serializer):
    days = serializers.ListField(
        child=serializers.IntegerField(min_value=1, max_value=7),
        required=False,
        max_length=7,
        help_text="ISO weekdays, 1 is Monday; every day if left out.",
    )
    vars()["from"] = serializers.TimeField(required=False, allow_null=True, help_text="Local time, such as 09:00.")
    to = serializers.TimeField(required=False, allow_null=True, help_text="Local time; 00:00 is the end of the day.")
    of = serializers.ChoiceField(choices=HoursOf.choices, required=False, help_text="Whose local time it is.")


class HoursField(serializers.Field):
    """The hours at which it may be sent, from four columns; null are all hours of all days."""

    def __init__(self, **kwargs):
        super().__init__(**{"source": "*", "required": False, "allow_null": True, **kwargs})

    def to_internal_value(self, data):
        serializer = HoursSerializer(data=data)
        serializer.is_valid(raise_exception=True)
        unknown = set(data) - set(serializer.fields)
        if unknown:
            raise serializers.ValidationError({name: ["This field is not known."] for name in unknown}, "unknown_field")
        return {"hours": dict(serializer.validated_data)}

    def run_validation(self, data=serializers.empty):
        return {"hours": None} if data is None else super().run_validation(data)

    def to_representation(self, row):
        if not row.has_hours:
            return None
        begin, end = row.hours_from, row.hours_to
        return {
            "days": row.hours_days,
            "from": begin.isoformat("minutes") if begin else None,
            "to": end.isoformat("minutes") if end else None,
            "of": row.hours_of,
        }


class BroadcastSerializer(serializers.ModelSerializer):
    id = ClientIdField()
    whatsapp_account = ScopedRelatedField(queryset=WhatsAppAccount.objects)
    name = serializers.CharField(max_length=MAX_NAME)
    parts = PartsField(required=False, help_text="What is sent, with variables such as {{first_name|there}}.")
    audience = AudienceField(required=False)
    time_zone = serializers.CharField(
        max_length=64, required=False, validators=[validate_zone], help_text="Yours if left out."
    )
    start_wall = WallTimeField(
        required=False, allow_null=True, help_text="Local time of the start; null: as soon as somebody starts it."
    )
    end_wall = WallTimeField(
        required=False, allow_null=True, help_text="What is not sent by then is skipped; null: 30 days after the start."
    )
    hours = extend_schema_field(HoursSerializer(allow_null=True))(HoursField)(
        help_text="At which hours it may be sent; null: at any."
    )
    rate_per_hour = serializers.IntegerField(min_value=1, max_value=MAX_RATE, required=False, allow_null=True)
    reply_days = serializers.IntegerField(min_value=1, max_value=MAX_REPLY_DAYS, required=False)
    progress = serializers.SerializerMethodField(help_text="Messages by state since the start; empty before it.")

    class Meta:
        model = Broadcast
        fields = [
            *(
                "id",
                "name",
                "whatsapp_account",
                "parts",
                "audience",
                "time_zone",
                "start_wall",
                "starts_at",
                "end_wall",
            ),
            *("ends_at", "hours", "rate_per_hour", "reply_days", "allow_partial", "state", "problem", "recipients"),
            *("left_out", "progress", "started_at", "finished_at", "created_at", "updated_at"),
        ]
        read_only_fields = [
            *("starts_at", "ends_at", "state", "problem", "recipients", "left_out", "started_at", "finished_at"),
            *("created_at", "updated_at"),
        ]
        extra_kwargs = {"allow_partial": {"required": False}}

    @extend_schema_field({"type": "object", "additionalProperties": {"type": "integer"}})
    def get_progress(self, broadcast):
        return broadcast.progress["states"]


class BroadcastChangeSerializer(BroadcastSerializer):
    id = None
    progress = None

    class Meta(BroadcastSerializer.Meta):
        fields = [
            *("name", "whatsapp_account", "parts", "audience", "time_zone", "start_wall", "end_wall", "hours"),
            *("rate_per_hour", "reply_days", "allow_partial"),
        ]
        read_only_fields = []


class BroadcastCopySerializer(serializers.Serializer):
    id = ClientIdField()
    name = serializers.CharField(max_length=MAX_NAME, required=False, help_text="The name of the original if left out.")


class SampleSerializer(serializers.Serializer):
    contact = serializers.UUIDField()
    name = serializers.CharField(allow_blank=True)
    detail = serializers.CharField(allow_blank=True, help_text="Such as the variable that is missing.")


class DetailCountSerializer(serializers.Serializer):
    detail = serializers.CharField()
    count = serializers.IntegerField()


class LeftOutCountSerializer(serializers.Serializer):
    reason = serializers.ChoiceField(choices=LeftOut.choices)
    label = serializers.CharField()
    count = serializers.IntegerField()


class LeftOutSerializer(LeftOutCountSerializer):
    details = DetailCountSerializer(many=True)
    samples = SampleSerializer(many=True, help_text="The first 20.")


class BroadcastPreviewPartSerializer(PartSerializer):
    media = serializers.UUIDField(allow_null=True)


class BroadcastPreviewSerializer(serializers.Serializer):
    contact = serializers.UUIDField()
    name = serializers.CharField(allow_blank=True)
    chat_jid = serializers.CharField()
    parts = BroadcastPreviewPartSerializer(many=True)


class PlanShareSerializer(serializers.Serializer):
    left = serializers.IntegerField(help_text="People that the plan still allows this month.")
    limit = serializers.IntegerField()


class DryRunSerializer(serializers.Serializer):
    people = serializers.IntegerField(help_text="Different people of the audience.")
    repeated = serializers.IntegerField(help_text="How often somebody was named once more; they get it once.")
    will_be_sent = serializers.IntegerField()
    messages = serializers.IntegerField(help_text="People times parts.")
    left_out = LeftOutSerializer(many=True)
    samples = SampleSerializer(many=True, help_text="The first 20 of those who get it.")
    previews = BroadcastPreviewSerializer(many=True, help_text="The first three, as they would read it.")
    plan = PlanShareSerializer()
    would_be_refused = serializers.BooleanField(help_text="Nobody would get it, or the plan does not allow so many.")
    first_at = serializers.DateTimeField(allow_null=True, help_text="When the first one may go.")
    last_at = serializers.DateTimeField(allow_null=True, help_text="When the last one may go, the budget apart.")
    ends_at = serializers.DateTimeField(help_text="What is not sent by then is skipped.")
    without_zone = serializers.IntegerField(help_text="Of those who get it, people whose time zone is not known.")


class ReasonSerializer(serializers.Serializer):
    code = serializers.CharField()
    reason = serializers.CharField(allow_blank=True)
    count = serializers.IntegerField()


class HourSerializer(serializers.Serializer):
    hour = serializers.DateTimeField()
    sent = serializers.IntegerField()
    delivered = serializers.IntegerField()
    read = serializers.IntegerField()
    replied = serializers.IntegerField()


class BroadcastReportSerializer(serializers.Serializer):
    recipients = serializers.IntegerField()
    queued = serializers.IntegerField()
    sent = serializers.IntegerField(help_text="WhatsApp has it; who read it is among them.")
    delivered = serializers.IntegerField()
    read = serializers.IntegerField()
    replied = serializers.IntegerField(help_text="Who wrote back within `reply_days`.")
    opted_out = serializers.IntegerField(help_text="Who wrote an opt-out word within `reply_days`.")
    outcome_unknown = serializers.IntegerField()
    cancelled = serializers.IntegerField()
    failed = ReasonSerializer(many=True)
    skipped = ReasonSerializer(many=True)
    left_out = LeftOutCountSerializer(many=True)
    hours = HourSerializer(many=True, help_text="What happened by the hour, in UTC.")


class BroadcastRecipientSerializer(serializers.Serializer):
    id = serializers.UUIDField()
    contact = serializers.UUIDField()
    name = serializers.CharField(allow_blank=True)
    chat_jid = serializers.CharField()
    state = serializers.ChoiceField(choices=DispatchState.choices, help_text="Of the part that came the least far.")
    reason_code = serializers.CharField(allow_blank=True)
    reason = serializers.CharField(allow_blank=True)
    sent_at = serializers.DateTimeField(allow_null=True)
    delivered_at = serializers.DateTimeField(allow_null=True)
    read_at = serializers.DateTimeField(allow_null=True)
    replied_at = serializers.DateTimeField(allow_null=True)


class LeftOutPersonSerializer(serializers.Serializer):
    id = serializers.UUIDField()
    contact = serializers.UUIDField()
    name = serializers.CharField(allow_blank=True)
    reason = serializers.ChoiceField(choices=LeftOut.choices)
    detail = serializers.CharField(allow_blank=True)


class BroadcastSettingSerializer(serializers.Serializer):
    members_may_start = serializers.BooleanField(help_text="Without it, admins and the owner start broadcasts.")
