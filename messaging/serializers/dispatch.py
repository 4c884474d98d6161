"""Shapes of the queue on the API."""

from rest_framework import serializers

from messaging.models import Dispatcher, QueuedMessage
from messaging.services.dispatch import MAX_CLAIM, REPORTS, send_within_ms
from messaging.services.dispatch.codes import FAILURE_CODES


class QueuedMessageSerializer(serializers.ModelSerializer):
    """A message of the queue."""

    class Meta:
        model = QueuedMessage
        fields = [
            *("id", "source", "scheduled_message", "broadcast", "whatsapp_account", "contact", "chat_jid", "position"),
            *("body", "media", "message_id", "due_at", "not_before", "held_by", "expires_at", "on_late", "state"),
            *("fence", "lease_until", "sent_at", "delivered_at", "read_at", "played_at", "replied_at"),
            *("reason_code", "reason"),
        ]


class ReportedMessageSerializer(QueuedMessageSerializer):
    """A message of the queue after a report."""

    send_within_ms = serializers.SerializerMethodField(
        help_text="After `sending`: let it go within so many milliseconds of having asked, or report `not_sent`."
    )

    class Meta(QueuedMessageSerializer.Meta):
        fields = [*QueuedMessageSerializer.Meta.fields, "send_within_ms"]

    def get_send_within_ms(self, message) -> int:
        return send_within_ms(message)


class FileToSendSerializer(serializers.Serializer):
    """The file that a message carries."""

    id = serializers.UUIDField()
    media_type = serializers.CharField()
    name = serializers.CharField(allow_blank=True)
    size = serializers.IntegerField(help_text="Bytes.")
    width = serializers.IntegerField(allow_null=True, help_text="Pixels, of images.")
    height = serializers.IntegerField(allow_null=True, help_text="Pixels, of images.")
    thumbnail_url = serializers.CharField(allow_null=True)
    url = serializers.CharField(help_text="Signed, and good for a short time: fetch the file before you say `sending`.")


class HandedOutSerializer(serializers.Serializer):
    """A message as it is handed out."""

    id = serializers.UUIDField()
    source = serializers.CharField()
    scheduled_message = serializers.UUIDField(allow_null=True)
    broadcast = serializers.UUIDField(allow_null=True)
    whatsapp_account = serializers.UUIDField()
    contact = serializers.UUIDField(allow_null=True)
    chat_jid = serializers.CharField(help_text="Where to send it: this address and no other one of the person.")
    position = serializers.IntegerField(help_text="Which of the parts that belong together, from 0.")
    body = serializers.CharField(help_text="The text; the caption where there is a file.")
    media = FileToSendSerializer(allow_null=True)
    message_id = serializers.CharField(help_text="The bare WhatsApp id to send it under.")
    due_at = serializers.DateTimeField()
    expires_at = serializers.DateTimeField()
    state = serializers.CharField()
    fence = serializers.IntegerField()
    lease_until = serializers.DateTimeField(allow_null=True)
    wait_ms = serializers.IntegerField(help_text="Say `sending` this long after the answer, not earlier.")


class ClaimSerializer(serializers.Serializer):
    claim_id = serializers.UUIDField(help_text="Your own id of this claim; repeat it if the answer got lost.")
    whatsapp_account = serializers.UUIDField(help_text="The number that is logged in in WhatsApp Web.")
    limit = serializers.IntegerField(min_value=1, max_value=MAX_CLAIM, default=10)


class NumberLeaseSerializer(serializers.Serializer):
    """Who holds the number."""

    is_yours = serializers.BooleanField()
    instance = serializers.UUIDField(allow_null=True)
    epoch = serializers.IntegerField(help_text="Rises whenever another instance takes the number.")
    until = serializers.DateTimeField(allow_null=True)


class ClaimAnswerSerializer(serializers.Serializer):
    lease = NumberLeaseSerializer()
    server_time = serializers.DateTimeField()
    hold = serializers.CharField(
        allow_blank=True, help_text="Why nothing more is handed out now: paused, plan, hour, day, spacing; or nothing."
    )
    next_claim_ms = serializers.IntegerField(help_text="Claim again after so many milliseconds, or at a wake-up.")
    messages = HandedOutSerializer(many=True, help_text="Send these, in this order.")
    reconcile = HandedOutSerializer(
        many=True,
        help_text="Look these up in their chats by message_id and report `sent` or `not_sent`; never send them blindly.",
    )


class ReportSerializer(serializers.Serializer):
    fence = serializers.IntegerField(min_value=1, max_value=2_147_483_647, help_text="As handed out with the message.")
    report = serializers.ChoiceField(choices=REPORTS)
    code = serializers.ChoiceField(
        choices=FAILURE_CODES, required=False, allow_blank=True, help_text="Of `failed`: what kind of failure."
    )
    reason = serializers.CharField(max_length=300, required=False, allow_blank=True, help_text="Why it failed.")
    sent_at = serializers.DateTimeField(required=False, help_text="WhatsApp's own time of the message.")


class ResolutionSerializer(serializers.Serializer):
    outcome = serializers.ChoiceField(
        choices=["sent", "not_sent"], help_text="What a person saw in the chat; `not_sent` queues the message again."
    )


class LateDecisionSerializer(serializers.Serializer):
    decision = serializers.ChoiceField(choices=["send", "skip"], help_text="Send it now all the same, or not at all.")


class DispatcherSerializer(serializers.ModelSerializer):
    """The lease on a number."""

    instance_name = serializers.SerializerMethodField(help_text="What its person calls the device.")

    class Meta:
        model = Dispatcher
        fields = [
            *("whatsapp_account", "instance", "instance_name", "epoch", "lease_until", "held_since", "paused_at"),
        ]
        read_only_fields = fields

    def get_instance_name(self, dispatcher) -> str:
        return str(dispatcher.instance) if dispatcher.instance_id else ""


class DispatcherChoiceSerializer(serializers.Serializer):
    instance = serializers.UUIDField(help_text="The device that is to send from this number from now on.")
