"""Bulk actions on the API."""

from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework.response import Response

from accounts.api import WorkspaceView
from accounts.models import Role
from crm.models import BulkAction
from crm.models.bulk import OPEN_STATES
from crm.serializers.bulk import BulkActionSerializer, BulkCountSerializer, BulkStartSerializer
from crm.services.bulk import starting
from waplus.lib.api.schema import PAGE_PARAMETERS, page_of


class BulkActionsView(WorkspaceView):
    """Change every contact that a filter matches, and see how earlier changes went."""

    roles = {"GET": Role.MEMBER, "POST": Role.MEMBER}
    queryset = BulkAction.objects.all()
    serializer_class = BulkActionSerializer

    @extend_schema(
        operation_id="bulk_actions_list",
        tags=["bulk actions"],
        parameters=PAGE_PARAMETERS,
        responses={200: page_of(BulkActionSerializer)},
    )
    def get(self, request):
        return self.listing(self.get_queryset())

    @extend_schema(
        operation_id="bulk_actions_start",
        tags=["bulk actions"],
        request=BulkStartSerializer,
        parameters=[OpenApiParameter("dry_run", bool, description="Only count, exactly, and change nothing.")],
        responses={200: BulkActionSerializer, 201: BulkActionSerializer, 202: BulkActionSerializer},
    )
    def post(self, request):
        """Start a bulk action. Few contacts are changed at once (201), more by the worker (202); `dry_run` answers `total`."""
        wanted = self.valid(BulkStartSerializer)
        if request.query_params.get("dry_run", "").lower() in ("1", "true", "yes"):
            wanted.pop("id", None)
            total = starting.count_bulk_action(workspace=self.workspace, user=request.user, **wanted)
            return Response(BulkCountSerializer({"total": total}).data)
        row, is_new = starting.start_bulk_action(
            workspace=self.workspace, user=request.user, actor=self.actor, **wanted
        )
        if not is_new:
            return self.answer(row)
        return self.answer(row, status=202 if row.state in OPEN_STATES else 201)


class BulkActionView(WorkspaceView):
    """One bulk action: how far it is, and what it did."""

    roles = {"GET": Role.MEMBER}
    queryset = BulkAction.objects.all()
    serializer_class = BulkActionSerializer

    @extend_schema(operation_id="bulk_actions_read", tags=["bulk actions"])
    def get(self, request, id):
        return self.answer(self.get_object())


class BulkActionStopView(WorkspaceView):
    """Stop a bulk action; what is done stays done."""

    roles = {"POST": Role.MEMBER}
    queryset = BulkAction.objects.all()
    serializer_class = BulkActionSerializer

    @extend_schema(
        operation_id="bulk_actions_stop", tags=["bulk actions"], request=None, responses={200: BulkActionSerializer}
    )
    def post(self, request, id):
        return self.answer(starting.stop_bulk_action(workspace=self.workspace, action_id=id, actor=self.actor))
