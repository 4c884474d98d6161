"""Shapes of lists of numbers on the API. The numbers themselves are never shown."""

from django.urls import reverse
from rest_framework import serializers

from accounts.api import ClientIdField
from messaging.models import NumberList, NumberListRefusal
from messaging.models.suppression import MAX_NOTE


class NumberListSerializer(serializers.ModelSerializer):
    """A list that is taken over: `done` of `total` lines are read, and each of them is `added`, `known` or `refused`."""

    url = serializers.SerializerMethodField(help_text="Ask here how far it is.")
    total = serializers.IntegerField(read_only=True, help_text="Lines, without empty ones and a heading.")
    added = serializers.IntegerField(read_only=True, help_text="Lines by which somebody came onto the list.")
    known = serializers.IntegerField(
        read_only=True, help_text="Lines that name somebody who was on the list before, or by an earlier line."
    )
    refused = serializers.IntegerField(read_only=True, help_text="Lines without a number: see `refusals/`.")

    class Meta:
        model = NumberList
        fields = [
            *("id", "url", "file_name", "note", "state", "problem", "total", "done", "added", "known", "refused"),
            *("created_by", "created_at", "finished_at"),
        ]
        read_only_fields = fields

    def get_url(self, row: NumberList) -> str:
        return reverse("api-number-list", args=[row.pk])


class NewNumberListSerializer(serializers.Serializer):
    """A text file with a number or WhatsApp id a line, alone or in a cell of CSV; 100,000 lines at most."""

    id = ClientIdField()
    file = serializers.FileField(max_length=200)
    note = serializers.CharField(max_length=MAX_NOTE, required=False, allow_blank=True)


class NumberListRefusalSerializer(serializers.ModelSerializer):
    """A line that was refused."""

    code = serializers.CharField(read_only=True, help_text="`no_number`, `invalid_phone` or `invalid_jid`.")

    class Meta:
        model = NumberListRefusal
        fields = ["line", "code", "detail"]
        read_only_fields = fields
