"""Tags on the API."""

from uuid import UUID

from drf_spectacular.utils import OpenApiParameter, OpenApiResponse, extend_schema
from rest_framework.response import Response

from accounts.api import WorkspaceView
from accounts.models import Role
from crm.models import Contact, Tag
from crm.serializers.contacts import ContactSerializer
from crm.serializers.records import OrderSerializer, TagChangeSerializer, TagSerializer
from crm.services import tags
from crm.views.whole_lists import whole_list
from waplus.lib.api.schema import page_of

NO_CONTENT = {204: OpenApiResponse()}
TAG_PAGE = page_of(TagSerializer)


class TagsView(WorkspaceView):
    """The workspace's tags in their order, all at once; make one."""

    roles = {"GET": Role.MEMBER, "POST": Role.MEMBER}
    queryset = Tag.objects.all()
    serializer_class = TagSerializer

    @extend_schema(operation_id="tags_list", tags=["tags"], responses={200: TAG_PAGE})
    def get(self, request):
        return whole_list(self, tags.tags_in_order(workspace=self.workspace))

    @extend_schema(operation_id="tags_create", tags=["tags"], responses={201: TagSerializer, 200: TagSerializer})
    def post(self, request):
        """Make a tag. A name that another tag has, in whatever case or accents, answers that tag with 200."""
        tag, is_new = tags.create_tag(workspace=self.workspace, actor=self.actor, **self.valid())
        return self.answer(tag, status=201 if is_new else 200)


class TagOrderView(WorkspaceView):
    """Put tags into an order."""

    roles = {"PUT": Role.MEMBER}
    queryset = Tag.objects.all()
    serializer_class = TagSerializer

    @extend_schema(operation_id="tags_reorder", tags=["tags"], request=OrderSerializer, responses={200: TAG_PAGE})
    def put(self, request):
        ids = self.valid(OrderSerializer)["ids"]
        return whole_list(self, tags.reorder_tags(workspace=self.workspace, actor=self.actor, ids=ids))


class TagView(WorkspaceView):
    """One tag. Deleting takes it off every contact, or puts the tag of `into` in its place."""

    roles = {"GET": Role.MEMBER, "PATCH": Role.MEMBER, "DELETE": Role.ADMIN}
    queryset = Tag.objects.all()
    serializer_class = TagSerializer

    @extend_schema(operation_id="tags_read", tags=["tags"])
    def get(self, request, id):
        return self.answer(self.get_object())

    @extend_schema(operation_id="tags_update", tags=["tags"], request=TagChangeSerializer)
    def patch(self, request, id):
        tag = tags.update_tag(
            workspace=self.workspace,
            tag_id=id,
            actor=self.actor,
            precondition=self.check_precondition,
            **self.valid(TagChangeSerializer, partial=True),
        )
        return self.answer(tag)

    @extend_schema(
        operation_id="tags_delete",
        tags=["tags"],
        parameters=[OpenApiParameter("into", UUID, description="A tag that contacts get in place of this one.")],
        responses=NO_CONTENT,
    )
    def delete(self, request, id):
        tags.delete_tag(workspace=self.workspace, tag_id=id, actor=self.actor, into=self.query_id("into"))
        return Response(status=204)


class ContactTagView(WorkspaceView):
    """Put a tag on a contact or take it off; repeating it changes nothing."""

    roles = {"PUT": Role.MEMBER, "DELETE": Role.MEMBER}
    queryset = Contact.objects.alive()
    serializer_class = ContactSerializer

    @extend_schema(operation_id="contacts_tag", tags=["tags"], request=None, responses={200: ContactSerializer})
    def put(self, request, id, tag_id):
        tags.tag_contact(workspace=self.workspace, contact_id=id, tag_id=tag_id, actor=self.actor)
        return self.answer(self.get_object())

    @extend_schema(operation_id="contacts_untag", tags=["tags"], responses={200: ContactSerializer})
    def delete(self, request, id, tag_id):
        tags.untag_contact(workspace=self.workspace, contact_id=id, tag_id=tag_id, actor=self.actor)
        return self.answer(self.get_object())
