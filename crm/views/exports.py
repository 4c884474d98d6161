"""Exports of contacts on the API."""

from django.http import StreamingHttpResponse
from django.utils import timezone
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema

from accounts.api import WorkspaceView
from accounts.models import Role
from crm.models import Contact
from crm.serializers.contacts import ContactSerializer
from crm.services import exports
from crm.views.contacts import MAX_QUERY
from waplus.lib.errors import Invalid


class ContactExportView(WorkspaceView):
    """All contacts, or those that a query finds, as a file that is sent while it is made."""

    roles = {"GET": Role.MEMBER}
    queryset = Contact.objects.alive()
    serializer_class = ContactSerializer

    @extend_schema(
        operation_id="contacts_export",
        tags=["contacts"],
        parameters=[
            OpenApiParameter("q", str, description="As in the list of contacts."),
            OpenApiParameter("as", str, enum=list(exports.FORMATS), description="csv if left out."),
        ],
        responses={(200, media_type): OpenApiTypes.BINARY for media_type in exports.FORMATS.values()},
    )
    def get(self, request):
        query, form = request.query_params.get("q", "").strip(), request.query_params.get("as") or "csv"
        if len(query) > MAX_QUERY or "\x00" in query:
            raise Invalid("q", "invalid", f"A query has at most {MAX_QUERY} characters and no NUL.")
        if form not in exports.FORMATS:
            raise Invalid("as", "invalid_choice", f"One of: {', '.join(exports.FORMATS)}.")
        contacts = self.get_queryset().order_by("sort_name", "id")
        pieces = exports.export_contacts(
            workspace=self.workspace,
            actor=self.actor,
            contacts=contacts.search(query) if query else contacts,
            format=form,
        )
        name = f"contacts-{timezone.now():%Y-%m-%d}.{form}"
        headers = {"Content-Disposition": f'attachment; filename="{name}"'}
        return StreamingHttpResponse(pieces, content_type=exports.FORMATS[form], headers=headers)
