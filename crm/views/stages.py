"""Stages of the pipeline on the API."""

from uuid import UUID

from drf_spectacular.utils import OpenApiParameter, OpenApiResponse, extend_schema
from rest_framework.response import Response

from accounts.api import WorkspaceView
from accounts.models import Role
from crm.models import Stage
from crm.serializers.records import OrderSerializer, StageChangeSerializer, StageSerializer
from crm.services import stages
from crm.views.whole_lists import whole_list
from waplus.lib.api.schema import page_of

STAGE_PAGE = page_of(StageSerializer)


class StagesView(WorkspaceView):
    """The pipeline's stages in their order, all at once; make one."""

    roles = {"GET": Role.MEMBER, "POST": Role.ADMIN}
    queryset = Stage.objects.all()
    serializer_class = StageSerializer

    @extend_schema(operation_id="stages_list", tags=["stages"], responses={200: STAGE_PAGE})
    def get(self, request):
        return whole_list(self, stages.stages_in_order(workspace=self.workspace))

    @extend_schema(
        operation_id="stages_create", tags=["stages"], responses={201: StageSerializer, 200: StageSerializer}
    )
    def post(self, request):
        stage, is_new = stages.create_stage(workspace=self.workspace, actor=self.actor, **self.valid())
        return self.answer(stage, status=201 if is_new else 200)


class DefaultStagesView(WorkspaceView):
    """A pipeline to begin with, in the language of the request; where there is one, it stays as it is."""

    roles = {"POST": Role.ADMIN}
    queryset = Stage.objects.all()
    serializer_class = StageSerializer

    @extend_schema(operation_id="stages_create_defaults", tags=["stages"], request=None, responses={200: STAGE_PAGE})
    def post(self, request):
        return whole_list(self, stages.create_default_stages(workspace=self.workspace, actor=self.actor))


class StageOrderView(WorkspaceView):
    """Put stages into an order."""

    roles = {"PUT": Role.ADMIN}
    queryset = Stage.objects.all()
    serializer_class = StageSerializer

    @extend_schema(operation_id="stages_reorder", tags=["stages"], request=OrderSerializer, responses={200: STAGE_PAGE})
    def put(self, request):
        ids = self.valid(OrderSerializer)["ids"]
        return whole_list(self, stages.reorder_stages(workspace=self.workspace, actor=self.actor, ids=ids))


class StageView(WorkspaceView):
    """One stage. Deleting moves its contacts to the stage of `into`, or to none."""

    roles = {"GET": Role.MEMBER, "PATCH": Role.ADMIN, "DELETE": Role.ADMIN}
    queryset = Stage.objects.all()
    serializer_class = StageSerializer

    @extend_schema(operation_id="stages_read", tags=["stages"])
    def get(self, request, id):
        return self.answer(self.get_object())

    @extend_schema(operation_id="stages_update", tags=["stages"], request=StageChangeSerializer)
    def patch(self, request, id):
        stage = stages.update_stage(
            workspace=self.workspace,
            stage_id=id,
            actor=self.actor,
            precondition=self.check_precondition,
            **self.valid(StageChangeSerializer, partial=True),
        )
        return self.answer(stage)

    @extend_schema(
        operation_id="stages_delete",
        tags=["stages"],
        parameters=[OpenApiParameter("into", UUID, description="The stage that its contacts move to.")],
        responses={204: OpenApiResponse()},
    )
    def delete(self, request, id):
        stages.delete_stage(workspace=self.workspace, stage_id=id, actor=self.actor, into=self.query_id("into"))
        return Response(status=204)
