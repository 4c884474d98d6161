"""Links to conversations on the API."""

from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema

from accounts.api import WorkspaceView
from accounts.models import Role
from messaging.models import ShareLink, ShareOpening
from messaging.serializers.sharing import NewShareSerializer, ShareLinkSerializer, ShareOpeningSerializer
from messaging.services import sharing
from messaging.services.sharing import Stretch
from waplus.lib.api.schema import PAGE_PARAMETERS, page_of


class SharesView(WorkspaceView):
    """Links that members made, ended ones of the last month included."""

    roles = {"GET": Role.MEMBER, "POST": Role.MEMBER}
    queryset = ShareLink.objects.all()
    serializer_class = ShareLinkSerializer

    @extend_schema(
        operation_id="shares_list",
        tags=["shares"],
        parameters=[OpenApiParameter("chat", OpenApiTypes.UUID), *PAGE_PARAMETERS],
        responses={200: page_of(ShareLinkSerializer)},
    )
    def get(self, request):
        shares = self.get_queryset()
        if chat_id := self.query_id("chat"):
            shares = shares.filter(chat=chat_id)
        return self.listing(shares)

    @extend_schema(
        operation_id="shares_create",
        tags=["shares"],
        request=NewShareSerializer,
        responses={201: ShareLinkSerializer, 200: ShareLinkSerializer},
    )
    def post(self, request):
        values = self.valid(NewShareSerializer)
        stretch = Stretch(tuple(values.pop("messages", ())), values.pop("from", None), values.pop("to", None))
        share, token = sharing.create_share(
            workspace=self.workspace,
            user=request.user,
            actor=self.actor,
            chat_id=values.pop("chat").pk,
            stretch=stretch,
            removed_ids=tuple(values.pop("removed", ())),
            **values,
        )
        share.token = token
        return self.answer(share, status=201 if token else 200)


class ShareView(WorkspaceView):
    """One link."""

    roles = {"GET": Role.MEMBER}
    queryset = ShareLink.objects.all()
    serializer_class = ShareLinkSerializer

    @extend_schema(operation_id="shares_read", tags=["shares"])
    def get(self, request, id):
        return self.answer(self.get_object())


class ShareRevokeView(WorkspaceView):
    """End a link at once."""

    roles = {"POST": Role.MEMBER}
    queryset = ShareLink.objects.all()
    serializer_class = ShareLinkSerializer

    @extend_schema(operation_id="shares_revoke", tags=["shares"], request=None, responses={200: ShareLinkSerializer})
    def post(self, request, id):
        return self.answer(sharing.revoke_share(workspace=self.workspace, actor=self.actor, share_id=id))


class ShareOpeningsView(WorkspaceView):
    """When a link was opened, in what kind of browser and roughly from where."""

    roles = {"GET": Role.MEMBER}
    queryset = ShareLink.objects.all()
    serializer_class = ShareOpeningSerializer

    @extend_schema(
        operation_id="shares_openings",
        tags=["shares"],
        parameters=PAGE_PARAMETERS,
        responses={200: page_of(ShareOpeningSerializer)},
    )
    def get(self, request, id):
        return self.listing(ShareOpening.objects.for_workspace(self.workspace).filter(share=self.get_object()))
