"""Automatic replies: rules, hours, what is known of each chat, and every decision with its reasons."""

import uuid

from django.contrib.postgres.fields import ArrayField
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from accounts.scoping import WorkspaceModel
from crm.models import Contact, WhatsAppAccount
from messaging.models.dispatch import chat_key_field
from waplus.lib.constraints import CompositeForeignKey, ScopedForeignKey
from waplus.lib.walltime import validate_zone

MAX_COOL_DOWN = 30 * 24 * 60
MAX_DELAY = 300


def between(least: int, most: int) -> list:
    return [MinValueValidator(least), MaxValueValidator(most)]


def persons() -> list[str]:
    return ["person"]


class BusinessHours(WorkspaceModel):
    """A set of opening hours, such as those of the office or of a shop.

    `intervals` is a list of `{"day": 1 … 7, "from": "09:00", "to": "17:30"}` in the
    wall clock of `time_zone`; Monday is 1, and `"to": "24:00"` is midnight.
    `holidays` is a list of `{"date": "2026-12-24", "name": "…", "from": "12:00", "to": "24:00"}`;
    without times the whole day is closed.
    """

    name = models.CharField(_("name"), max_length=80)
    time_zone = models.CharField(_("time zone"), max_length=64, validators=[validate_zone])
    intervals = models.JSONField(_("open"), default=list, blank=True)
    holidays = models.JSONField(_("holidays"), default=list, blank=True)
    created_at = models.DateTimeField(_("created"), auto_now_add=True)
    updated_at = models.DateTimeField(_("changed"), auto_now=True)

    class Meta(WorkspaceModel.Meta):
        constraints = [
            *WorkspaceModel.Meta.constraints,
            models.UniqueConstraint(fields=["workspace", "name"], name="business_hours_name"),
        ]

    def __str__(self) -> str:
        return self.name


class AutoReplyRule(WorkspaceModel):
    """When to answer by itself, and with what. Rules are tried in the order of `position`.

    `conditions` all have to hold, `actions` are done one after the other; their
    shapes are in docs/auto-replies.md. What is answered are the rule's parts
    (`ContentPart`). An empty `whatsapp_accounts` means all numbers.
    """

    name = models.CharField(_("name"), max_length=80)
    enabled = models.BooleanField(_("switched on"), default=False)
    position = models.PositiveIntegerField(_("position"), default=0)
    whatsapp_accounts = ArrayField(models.UUIDField(), verbose_name=_("numbers"), default=list, blank=True)
    chat_kinds = ArrayField(models.CharField(max_length=6), verbose_name=_("chats"), default=persons)
    conditions = models.JSONField(_("conditions"), default=list, blank=True)
    actions = models.JSONField(_("actions"), default=list, blank=True)
    stop_after_match = models.BooleanField(_("try no later rules after this one"), default=True)
    cool_down_minutes = models.PositiveIntegerField(
        _("rest in a chat"),
        default=60,
        validators=[MaxValueValidator(MAX_COOL_DOWN)],
        help_text=_("Minutes in which the rule does not answer again in the same chat."),
    )
    delay_seconds = models.PositiveSmallIntegerField(
        _("wait before answering"), default=3, validators=[MaxValueValidator(MAX_DELAY)]
    )
    created_by = models.ForeignKey("accounts.User", models.SET_NULL, null=True, related_name="+")
    created_at = models.DateTimeField(_("created"), auto_now_add=True)
    updated_at = models.DateTimeField(_("changed"), auto_now=True)

    class Meta(WorkspaceModel.Meta):
        indexes = [models.Index(fields=["workspace", "position", "id"], name="auto_reply_rule_order")]

    def __str__(self) -> str:
        return self.name


class AutoReplySetting(WorkspaceModel):
    """How cautious a workspace answers by itself. `version` is another one after every change of rules, hours or this."""

    version = models.UUIDField(default=uuid.uuid4)
    silence_minutes = models.PositiveSmallIntegerField(
        _("silence after a member wrote"), default=30, validators=between(0, 24 * 60), help_text=_("Minutes.")
    )
    chat_per_hour = models.PositiveSmallIntegerField(
        _("answers an hour in one chat"), default=10, validators=between(1, 60)
    )
    number_per_hour = models.PositiveSmallIntegerField(
        _("answers an hour from one number"), default=60, validators=between(1, 1000)
    )
    loop_exchanges = models.PositiveSmallIntegerField(
        _("answers in a row without a person"),
        default=8,
        validators=between(2, 50),
        help_text=_("More within the minutes beside it is taken for two robots talking."),
    )
    loop_minutes = models.PositiveSmallIntegerField(_("within minutes"), default=30, validators=between(1, 24 * 60))

    class Meta(WorkspaceModel.Meta):
        constraints = [models.UniqueConstraint(fields=["workspace"], name="auto_reply_setting_once")]

    def __str__(self) -> str:
        return str(self.version)


class AutoReplyChat(WorkspaceModel):
    """What automatic replies know of a chat: who wrote when, who has taken it over, whether it talks with a robot.

    `last_mark` is a keyed hash of the last incoming text, deleted after a day: it
    tells that the same was said again, and nothing else.
    """

    whatsapp_account = ScopedForeignKey(WhatsAppAccount, models.CASCADE, related_name="+", db_index=False)
    contact = ScopedForeignKey(Contact, models.CASCADE, null=True, related_name="+", db_index=False)
    chat_jid = models.CharField(_("chat"), max_length=64)
    chat_key = chat_key_field()
    last_inbound_at = models.DateTimeField(_("last received"), null=True)
    last_human_at = models.DateTimeField(_("last written by a member"), null=True)
    last_reply_at = models.DateTimeField(_("last answered by itself"), null=True)
    taken_over = models.BooleanField(_("taken over"), default=False)
    taken_over_until = models.DateTimeField(_("taken over until"), null=True, help_text=_("Empty: until given back."))
    taken_over_by = models.ForeignKey("accounts.User", models.SET_NULL, null=True, related_name="+", db_index=False)
    muted_until = models.DateTimeField(_("muted until"), null=True, help_text=_("A robot seems to write here."))
    quick_count = models.PositiveSmallIntegerField(default=0, help_text=_("Messages in a row within seconds of ours."))
    same_count = models.PositiveSmallIntegerField(default=0, help_text=_("Same messages in a row, each answered."))
    was_answered = models.BooleanField(default=False, help_text=_("Whether the last message got an answer."))
    last_mark = models.BinaryField(max_length=8, null=True, editable=False)

    class Meta(WorkspaceModel.Meta):
        constraints = [
            CompositeForeignKey(field="whatsapp_account", name="auto_reply_chat_account"),
            CompositeForeignKey(field="contact", name="auto_reply_chat_contact"),
            models.UniqueConstraint(fields=["whatsapp_account", "chat_key"], name="auto_reply_chat_once"),
            # The same by the column itself, by which merges of contacts see which rows cannot live together.
            models.UniqueConstraint(fields=["whatsapp_account", "contact"], name="auto_reply_chat_contact_once"),
        ]
        indexes = [
            models.Index(
                fields=["workspace", "contact"], condition=Q(contact__isnull=False), name="auto_reply_chat_of"
            ),
            models.Index(
                fields=["workspace", "id"],
                condition=Q(taken_over=True) | Q(muted_until__isnull=False),
                name="auto_reply_chat_silent",
            ),
            models.Index(
                fields=["last_inbound_at"], condition=Q(last_mark__isnull=False), name="auto_reply_chat_marked"
            ),
        ]

    def __str__(self) -> str:
        return self.chat_jid


class Verdict(models.TextChoices):
    """What was decided on an incoming message. The first that holds is the one that is told."""

    ANSWERED = "answered", _("Answered")
    ACTED = "acted", _("Did something, without an answer")
    OLD = "old", _("Too old")
    MUTED = "muted", _("The chat is muted")
    TAKEN_OVER = "taken_over", _("Taken over by a member")
    MEMBER_WROTE = "member_wrote", _("A member wrote")
    ECHO = "echo", _("Our own words")
    LOOP = "loop", _("A robot writes")
    OPTED_OUT = "opted_out", _("Does not want to be contacted")
    NO_MATCH = "no_match", _("No rule fits")
    COOL_DOWN = "cool_down", _("Answered a moment ago")
    CHAT_CAP = "chat_cap", _("Enough answers in this chat")
    NUMBER_CAP = "number_cap", _("Enough answers from this number")
    MISSING_VARIABLE = "missing_variable", _("Something that the text names is missing")
    FAILED = "failed", _("Could not be done")


class AutoReplyDecision(WorkspaceModel):
    """What was decided on one incoming message, and why. The message's text is not kept.

    `facts` are the numbers of the verdict's sentence; `rules` says of each rule
    that the message came near to what became of it; `others` counts the rest by reason.
    """

    whatsapp_account = ScopedForeignKey(WhatsAppAccount, models.CASCADE, related_name="+", db_index=False)
    contact = ScopedForeignKey(Contact, models.CASCADE, null=True, related_name="+", db_index=False)
    chat_jid = models.CharField(_("chat"), max_length=64)
    message_id = models.CharField(_("WhatsApp message"), max_length=128)
    verdict = models.CharField(_("verdict"), max_length=16, choices=Verdict)
    facts = models.JSONField(default=dict, blank=True)
    rules = models.JSONField(default=list, blank=True)
    others = models.JSONField(default=dict, blank=True)
    received_at = models.DateTimeField(_("message sent"))
    decided_at = models.DateTimeField(_("decided"))

    class Meta(WorkspaceModel.Meta):
        constraints = [
            *WorkspaceModel.Meta.constraints,
            CompositeForeignKey(field="whatsapp_account", name="auto_reply_decision_account"),
            CompositeForeignKey(field="contact", name="auto_reply_decision_contact"),
            # A message's bare id, whichever address its chat went by: an answer too many is worse than one too few.
            models.UniqueConstraint(fields=["whatsapp_account", "message_id"], name="auto_reply_decision_once"),
        ]
        indexes = [
            models.Index(fields=["workspace", "chat_jid", "-id"], name="auto_reply_decision_chat"),
            models.Index(
                fields=["workspace", "contact"], condition=Q(contact__isnull=False), name="auto_reply_decision_of"
            ),
            models.Index(fields=["decided_at"], name="auto_reply_decision_age"),
        ]

    def __str__(self) -> str:
        return self.verdict


class AutoReplyAnswer(WorkspaceModel):
    """That a rule was followed on a decision. Caps and cool-downs count these, by the person or by the chat without one."""

    decision = ScopedForeignKey(AutoReplyDecision, models.CASCADE, related_name="answers", db_index=False)
    rule = ScopedForeignKey(AutoReplyRule, models.CASCADE, related_name="answers", db_index=False)
    whatsapp_account = ScopedForeignKey(WhatsAppAccount, models.CASCADE, related_name="+", db_index=False)
    contact = ScopedForeignKey(Contact, models.CASCADE, null=True, related_name="+", db_index=False)
    chat_jid = models.CharField(_("chat"), max_length=64)
    chat_key = chat_key_field()
    replied = models.BooleanField(_("an answer was queued"))
    answered_at = models.DateTimeField(_("when"))

    class Meta(WorkspaceModel.Meta):
        constraints = [
            CompositeForeignKey(field="decision", name="auto_reply_answer_decision"),
            CompositeForeignKey(field="rule", name="auto_reply_answer_rule"),
            CompositeForeignKey(field="whatsapp_account", name="auto_reply_answer_account"),
            CompositeForeignKey(field="contact", name="auto_reply_answer_contact"),
            models.UniqueConstraint(fields=["decision", "rule"], name="auto_reply_answer_once"),
        ]
        indexes = [
            models.Index(fields=["whatsapp_account", "answered_at"], name="auto_reply_answer_number"),
            models.Index(fields=["whatsapp_account", "chat_key", "answered_at"], name="auto_reply_answer_chat"),
            models.Index(fields=["rule", "answered_at"], name="auto_reply_answer_week"),
            models.Index(
                fields=["workspace", "contact"], condition=Q(contact__isnull=False), name="auto_reply_answer_of"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.rule_id} at {self.answered_at:%Y-%m-%d %H:%M}"
