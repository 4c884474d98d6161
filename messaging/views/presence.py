"""Warnings, and chats that cannot be reached, on the API."""

from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework.response import Response

from accounts.api import WorkspaceView
from accounts.models import Role
from messaging.models import DispatchWarning, UnreachableChat
from messaging.serializers.presence import DispatchWarningSerializer, UnreachableChatSerializer
from messaging.services.reachability import clear_unreachable
from waplus.lib.api.schema import PAGE_PARAMETERS, page_of
from waplus.lib.errors import Invalid

ACCOUNT = OpenApiParameter("whatsapp_account", OpenApiTypes.UUID, description="Of this number alone.")


class WarningsView(WorkspaceView):
    """What people should see to before messages cannot be sent in time; the newest first."""

    roles = {"GET": Role.MEMBER}
    queryset = DispatchWarning.objects.all()
    serializer_class = DispatchWarningSerializer

    @extend_schema(
        operation_id="dispatch_warnings_list",
        tags=["dispatch"],
        parameters=[
            ACCOUNT,
            OpenApiParameter("open", bool, description="`true`: what stands; `false`: what is settled."),
            *PAGE_PARAMETERS,
        ],
        responses={200: page_of(DispatchWarningSerializer)},
    )
    def get(self, request):
        queryset = self.get_queryset()
        if account := self.query_id("whatsapp_account"):
            queryset = queryset.filter(whatsapp_account=account)
        if stands := request.query_params.get("open"):
            if stands not in ("true", "false"):
                raise Invalid("open", "invalid_choice", "One of: true, false.")
            queryset = queryset.filter(resolved_at__isnull=stands == "true")
        return self.listing(queryset)


class UnreachableChatsView(WorkspaceView):
    """Chats that a number could not write to; nothing is sent there meanwhile. The newest first."""

    roles = {"GET": Role.MEMBER}
    queryset = UnreachableChat.objects.all()
    serializer_class = UnreachableChatSerializer

    @extend_schema(
        operation_id="dispatch_unreachable_list",
        tags=["dispatch"],
        parameters=[ACCOUNT, *PAGE_PARAMETERS],
        responses={200: page_of(UnreachableChatSerializer)},
    )
    def get(self, request):
        queryset = self.get_queryset()
        if account := self.query_id("whatsapp_account"):
            queryset = queryset.filter(whatsapp_account=account)
        return self.listing(queryset)


class UnreachableChatView(WorkspaceView):
    """One chat that a number could not write to: look, or let messages go there again."""

    roles = {"GET": Role.MEMBER, "DELETE": Role.MEMBER}
    queryset = UnreachableChat.objects.all()
    serializer_class = UnreachableChatSerializer

    @extend_schema(operation_id="dispatch_unreachable_read", tags=["dispatch"])
    def get(self, request, id):
        return self.answer(self.get_object())

    @extend_schema(operation_id="dispatch_unreachable_clear", tags=["dispatch"], responses={204: None})
    def delete(self, request, id):
        clear_unreachable(workspace=self.workspace, unreachable_id=id, actor=self.actor)
        return Response(status=204)
