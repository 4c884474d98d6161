"""What every API view of every app derives from: the workspace, the actor, pages, conditional requests, related ids."""

import hashlib
import threading
from uuid import UUID

from django.db.models import QuerySet
from rest_framework import serializers
from rest_framework.generics import GenericAPIView
from rest_framework.renderers import JSONRenderer
from rest_framework.response import Response

from accounts.models import User
from waplus.lib.api.pagination import PageRequest, Sort
from waplus.lib.errors import UNKNOWN_ID, Invalid, NotFound, Refused
from waplus.lib.ids import validate_uuid7


class ClientIdField(serializers.UUIDField):
    """An id that the client may make: a UUIDv7, or left out."""

    def __init__(self, **kwargs):
        super().__init__(
            **{
                "required": False,
                "help_text": "A UUIDv7 of your own; creating twice with one id is one object: the repeat is answered with it as it is, and its body is ignored.",
                **kwargs,
            }
        )
        self.validators = [*self.validators, validate_uuid7]


class ScopedRelatedField(serializers.PrimaryKeyRelatedField):
    """An id in a payload, resolved within the caller's workspace: a foreign id is as unknown as a missing one.

    `queryset` is a model's manager or queryset with `for_workspace`.
    """

    default_error_messages = {"does_not_exist": UNKNOWN_ID}

    def get_queryset(self) -> QuerySet:
        return super().get_queryset().for_workspace(self.context["request"].auth.workspace)


class MemberField(serializers.PrimaryKeyRelatedField):
    """The id of a person who is a member of the caller's workspace; anybody else is as unknown as nobody."""

    default_error_messages = {"does_not_exist": "Nobody with this id is a member of the workspace."}

    def __init__(self, **kwargs):
        if not kwargs.get("read_only"):
            kwargs.setdefault("queryset", User.objects.all())
        super().__init__(**kwargs)

    def get_queryset(self) -> QuerySet:
        return super().get_queryset().filter(memberships__workspace=self.context["request"].auth.workspace)


class _Built(threading.local):
    """Serializers for checking payloads. To build the fields of one costs more than to check with them, so each thread keeps them."""

    def __init__(self):
        self._serializers: dict[tuple[type, bool], serializers.Serializer] = {}

    def of(self, serializer_class: type[serializers.Serializer], partial: bool) -> serializers.Serializer:
        key = serializer_class, partial
        if key not in self._serializers:
            self._serializers[key] = serializer_class(partial=partial)
        return self._serializers[key]


_built = _Built()


class WorkspaceView(GenericAPIView):
    """A view on rows of the caller's workspace.

    Subclasses set `roles` (see `accounts.permissions`), `queryset` (of a
    `WorkspaceModel`), `serializer_class`, and for lists `sorts` and `default_sort`.
    """

    roles: dict[str, str] = {}
    sorts: dict[str, Sort] = {"newest": Sort("id", descending=True, decode=UUID)}
    default_sort = "newest"

    @property
    def workspace(self):
        return self.request.auth.workspace

    @property
    def actor(self):
        return self.request.auth.actor

    def get_queryset(self) -> QuerySet:
        return super().get_queryset().for_workspace(self.workspace)

    def get_object(self):
        """The row of the path's id, within the workspace."""
        row = self.get_queryset().filter(pk=self.kwargs["id"]).first()
        if row is None:
            raise NotFound
        return row

    def valid(self, serializer_class=None, *, partial: bool = False) -> dict:
        """The payload, validated; refuses names that the serializer does not know, so that typing errors surface."""
        serializer = _built.of(serializer_class or self.get_serializer_class(), partial)
        data = self.request.data
        unknown = {key: ["This field is not known."] for key in data if key not in serializer.fields}
        if unknown:
            raise serializers.ValidationError(unknown, code="unknown_field")
        serializer._context = self.get_serializer_context()
        try:
            return serializer.run_validation(data)
        finally:
            serializer._context = {}

    def query_id(self, name: str) -> UUID | None:
        """An id among the query's parameters, or None without it."""
        text = self.request.query_params.get(name)
        if not text:
            return None
        try:
            return UUID(text)
        except ValueError as error:
            raise Invalid(name, "invalid", "This is no id.") from error

    def listing(self, queryset: QuerySet) -> Response:
        """One keyset page of a queryset."""
        page = PageRequest.of(self.request.query_params, self.sorts, self.default_sort)
        rows, next_cursor = page.page(list(page.rows(queryset)))
        results = self.get_serializer(rows, many=True).data
        return Response({"results": results, "next_cursor": next_cursor})

    def answer(self, row, status: int = 200) -> Response:
        """One row, with its ETag; `If-None-Match` of the same state answers 304."""
        data = self.get_serializer(row).data
        tag = etag(data)
        if self.request.method == "GET" and tag in self.request.headers.get("If-None-Match", ""):
            return Response(status=304, headers={"ETag": tag})
        return Response(data, status=status, headers={"ETag": tag})

    def check_precondition(self, row) -> None:
        """Refuse a change by somebody who saw an older state, if `If-Match` says which one."""
        wanted = self.request.headers.get("If-Match")
        if wanted and wanted != "*" and etag(self.get_serializer(row).data) not in wanted:
            raise Refused("precondition_failed")


def etag(data) -> str:
    """A strong ETag over a representation."""
    return f'"{hashlib.sha256(JSONRenderer().render(data)).hexdigest()[:32]}"'
