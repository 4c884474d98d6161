"""Contacts on the API."""

import json
from dataclasses import dataclass
from uuid import UUID

from django.http import HttpResponse
from drf_spectacular.utils import OpenApiParameter, OpenApiResponse, extend_schema
from rest_framework.response import Response

from accounts.api import WorkspaceView
from accounts.idempotency import idempotent
from accounts.models import Role
from crm.filters import Filter, parse_filter
from crm.models import Contact, TabTarget
from crm.models.identities import IdentitySource
from crm.search.lists import limit_of, query_of
from crm.search.orders import SORT_NAMES
from crm.serializers.contacts import (
    ContactChangeSerializer,
    ContactSearchSerializer,
    ContactSerializer,
    IdentitySerializer,
)
from crm.services import bin, contacts
from crm.services.contact_pages import contacts_page
from crm.services.tabs import filter_of
from crm.views.filter_texts import filter_text
from crm.views.tabs import tab_named
from waplus.lib.api.schema import IDEMPOTENCY_PARAMETER, PAGE_PARAMETERS, page_of
from waplus.lib.errors import Invalid

SEARCH_PARAMETERS = [
    OpenApiParameter(
        "q",
        str,
        description="Words of names, companies, addresses, tags, fields and notes, or a number in any spelling.",
    ),
    OpenApiParameter("filter", str, description="A filter as JSON; a long one goes to `contacts/search/`."),
    OpenApiParameter(
        "tab", UUID, description="The id of a tab over contacts: its filter, and its order if none is named."
    ),
    OpenApiParameter(
        "sort",
        str,
        description=f"One of {', '.join(SORT_NAMES)}, relevance (with `q`), field:<id>, -field:<id>. "
        "`owner` goes by the members' names, `stage` by the order of the stages; contacts without a value come last.",
    ),
]


@dataclass(frozen=True)
class Searched:
    """What a list of contacts was asked for."""

    query: str
    found: Filter | None
    sort: str
    limit: int
    cursor: str


def searched_for(view: WorkspaceView, params) -> Searched:
    """Read `q`, `filter`, `tab`, `sort`, `limit` and `cursor` of a query string or a body."""
    raw = filter_text(params.get("filter"))
    found = parse_filter(view.workspace, raw) if raw is not None else None
    tab = tab_named(view, params.get("tab"), TabTarget.CONTACTS)
    sort, cursor = params.get("sort") or "", params.get("cursor") or ""
    for name, value in (("sort", sort), ("cursor", cursor)):
        if not isinstance(value, str):
            raise Invalid(name, "invalid", "This has to be a text.")
    if tab is not None:
        found = filter_of(tab).also(found)
        sort = sort or ("" if params.get("q") else tab.sort)
    return Searched(query_of(params.get("q") or ""), found, sort, limit_of(params.get("limit")), cursor)


def contact_listing(view: WorkspaceView, wanted: Searched) -> HttpResponse:
    """A page of contacts, as the database wrote it."""
    documents, next_cursor = contacts_page(
        workspace=view.workspace,
        viewer=view.request.user,
        query=wanted.query,
        found=wanted.found,
        sort=wanted.sort,
        limit=wanted.limit,
        cursor=wanted.cursor,
    )
    body = f'{{"results":[{",".join(documents)}],"next_cursor":{json.dumps(next_cursor)}}}'
    return HttpResponse(body, content_type="application/json")


class ContactSearchView(WorkspaceView):
    """Search contacts with a filter that is too long for an address; answers what the list does."""

    roles = {"POST": Role.MEMBER}
    queryset = Contact.objects.alive()
    serializer_class = ContactSerializer

    @extend_schema(
        operation_id="contacts_search",
        tags=["contacts"],
        request=ContactSearchSerializer,
        responses={200: page_of(ContactSerializer)},
    )
    def post(self, request):
        return contact_listing(self, searched_for(self, self.valid(ContactSearchSerializer)))


class ContactsView(WorkspaceView):
    """The workspace's contacts: list and search, create."""

    roles = {"GET": Role.MEMBER, "POST": Role.MEMBER}
    queryset = Contact.objects.alive()
    serializer_class = ContactSerializer

    @extend_schema(
        operation_id="contacts_list",
        tags=["contacts"],
        parameters=[*SEARCH_PARAMETERS, *PAGE_PARAMETERS],
        responses={200: page_of(ContactSerializer)},
    )
    def get(self, request):
        return contact_listing(self, searched_for(self, request.query_params))

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
