"""Automatic replies on the API: rules, hours, settings, decisions, chats that are silent."""

from django.db.models import Q
from django.utils import timezone
from drf_spectacular.utils import OpenApiParameter, OpenApiResponse, extend_schema
from rest_framework.response import Response

from accounts.api import WorkspaceView
from accounts.models import Role
from messaging.models import AutoReplyChat, AutoReplyDecision, AutoReplyRule, BusinessHours, Verdict
from messaging.serializers.auto_replies import (
    AutoReplyChatSerializer,
    AutoReplyDecisionSerializer,
    AutoReplyRuleChangeSerializer,
    AutoReplyRuleSerializer,
    AutoReplySettingSerializer,
    BusinessHoursChangeSerializer,
    BusinessHoursSerializer,
    ChatNameSerializer,
    RuleOrderSerializer,
    SimulationAnswerSerializer,
    SimulationSerializer,
    TakeOverSerializer,
    simulation_data,
)
from messaging.services.auto_replies import chats, hours, rules, simulation, versions
from waplus.lib.api.schema import PAGE_PARAMETERS, page_of
from waplus.lib.errors import Invalid

TAGS = ["automatic replies"]
NO_CONTENT = {204: OpenApiResponse()}
RULE_PAGE = page_of(AutoReplyRuleSerializer)


class RulesView(WorkspaceView):
    """All rules in the order in which they are tried, at once; make one at the end."""

    roles = {"GET": Role.MEMBER, "POST": Role.ADMIN}
    queryset = AutoReplyRule.objects.prefetch_related("parts")
    serializer_class = AutoReplyRuleSerializer

    @extend_schema(operation_id="auto_replies_list", tags=TAGS, responses={200: RULE_PAGE})
    def get(self, request):
        return _whole(self, rules.rules_in_order(workspace=self.workspace))

    @extend_schema(
        operation_id="auto_replies_create",
        tags=TAGS,
        responses={201: AutoReplyRuleSerializer, 200: AutoReplyRuleSerializer},
    )
    def post(self, request):
        rule, is_new = rules.create_rule(workspace=self.workspace, user=request.user, actor=self.actor, **self.valid())
        return self.answer(rule, status=201 if is_new else 200)


def _whole(view: WorkspaceView, rows) -> Response:
    return Response({"results": view.get_serializer(rows, many=True).data, "next_cursor": None})


class RuleOrderView(WorkspaceView):
    """Put the rules into an order."""

    roles = {"PUT": Role.ADMIN}
    queryset = AutoReplyRule.objects.all()
    serializer_class = AutoReplyRuleSerializer

    @extend_schema(
        operation_id="auto_replies_reorder", tags=TAGS, request=RuleOrderSerializer, responses={200: RULE_PAGE}
    )
    def put(self, request):
        ids = self.valid(RuleOrderSerializer)["ids"]
        return _whole(self, rules.reorder_rules(workspace=self.workspace, actor=self.actor, ids=ids))


class RuleView(WorkspaceView):
    """One rule: look, change (`enabled` switches it), delete."""

    roles = {"GET": Role.MEMBER, "PATCH": Role.ADMIN, "DELETE": Role.ADMIN}
    queryset = AutoReplyRule.objects.prefetch_related("parts")
    serializer_class = AutoReplyRuleSerializer

    @extend_schema(operation_id="auto_replies_read", tags=TAGS)
    def get(self, request, id):
        return self.answer(self.get_object())

    @extend_schema(operation_id="auto_replies_update", tags=TAGS, request=AutoReplyRuleChangeSerializer)
    def patch(self, request, id):
        self.get_object()  # an unknown rule is unknown, whatever else is wrong with the payload
        rules.update_rule(
            workspace=self.workspace,
            rule_id=id,
            actor=self.actor,
            precondition=self.check_precondition,
            **self.valid(AutoReplyRuleChangeSerializer, partial=True),
        )
        return self.answer(self.get_object())

    @extend_schema(operation_id="auto_replies_delete", tags=TAGS, responses=NO_CONTENT)
    def delete(self, request, id):
        rules.delete_rule(workspace=self.workspace, rule_id=id, actor=self.actor, precondition=self.check_precondition)
        return Response(status=204)


class SettingView(WorkspaceView):
    """How cautious the workspace answers."""

    roles = {"GET": Role.MEMBER, "PATCH": Role.ADMIN}
    queryset = AutoReplyRule.objects.all()
    serializer_class = AutoReplySettingSerializer

    @extend_schema(operation_id="auto_replies_setting", tags=TAGS)
    def get(self, request):
        return self.answer(versions.setting_of(self.workspace))

    @extend_schema(operation_id="auto_replies_setting_update", tags=TAGS)
    def patch(self, request):
        return self.answer(rules.update_setting(workspace=self.workspace, actor=self.actor, **self.valid(partial=True)))


class HoursListView(WorkspaceView):
    """Sets of opening hours; make one."""

    roles = {"GET": Role.MEMBER, "POST": Role.ADMIN}
    queryset = BusinessHours.objects.all()
    serializer_class = BusinessHoursSerializer

    @extend_schema(
        operation_id="business_hours_list",
        tags=TAGS,
        parameters=PAGE_PARAMETERS,
        responses={200: page_of(BusinessHoursSerializer)},
    )
    def get(self, request):
        return self.listing(self.get_queryset())

    @extend_schema(
        operation_id="business_hours_create",
        tags=TAGS,
        responses={201: BusinessHoursSerializer, 200: BusinessHoursSerializer},
    )
    def post(self, request):
        made, is_new = hours.create_hours(workspace=self.workspace, actor=self.actor, **self.valid())
        return self.answer(made, status=201 if is_new else 200)


class HoursView(WorkspaceView):
    """One set of opening hours."""

    roles = {"GET": Role.MEMBER, "PATCH": Role.ADMIN, "DELETE": Role.ADMIN}
    queryset = BusinessHours.objects.all()
    serializer_class = BusinessHoursSerializer

    @extend_schema(operation_id="business_hours_read", tags=TAGS)
    def get(self, request, id):
        return self.answer(self.get_object())

    @extend_schema(operation_id="business_hours_update", tags=TAGS, request=BusinessHoursChangeSerializer)
    def patch(self, request, id):
        self.get_object()
        changed = hours.update_hours(
            workspace=self.workspace,
            hours_id=id,
            actor=self.actor,
            precondition=self.check_precondition,
            **self.valid(BusinessHoursChangeSerializer, partial=True),
        )
        return self.answer(changed)

    @extend_schema(operation_id="business_hours_delete", tags=TAGS, responses=NO_CONTENT)
    def delete(self, request, id):
        hours.delete_hours(
            workspace=self.workspace, hours_id=id, actor=self.actor, precondition=self.check_precondition
        )
        return Response(status=204)


class DecisionsView(WorkspaceView):
    """What was decided on incoming messages in the last thirty days, newest first."""

    roles = {"GET": Role.MEMBER}
    queryset = AutoReplyDecision.objects.all()
    serializer_class = AutoReplyDecisionSerializer

    @extend_schema(
        operation_id="auto_reply_decisions_list",
        tags=TAGS,
        parameters=[
            OpenApiParameter("verdict", str, enum=Verdict.values),
            OpenApiParameter("rule", str, description="Decisions in which this rule was followed."),
            OpenApiParameter("chat_jid", str),
            OpenApiParameter("whatsapp_account", str),
            *PAGE_PARAMETERS,
        ],
        responses={200: page_of(AutoReplyDecisionSerializer)},
    )
    def get(self, request):
        rows, params = self.get_queryset(), request.query_params
        if verdict := params.get("verdict"):
            if verdict not in Verdict.values:
                raise Invalid("verdict", "invalid_choice", f"One of: {', '.join(Verdict.values)}.")
            rows = rows.filter(verdict=verdict)
        if rule := self.query_id("rule"):
            rows = rows.filter(answers__rule=rule)
        if chat_jid := params.get("chat_jid"):
            rows = rows.filter(chat_jid=chat_jid.replace("\x00", "?"))
        if account := self.query_id("whatsapp_account"):
            rows = rows.filter(whatsapp_account=account)
        return self.listing(rows)


class DecisionView(WorkspaceView):
    """One decision with its reasons."""

    roles = {"GET": Role.MEMBER}
    queryset = AutoReplyDecision.objects.all()
    serializer_class = AutoReplyDecisionSerializer

    @extend_schema(operation_id="auto_reply_decisions_read", tags=TAGS)
    def get(self, request, id):
        return self.answer(self.get_object())


class SilentChatsView(WorkspaceView):
    """Chats that somebody has taken over, or that are muted because a robot seems to write there."""

    roles = {"GET": Role.MEMBER}
    queryset = AutoReplyChat.objects.all()
    serializer_class = AutoReplyChatSerializer

    @extend_schema(
        operation_id="auto_reply_chats_list",
        tags=TAGS,
        parameters=PAGE_PARAMETERS,
        responses={200: page_of(AutoReplyChatSerializer)},
    )
    def get(self, request):
        now = timezone.now()
        taken = Q(taken_over=True) & (Q(taken_over_until=None) | Q(taken_over_until__gt=now))
        return self.listing(self.get_queryset().filter(taken | Q(muted_until__gt=now)))


class _ChatView(WorkspaceView):
    """What is done to a chat that is named by its number and its address."""

    roles = {"POST": Role.MEMBER}
    queryset = AutoReplyChat.objects.all()
    serializer_class = AutoReplyChatSerializer

    def done(self, service, payload: type[ChatNameSerializer]) -> Response:
        values = self.valid(payload)
        account = values.pop("whatsapp_account")
        return self.answer(service(workspace=self.workspace, actor=self.actor, account=account, **values))


class TakeOverView(_ChatView):
    """Take a chat over: automatic replies stay out of it, for some minutes or until it is given back."""

    @extend_schema(
        operation_id="auto_reply_chats_take_over",
        tags=TAGS,
        request=TakeOverSerializer,
        responses={200: AutoReplyChatSerializer},
    )
    def post(self, request):
        return self.done(chats.take_over_chat, TakeOverSerializer)


class GiveBackView(_ChatView):
    """Give a chat back: automatic replies speak there again, at once."""

    @extend_schema(
        operation_id="auto_reply_chats_give_back",
        tags=TAGS,
        request=ChatNameSerializer,
        responses={200: AutoReplyChatSerializer},
    )
    def post(self, request):
        return self.done(chats.give_back_chat, ChatNameSerializer)


class SimulationView(WorkspaceView):
    """Try rules without saving or sending anything: on samples, and on synced messages of some time.

    At most 5,000 messages and five seconds; the guards go by the messages' own times.
    """

    roles = {"POST": Role.MEMBER}
    queryset = AutoReplyRule.objects.all()
    serializer_class = SimulationSerializer

    @extend_schema(operation_id="auto_replies_simulate", tags=TAGS, responses={200: SimulationAnswerSerializer})
    def post(self, request):
        payload = self.valid()
        found = simulation.simulate(
            workspace=self.workspace,
            account=payload.pop("whatsapp_account", None),
            **payload,
        )
        return Response(simulation_data(found))
