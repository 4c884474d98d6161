"""Shapes of links to conversations on the API."""

from django.conf import settings
from django.urls import reverse
from rest_framework import serializers

from accounts.api import ClientIdField, ScopedRelatedField
from crm.models import Chat
from messaging.models import ShareLink, ShareOpening
from messaging.models.sharing import MAX_SHARED


def share_url(token: str) -> str:
    """The link that is given away."""
    return f"{settings.BASE_URL}{reverse('shared', args=[token])}"


class ShareLinkSerializer(serializers.ModelSerializer):
    """A link. `url` is told once, in the answer that made it."""

    message_count = serializers.SerializerMethodField(help_text="Messages that it names, those left out included.")
    has_password = serializers.SerializerMethodField()
    url = serializers.SerializerMethodField(help_text="null but in the answer that made it: only a hash is kept.")

    class Meta:
        model = ShareLink
        fields = [
            *("id", "chat", "message_count", "redact_numbers", "include_media", "has_password", "expires_at"),
            *("revoked_at", "opened_count", "created_by", "created_at", "url"),
        ]

    def get_message_count(self, share) -> int:
        return len(share.message_ids)

    def get_has_password(self, share) -> bool:
        return bool(share.password)

    def get_url(self, share) -> str | None:
        token = getattr(share, "token", None)
        return token and share_url(token)


class NewShareSerializer(serializers.Serializer):
    """What a link shows, and for how long: `messages` by id, or all from `from` to `to` as they stand now."""

    id = ClientIdField()
    chat = ScopedRelatedField(queryset=Chat.objects)
    messages = serializers.ListField(child=serializers.UUIDField(), max_length=MAX_SHARED, required=False)
    to = serializers.UUIDField(required=False, help_text="The last message; the newest of now without it.")
    removed = serializers.ListField(
        child=serializers.UUIDField(), max_length=MAX_SHARED, required=False, help_text="Messages that are left out."
    )
    expires_at = serializers.DateTimeField(help_text="Within 30 days.")
    password = serializers.CharField(min_length=6, max_length=128, required=False, trim_whitespace=False)
    redact_numbers = serializers.BooleanField(default=True)
    include_media = serializers.BooleanField(default=False)

    def get_fields(self):
        return {
            **super().get_fields(),
            "from": serializers.UUIDField(required=False, help_text="The first message, instead of `messages`."),
        }


class ShareOpeningSerializer(serializers.ModelSerializer):
    class Meta:
        model = ShareOpening
        fields = ["id", "opened_at", "agent", "network"]
