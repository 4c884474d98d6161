"""The do-not-contact list on the API. It cannot be exported: only hashes of the numbers are kept."""

from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework.response import Response

from accounts.actors import Actor
from accounts.api import WorkspaceView
from accounts.models import Role
from messaging.models import ConsentMeans, ConsentRecord, OptOutWord, Suppression, SuppressionSource
from messaging.models.suppression import MAX_NOTE
from messaging.serializers.suppression import (
    NewSuppressionSerializer,
    OptOutWordSerializer,
    SuppressionDetailSerializer,
    SuppressionSerializer,
)
from messaging.services.suppression import acts, words
from messaging.services.suppression.shown import name_suppressed
from waplus.lib.api.pagination import PageRequest
from waplus.lib.api.schema import PAGE_PARAMETERS, page_of
from waplus.lib.errors import Invalid


class SuppressionsView(WorkspaceView):
    """Who must not be written to; add somebody."""

    roles = {"GET": Role.MEMBER, "POST": Role.MEMBER}
    queryset = Suppression.objects.filter(lifted_at=None, part_of=None).select_related("contact")
    serializer_class = SuppressionSerializer

    @extend_schema(
        operation_id="suppressions_list",
        tags=["do not contact"],
        parameters=PAGE_PARAMETERS,
        responses={200: page_of(SuppressionSerializer)},
    )
    def get(self, request):
        page = PageRequest.of(request.query_params, self.sorts, self.default_sort)
        rows, next_cursor = page.page(list(page.rows(self.get_queryset())))
        name_suppressed(rows)
        return Response({"results": self.get_serializer(rows, many=True).data, "next_cursor": next_cursor})

    @extend_schema(
        operation_id="suppressions_create",
        tags=["do not contact"],
        request=NewSuppressionSerializer,
        responses={201: SuppressionSerializer, 200: SuppressionSerializer},
    )
    def post(self, request):
        suppression, is_new = acts.suppress(
            workspace=self.workspace,
            actor=self.actor,
            source=SuppressionSource.API,
            **self.valid(NewSuppressionSerializer),
        )
        name_suppressed([suppression])
        return self.answer(suppression, status=201 if is_new else 200)


class SuppressionView(WorkspaceView):
    """One of them, with what they said; deleting allows messages again and keeps the record."""

    roles = {"GET": Role.MEMBER, "DELETE": Role.ADMIN}
    queryset = Suppression.objects.filter(part_of=None).select_related("contact")
    serializer_class = SuppressionDetailSerializer

    def _shown(self, suppression: Suppression) -> Response:
        name_suppressed([suppression])
        records = ConsentRecord.objects.for_workspace(self.workspace).filter(suppression=suppression)
        suppression._prefetched_objects_cache = {"consents": records.order_by("recorded_at", "id")}
        return self.answer(suppression)

    @extend_schema(operation_id="suppressions_read", tags=["do not contact"])
    def get(self, request, id):
        return self._shown(self.get_object())

    @extend_schema(
        operation_id="suppressions_lift",
        tags=["do not contact"],
        parameters=[
            OpenApiParameter("reason", str, required=True, description="What the consent rests on: when, how, where.")
        ],
        responses={200: SuppressionDetailSerializer},
    )
    def delete(self, request, id):
        self.get_object()
        reason = str(request.query_params.get("reason") or request.data.get("reason") or "")
        if len(reason) > MAX_NOTE:
            raise Invalid("reason", "max_length", f"At most {MAX_NOTE} characters.")
        lifted = acts.lift(
            workspace=self.workspace, actor=self.actor, suppression_id=id, evidence=reason, means=_means(self.actor)
        )
        return self._shown(lifted)


def _means(actor: Actor) -> ConsentMeans:
    return ConsentMeans.API if actor.user_id is None else ConsentMeans.PERSON


class OptOutWordsView(WorkspaceView):
    """The words that stop messages, or allow them again, when they are written alone."""

    roles = {"GET": Role.MEMBER, "PUT": Role.ADMIN}
    queryset = OptOutWord.objects.all()
    serializer_class = OptOutWordSerializer

    def _words(self) -> Response:
        rows = [
            {"word": word, "kind": kind, "language": language}
            for word, (kind, language) in words.words_of(self.workspace).items()
        ]
        return Response({"results": self.get_serializer(rows, many=True).data, "next_cursor": None})

    @extend_schema(
        operation_id="opt_out_words_list", tags=["do not contact"], responses={200: page_of(OptOutWordSerializer)}
    )
    def get(self, request):
        return self._words()

    @extend_schema(
        operation_id="opt_out_words_set", tags=["do not contact"], responses={200: page_of(OptOutWordSerializer)}
    )
    def put(self, request):
        """Give a word a meaning; `none` takes it away, from a default as well."""
        words.set_word(workspace=self.workspace, actor=self.actor, **self.valid())
        return self._words()
