"""The shape of what messages say."""

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from messaging.models.content import MAX_PARTS
from messaging.models.scheduled import MAX_BODY


class PartSerializer(serializers.Serializer):
    """One WhatsApp message: a text, a file, or a file with its caption."""

    body = serializers.CharField(
        max_length=MAX_BODY,
        allow_blank=True,
        default="",
        trim_whitespace=False,
        help_text="The text, or the caption of the file. White space around it is cut off.",
    )
    media = serializers.UUIDField(
        source="media_id", allow_null=True, default=None, help_text="The id of an uploaded file."
    )

    def validate(self, attrs):
        # A part is whole also where the message is changed in parts (PATCH), which leaves defaults out.
        body, media = attrs.get("body", ""), attrs.get("media_id")
        if not body.strip() and media is None:
            raise serializers.ValidationError("A part has a text or a file.", code="required")
        return {"body": body, "media": media}


@extend_schema_field(PartSerializer(many=True))
class PartsField(serializers.ListField):
    """`parts`: one to ten of `{"body", "media"}`, sent in their order.

    Read from `parts` of the row, which a list prefetches in the order of their
    position. Whether files exist is the service's question, within its transaction.
    """

    def __init__(self, **kwargs):
        super().__init__(**{"min_length": 1, "max_length": MAX_PARTS, "child": PartSerializer(), **kwargs})

    def to_representation(self, data):
        rows = data.all() if hasattr(data, "all") else data
        return [
            {"body": part.body, "media": part.media_id and str(part.media_id)}
            for part in sorted(rows, key=lambda part: part.position)
        ]
