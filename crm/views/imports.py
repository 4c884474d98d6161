"""Imports of contact files on the API."""

from django.http import StreamingHttpResponse
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework.parsers import MultiPartParser

from accounts.api import WorkspaceView
from accounts.models import Role
from crm.models import ImportBatch, ImportRow, RowOutcome
from crm.models.imports import ImportState
from crm.serializers.imports import (
    ImportBatchSerializer,
    ImportChangeSerializer,
    ImportRowSerializer,
    PreviewRowSerializer,
    UploadSerializer,
)
from crm.services.imports import batches, results
from waplus.lib.api.pagination import Sort
from waplus.lib.api.schema import PAGE_PARAMETERS, page_of
from waplus.lib.errors import Invalid, Refused


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
        batch, is_new = batches.upload_file(
            workspace=self.workspace, user=request.user, actor=self.actor, **self.valid(UploadSerializer)
        )
        return self.answer(batch, status=202 if is_new else 200)


class ImportView(WorkspaceView):
    """One import: how far it is and what it did; how it is to be done; and its end."""

    roles = {"GET": Role.MEMBER, "PATCH": Role.MEMBER, "DELETE": Role.MEMBER}
    queryset = ImportBatch.objects.all()
    serializer_class = ImportBatchSerializer

    @extend_schema(operation_id="imports_read", tags=["imports"])
    def get(self, request, id):
        return self.answer(self.get_object())

    @extend_schema(operation_id="imports_change", tags=["imports"], request=ImportChangeSerializer)
    def patch(self, request, id):
        batch = batches.change_import(workspace=self.workspace, batch_id=id, **self.valid(ImportChangeSerializer))
        return self.answer(batch)

    @extend_schema(operation_id="imports_cancel", tags=["imports"], responses={200: ImportBatchSerializer})
    def delete(self, request, id):
        return self.answer(batches.cancel_import(workspace=self.workspace, batch_id=id, actor=self.actor))


class ImportPreviewView(WorkspaceView):
    """What would become of each row, worked out in the background."""

    roles = {"POST": Role.MEMBER}
    queryset = ImportBatch.objects.all()
    serializer_class = ImportBatchSerializer

    @extend_schema(
        operation_id="imports_preview", tags=["imports"], request=None, responses={202: ImportBatchSerializer}
    )
    def post(self, request, id):
        return self.answer(batches.request_preview(workspace=self.workspace, batch_id=id), status=202)


class ImportStartView(WorkspaceView):
    """Import what was uploaded, in the background."""

    roles = {"POST": Role.MEMBER}
    queryset = ImportBatch.objects.all()
    serializer_class = ImportBatchSerializer

    @extend_schema(operation_id="imports_begin", tags=["imports"], request=None, responses={202: ImportBatchSerializer})
    def post(self, request, id):
        batch = batches.start_import(workspace=self.workspace, batch_id=id, actor=self.actor)
        return self.answer(batch, status=202)


class ImportUndoView(WorkspaceView):
    """Take back what an import wrote, in the background; what people changed since stays."""

    roles = {"POST": Role.MEMBER}
    queryset = ImportBatch.objects.all()
    serializer_class = ImportBatchSerializer

    @extend_schema(operation_id="imports_undo", tags=["imports"], request=None, responses={202: ImportBatchSerializer})
    def post(self, request, id):
        batch = batches.undo_import(workspace=self.workspace, batch_id=id, actor=self.actor)
        return self.answer(batch, status=202)


class ImportRowsView(WorkspaceView):
    """What became of the rows that changed something or were refused, and why."""

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
        return self.listing(_of_outcome(rows, request))


class ImportPreviewRowsView(WorkspaceView):
    """What would become of each row of a file, from a preview that is ready."""

    roles = {"GET": Role.MEMBER}
    queryset = ImportBatch.objects.all()
    serializer_class = PreviewRowSerializer
    sorts = {"row_number": Sort("row_number", decode=int)}
    default_sort = "row_number"

    @extend_schema(
        operation_id="imports_preview_rows",
        tags=["imports"],
        parameters=[OpenApiParameter("outcome", str, enum=RowOutcome.values), *PAGE_PARAMETERS],
        responses={200: page_of(PreviewRowSerializer)},
    )
    def get(self, request, id):
        batch = self.get_object()
        if batch.state != ImportState.PREVIEWED:
            raise Refused("wrong_state", "There is no preview that is ready.")
        return self.listing(_of_outcome(results.preview_rows(batch), request))


class ImportResultView(WorkspaceView):
    """A file of the refused rows: number, reason, and the cells as they were."""

    roles = {"GET": Role.MEMBER}
    queryset = ImportBatch.objects.all()
    serializer_class = ImportBatchSerializer

    @extend_schema(operation_id="imports_result", tags=["imports"], responses={(200, "text/csv"): OpenApiTypes.BINARY})
    def get(self, request, id):
        batch = self.get_object()
        headers = {"Content-Disposition": f'attachment; filename="import-{batch.pk}-refused.csv"'}
        return StreamingHttpResponse(
            results.result_file(batch), content_type="text/csv; charset=utf-8", headers=headers
        )


def _of_outcome(rows, request):
    if outcome := request.query_params.get("outcome"):
        if outcome not in RowOutcome.values:
            raise Invalid("outcome", "invalid_choice", f"One of: {', '.join(RowOutcome.values)}.")
        rows = rows.filter(outcome=outcome)
    return rows
