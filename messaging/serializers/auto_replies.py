"""Shapes of automatic replies on the API. What stands in conditions and actions is in docs/auto-replies.md."""

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from accounts.api import ClientIdField, ScopedRelatedField
from crm.models import Contact, WhatsAppAccount
from crm.services.naming import MAX_NAME
from messaging.models import AutoReplyChat, AutoReplyDecision, AutoReplyRule, AutoReplySetting, BusinessHours
from messaging.models.auto_replies import MAX_COOL_DOWN, MAX_DELAY
from messaging.serializers.content import PartsField
from messaging.services.auto_replies.conditions import MAX_ACTIONS, MAX_CONDITIONS
from messaging.services.auto_replies.hours import MAX_HOLIDAYS, MAX_INTERVALS
from messaging.services.auto_replies.matching import MAX_TEXT
from messaging.services.auto_replies.rules import KINDS, MAX_RULES
from messaging.services.auto_replies.simulation import Simulation, Tried, answered_by
from messaging.services.auto_replies.words import (
    decision_sentence,
    failed_sentence,
    other_sentences,
    rule_sentence,
    sentence_of,
)
from waplus.lib.walltime import validate_zone

MAX_SAMPLES = 50


class RuleOrderSerializer(serializers.Serializer):
    """Ids in the order that is wanted; those that are not named follow as they stood."""

    ids = serializers.ListField(child=serializers.UUIDField(), max_length=MAX_RULES)


class AutoReplyRuleSerializer(serializers.ModelSerializer):
    id = ClientIdField()
    name = serializers.CharField(max_length=MAX_NAME)
    whatsapp_accounts = serializers.ListField(
        child=serializers.UUIDField(), max_length=200, required=False, help_text="Ids of numbers; none means all."
    )
    chat_kinds = serializers.ListField(
        child=serializers.ChoiceField(choices=KINDS), required=False, max_length=len(KINDS)
    )
    conditions = serializers.ListField(
        child=serializers.DictField(), max_length=MAX_CONDITIONS, help_text="All of them have to hold."
    )
    parts = PartsField(
        required=False, min_length=0, help_text="What is answered; none if the rule only does something."
    )
    actions = serializers.ListField(child=serializers.DictField(), max_length=MAX_ACTIONS, required=False)
    cool_down_minutes = serializers.IntegerField(min_value=0, max_value=MAX_COOL_DOWN, required=False)
    delay_seconds = serializers.IntegerField(min_value=0, max_value=MAX_DELAY, required=False)

    class Meta:
        model = AutoReplyRule
        fields = [
            *("id", "name", "enabled", "position", "whatsapp_accounts", "chat_kinds", "conditions", "parts", "actions"),
            *("stop_after_match", "cool_down_minutes", "delay_seconds", "created_at", "updated_at"),
        ]
        read_only_fields = ["position", "created_at", "updated_at"]


class AutoReplyRuleChangeSerializer(AutoReplyRuleSerializer):
    """What may be changed of a rule; lists are replaced as a whole."""

    id = None

    class Meta(AutoReplyRuleSerializer.Meta):
        fields = [
            name
            for name in AutoReplyRuleSerializer.Meta.fields
            if name not in ("id", *AutoReplyRuleSerializer.Meta.read_only_fields)
        ]
        read_only_fields = []


class BusinessHoursSerializer(serializers.ModelSerializer):
    id = ClientIdField()
    name = serializers.CharField(max_length=MAX_NAME)
    time_zone = serializers.CharField(max_length=64, validators=[validate_zone])
    intervals = serializers.ListField(
        child=serializers.DictField(),
        max_length=MAX_INTERVALS,
        required=False,
        help_text='`{"day": 1, "from": "09:00", "to": "17:30"}`; 1 is Monday, 24:00 the end of a day.',
    )
    holidays = serializers.ListField(
        child=serializers.DictField(),
        max_length=MAX_HOLIDAYS,
        required=False,
        help_text='`{"date": "2026-12-24", "name": "…"}`, with `from` and `to` for a part of the day.',
    )

    class Meta:
        model = BusinessHours
        fields = ["id", "name", "time_zone", "intervals", "holidays", "created_at", "updated_at"]
        read_only_fields = ["created_at", "updated_at"]


class BusinessHoursChangeSerializer(BusinessHoursSerializer):
    id = None

    class Meta(BusinessHoursSerializer.Meta):
        fields = ["name", "time_zone", "intervals", "holidays"]
        read_only_fields = []


class AutoReplySettingSerializer(serializers.ModelSerializer):
    class Meta:
        model = AutoReplySetting
        fields = ["silence_minutes", "chat_per_hour", "number_per_hour", "loop_exchanges", "loop_minutes"]


class ToldRuleSerializer(serializers.Serializer):
    """What became of one rule: a code, and the sentence that people read."""

    rule = serializers.UUIDField()
    why = serializers.CharField()
    sentence = serializers.CharField()
    failed = serializers.ListField(child=serializers.CharField(), help_text="What could not be done.")


def told_rules(rules: list[dict], *, answered: bool) -> list[dict]:
    return [
        {
            "rule": told["rule"],
            "why": told["why"],
            "sentence": rule_sentence(told, answered=answered),
            "failed": [failed_sentence(failed) for failed in told.get("failed", [])],
        }
        for told in rules
    ]


class AutoReplyDecisionSerializer(serializers.ModelSerializer):
    """What was decided on a message. The message's text is not kept."""

    sentence = serializers.SerializerMethodField()
    rules = serializers.SerializerMethodField(help_text="Rules whose words stand in the message, in their order.")
    others = serializers.SerializerMethodField(help_text="What became of all other rules.")

    class Meta:
        model = AutoReplyDecision
        fields = [
            *("id", "whatsapp_account", "contact", "chat_jid", "message_id", "verdict", "sentence", "rules", "others"),
            *("received_at", "decided_at"),
        ]

    def get_sentence(self, decision) -> str:
        return decision_sentence(decision)

    @extend_schema_field(ToldRuleSerializer(many=True))
    def get_rules(self, decision):
        return told_rules(decision.rules, answered=decision.verdict in ("answered", "acted"))

    def get_others(self, decision) -> list[str]:
        return other_sentences(decision.others)


class AutoReplyChatSerializer(serializers.ModelSerializer):
    """A chat in which automatic replies are silent, or were."""

    class Meta:
        model = AutoReplyChat
        fields = [
            *("id", "whatsapp_account", "contact", "chat_jid", "taken_over", "taken_over_until", "taken_over_by"),
            *("muted_until", "last_human_at"),
        ]


class ChatNameSerializer(serializers.Serializer):
    """Which chat is meant."""

    whatsapp_account = ScopedRelatedField(queryset=WhatsAppAccount.objects)
    chat_jid = serializers.CharField(max_length=64)


class TakeOverSerializer(ChatNameSerializer):
    minutes = serializers.IntegerField(
        min_value=1, max_value=30 * 24 * 60, required=False, help_text="For how long; without it until given back."
    )


class SimulationSerializer(serializers.Serializer):
    """What to try: rules as they are saved, or one as it stands here; on samples, and on synced messages of a time."""

    rules = serializers.ListField(
        child=serializers.UUIDField(), max_length=MAX_RULES, required=False, help_text="Without: all that are on."
    )
    rule = AutoReplyRuleChangeSerializer(required=False, help_text="A rule that is not saved, tried alone.")
    samples = serializers.ListField(
        child=serializers.CharField(max_length=MAX_TEXT), max_length=MAX_SAMPLES, required=False
    )
    at = serializers.DateTimeField(required=False, help_text="When the samples come in; now without it.")
    contact = ScopedRelatedField(
        queryset=Contact.objects.alive(), required=False, allow_null=True, help_text="Who writes the samples."
    )
    whatsapp_account = ScopedRelatedField(queryset=WhatsAppAccount.objects, required=False, allow_null=True)
    since = serializers.DateTimeField(required=False, help_text="Synced messages from then on.")
    until = serializers.DateTimeField(required=False, help_text="And before then; now without it.")


class OutcomeSerializer(serializers.Serializer):
    """What would have been decided on one message."""

    text = serializers.CharField(help_text="Its beginning.")
    chat_jid = serializers.CharField(help_text="Empty for samples.")
    sent_at = serializers.DateTimeField()
    verdict = serializers.CharField()
    sentence = serializers.CharField()
    rules = ToldRuleSerializer(many=True)
    others = serializers.ListField(child=serializers.CharField())


class AnsweredBySerializer(serializers.Serializer):
    rule = serializers.UUIDField()
    name = serializers.CharField()
    count = serializers.IntegerField()


class SimulationAnswerSerializer(serializers.Serializer):
    looked_at = serializers.IntegerField(help_text="How many synced messages were judged.")
    stopped_by = serializers.ChoiceField(
        choices=["messages", "time"], allow_null=True, help_text="What bounded it, if anything did."
    )
    verdicts = serializers.DictField(
        child=serializers.IntegerField(), help_text="How many synced messages, by verdict."
    )
    answered_by = AnsweredBySerializer(many=True)
    samples = OutcomeSerializer(many=True)
    messages = OutcomeSerializer(many=True, help_text="The first synced messages, at most 200.")


def _outcome(tried: Tried) -> dict:
    judged = tried.judged
    return {
        "text": tried.text,
        "chat_jid": tried.chat_jid,
        "sent_at": tried.sent_at,
        "verdict": str(judged.verdict),
        "sentence": sentence_of(judged.verdict, judged.facts),
        "rules": told_rules(judged.rules, answered=judged.verdict in ("answered", "acted")),
        "others": other_sentences(judged.others),
    }


def simulation_data(found: Simulation) -> dict:
    """A simulation as it is answered."""
    return {
        "looked_at": found.looked_at,
        "stopped_by": found.stopped_by,
        "verdicts": dict(found.verdicts),
        "answered_by": [{"rule": str(rule), "name": name, "count": count} for rule, name, count in answered_by(found)],
        "samples": [_outcome(tried) for tried in found.samples],
        "messages": [_outcome(tried) for tried in found.messages],
    }
