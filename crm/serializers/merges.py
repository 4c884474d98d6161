"""Shapes of merges and of suggestions of them."""

from rest_framework import serializers

from accounts.api import ClientIdField, ScopedRelatedField
from crm.models import Contact, Merge, MergeSuggestion


class MergeSerializer(serializers.ModelSerializer):
    kept = serializers.UUIDField(source="kept_id", help_text="The contact that stayed.")
    absorbed = serializers.UUIDField(source="absorbed_id", help_text="The contact that went into it.")
    filled = serializers.SerializerMethodField(help_text="Fields that the kept contact took over, because it had none.")
    merged_by = serializers.UUIDField(source="merged_by_id", allow_null=True)

    class Meta:
        model = Merge
        fields = ["id", "kept", "absorbed", "filled", "merged_by", "merged_at", "undone_at"]

    def get_filled(self, merge) -> list[str]:
        return sorted(name.removesuffix("_id") for name in merge.after)


class MergeRequestSerializer(serializers.Serializer):
    id = ClientIdField()
    other = ScopedRelatedField(queryset=Contact.objects, help_text="The contact that goes into this one.")


class SuggestedContactSerializer(serializers.ModelSerializer):
    """As much of a contact as tells whether two are one person."""

    class Meta:
        model = Contact
        fields = ["id", "name", "profile_name", "company", "email"]


class MergeSuggestionSerializer(serializers.ModelSerializer):
    one = SuggestedContactSerializer()
    other = SuggestedContactSerializer()

    class Meta:
        model = MergeSuggestion
        fields = ["id", "one", "other", "reason", "detail", "created_at"]


class AcceptSerializer(serializers.Serializer):
    kept = ScopedRelatedField(
        queryset=Contact.objects, required=False, help_text="Which of the two stays; without it, the older one."
    )
