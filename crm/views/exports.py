"""Exports of contacts on the API."""

from django.http import StreamingHttpResponse
from django.utils import timezone
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema

from accounts.api import WorkspaceView
from accounts.models import Role
from crm.filters import contacts_matching, parse_filter
from crm.models import Contact
from crm.serializers.contacts import ContactSerializer
from crm.services import exports
from crm.views.contacts import SEARCH_PARAMETERS, searched_for
from waplus.lib.errors import Invalid


class ContactExportView(WorkspaceView):
    """All contacts, or those that a query and a filter find, as a file that is sent while it is made."""

    roles = {"GET": Role.MEMBER}
    queryset = Contact.objects.alive()
    serializer_class = ContactSerializer

    @extend_schema(
        operation_id="contacts_export",
        tags=["contacts"],
        parameters=[
            *SEARCH_PARAMETERS,
            OpenApiParameter("as", str, enum=list(exports.FORMATS), description="csv if left out."),
        ],
        responses={(200, media_type): OpenApiTypes.BINARY for media_type in exports.FORMATS.values()},
    )
    def get(self, request):
        wanted, form = searched_for(self, request.query_params), request.query_params.get("as") or "csv"
        if form not in exports.FORMATS:
            raise Invalid("as", "invalid_choice", f"One of: {', '.join(exports.FORMATS)}.")
        contacts = self.get_queryset().order_by("sort_name", "id")
        if wanted.found is not None:
            contacts = contacts & contacts_matching(self.workspace, wanted.found, request.user)
        if wanted.query:
            words = parse_filter(self.workspace, {"q": wanted.query})
            contacts = contacts & contacts_matching(self.workspace, words, request.user)
        pieces = exports.export_contacts(workspace=self.workspace, actor=self.actor, contacts=contacts, format=form)
        name = f"contacts-{timezone.now():%Y-%m-%d}.{form}"
        headers = {"Content-Disposition": f'attachment; filename="{name}"'}
        return StreamingHttpResponse(pieces, content_type=exports.FORMATS[form], headers=headers)
