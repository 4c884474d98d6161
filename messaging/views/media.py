"""Files on the API: at once, in parts, and what is there."""

from django.db.models import Prefetch
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, OpenApiResponse, extend_schema
from rest_framework.parsers import MultiPartParser
from rest_framework.response import Response

from accounts.api import WorkspaceView
from accounts.models import Role
from messaging.models import MediaFile, MediaPart, MediaUpload
from messaging.models.media import MAX_UPLOAD_PARTS
from messaging.serializers.media import (
    MediaFileSerializer,
    MediaPartSerializer,
    MediaUploadedSerializer,
    MediaUploadSerializer,
)
from messaging.services.media import deletion, keeping, uploads
from waplus.lib.api.raw_bodies import RawBodyParser
from waplus.lib.api.schema import PAGE_PARAMETERS, page_of
from waplus.lib.errors import Invalid

_NAME = OpenApiParameter("name", str, description="With the file as the body: what it is called.")
_ID = OpenApiParameter("id", OpenApiTypes.UUID, description="With the file as the body: a UUIDv7 of your own.")


class FilesView(WorkspaceView):
    """Files of the workspace; what nothing carries goes after a day."""

    roles = {"GET": Role.MEMBER, "POST": Role.MEMBER}
    parser_classes = [MultiPartParser, RawBodyParser]
    queryset = MediaFile.objects.all()
    serializer_class = MediaFileSerializer

    @extend_schema(
        operation_id="media_list",
        tags=["media"],
        parameters=PAGE_PARAMETERS,
        responses={200: page_of(MediaFileSerializer)},
    )
    def get(self, request):
        return self.listing(self.get_queryset())

    @extend_schema(
        operation_id="media_upload",
        tags=["media"],
        parameters=[_NAME, _ID],
        request={
            "multipart/form-data": MediaUploadedSerializer,
            "application/octet-stream": OpenApiTypes.BINARY,
        },
        responses={201: MediaFileSerializer, 200: MediaFileSerializer},
    )
    def post(self, request):
        values = self.valid(MediaUploadedSerializer)
        file = values["file"]
        media, is_new = keeping.keep_file(
            workspace=self.workspace,
            user=request.user,
            actor=self.actor,
            file=file.file,
            name=values.get("name") or file.name,
            id=values.get("id"),
        )
        return self.answer(media, status=201 if is_new else 200)


class FileView(WorkspaceView):
    """One file, with fresh links."""

    roles = {"GET": Role.MEMBER, "DELETE": Role.MEMBER}
    queryset = MediaFile.objects.all()
    serializer_class = MediaFileSerializer

    @extend_schema(operation_id="media_read", tags=["media"])
    def get(self, request, id):
        return self.answer(self.get_object())

    @extend_schema(operation_id="media_delete", tags=["media"], responses={204: OpenApiResponse()})
    def delete(self, request, id):
        deletion.delete_file(workspace=self.workspace, actor=self.actor, media_id=id)
        return Response(status=204)


class UploadsView(WorkspaceView):
    """Announce a file that comes in parts."""

    roles = {"POST": Role.MEMBER}
    queryset = MediaUpload.objects.all()
    serializer_class = MediaUploadSerializer

    @extend_schema(
        operation_id="media_uploads_begin",
        tags=["media"],
        responses={201: MediaUploadSerializer, 200: MediaUploadSerializer},
    )
    def post(self, request):
        upload, is_new = uploads.begin_upload(workspace=self.workspace, user=request.user, **self.valid())
        return self.answer(upload, status=201 if is_new else 200)


class UploadView(WorkspaceView):
    """An upload: which parts are here; and its end."""

    roles = {"GET": Role.MEMBER, "DELETE": Role.MEMBER}
    queryset = MediaUpload.objects.prefetch_related(Prefetch("parts", MediaPart.objects.order_by("number")))
    serializer_class = MediaUploadSerializer

    @extend_schema(operation_id="media_uploads_read", tags=["media"])
    def get(self, request, id):
        return self.answer(self.get_object())

    @extend_schema(operation_id="media_uploads_delete", tags=["media"], responses={204: OpenApiResponse()})
    def delete(self, request, id):
        uploads.delete_upload(workspace=self.workspace, upload_id=id)
        return Response(status=204)


class UploadPartView(WorkspaceView):
    """One part: 1 to 16 MiB, the last one may be smaller; in any order, and again if need be."""

    roles = {"PUT": Role.MEMBER}
    parser_classes = [RawBodyParser]
    queryset = MediaUpload.objects.all()
    serializer_class = MediaPartSerializer

    @extend_schema(
        operation_id="media_uploads_put_part",
        tags=["media"],
        request={"application/octet-stream": OpenApiTypes.BINARY},
        responses={201: MediaPartSerializer, 200: MediaPartSerializer},
    )
    def put(self, request, id, number):
        self.get_object()
        if not 1 <= number <= MAX_UPLOAD_PARTS:
            raise Invalid("number", "invalid", f"Parts are numbered from 1 to {MAX_UPLOAD_PARTS:,}.")
        file = request.data.get("file")
        if file is None:
            raise Invalid("part", "required", "Send the part as the body.")
        part, is_new = uploads.put_part(workspace=self.workspace, upload_id=id, number=number, file=file.file)
        return self.answer(part, status=201 if is_new else 200)


class UploadCompleteView(WorkspaceView):
    """Put the parts together."""

    roles = {"POST": Role.MEMBER}
    queryset = MediaUpload.objects.all()
    serializer_class = MediaFileSerializer

    @extend_schema(
        operation_id="media_uploads_complete",
        tags=["media"],
        request=None,
        responses={201: MediaFileSerializer, 200: MediaFileSerializer},
    )
    def post(self, request, id):
        media, is_new = uploads.complete_upload(
            workspace=self.workspace, user=request.user, actor=self.actor, upload_id=id
        )
        return self.answer(media, status=201 if is_new else 200)
