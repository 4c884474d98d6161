"""The bin of contacts on the API."""

import json

from django.http import HttpResponse
from drf_spectacular.utils import OpenApiResponse, extend_schema
from rest_framework.response import Response

from accounts.api import WorkspaceView
from accounts.models import Role
from crm.models import Contact
from crm.serializers.contacts import ContactSerializer
from crm.services import bin
from crm.services.contact_documents import document_column
from waplus.lib.api.pagination import PageRequest, Sort, moment
from waplus.lib.api.schema import PAGE_PARAMETERS, page_of


class BinView(WorkspaceView):
    """Contacts in the bin, the latest first. They are deleted for good after 30 days."""

    roles = {"GET": Role.MEMBER}
    queryset = Contact.objects.filter(deleted_at__isnull=False, merged_into=None)
    serializer_class = ContactSerializer
    sorts = {"-deleted_at": Sort("deleted_at", descending=True, decode=moment)}
    default_sort = "-deleted_at"

    @extend_schema(
        operation_id="contacts_list_bin",
        tags=["contacts"],
        parameters=PAGE_PARAMETERS,
        responses={200: page_of(ContactSerializer)},
    )
    def get(self, request):
        page = PageRequest.of(request.query_params, self.sorts, self.default_sort)
        rows, next_cursor = page.page(list(page.rows(self.get_queryset().annotate(document=document_column()))))
        documents = ",".join(row.document for row in rows)
        body = f'{{"results":[{documents}],"next_cursor":{json.dumps(next_cursor)}}}'
        return HttpResponse(body, content_type="application/json")


class RestoreContactView(WorkspaceView):
    """Take a contact out of the bin, with everything that it had; again, it changes nothing."""

    roles = {"POST": Role.MEMBER}
    queryset = Contact.objects.all()
    serializer_class = ContactSerializer

    @extend_schema(operation_id="contacts_restore", tags=["contacts"], request=None)
    def post(self, request, id):
        return self.answer(bin.restore_contact(workspace=self.workspace, contact_id=id, actor=self.actor))


class BinnedContactView(WorkspaceView):
    """A contact in the bin: delete it for good, now."""

    roles = {"DELETE": Role.ADMIN}
    queryset = Contact.objects.all()
    serializer_class = ContactSerializer

    @extend_schema(operation_id="contacts_purge", tags=["contacts"], responses={204: OpenApiResponse()})
    def delete(self, request, id):
        bin.purge_contact(workspace=self.workspace, contact_id=id, actor=self.actor)
        return Response(status=204)
