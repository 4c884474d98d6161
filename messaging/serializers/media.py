"""Shapes of files on the API."""

from rest_framework import serializers

from accounts.api import ScopedRelatedField
from messaging.models import MediaFile
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
