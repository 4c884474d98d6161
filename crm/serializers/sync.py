"""Shapes of synchronisation on the API."""

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from crm.models import IdentityKind
from crm.serializers.chats import ChatChangeSerializer
from crm.serializers.contacts import ContactChangeSerializer, ContactSerializer
from crm.serializers.notes import NoteChangeSerializer, NoteSerializer
from crm.serializers.records import (
    CustomFieldChangeSerializer,
    CustomFieldSerializer,
    StageChangeSerializer,
    StageSerializer,
    TagChangeSerializer,
    TagSerializer,
)
from crm.serializers.reminders import DoneRequestSerializer, ReminderChangeSerializer, ReminderSerializer
from crm.serializers.tabs import TabChangeSerializer, TabSerializer
from crm.serializers.whatsapp_accounts import WhatsAppAccountChangeSerializer, WhatsAppAccountSerializer
from crm.services.sync.handlers.registry import APPLIED, MERGED, REFUSED, UNCHANGED
from crm.services.sync.pushing import MAX_CHANGES
from waplus.lib.api.problems import field_errors
from waplus.lib.api.schema import FieldProblem
from waplus.lib.errors import FieldError, Refused


class ChangeSerializer(serializers.Serializer):
    """A row as it is now, or that it is gone."""

    kind = serializers.CharField(help_text="What it is a row of: contact, note, tag …")
    id = serializers.UUIDField()
    document = serializers.DictField(required=False, help_text="The whole row. Not there if it is deleted.")
    deleted = serializers.BooleanField(required=False, help_text="true if the row is gone, or not yours to see.")


class PulledSerializer(serializers.Serializer):
    """A page of changes."""

    changes = ChangeSerializer(many=True)
    next = serializers.CharField(help_text="The token to go on with. Opaque.")
    more = serializers.BooleanField(help_text="Whether to go on at once; false when you are up to date.")
    epoch = serializers.UUIDField(help_text="The history that versions belong to; changes that you push name it.")
    wake_up = serializers.URLField(
        required=False, help_text="Where to listen for news, if the server has such a channel."
    )


# --- What a change may set, by kind and operation -------------------------------------------------


class PushedContactChange(ContactChangeSerializer):
    """A contact's own columns; values of custom fields are rows of their own."""

    class Meta(ContactChangeSerializer.Meta):
        fields = ["name", "company", "email", "owner", "stage"]


class PushedIdentity(serializers.Serializer):
    contact = serializers.UUIDField()
    kind = serializers.ChoiceField(choices=IdentityKind)
    value = serializers.CharField(max_length=150)


class PushedContactTag(serializers.Serializer):
    contact = serializers.UUIDField()
    tag = serializers.UUIDField()


class PushedFieldValue(serializers.Serializer):
    contact = serializers.UUIDField()
    field = serializers.UUIDField()
    value = serializers.JSONField()


class PushedFieldValueChange(serializers.Serializer):
    value = serializers.JSONField()


class PushedNote(NoteSerializer):
    contact = serializers.UUIDField()


class PushedReminderChange(ReminderChangeSerializer):
    snoozed_until = serializers.DateTimeField(required=False, allow_null=True)

    class Meta(ReminderChangeSerializer.Meta):
        fields = [*ReminderChangeSerializer.Meta.fields, "snoozed_until"]


class PushedMove(serializers.Serializer):
    after = serializers.UUIDField(allow_null=True)


class Nothing(serializers.Serializer):
    """An operation that says everything itself."""


SHAPES: dict[tuple[str, str], type[serializers.Serializer]] = {
    ("contact", "create"): ContactSerializer,
    ("contact", "update"): PushedContactChange,
    ("contact_identity", "create"): PushedIdentity,
    ("tag", "create"): TagSerializer,
    ("tag", "update"): TagChangeSerializer,
    ("contact_tag", "create"): PushedContactTag,
    ("field_value", "create"): PushedFieldValue,
    ("field_value", "update"): PushedFieldValueChange,
    ("note", "create"): PushedNote,
    ("note", "update"): NoteChangeSerializer,
    ("reminder", "create"): ReminderSerializer,
    ("reminder", "update"): PushedReminderChange,
    ("reminder", "done"): DoneRequestSerializer,
    ("tag", "move"): PushedMove,
    ("stage", "create"): StageSerializer,
    ("stage", "update"): StageChangeSerializer,
    ("stage", "move"): PushedMove,
    ("custom_field", "create"): CustomFieldSerializer,
    ("custom_field", "update"): CustomFieldChangeSerializer,
    ("custom_field", "move"): PushedMove,
    ("tab", "create"): TabSerializer,
    ("tab", "update"): TabChangeSerializer,
    ("tab", "move"): PushedMove,
    ("whatsapp_account", "create"): WhatsAppAccountSerializer,
    ("whatsapp_account", "update"): WhatsAppAccountChangeSerializer,
    ("chat", "update"): ChatChangeSerializer,
}
# Their updates set their one member, and are nothing without it.
_WHOLE = ("field_value", "chat")


def read_values(kind: str, op: str, values: dict, context: dict) -> dict:
    """Read what a change sets by the rules of the API; refuses with dotted names of what is wrong below `set`."""
    shape = SHAPES.get((kind, op), Nothing)
    serializer = shape(data=values, context=context, partial=op == "update" and kind not in _WHOLE)
    settable = {name for name, field in serializer.fields.items() if not field.read_only and name != "id"}
    errors = [
        FieldError(f"set.{name[:60]}", "unknown_field", "It cannot be set.") for name in values if name not in settable
    ]
    if not errors and not serializer.is_valid():
        errors = [
            FieldError(f"set.{error.field}", error.code, error.detail) for error in field_errors(serializer.errors)
        ]
    if errors:
        refusal = Refused("invalid")
        refusal.fields = errors
        raise refusal
    return serializer.validated_data


# --- The batch ------------------------------------------------------------------------------------


class PushedChangeSerializer(serializers.Serializer):
    """A change that a device made; see docs/sync.md."""

    change_id = serializers.UUIDField(help_text="A UUIDv7 of your own for this change: sent again, it does nothing.")
    kind = serializers.CharField()
    op = serializers.CharField(
        help_text="create, update, delete, restore, move, retire, done, reopen; see the table there."
    )
    id = serializers.UUIDField(help_text="Of the row; of a new one a UUIDv7 of your own.")
    epoch = serializers.UUIDField(required=False, help_text="Of updates: the epoch of the pull that you started from.")
    base_version = serializers.IntegerField(
        required=False, help_text="Of updates: the row's version that you started from."
    )
    base_versions = serializers.DictField(
        child=serializers.IntegerField(), required=False, help_text="By member, where it differs from base_version."
    )
    set = serializers.DictField(required=False, help_text="The members that are set.")


@extend_schema_field(PushedChangeSerializer(many=True))
class _Changes(serializers.ListField):
    pass


class PushSerializer(serializers.Serializer):
    # The items are read one by one by the service: one that is wrong refuses itself alone.
    changes = _Changes(child=serializers.JSONField(allow_null=True), max_length=MAX_CHANGES)


class PushOutcomeSerializer(serializers.Serializer):
    """What became of a change."""

    change_id = serializers.CharField(allow_null=True)
    status = serializers.ChoiceField(choices=(APPLIED, MERGED, UNCHANGED, REFUSED))
    kind = serializers.CharField()
    id = serializers.UUIDField(
        allow_null=True,
        help_text="The row's id here, null if there is none: if it is not the one you sent, use this one.",
    )
    code = serializers.CharField(help_text="Why it was refused; empty otherwise.")
    detail = serializers.CharField()
    fields = FieldProblem(many=True, help_text="What was not taken, and why.")
    extra = serializers.DictField(help_text="More about the refusal, such as contact_id.")
    current = ChangeSerializer(allow_null=True, help_text="The row as it is now; null if it is gone.")


class PushOutcomesSerializer(serializers.Serializer):
    results = PushOutcomeSerializer(many=True, help_text="In the order of the changes.")
