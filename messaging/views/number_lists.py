"""Lists of numbers on the API: taken over to the do-not-contact list in the background."""

from drf_spectacular.utils import extend_schema
from rest_framework.parsers import MultiPartParser

from accounts.api import WorkspaceView
from accounts.models import Role
from messaging.models import NumberList
from messaging.serializers.number_lists import (
    NewNumberListSerializer,
    NumberListRefusalSerializer,
    NumberListSerializer,
)
from messaging.services.number_lists import uploading
from messaging.services.number_lists.refusals import refusals_of
from waplus.lib.api.pagination import Sort
from waplus.lib.api.schema import PAGE_PARAMETERS, page_of


class NumberListsView(WorkspaceView):
    """Upload a list of numbers that must not be written to, and see how earlier ones went."""

    roles = {"GET": Role.MEMBER, "POST": Role.ADMIN}
    parser_classes = [MultiPartParser]
    queryset = NumberList.objects.all()
    serializer_class = NumberListSerializer

    @extend_schema(
        operation_id="suppression_lists_list",
        tags=["do not contact"],
        parameters=PAGE_PARAMETERS,
        responses={200: page_of(NumberListSerializer)},
    )
    def get(self, request):
        return self.listing(self.get_queryset())

    @extend_schema(
        operation_id="suppression_lists_upload",
        tags=["do not contact"],
        request={"multipart/form-data": NewNumberListSerializer},
        responses={202: NumberListSerializer, 200: NumberListSerializer},
    )
    def post(self, request):
        """Upload a list. The worker takes it over; ask at `url` until `state` is none of `waiting` and `running`.

        Each number counts as soon as its line is done. 200 answers a repeat with the same id.
        """
        row, is_new = uploading.upload_list(
            workspace=self.workspace, actor=self.actor, **self.valid(NewNumberListSerializer)
        )
        return self.answer(row, status=202 if is_new else 200)


class NumberListView(WorkspaceView):
    """One list: how far it is, and what became of its lines."""

    roles = {"GET": Role.MEMBER}
    queryset = NumberList.objects.all()
    serializer_class = NumberListSerializer

    @extend_schema(operation_id="suppression_lists_read", tags=["do not contact"])
    def get(self, request, id):
        return self.answer(self.get_object())


class RefusalsView(WorkspaceView):
    """The lines of a list that were refused, in their order, each with the reason."""

    roles = {"GET": Role.MEMBER}
    queryset = NumberList.objects.all()
    serializer_class = NumberListRefusalSerializer
    sorts = {"line": Sort("line", decode=int)}
    default_sort = "line"

    @extend_schema(
        operation_id="suppression_lists_refusals",
        tags=["do not contact"],
        parameters=PAGE_PARAMETERS,
        responses={200: page_of(NumberListRefusalSerializer)},
    )
    def get(self, request, id):
        return self.listing(refusals_of(self.get_object()))


class StopListView(WorkspaceView):
    """Leave the rest of a list; whoever was added stays on the do-not-contact list."""

    roles = {"POST": Role.ADMIN}
    queryset = NumberList.objects.all()
    serializer_class = NumberListSerializer

    @extend_schema(
        operation_id="suppression_lists_stop",
        tags=["do not contact"],
        request=None,
        responses={200: NumberListSerializer},
    )
    def post(self, request, id):
        return self.answer(uploading.stop_list(workspace=self.workspace, list_id=id, actor=self.actor))
