"""Shapes of chats and of members of groups. Reported chats are read one by one by the service."""

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from crm.models import Chat, GroupMember
from crm.services.group_members import MAX_MEMBERS
from crm.services.reports import MAX_ITEMS


class ChatSerializer(serializers.ModelSerializer):
    whatsapp_account = serializers.UUIDField(source="whatsapp_account_id", read_only=True)
    contact = serializers.UUIDField(source="contact_id", read_only=True, allow_null=True)
    avatar = serializers.UUIDField(source="avatar_id", read_only=True, allow_null=True)

    class Meta:
        model = Chat
        fields = [
            *("id", "whatsapp_account", "jid", "kind", "name", "own_name", "description", "contact", "avatar"),
            "unread_count",
            *("last_message_at", "last_inbound_at", "last_outbound_at", "awaiting_reply", "archived", "pinned"),
            "created_at",
        ]


class ChatChangeSerializer(serializers.Serializer):
    own_name = serializers.CharField(
        max_length=300, allow_blank=True, help_text="What members call the chat; empty: as WhatsApp calls it."
    )


class ChatReportSerializer(serializers.Serializer):
    """A chat as WhatsApp Web shows it. What is left out stays; times only move forward."""

    whatsapp_account = serializers.UUIDField()
    jid = serializers.CharField(help_text="…@c.us, …@lid, …@g.us, …@newsletter or …@broadcast.")
    name = serializers.CharField(required=False, help_text="As WhatsApp shows it; a member's `own_name` stays.")
    description = serializers.CharField(required=False)
    unread_count = serializers.IntegerField(required=False)
    last_message_at = serializers.DateTimeField(required=False)
    last_inbound_at = serializers.DateTimeField(required=False)
    last_outbound_at = serializers.DateTimeField(required=False)
    archived = serializers.BooleanField(required=False)
    pinned = serializers.BooleanField(required=False)


@extend_schema_field(ChatReportSerializer(many=True))
class _Chats(serializers.ListField):
    pass


class ChatReportsSerializer(serializers.Serializer):
    chats = _Chats(child=serializers.JSONField(allow_null=True), min_length=1, max_length=MAX_ITEMS)


class ChatOutcomeSerializer(serializers.Serializer):
    outcome = serializers.ChoiceField(choices=("created", "updated", "unchanged", "refused"))
    chat = serializers.UUIDField(source="row_id", allow_null=True)
    code = serializers.CharField(help_text="Why it was refused; empty otherwise.")
    detail = serializers.CharField()


class ChatOutcomesSerializer(serializers.Serializer):
    results = ChatOutcomeSerializer(many=True, help_text="In the order of the chats.")


class GroupMemberSerializer(serializers.ModelSerializer):
    contact = serializers.UUIDField(source="contact_id", read_only=True, allow_null=True)

    class Meta:
        model = GroupMember
        fields = ["id", "jid", "name", "is_admin", "contact"]


class ReportedMemberSerializer(serializers.Serializer):
    jid = serializers.CharField()
    name = serializers.CharField(required=False)
    is_admin = serializers.BooleanField(required=False)


@extend_schema_field(ReportedMemberSerializer(many=True))
class _Members(serializers.ListField):
    pass


class MembersSerializer(serializers.Serializer):
    members = _Members(child=serializers.JSONField(allow_null=True), max_length=MAX_MEMBERS)


class MemberChangesSerializer(serializers.Serializer):
    members = _Members(
        child=serializers.JSONField(allow_null=True), max_length=MAX_MEMBERS, default=list, help_text="Came or changed."
    )
    left = serializers.ListField(
        child=serializers.CharField(max_length=200), max_length=MAX_MEMBERS, default=list, help_text="JIDs that went."
    )
