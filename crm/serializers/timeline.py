"""Shapes of a contact's timeline."""

from rest_framework import serializers

from crm.services.timeline.registry import timeline_kinds

KINDS = [(kind, kind) for kind in timeline_kinds()]


class NamedSerializer(serializers.Serializer):
    """Somebody or something by id, with its present name; empty when it is gone."""

    id = serializers.UUIDField()
    name = serializers.CharField(allow_blank=True)


class ChangedFieldSerializer(serializers.Serializer):
    """A field that was changed; its value is not told."""

    field = serializers.CharField(help_text="name, company, email, identities, owner, stage, fields …")
    to = NamedSerializer(
        allow_null=True, help_text="The new owner or stage, null for none; of `fields` the custom field itself."
    )


class TimelineEntrySerializer(serializers.Serializer):
    """One thing that happened with a contact; which members it has beside the first four follows from its kind."""

    at = serializers.DateTimeField()
    kind = serializers.ChoiceField(choices=KINDS)
    id = serializers.UUIDField(help_text="Of what it tells of; unique together with `kind`.")
    actor = NamedSerializer(allow_null=True, help_text="null: the server, WhatsApp, or nobody knows any more.")
    text = serializers.CharField(
        required=False, help_text="Of a note or reminder: the first 300 characters as they read now."
    )
    fields = ChangedFieldSerializer(many=True, required=False, help_text="Of contact.updated.")
    tag = NamedSerializer(required=False, help_text="Of tag.added and tag.removed.")
    contact = NamedSerializer(required=False, help_text="The other contact of merge.made and merge.undone.")
    batch = NamedSerializer(required=False, help_text="The import of import.created and import.changed; its file.")
    chat = NamedSerializer(required=False, help_text="Of chat.message: the last message of each chat alone.")
