"""Wall-clock times in payloads."""

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers


@extend_schema_field(
    {"type": "string", "pattern": r"^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}(:\d{2})?$", "example": "2026-03-29T09:00"}
)
class WallTimeField(serializers.DateTimeField):
    """A wall-clock time without an offset: `2026-03-29T02:30`."""

    def to_internal_value(self, value):
        if not isinstance(value, str) or "T" not in value.upper():
            self.fail("invalid", format="YYYY-MM-DDThh:mm[:ss]")
        return super().to_internal_value(value)

    def enforce_timezone(self, value):
        if value.tzinfo is not None:
            raise serializers.ValidationError(
                "Write the local time without an offset; the zone stands in time_zone.", "offset"
            )
        return value

    def to_representation(self, value):
        return value.isoformat()
