"""Synced conversations on the API: what extensions send and are asked for, switches, reading and searching."""

from uuid import UUID

from django.db.models import F
from drf_spectacular.utils import OpenApiParameter, OpenApiResponse, extend_schema
from rest_framework.response import Response

from accounts.api import WorkspaceView, etag
from accounts.models import Role
from crm.services.whatsapp_accounts import account_of
from messaging.models import ConversationRule, ConversationSync, RuleKind
from messaging.serializers.conversations import (
    ConversationMessageSerializer,
    ConversationOutcomesSerializer,
    ConversationRuleChangeSerializer,
    ConversationRuleSerializer,
    ConversationSerializer,
    ConversationUploadSerializer,
    ConversationWorkListSerializer,
    LossSerializer,
    NeedsSerializer,
    NewConversationRuleSerializer,
    StretchOfMessagesSerializer,
)
from messaging.services.conversations import reading, switching, work
from messaging.services.conversations.ingest import LISTS, take_messages
from messaging.services.conversations.measuring import measured
from waplus.lib.api.pagination import PageRequest, Sort, moment
from waplus.lib.api.schema import PAGE_PARAMETERS, page_of
from waplus.lib.errors import Invalid, Refused

ACCOUNT = OpenApiParameter("whatsapp_account", UUID, required=True)


class ConversationUploadView(WorkspaceView):
    """Upload what is seen in WhatsApp: stored where it is switched on, else only noticed in passing."""

    roles = {"POST": Role.MEMBER}
    serializer_class = ConversationUploadSerializer

    @extend_schema(
        operation_id="conversations_upload", tags=["conversations"], responses={200: ConversationOutcomesSerializer}
    )
    def post(self, request):
        payload = self.valid()
        taken = take_messages(
            workspace=self.workspace,
            actor=self.actor,
            account_id=payload["whatsapp_account"].pk,
            lists={name: payload.get(name, []) for name in LISTS},
            covers=payload.get("covers", []),
        )
        results = {**taken.lists, "covers": taken.covers}
        return Response({name: [_outcome(one) for one in outcomes] for name, outcomes in results.items()})


def _outcome(one) -> dict:
    """An outcome by hand: five hundred serializers cost more than what they tell of."""
    return {"outcome": one.outcome, "id": one.row_id, "code": one.code, "detail": one.detail}


class _OfAccountView(WorkspaceView):
    """A view of one WhatsApp number, which the query names."""

    def account_id(self) -> UUID:
        account_id = self.query_id("whatsapp_account")
        if account_id is None:
            raise Invalid("whatsapp_account", "required", "Say which WhatsApp number.")
        return account_of(workspace=self.workspace, account_id=account_id).pk


class NeedsView(_OfAccountView):
    """What is wanted of a number: which chats are switched on, and whether live text is read in passing."""

    roles = {"GET": Role.MEMBER}
    serializer_class = NeedsSerializer

    @extend_schema(operation_id="conversations_needs", tags=["conversations"], parameters=[ACCOUNT])
    def get(self, request):
        data = NeedsSerializer(work.needs_of(workspace=self.workspace, account_id=self.account_id())).data
        tag = etag(data)
        if tag in request.headers.get("If-None-Match", ""):
            return Response(status=304, headers={"ETag": tag})
        return Response(data, headers={"ETag": tag})


class WorkView(_OfAccountView):
    """Which chats are on and not whole, and which stretches of them to upload."""

    roles = {"GET": Role.MEMBER}
    serializer_class = ConversationWorkListSerializer

    @extend_schema(operation_id="conversations_work", tags=["conversations"], parameters=[ACCOUNT])
    def get(self, request):
        found = work.work_of(workspace=self.workspace, account_id=self.account_id())
        return Response(ConversationWorkListSerializer({"results": found}).data)


class ConversationsView(WorkspaceView):
    """Chats that are synced, or are being deleted; a conversation with several addresses once, as its oldest chat."""

    roles = {"GET": Role.MEMBER}
    queryset = measured(ConversationSync.objects.filter(home=F("chat")))
    serializer_class = ConversationSerializer

    @extend_schema(
        operation_id="conversations_list",
        tags=["conversations"],
        parameters=PAGE_PARAMETERS,
        responses={200: page_of(ConversationSerializer)},
    )
    def get(self, request):
        return self.listing(self.get_queryset())


class RulesView(WorkspaceView):
    """Switches: of single chats, and of all chats with persons of a number, a tag or a tab."""

    roles = {"GET": Role.MEMBER, "POST": Role.MEMBER}
    queryset = ConversationRule.objects.all()
    serializer_class = ConversationRuleSerializer

    @extend_schema(
        operation_id="conversation_rules_list",
        tags=["conversations"],
        parameters=PAGE_PARAMETERS,
        responses={200: page_of(ConversationRuleSerializer)},
    )
    def get(self, request):
        return self.listing(self.get_queryset())

    @extend_schema(
        operation_id="conversation_rules_set",
        tags=["conversations"],
        request=NewConversationRuleSerializer,
        responses={200: ConversationRuleSerializer, 201: ConversationRuleSerializer},
    )
    def post(self, request):
        payload = self.valid(NewConversationRuleSerializer)
        check_may_switch(request.auth.membership, payload["kind"])
        target = payload.pop("target")
        rule, is_new = switching.switch_chats(workspace=self.workspace, actor=self.actor, target_id=target, **payload)
        return self.answer(rule, 201 if is_new else 200)


def check_may_switch(membership, kind: str) -> None:
    """Members switch single chats; rules of many are for admins."""
    if kind != RuleKind.CHAT and not membership.may(Role.ADMIN):
        raise Refused("forbidden")


class RuleView(WorkspaceView):
    """One switch. Removing it, or switching off, deletes what no other rule keeps."""

    roles = {"GET": Role.MEMBER, "PATCH": Role.MEMBER, "DELETE": Role.MEMBER}
    queryset = ConversationRule.objects.all()
    serializer_class = ConversationRuleSerializer

    @extend_schema(operation_id="conversation_rules_read", tags=["conversations"])
    def get(self, request, id):
        return self.answer(self.get_object())

    @extend_schema(
        operation_id="conversation_rules_change", tags=["conversations"], request=ConversationRuleChangeSerializer
    )
    def patch(self, request, id):
        check_may_switch(request.auth.membership, self.get_object().kind)
        rule = switching.change_rule(
            workspace=self.workspace,
            actor=self.actor,
            rule_id=id,
            precondition=self.check_precondition,
            **self.valid(ConversationRuleChangeSerializer),
        )
        return self.answer(rule)

    @extend_schema(operation_id="conversation_rules_remove", tags=["conversations"], responses={204: OpenApiResponse()})
    def delete(self, request, id):
        check_may_switch(request.auth.membership, self.get_object().kind)
        switching.remove_rule(workspace=self.workspace, actor=self.actor, rule_id=id)
        return Response(status=204)


class RulePreviewView(WorkspaceView):
    """What switching a rule so would delete."""

    roles = {"GET": Role.MEMBER}
    queryset = ConversationRule.objects.all()
    serializer_class = LossSerializer

    @extend_schema(
        operation_id="conversation_rules_preview",
        tags=["conversations"],
        parameters=[OpenApiParameter("metadata_on", bool), OpenApiParameter("content_on", bool)],
    )
    def get(self, request, id):
        wanted = {name: request.query_params.get(name) == "true" for name in ("metadata_on", "content_on")}
        loss = switching.preview(workspace=self.workspace, rule=self.get_object(), **wanted)
        return Response(LossSerializer(loss).data)


class MessagesView(WorkspaceView):
    """Messages of a chat: the newest, or those before or after one."""

    roles = {"GET": Role.MEMBER}
    queryset = ConversationSync.objects.all()
    serializer_class = StretchOfMessagesSerializer
    sorts = {"sent_at": Sort("sent_at", decode=moment)}

    @extend_schema(
        operation_id="conversations_messages",
        tags=["conversations"],
        parameters=[
            OpenApiParameter("before", str, description="`older` of an answer."),
            OpenApiParameter("after", str, description="`newer` of an answer."),
            OpenApiParameter("limit", int),
        ],
    )
    def get(self, request, id):
        conversation = reading.conversation_of(workspace=self.workspace, chat_id=id)
        keys = {name: self._key(name) for name in ("before", "after")}
        page = PageRequest.of({"limit": request.query_params.get("limit")}, self.sorts, "sent_at")
        rows, has_more = reading.stretch_of(
            workspace=self.workspace, conversation=conversation, limit=page.limit, **keys
        )
        is_forward = keys["after"] is not None
        older = rows and (has_more or is_forward) and page.cursor_behind(rows[0].sent_at, rows[0].pk)
        newer = rows and page.cursor_behind(rows[-1].sent_at, rows[-1].pk)
        answer = {"results": rows, "older": older or None, "newer": newer or None}
        return Response(StretchOfMessagesSerializer(answer).data)

    def _key(self, name: str) -> tuple | None:
        cursor = self.request.query_params.get(name)
        return PageRequest.of({"cursor": cursor}, self.sorts, "sent_at").key if cursor else None


class ConversationSearchView(WorkspaceView):
    """Messages that have all words of a query, the newest first. A page may be short and have a next one."""

    roles = {"GET": Role.MEMBER}
    queryset = ConversationSync.objects.all()
    serializer_class = ConversationMessageSerializer
    sorts = {"-sent_at": Sort("sent_at", descending=True, decode=moment)}
    default_sort = "-sent_at"

    @extend_schema(
        operation_id="conversations_search",
        tags=["conversations"],
        parameters=[
            OpenApiParameter("q", str, required=True),
            OpenApiParameter("chat", UUID),
            *PAGE_PARAMETERS,
        ],
        responses={200: page_of(ConversationMessageSerializer)},
    )
    def get(self, request):
        page = PageRequest.of(request.query_params, self.sorts, self.default_sort)
        text = request.query_params.get("q") or ""
        if "\x00" in text:
            raise Invalid("q", "invalid", "There is a character in it that no text has.")
        rows, following = reading.search(
            workspace=self.workspace, text=text, chat_id=self.query_id("chat"), limit=page.limit, behind=page.key
        )
        results = self.get_serializer(rows, many=True).data
        return Response({"results": results, "next_cursor": page.cursor_behind(*following) if following else None})
