"""Chats and members of groups on the API."""

from uuid import UUID

from drf_spectacular.utils import OpenApiParameter, OpenApiResponse, extend_schema
from rest_framework.response import Response

from accounts.api import WorkspaceView
from accounts.models import Role
from crm.filters import Filter, parse_filter
from crm.filters.chat_leaves import NOT_OF_PERSON
from crm.filters.sql import TRUE, Sql, all_of
from crm.models import Chat, ChatKind, GroupMember, TabTarget
from crm.search.chats import driver_of, named_so, page_of_chats
from crm.search.lists import query_of
from crm.serializers.chats import (
    ChatChangeSerializer,
    ChatOutcomesSerializer,
    ChatReportsSerializer,
    ChatSerializer,
    GroupMemberSerializer,
    MemberChangesSerializer,
    MembersSerializer,
)
from crm.services import chats, group_members
from crm.services.tabs import filter_of
from crm.views.filter_texts import filter_text
from crm.views.tabs import tab_named
from waplus.lib.api.pagination import PageRequest, Sort, moment
from waplus.lib.api.schema import PAGE_PARAMETERS, page_of
from waplus.lib.errors import Invalid
from waplus.lib.text import fold


class ChatsView(WorkspaceView):
    """Chats of every kind: the ones with the latest message first; the extension reports their state."""

    roles = {"GET": Role.MEMBER, "PUT": Role.MEMBER}
    queryset = Chat.objects.all()
    serializer_class = ChatSerializer
    sorts = {"-last_message_at": Sort("listed_at", descending=True, decode=moment)}
    default_sort = "-last_message_at"

    @extend_schema(
        operation_id="chats_list",
        tags=["chats"],
        parameters=[
            OpenApiParameter("q", str, description="A part of the name."),
            OpenApiParameter("whatsapp_account", UUID),
            OpenApiParameter("contact", UUID),
            OpenApiParameter("kind", str, enum=ChatKind.values),
            OpenApiParameter("filter", str, description="A filter over chats as JSON."),
            OpenApiParameter("tab", UUID, description="The id of a tab over chats: its filter."),
            OpenApiParameter("sort", str, enum=list(sorts)),
            *PAGE_PARAMETERS,
        ],
        responses={200: page_of(ChatSerializer)},
    )
    def get(self, request):
        page = PageRequest.of(request.query_params, self.sorts, self.default_sort)
        conditions, driver, along = self._asked(request.query_params)
        ids, following = page_of_chats(
            workspace=self.workspace,
            condition=all_of(conditions),
            driver=driver,
            along=along,
            limit=page.limit,
            behind=page.key,
        )
        rows = self.get_queryset().in_bulk(ids)
        results = self.get_serializer([rows[id] for id in ids if id in rows], many=True).data
        return Response({"results": results, "next_cursor": page.cursor_behind(*following) if following else None})

    def _asked(self, params) -> tuple[list[Sql], Sql | None, Sql]:
        """What the parameters say of a chat, what of it an index knows, and what an index in the list's order knows."""
        conditions, driver, along = [], None, TRUE
        if text := params.get("whatsapp_account"):
            conditions.append(Sql("crm_chat.whatsapp_account_id = %s", (_uuid("whatsapp_account", text),)))
        if kind := params.get("kind"):
            if kind not in ChatKind.values:
                raise Invalid("kind", "invalid_choice", f"One of: {', '.join(ChatKind.values)}.")
            conditions.append(Sql("crm_chat.kind = %s", (kind,)))
            along = TRUE if kind == ChatKind.PERSON else NOT_OF_PERSON
        if words := fold(query_of(params.get("q") or "")).split():
            conditions.append(named_so(words))
            driver = driver_of(words)
        if text := params.get("contact"):
            driver = Sql("crm_chat.contact_id IS NOT NULL AND crm_chat.contact_id = %s", (_uuid("contact", text),))
            conditions.append(driver)
        if (found := self._filter(params)) is not None:
            conditions.append(found.condition(self.request.user))
            along = found.along(self.request.user) if along == TRUE else along
        return conditions, driver, along

    def _filter(self, params) -> Filter | None:
        """What a filter and a tab select together."""
        wanted = filter_text(params.get("filter"))
        by_text = parse_filter(self.workspace, wanted, "chats") if wanted is not None else None
        tab = tab_named(self, params.get("tab"), TabTarget.CHATS)
        return filter_of(tab).also(by_text) if tab else by_text

    @extend_schema(
        operation_id="chats_report",
        tags=["chats"],
        request=ChatReportsSerializer,
        responses={200: ChatOutcomesSerializer},
    )
    def put(self, request):
        items = self.valid(ChatReportsSerializer)["chats"]
        outcomes = chats.report_chats(workspace=self.workspace, actor=self.actor, items=items)
        return Response(ChatOutcomesSerializer({"results": outcomes}).data)


def _uuid(name: str, text: str) -> UUID:
    try:
        return UUID(text)
    except ValueError as error:
        raise Invalid(name, "invalid", "This is not an id.") from error


class ChatView(WorkspaceView):
    """One chat."""

    roles = {"GET": Role.MEMBER, "PATCH": Role.MEMBER}
    queryset = Chat.objects.all()
    serializer_class = ChatSerializer

    @extend_schema(operation_id="chats_read", tags=["chats"])
    def get(self, request, id):
        return self.answer(self.get_object())

    @extend_schema(operation_id="chats_update", tags=["chats"], request=ChatChangeSerializer)
    def patch(self, request, id):
        chat = chats.update_chat(
            workspace=self.workspace,
            chat_id=id,
            actor=self.actor,
            precondition=self.check_precondition,
            **self.valid(ChatChangeSerializer),
        )
        return self.answer(chat)


class ChatMembersView(WorkspaceView):
    """Who is in a group; the extension reports the whole list (PUT) or what changed (PATCH)."""

    roles = {"GET": Role.MEMBER, "PUT": Role.MEMBER, "PATCH": Role.MEMBER}
    queryset = Chat.objects.all()
    serializer_class = GroupMemberSerializer
    sorts = {"jid": Sort("jid")}
    default_sort = "jid"

    @extend_schema(
        operation_id="chats_members",
        tags=["chats"],
        parameters=PAGE_PARAMETERS,
        responses={200: page_of(GroupMemberSerializer)},
    )
    def get(self, request, id):
        return self.listing(GroupMember.objects.for_workspace(self.workspace).filter(chat=self.get_object()))

    @extend_schema(
        operation_id="chats_set_members", tags=["chats"], request=MembersSerializer, responses={204: OpenApiResponse()}
    )
    def put(self, request, id):
        self.get_object()
        group_members.set_members(
            workspace=self.workspace, actor=self.actor, chat_id=id, **self.valid(MembersSerializer)
        )
        return Response(status=204)

    @extend_schema(
        operation_id="chats_change_members",
        tags=["chats"],
        request=MemberChangesSerializer,
        responses={204: OpenApiResponse()},
    )
    def patch(self, request, id):
        self.get_object()
        group_members.change_members(
            workspace=self.workspace, actor=self.actor, chat_id=id, **self.valid(MemberChangesSerializer)
        )
        return Response(status=204)
