"""Contacts on the API."""

import json

from django.http import HttpResponse
from drf_spectacular.utils import OpenApiParameter, OpenApiResponse, extend_schema
from rest_framework.response import Response

from accounts.api import WorkspaceView
from accounts.idempotency import idempotent
from accounts.models import Role
from crm.models import Contact
from crm.models.identities import IdentitySource
from crm.serializers.contacts import ContactChangeSerializer, ContactSerializer, IdentitySerializer
from crm.services import bin, contacts
from crm.services.contact_pages import contacts_page
from waplus.lib.api.pagination import PageRequest, Sort, moment
from waplus.lib.api.schema import IDEMPOTENCY_PARAMETER, PAGE_PARAMETERS, page_of
from waplus.lib.errors import Invalid

MAX_QUERY = 200


class ContactsView(WorkspaceView):
    """The workspace's contacts: list and search, create."""

    roles = {"GET": Role.MEMBER, "POST": Role.MEMBER}
    queryset = Contact.objects.alive()
    serializer_class = ContactSerializer
    sorts = {
        "name": Sort("sort_name"),
        "-name": Sort("sort_name", descending=True),
        "updated_at": Sort("updated_at", decode=moment),
        "-updated_at": Sort("updated_at", descending=True, decode=moment),
    }
    default_sort = "name"

    @extend_schema(
        operation_id="contacts_list",
        tags=["contacts"],
        parameters=[
            OpenApiParameter("q", str, description="Words of a name, company or address, or a number in any spelling."),
            OpenApiParameter("sort", str, enum=list(sorts)),
            *PAGE_PARAMETERS,
        ],
        responses={200: page_of(ContactSerializer)},
    )
    def get(self, request):
        query = request.query_params.get("q", "")
        if len(query) > MAX_QUERY or "\x00" in query:
            raise Invalid("q", "invalid", f"A query has at most {MAX_QUERY} characters and no NUL.")
        page = PageRequest.of(request.query_params, self.sorts, self.default_sort)
        documents, next_cursor = contacts_page(workspace=self.workspace, page=page, query=query.strip())
        body = f'{{"results":[{",".join(documents)}],"next_cursor":{json.dumps(next_cursor)}}}'
        return HttpResponse(body, content_type="application/json")

    @extend_schema(
        operation_id="contacts_create",
        tags=["contacts"],
        responses={201: ContactSerializer, 200: ContactSerializer},
        parameters=[IDEMPOTENCY_PARAMETER],
    )
    @idempotent
    def post(self, request):
        payload = {"identities": [], **self.valid()}
        contact, is_new = contacts.create_contact(
            workspace=self.workspace, actor=self.actor, source=IdentitySource.PERSON, **payload
        )
        return self.answer(contact, status=201 if is_new else 200)


class ContactView(WorkspaceView):
    """One contact."""

    roles = {"GET": Role.MEMBER, "PATCH": Role.MEMBER, "DELETE": Role.MEMBER}
    queryset = Contact.objects.alive()
    serializer_class = ContactSerializer

    @extend_schema(operation_id="contacts_read", tags=["contacts"])
    def get(self, request, id):
        return self.answer(self.get_object())

    @extend_schema(operation_id="contacts_update", tags=["contacts"], request=ContactChangeSerializer)
    def patch(self, request, id):
        contact = contacts.update_contact(
            workspace=self.workspace,
            contact_id=id,
            actor=self.actor,
            precondition=self.check_precondition,
            **self.valid(ContactChangeSerializer),
        )
        return self.answer(contact)

    @extend_schema(operation_id="contacts_delete", tags=["contacts"], responses={204: OpenApiResponse()})
    def delete(self, request, id):
        """Put the contact into the bin, from which it can be taken back for 30 days."""
        bin.delete_contact(workspace=self.workspace, contact_id=id, actor=self.actor)
        return Response(status=204)


class IdentitiesView(WorkspaceView):
    """Add an identity to a contact; repeating it changes nothing."""

    roles = {"POST": Role.MEMBER}
    queryset = Contact.objects.alive()
    serializer_class = ContactSerializer

    @extend_schema(operation_id="contacts_add_identity", tags=["contacts"], request=IdentitySerializer)
    def post(self, request, id):
        contact = contacts.add_identity(
            workspace=self.workspace,
            contact_id=id,
            actor=self.actor,
            source=IdentitySource.PERSON,
            **self.valid(IdentitySerializer),
        )
        return self.answer(contact)


class IdentityView(WorkspaceView):
    """Take an identity off a contact."""

    roles = {"DELETE": Role.MEMBER}
    queryset = Contact.objects.alive()
    serializer_class = ContactSerializer

    @extend_schema(operation_id="contacts_remove_identity", tags=["contacts"], responses={200: ContactSerializer})
    def delete(self, request, id, identity_id):
        contact = contacts.remove_identity(
            workspace=self.workspace, contact_id=id, identity_id=identity_id, actor=self.actor
        )
        return self.answer(contact)
