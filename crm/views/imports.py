"""Imports of contact files on the API."""

from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework.parsers import MultiPartParser

from accounts.api import WorkspaceView
from accounts.models import Role
from crm.models import ImportBatch, ImportRow
from crm.models.imports import RowOutcome
from crm.serializers.imports import ImportBatchSerializer, ImportRowSerializer, UploadSerializer
from crm.services.imports import runs
from waplus.lib.api.pagination import Sort
from waplus.lib.api.schema import PAGE_PARAMETERS, page_of
from waplus.lib.errors import Invalid


class ImportsView(WorkspaceView):
    """Upload a contact file, and see the imports so far."""

    roles = {"GET": Role.MEMBER, "POST": Role.MEMBER}
    parser_classes = [MultiPartParser]
    queryset = ImportBatch.objects.all()
    serializer_class = ImportBatchSerializer

    @extend_schema(
        operation_id="imports_list",
        tags=["imports"],
        parameters=PAGE_PARAMETERS,
        responses={200: page_of(ImportBatchSerializer)},
    )
    def get(self, request):
        return self.listing(self.get_queryset())

    @extend_schema(
        operation_id="imports_start",
        tags=["imports"],
        request={"multipart/form-data": UploadSerializer},
        responses={202: ImportBatchSerializer, 200: ImportBatchSerializer},
    )
    def post(self, request):
        batch, is_new = runs.start_import(
            workspace=self.workspace, user=request.user, actor=self.actor, **self.valid(UploadSerializer)
        )
        return self.answer(batch, status=202 if is_new else 200)


class ImportView(WorkspaceView):
    """One import: how far it is, and what it did."""

    roles = {"GET": Role.MEMBER}
    queryset = ImportBatch.objects.all()
    serializer_class = ImportBatchSerializer

    @extend_schema(operation_id="imports_read", tags=["imports"])
    def get(self, request, id):
        return self.answer(self.get_object())


class ImportRowsView(WorkspaceView):
    """What became of each row of a file, and why."""

    roles = {"GET": Role.MEMBER}
    queryset = ImportBatch.objects.all()
    serializer_class = ImportRowSerializer
    sorts = {"row_number": Sort("row_number", decode=int)}
    default_sort = "row_number"

    @extend_schema(
        operation_id="imports_rows",
        tags=["imports"],
        parameters=[OpenApiParameter("outcome", str, enum=RowOutcome.values), *PAGE_PARAMETERS],
        responses={200: page_of(ImportRowSerializer)},
    )
    def get(self, request, id):
        rows = ImportRow.objects.for_workspace(self.workspace).filter(batch=self.get_object())
        if outcome := request.query_params.get("outcome"):
            if outcome not in RowOutcome.values:
                raise Invalid("outcome", "invalid_choice", f"One of: {', '.join(RowOutcome.values)}.")
            rows = rows.filter(outcome=outcome)
        return self.listing(rows)
