"""Tabs on the API."""

from uuid import UUID

from drf_spectacular.utils import OpenApiResponse, extend_schema
from rest_framework.response import Response

from accounts.api import WorkspaceView
from accounts.models import Role
from crm.models import Tab
from crm.serializers.tabs import TabChangeSerializer, TabCountSerializer, TabOrderSerializer, TabSerializer
from crm.services import tabs
from crm.services.tab_counts import tab_counts
from crm.views.whole_lists import whole_list
from waplus.lib.api.schema import page_of
from waplus.lib.errors import UNKNOWN_ID, Invalid


def tab_named(view: WorkspaceView, named, target: str) -> Tab | None:
    """The tab over contacts or chats that a list was asked for by its id; None without one."""
    if not named:
        return None
    try:
        tab_id = named if isinstance(named, UUID) else UUID(named)
    except (ValueError, TypeError, AttributeError) as error:
        raise Invalid("tab", "invalid", "This is no id.") from error
    tab = tabs.visible_tabs(workspace=view.workspace, user=view.request.user).filter(pk=tab_id).first()
    if tab is None:
        raise Invalid("tab", "does_not_exist", UNKNOWN_ID)
    if tab.target != target:
        raise Invalid("tab", "invalid_choice", f"This tab lists {tab.get_target_display()}.")
    return tab


class TabsView(WorkspaceView):
    """The team's tabs and one's own in their order, all at once; make one."""

    roles = {"GET": Role.MEMBER, "POST": Role.MEMBER}
    queryset = Tab.objects.all()
    serializer_class = TabSerializer

    @extend_schema(operation_id="tabs_list", tags=["tabs"], responses={200: page_of(TabSerializer)})
    def get(self, request):
        return whole_list(self, tabs.tabs_in_order(workspace=self.workspace, user=request.user))

    @extend_schema(operation_id="tabs_create", tags=["tabs"], responses={201: TabSerializer, 200: TabSerializer})
    def post(self, request):
        """Make a tab; its filter and order are checked."""
        tab, is_new = tabs.create_tab(workspace=self.workspace, user=request.user, actor=self.actor, **self.valid())
        return self.answer(tab, status=201 if is_new else 200)


class TabOrderView(WorkspaceView):
    """Put tabs into an order."""

    roles = {"PUT": Role.MEMBER}
    queryset = Tab.objects.all()
    serializer_class = TabSerializer

    @extend_schema(
        operation_id="tabs_reorder", tags=["tabs"], request=TabOrderSerializer, responses={200: page_of(TabSerializer)}
    )
    def put(self, request):
        ids = self.valid(TabOrderSerializer)["ids"]
        ordered = tabs.reorder_tabs(workspace=self.workspace, user=request.user, actor=self.actor, ids=ids)
        return whole_list(self, ordered)


class TabCountsView(WorkspaceView):
    """How many rows each tab has: exact to a thousand, and at most some seconds old."""

    roles = {"GET": Role.MEMBER}
    queryset = Tab.objects.all()
    serializer_class = TabCountSerializer

    @extend_schema(operation_id="tabs_counts", tags=["tabs"], responses={200: page_of(TabCountSerializer)})
    def get(self, request):
        return whole_list(self, tab_counts(workspace=self.workspace, user=request.user))


class TabView(WorkspaceView):
    """One tab. What it shows is listed by `contacts/?tab=` or `chats/?tab=`."""

    roles = {"GET": Role.MEMBER, "PATCH": Role.MEMBER, "DELETE": Role.MEMBER}
    queryset = Tab.objects.all()
    serializer_class = TabSerializer

    @extend_schema(operation_id="tabs_read", tags=["tabs"])
    def get(self, request, id):
        return self.answer(tabs.tab_of(workspace=self.workspace, user=request.user, tab_id=id))

    @extend_schema(operation_id="tabs_update", tags=["tabs"], request=TabChangeSerializer)
    def patch(self, request, id):
        tab = tabs.update_tab(
            workspace=self.workspace,
            user=request.user,
            tab_id=id,
            actor=self.actor,
            precondition=self.check_precondition,
            **self.valid(TabChangeSerializer),
        )
        return self.answer(tab)

    @extend_schema(operation_id="tabs_delete", tags=["tabs"], responses={204: OpenApiResponse()})
    def delete(self, request, id):
        tabs.delete_tab(workspace=self.workspace, user=request.user, tab_id=id, actor=self.actor)
        return Response(status=204)
