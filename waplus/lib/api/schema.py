"""What OpenAPI says of every route: problem documents, cursors and the headers that we understand."""

from functools import cache

from drf_spectacular.openapi import AutoSchema
from drf_spectacular.utils import OpenApiParameter, OpenApiResponse
from rest_framework import serializers


class FieldProblem(serializers.Serializer):
    """One field that was refused."""

    field = serializers.CharField(help_text="Dotted path from the root of the payload; empty for the whole.")
    code = serializers.CharField()
    detail = serializers.CharField()


class Problem(serializers.Serializer):
    """A refusal (RFC 9457)."""

    type = serializers.URLField()
    title = serializers.CharField()
    status = serializers.IntegerField()
    detail = serializers.CharField()
    code = serializers.CharField(help_text="Stable; see /api/v1/errors/.")
    request_id = serializers.CharField()
    errors = FieldProblem(many=True, required=False)


PAGE_PARAMETERS = [
    OpenApiParameter("cursor", str, description="`next_cursor` of the page before."),
    OpenApiParameter("limit", int, description="Rows a page, 1 to 200; 50 without it."),
]
IDEMPOTENCY_PARAMETER = OpenApiParameter(
    "Idempotency-Key",
    str,
    OpenApiParameter.HEADER,
    description="8 to 128 characters of your choice. A repeat with the same key within a day answers as the first did.",
)


@cache
def page_of(serializer: type[serializers.Serializer]) -> type[serializers.Serializer]:
    """The serializer of a keyset page of `serializer`."""
    name = serializer.__name__.removesuffix("Serializer") + "Page"
    fields = {
        "results": serializer(many=True),
        "next_cursor": serializers.CharField(allow_null=True, help_text="null on the last page."),
    }
    return type(name, (serializers.Serializer,), fields)


VERSION_PARAMETER = OpenApiParameter(
    "X-Client-Version",
    str,
    OpenApiParameter.HEADER,
    description="The extension's version; one that is too old gets 426.",
)
PRECONDITION_PARAMETER = OpenApiParameter(
    "If-Match", str, OpenApiParameter.HEADER, description="The ETag that you read; 412 if somebody changed it since."
)


class ProblemAutoSchema(AutoSchema):
    """Adds what every route understands and may answer: the version's header, and a problem document."""

    def get_override_parameters(self):
        common = [VERSION_PARAMETER]
        if self.method == "PATCH" and hasattr(self.view, "check_precondition"):
            common.append(PRECONDITION_PARAMETER)
        return [*super().get_override_parameters(), *common]

    def _get_response_bodies(self, direction="response"):
        bodies = super()._get_response_bodies(direction=direction)
        response = OpenApiResponse(Problem, description="A refusal: branch on `code`.")
        answer = self._get_response_for_code(response, "default", media_types=["application/problem+json"])
        return {**bodies, "default": answer}
