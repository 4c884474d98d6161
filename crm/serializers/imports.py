"""Shapes of imports on the API."""

from rest_framework import serializers

from accounts.api import ClientIdField
from crm.models import ImportBatch, ImportRow
from waplus.lib.phones import validate_region


class ImportBatchSerializer(serializers.ModelSerializer):
    class Meta:
        model = ImportBatch
        fields = [
            "id",
            "file_name",
            "default_country",
            "state",
            "problem",
            "rows_total",
            "rows_created",
            "rows_merged",
            "rows_unchanged",
            "rows_refused",
            "ignored_columns",
            "created_at",
            "finished_at",
        ]


class UploadSerializer(serializers.Serializer):
    """A contact file: Google Contacts CSV."""

    id = ClientIdField()
    file = serializers.FileField(max_length=200)
    default_country = serializers.CharField(
        max_length=2, required=False, validators=[validate_region], help_text="For numbers without a country code."
    )


class ImportRowSerializer(serializers.ModelSerializer):
    class Meta:
        model = ImportRow
        fields = ["row_number", "outcome", "reason", "contact_id"]
