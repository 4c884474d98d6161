"""The timeline of a contact on the API."""

from drf_spectacular.utils import extend_schema
from rest_framework.response import Response

from accounts.api import WorkspaceView
from accounts.models import Role
from crm.models import Contact
from crm.serializers.timeline import TimelineEntrySerializer
from crm.services.timeline.pages import SORTS, timeline_page
from waplus.lib.api.pagination import PageRequest
from waplus.lib.api.schema import PAGE_PARAMETERS, page_of


class TimelineView(WorkspaceView):
    """What happened with a contact, newest first; what happened with contacts that were merged into it, too."""

    roles = {"GET": Role.MEMBER}
    queryset = Contact.objects.alive()
    serializer_class = TimelineEntrySerializer

    @extend_schema(
        operation_id="contacts_timeline",
        tags=["contacts"],
        parameters=PAGE_PARAMETERS,
        responses={200: page_of(TimelineEntrySerializer)},
    )
    def get(self, request, id):
        page = PageRequest.of(request.query_params, SORTS, "newest")
        entries, next_cursor = timeline_page(workspace=self.workspace, contact_id=id, page=page)
        return Response({"results": entries, "next_cursor": next_cursor})
