"""Shapes of imports on the API."""

from rest_framework import serializers

from accounts.api import ClientIdField
from crm.models import DuplicatePolicy, ImportBatch, ImportRow, RowOutcome, StagedRow
from crm.services.imports.reading.source import MAX_COLUMNS
from waplus.lib.phones import validate_region

MAX_TAGS = 50


class ColumnSerializer(serializers.Serializer):
    """A column of the file: its title, some values, and what it is taken for."""

    title = serializers.CharField(read_only=True)
    samples = serializers.ListField(child=serializers.CharField(), read_only=True)
    target = serializers.CharField(
        read_only=True,
        help_text="name, first_name, middle_name, last_name, nickname, company, email, phone, whatsapp, note, tags, "
        "stage, ignore, or field:<id> of a custom field.",
    )


class PreviewSerializer(serializers.Serializer):
    """How many rows would have which outcome."""

    total = serializers.IntegerField(read_only=True)
    created = serializers.IntegerField(read_only=True)
    merged = serializers.IntegerField(read_only=True)
    unchanged = serializers.IntegerField(read_only=True)
    skipped = serializers.IntegerField(read_only=True)
    refused = serializers.IntegerField(read_only=True)


class ImportBatchSerializer(serializers.ModelSerializer):
    columns = ColumnSerializer(many=True, read_only=True)
    preview = PreviewSerializer(read_only=True, allow_null=True)
    tags = serializers.ListField(child=serializers.UUIDField(), read_only=True)
    remarks = serializers.ListField(child=serializers.CharField(), read_only=True)
    ignored_columns = serializers.ListField(child=serializers.CharField(), read_only=True)

    class Meta:
        model = ImportBatch
        fields = [
            *("id", "file_name", "format", "encoding", "delimiter", "has_header", "columns", "ignored_columns"),
            *("default_country", "duplicates", "tags", "remarks", "state", "problem", "preview", "rows_total"),
            *("rows_done", "rows_created", "rows_merged", "rows_unchanged", "rows_skipped", "rows_refused"),
            *("contacts_deleted", "rows_restored", "rows_kept", "created_at", "finished_at"),
        ]


class UploadSerializer(serializers.Serializer):
    """A contact file: CSV in any encoding and with any delimiter, XLSX, or vCard; exports of Google and Outlook."""

    id = ClientIdField()
    file = serializers.FileField(max_length=200)
    default_country = serializers.CharField(
        max_length=2, required=False, validators=[validate_region], help_text="For numbers without a country code."
    )
    duplicates = serializers.ChoiceField(choices=DuplicatePolicy.choices, required=False)
    tags = serializers.ListField(
        child=serializers.UUIDField(), required=False, max_length=MAX_TAGS, help_text="Of every contact of the file."
    )
    start = serializers.BooleanField(
        required=False,
        default=True,
        help_text="False: wait for the columns to be looked at, and for a preview; true: import as detected.",
    )


class ImportChangeSerializer(serializers.Serializer):
    """What may be chosen before an import is started."""

    targets = serializers.ListField(
        child=serializers.CharField(max_length=50),
        required=False,
        max_length=MAX_COLUMNS,
        help_text="One for each column, in order.",
    )
    default_country = serializers.CharField(
        max_length=2, required=False, allow_blank=True, validators=[validate_region]
    )
    duplicates = serializers.ChoiceField(choices=DuplicatePolicy.choices, required=False)
    tags = serializers.ListField(child=serializers.UUIDField(), required=False, max_length=MAX_TAGS)
    encoding = serializers.CharField(max_length=20, required=False, help_text="Of text files, such as cp1252.")
    delimiter = serializers.CharField(
        max_length=1, required=False, trim_whitespace=False, help_text="Of delimited text: one character."
    )
    has_header = serializers.BooleanField(required=False)


class ImportRowSerializer(serializers.ModelSerializer):
    class Meta:
        model = ImportRow
        fields = ["row_number", "outcome", "reason", "contact_id", "undone", "kept_because"]


class PreviewRowSerializer(serializers.ModelSerializer):
    """A row as it was read, and what would become of it."""

    outcome = serializers.ChoiceField(choices=RowOutcome.choices, read_only=True)
    reason = serializers.CharField(source="notes", read_only=True)
    numbers = serializers.ListField(source="values", child=serializers.CharField(), read_only=True)
    contact_id = serializers.UUIDField(read_only=True, allow_null=True, help_text="The contact that it would change.")

    class Meta:
        model = StagedRow
        fields = ["row_number", "outcome", "reason", "name", "company", "email", "numbers", "note", "contact_id"]
        read_only_fields = fields
