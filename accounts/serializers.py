"""Shapes of accounts on the API."""

from django.conf import settings
from rest_framework import serializers

from accounts.api import ClientIdField
from accounts.models import Event, ExtensionInstance, Invitation, Membership, Plan, Role, User, Workspace
from accounts.models.workspaces import ASSIGNABLE_ROLES
from waplus.lib.ids import validate_uuid7
from waplus.lib.phones import validate_region
from waplus.lib.walltime import validate_zone


class EnvironmentSerializer(serializers.Serializer):
    """What an instance tells of itself."""

    version = serializers.RegexField(
        r"^[0-9]{1,6}(\.[0-9]{1,6}){0,3}$", help_text="Version of the extension, such as 1.4.2."
    )
    browser = serializers.CharField(max_length=100, required=False, allow_blank=True)
    operating_system = serializers.CharField(max_length=100, required=False, allow_blank=True)
    platform = serializers.CharField(max_length=100, required=False, allow_blank=True)
    language = serializers.RegexField(
        r"^[A-Za-z0-9-]*$", max_length=35, required=False, allow_blank=True, help_text="BCP 47, such as pt-BR."
    )
    time_zone = serializers.CharField(max_length=64, required=False, validators=[validate_zone], help_text="IANA name.")
    whatsapp_web_version = serializers.CharField(max_length=64, required=False, allow_blank=True)


class RegistrationSerializer(EnvironmentSerializer):
    """An installation introduces itself."""

    id = serializers.UUIDField(validators=[validate_uuid7], help_text="A UUIDv7 that the extension made at install.")
    secret = serializers.CharField(
        min_length=43,
        max_length=128,
        write_only=True,
        help_text="At least 256 random bits in base64url, made at install and kept.",
    )
    installed_at = serializers.DateTimeField()


class RegisteredInstanceSerializer(serializers.ModelSerializer):
    """An installation as anybody who knows its secret may see it."""

    class Meta:
        model = ExtensionInstance
        fields = ["id", "version", "installed_at", "registered_at"]


class InstanceSerializer(serializers.ModelSerializer):
    """A device on its person's list."""

    is_connected = serializers.SerializerMethodField(help_text="Whether it is logged in now.")
    is_this_one = serializers.SerializerMethodField(help_text="Whether it is the one that asks.")

    class Meta:
        model = ExtensionInstance
        fields = [
            "id",
            "name",
            "version",
            "installed_at",
            "browser",
            "operating_system",
            "platform",
            "language",
            "time_zone",
            "whatsapp_web_version",
            "registered_at",
            "seen_at",
            "is_connected",
            "is_this_one",
        ]

    def get_is_connected(self, instance) -> bool:
        return instance.alive

    def get_is_this_one(self, instance) -> bool:
        return instance.pk == self.context["request"].auth.instance.pk


class RenameSerializer(serializers.Serializer):
    name = serializers.CharField(max_length=60, allow_blank=True)


class ExchangeSerializer(serializers.Serializer):
    """What proves the instance; the person is proven by the identity cookie or `X-Session-Token`."""

    instance_id = serializers.UUIDField()
    instance_secret = serializers.CharField(max_length=128)
    workspace_id = serializers.UUIDField(
        required=False, help_text="Without it: the workspace that the person chose last."
    )


class RefreshSerializer(serializers.Serializer):
    refresh_token = serializers.CharField(max_length=128)
    instance_id = serializers.UUIDField()
    instance_secret = serializers.CharField(max_length=128)


class SwitchSerializer(serializers.Serializer):
    workspace_id = serializers.UUIDField()


class TokensSerializer(serializers.Serializer):
    """A fresh pair of tokens. Keep the refresh token; the access token dies by itself."""

    access_token = serializers.CharField()
    access_expires_at = serializers.DateTimeField()
    refresh_token = serializers.CharField()
    refresh_expires_at = serializers.DateTimeField()
    workspace_id = serializers.UUIDField(source="session.workspace_id")


class PlanSerializer(serializers.ModelSerializer):
    class Meta:
        model = Plan
        fields = [
            "code",
            "name",
            "max_contacts",
            "max_members",
            "max_whatsapp_numbers",
            "max_scheduled_messages",
            "max_broadcast_recipients",
            "max_ai_credits",
            "max_media_bytes",
            "max_media_mb",
            "requests_per_minute",
        ]


class UsageSerializer(serializers.Serializer):
    resource = serializers.CharField()
    label = serializers.CharField()
    limit = serializers.IntegerField()
    used = serializers.IntegerField()
    bytes = serializers.BooleanField(help_text="Counted in bytes, not in pieces.")
    monthly = serializers.BooleanField(help_text="Counted anew from the first of each month, in UTC.")


class PersonSerializer(serializers.ModelSerializer):
    time_zone = serializers.CharField(max_length=64, validators=[validate_zone])
    language = serializers.ChoiceField(choices=settings.LANGUAGES)

    class Meta:
        model = User
        fields = ["id", "email", "name", "time_zone", "language", "reminders_by_email", "warnings_by_email"]
        read_only_fields = ["id", "email"]


class WorkspaceSerializer(serializers.ModelSerializer):
    id = ClientIdField()
    name = serializers.CharField(max_length=100)
    default_country = serializers.CharField(
        max_length=2, required=False, allow_blank=True, validators=[validate_region]
    )
    plan = serializers.CharField(source="plan.code", read_only=True)

    class Meta:
        model = Workspace
        fields = ["id", "name", "default_country", "plan", "created_at"]
        read_only_fields = ["created_at"]


class WorkspaceChangeSerializer(WorkspaceSerializer):
    """What may be changed of a workspace."""

    id = plan = None

    class Meta(WorkspaceSerializer.Meta):
        fields = ["name", "default_country"]
        read_only_fields = []


class OwnWorkspaceSerializer(serializers.ModelSerializer):
    """A workspace as one of a person's own."""

    id = serializers.UUIDField(source="workspace.id")
    name = serializers.CharField(source="workspace.name")
    joined_at = serializers.DateTimeField(source="created_at")

    class Meta:
        model = Membership
        fields = ["id", "name", "role", "joined_at"]


class MemberSerializer(serializers.ModelSerializer):
    user_id = serializers.UUIDField(read_only=True, help_text="The person, as owners of contacts name them.")
    name = serializers.CharField(source="user.name", read_only=True)
    email = serializers.EmailField(source="user.email", read_only=True)
    joined_at = serializers.DateTimeField(source="created_at", read_only=True)

    class Meta:
        model = Membership
        fields = ["id", "user_id", "name", "email", "role", "joined_at"]


class RoleSerializer(serializers.Serializer):
    role = serializers.ChoiceField(choices=ASSIGNABLE_ROLES)


class TransferSerializer(serializers.Serializer):
    member_id = serializers.UUIDField(help_text="The membership of the new owner.")


class InvitationSerializer(serializers.ModelSerializer):
    id = ClientIdField()
    email = serializers.EmailField(max_length=254)
    role = serializers.ChoiceField(choices=ASSIGNABLE_ROLES, default=Role.MEMBER)

    class Meta:
        model = Invitation
        fields = ["id", "email", "role", "created_at", "expires_at"]
        read_only_fields = ["created_at", "expires_at"]


class EventSerializer(serializers.ModelSerializer):
    class Meta:
        model = Event
        fields = [
            "id",
            "kind",
            "actor_kind",
            "actor_user_id",
            "actor_instance_id",
            "object_type",
            "object_id",
            "changed",
            "count",
            "happened_at",
        ]


class MeSerializer(serializers.Serializer):
    """Who asks, where, and what they may."""

    person = PersonSerializer()
    workspace = WorkspaceSerializer()
    role = serializers.ChoiceField(choices=Role)
    plan = PlanSerializer()
    usage = UsageSerializer(many=True)
    instance_id = serializers.UUIDField()
    minimum_version = serializers.CharField(help_text="Extensions below it are answered 426.")
    wake_up_url = serializers.URLField(help_text="Where to wait for word of changes; see docs/wakeups.md.")
