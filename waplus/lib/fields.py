"""Model fields that Django lacks."""

from datetime import datetime

from django.core.exceptions import ValidationError
from django.db import models
from django.utils.dateparse import parse_datetime


class WallClockField(models.Field):
    """A wall-clock time as a person meant it: `timestamp without time zone`, always naive in Python.

    Django's own DateTimeField would turn it into a moment in UTC, which is the
    very thing that goes wrong when a zone changes its rules.
    """

    description = "A wall-clock time without an offset"

    def db_type(self, connection):
        return "timestamp without time zone"

    def to_python(self, value):
        if isinstance(value, str):
            value = parse_datetime(value)
        if value is None or (isinstance(value, datetime) and value.tzinfo is None):
            return value
        raise ValidationError("A wall-clock time carries no offset.", code="invalid")

    def value_to_string(self, obj):
        value = self.value_from_object(obj)
        return "" if value is None else value.isoformat()
