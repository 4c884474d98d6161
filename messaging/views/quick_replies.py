"""Quick replies on the API."""

from django.http import HttpResponse
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, OpenApiResponse, extend_schema
from rest_framework.parsers import MultiPartParser
from rest_framework.response import Response

from accounts.api import WorkspaceView
from accounts.models import Role
from messaging.models import QuickReply, QuickReplyFolder
from messaging.serializers import quick_replies as shapes
from messaging.services.quick_replies import changes, files, folders, lists, using
from waplus.lib.api.pagination import Sort
from waplus.lib.api.schema import PAGE_PARAMETERS, page_of
from waplus.lib.errors import Invalid

TAGS = ["quick replies"]
NO_CONTENT = {204: OpenApiResponse()}
FOLDERS = page_of(shapes.QuickReplyFolderSerializer)


class _Folders(WorkspaceView):
    """What is answered with folders."""

    queryset = QuickReplyFolder.objects.all()
    serializer_class = shapes.QuickReplyFolderSerializer

    def _whole(self, rows):
        return Response({"results": self.get_serializer(rows, many=True).data, "next_cursor": None})


class QuickReplyFoldersView(_Folders):
    """The folders in their order, all at once; make one."""

    roles = {"GET": Role.MEMBER, "POST": Role.MEMBER}

    @extend_schema(operation_id="quick_reply_folders_list", tags=TAGS, responses={200: FOLDERS})
    def get(self, request):
        return self._whole(folders.folders_in_order(workspace=self.workspace))

    @extend_schema(
        operation_id="quick_reply_folders_create",
        tags=TAGS,
        responses={201: shapes.QuickReplyFolderSerializer, 200: shapes.QuickReplyFolderSerializer},
    )
    def post(self, request):
        """Make a folder. A name that another folder has answers that folder with 200."""
        folder, is_new = folders.create_folder(workspace=self.workspace, actor=self.actor, **self.valid())
        return self.answer(folder, status=201 if is_new else 200)


class QuickReplyFolderOrderView(_Folders):
    """Put folders into an order."""

    roles = {"PUT": Role.MEMBER}

    @extend_schema(
        operation_id="quick_reply_folders_reorder",
        tags=TAGS,
        request=shapes.QuickReplyOrderSerializer,
        responses={200: FOLDERS},
    )
    def put(self, request):
        ids = self.valid(shapes.QuickReplyOrderSerializer)["ids"]
        return self._whole(folders.reorder_folders(workspace=self.workspace, actor=self.actor, ids=ids))


class QuickReplyFolderView(_Folders):
    """One folder. Its quick replies stay when it is deleted."""

    roles = {"GET": Role.MEMBER, "PATCH": Role.MEMBER, "DELETE": Role.MEMBER}

    @extend_schema(operation_id="quick_reply_folders_read", tags=TAGS)
    def get(self, request, id):
        return self.answer(self.get_object())

    @extend_schema(
        operation_id="quick_reply_folders_update", tags=TAGS, request=shapes.QuickReplyFolderChangeSerializer
    )
    def patch(self, request, id):
        folder = folders.rename_folder(
            workspace=self.workspace,
            folder_id=id,
            actor=self.actor,
            precondition=self.check_precondition,
            **self.valid(shapes.QuickReplyFolderChangeSerializer),
        )
        return self.answer(folder)

    @extend_schema(operation_id="quick_reply_folders_delete", tags=TAGS, responses=NO_CONTENT)
    def delete(self, request, id):
        folders.delete_folder(workspace=self.workspace, folder_id=id, actor=self.actor)
        return Response(status=204)


class _Replies(WorkspaceView):
    """What is answered with quick replies: each says what is broken in it by now."""

    queryset = QuickReply.objects.all()
    serializer_class = shapes.QuickReplySerializer

    def get_serializer(self, *args, **kwargs):
        rows = args[0] if args else None
        if rows is not None:
            using.note_problems(self.workspace, rows if kwargs.get("many") else [rows])
        return super().get_serializer(*args, **kwargs)


class QuickRepliesView(_Replies):
    """The team's quick replies and one's own; make one."""

    roles = {"GET": Role.MEMBER, "POST": Role.MEMBER}
    sorts = {
        "position": Sort("position", decode=int),
        "name": Sort("name"),
        "-use_count": Sort("use_count", descending=True, decode=int),
    }
    default_sort = "position"

    @extend_schema(
        operation_id="quick_replies_list",
        tags=TAGS,
        parameters=[
            *PAGE_PARAMETERS,
            OpenApiParameter("q", str, description="Words of the name or the shortcut; `/he` begins a shortcut."),
            OpenApiParameter("folder", str, description="An id, or `none`."),
            OpenApiParameter("language", str, description="Those with a text in this language."),
            OpenApiParameter("visibility", str, enum=["team", "private"]),
            OpenApiParameter("sort", str, enum=list(sorts)),
        ],
        responses={200: page_of(shapes.ListedQuickReplySerializer)},
    )
    def get(self, request):
        self.serializer_class = shapes.ListedQuickReplySerializer
        params = request.query_params
        folder = "none" if params.get("folder") == "none" else self.query_id("folder")
        replies = lists.found_replies(
            workspace=self.workspace,
            user=request.user,
            query=params.get("q", ""),
            folder=folder,
            language=params.get("language", ""),
            visibility=params.get("visibility", ""),
        )
        return self.listing(replies)

    @extend_schema(
        operation_id="quick_replies_create",
        tags=TAGS,
        responses={201: shapes.QuickReplySerializer, 200: shapes.QuickReplySerializer},
    )
    def post(self, request):
        """Make a quick reply. Its variables are checked: one that is not known is refused with the nearest one."""
        reply, is_new = changes.create_reply(
            workspace=self.workspace, user=request.user, actor=self.actor, **self.valid()
        )
        return self.answer(reply, status=201 if is_new else 200)


class QuickReplyView(_Replies):
    """One quick reply. Another member's private one is as unknown as none at all."""

    roles = {"GET": Role.MEMBER, "PATCH": Role.MEMBER, "DELETE": Role.MEMBER}

    @extend_schema(operation_id="quick_replies_read", tags=TAGS, responses={200: shapes.QuickReplySerializer})
    def get(self, request, id):
        return self.answer(changes.reply_of(workspace=self.workspace, user=request.user, reply_id=id))

    @extend_schema(
        operation_id="quick_replies_update",
        tags=TAGS,
        request=shapes.QuickReplyChangeSerializer,
        responses={200: shapes.QuickReplySerializer},
    )
    def patch(self, request, id):
        changes.reply_of(workspace=self.workspace, user=request.user, reply_id=id)  # unknown before anything else
        reply = changes.update_reply(
            workspace=self.workspace,
            user=request.user,
            reply_id=id,
            actor=self.actor,
            precondition=self.check_precondition,
            **self.valid(shapes.QuickReplyChangeSerializer, partial=True),
        )
        return self.answer(reply)

    @extend_schema(operation_id="quick_replies_delete", tags=TAGS, responses=NO_CONTENT)
    def delete(self, request, id):
        changes.delete_reply(workspace=self.workspace, user=request.user, reply_id=id, actor=self.actor)
        return Response(status=204)


class QuickReplyOrderView(WorkspaceView):
    """Put quick replies into an order."""

    roles = {"PUT": Role.MEMBER}
    queryset = QuickReply.objects.all()
    serializer_class = shapes.QuickReplyOrderSerializer

    @extend_schema(operation_id="quick_replies_reorder", tags=TAGS, responses=NO_CONTENT)
    def put(self, request):
        changes.reorder_replies(workspace=self.workspace, user=request.user, actor=self.actor, ids=self.valid()["ids"])
        return Response(status=204)


class RenderQuickReplyView(WorkspaceView):
    """A quick reply for a contact: parts ready to be inserted, and the variables that are missing."""

    roles = {"POST": Role.MEMBER}
    queryset = QuickReply.objects.all()
    serializer_class = shapes.RenderRequestSerializer

    @extend_schema(operation_id="quick_replies_render", tags=TAGS, responses={200: shapes.RenderedReplySerializer})
    def post(self, request, id):
        changes.reply_of(workspace=self.workspace, user=request.user, reply_id=id)
        rendered = using.render_reply(workspace=self.workspace, user=request.user, reply_id=id, **self.valid())
        return Response(shapes.RenderedReplySerializer(rendered).data)


class QuickReplyUsedView(WorkspaceView):
    """Count a use; a repeat with the same id counts nothing."""

    roles = {"POST": Role.MEMBER}
    queryset = QuickReply.objects.all()
    serializer_class = shapes.QuickReplyUseSerializer

    @extend_schema(
        operation_id="quick_replies_used",
        tags=TAGS,
        responses={201: shapes.QuickReplyUseSerializer, 200: shapes.QuickReplyUseSerializer},
    )
    def post(self, request, id):
        changes.reply_of(workspace=self.workspace, user=request.user, reply_id=id)
        use, is_new = using.count_use(workspace=self.workspace, user=request.user, reply_id=id, **self.valid())
        return self.answer(use, status=201 if is_new else 200)


class QuickReplyExportView(WorkspaceView):
    """The team's quick replies and one's own as a file."""

    roles = {"GET": Role.MEMBER}
    queryset = QuickReply.objects.all()
    serializer_class = shapes.QuickReplySerializer

    @extend_schema(
        operation_id="quick_replies_export",
        tags=TAGS,
        parameters=[
            OpenApiParameter(
                "as",
                str,
                enum=list(files.FORMATS),
                description="json (everything) if left out; csv has those of one text without a file.",
            )
        ],
        responses={(200, media_type): OpenApiTypes.BINARY for media_type in files.FORMATS.values()},
    )
    def get(self, request):
        form = request.query_params.get("as") or "json"
        if form not in files.FORMATS:
            raise Invalid("as", "invalid_choice", f"One of: {', '.join(files.FORMATS)}.")
        exported = files.export_replies(workspace=self.workspace, user=request.user, actor=self.actor, format=form)
        return HttpResponse(exported.content, content_type=files.FORMATS[form], headers=exported.headers)


class QuickReplyImportView(WorkspaceView):
    """Take quick replies from a file: what is right is taken, and each row that is not is told with its reason."""

    roles = {"POST": Role.MEMBER}
    parser_classes = [MultiPartParser]
    queryset = QuickReply.objects.all()
    serializer_class = shapes.QuickReplyFileSerializer

    @extend_schema(
        operation_id="quick_replies_import",
        tags=TAGS,
        request={"multipart/form-data": shapes.QuickReplyFileSerializer},
        responses={200: shapes.QuickReplyImportSerializer},
    )
    def post(self, request):
        done = files.import_replies(
            workspace=self.workspace, user=request.user, actor=self.actor, file=self.valid()["file"]
        )
        return Response(shapes.QuickReplyImportSerializer(done).data)
