"""Shapes of files on the API."""

import re

from rest_framework import serializers

from accounts.api import ClientIdField, ScopedRelatedField
from messaging.models import MediaFile, MediaPart, MediaUpload
from messaging.services.media.links import file_url, thumbnail_url


class MediaField(ScopedRelatedField):
    """The id of a file in a payload; a foreign id is as unknown as a missing one."""

    def __init__(self, **kwargs):
        if not kwargs.get("read_only"):
            kwargs.setdefault("queryset", MediaFile.objects)
        kwargs.setdefault("help_text", "The id of an uploaded file.")
        super().__init__(**kwargs)


class MediaFileSerializer(serializers.ModelSerializer):
    """A file. Its links need no token and are valid for ten minutes."""

    url = serializers.SerializerMethodField(help_text="Loads the file; valid for ten minutes.")
    thumbnail_url = serializers.SerializerMethodField(help_text="Loads a WebP of at most 320 pixels; null without one.")

    class Meta:
        model = MediaFile
        fields = ["id", "media_type", "name", "size", "width", "height", "url", "thumbnail_url", "created_at"]

    def get_url(self, media) -> str:
        return file_url(media)

    def get_thumbnail_url(self, media) -> str | None:
        return thumbnail_url(media)


class MediaUploadedSerializer(serializers.Serializer):
    """A file at once: as the field `file` of a form, or as the body."""

    id = ClientIdField()
    name = serializers.CharField(
        max_length=255,
        required=False,
        allow_blank=True,
        help_text="What it is called; a form's own file name without it.",
    )
    file = serializers.FileField(allow_empty_file=True)


class HashField(serializers.CharField):
    """SHA-256 as 64 hexadecimal digits."""

    default_error_messages = {"digits": "Write it as 64 hexadecimal digits."}

    def to_internal_value(self, data) -> bytes:
        text = super().to_internal_value(data)
        if not re.fullmatch("[0-9a-fA-F]{64}", text):
            self.fail("digits")
        return bytes.fromhex(text)

    def to_representation(self, value) -> str:
        return bytes(value).hex()


class MediaPartSerializer(serializers.ModelSerializer):
    """A part that is here."""

    sha256 = HashField(help_text="Of the part, as 64 hexadecimal digits.")

    class Meta:
        model = MediaPart
        fields = ["number", "size", "sha256"]


class MediaUploadSerializer(serializers.ModelSerializer):
    """A file that comes in parts."""

    id = ClientIdField()
    name = serializers.CharField(max_length=255, required=False, allow_blank=True)
    size = serializers.IntegerField(min_value=1, max_value=2**40, help_text="Bytes of the whole file.")
    sha256 = HashField(required=False, allow_null=True, help_text="Of the whole file; checked when it is complete.")
    parts = MediaPartSerializer(many=True, read_only=True)
    received = serializers.SerializerMethodField(help_text="Bytes that are here.")
    media = serializers.UUIDField(
        source="completed_as", read_only=True, help_text="The file; null until it is complete."
    )

    class Meta:
        model = MediaUpload
        fields = ["id", "name", "size", "sha256", "parts", "received", "media", "created_at"]

    def get_received(self, upload) -> int:
        return sum(part.size for part in upload.parts.all())
