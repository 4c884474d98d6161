"""The data map of automatic replies. What people wrote is stored nowhere here."""

from dataclasses import replace

from messaging.personal_data.vocabulary import AUTHOR, CHAT, METADATA, WISH
from waplus.lib.personal_data import CLIENT_ID, TEAM, WORKSPACE, Correct, Export, PersonalData, declare, technical

RULE = replace(WISH, purpose="Tells when to answer by itself, and with what.", recipients=TEAM)
TRACE = replace(METADATA, purpose="Shows why a message was answered by itself, or why not, for thirty days.")
GUARD = replace(METADATA, purpose="Keeps automatic replies from talking into what a person writes.")
WHOSE_CHAT = replace(CHAT, purpose="Tells which contact the chat is with.", recipients=TEAM, correct=Correct.NEVER)


@declare
class BusinessHoursData(PersonalData):
    model = "messaging.BusinessHours"
    subjects = {"workspace": "workspace"}
    fields = {
        "id": CLIENT_ID,
        "workspace": WORKSPACE,
        **dict.fromkeys(("name", "time_zone"), RULE),
        "intervals": replace(RULE, json_keys=("day", "from", "to")),
        "holidays": replace(RULE, json_keys=("date", "name", "from", "to")),
        **dict.fromkeys(("created_at", "updated_at"), METADATA),
    }


@declare
class AutoReplyRuleData(PersonalData):
    model = "messaging.AutoReplyRule"
    subjects = {"workspace": "workspace", "person": "created_by"}
    fields = {
        "id": CLIENT_ID,
        "workspace": WORKSPACE,
        **dict.fromkeys(
            (
                *("name", "enabled", "position", "whatsapp_accounts", "chat_kinds", "stop_after_match"),
                *("cool_down_minutes", "delay_seconds"),
            ),
            RULE,
        ),
        "conditions": replace(
            RULE, json_keys=("kind", "words", "match", "pattern", "days", "hours", "is", "filter", "any filter")
        ),
        "actions": replace(RULE, json_keys=("kind", "tag", "member", "only_if_unowned", "text", "minutes")),
        "created_by": AUTHOR,
        **dict.fromkeys(("created_at", "updated_at"), METADATA),
    }


@declare
class AutoReplySettingData(PersonalData):
    model = "messaging.AutoReplySetting"
    subjects = {"workspace": "workspace"}
    fields = {
        "id": technical("Names the row.", export=Export.OMITTED),
        "workspace": WORKSPACE,
        "version": technical("Tells every process when to read the rules anew.", export=Export.OMITTED),
        **dict.fromkeys(
            ("silence_minutes", "chat_per_hour", "number_per_hour", "loop_exchanges", "loop_minutes"), RULE
        ),
    }


@declare
class AutoReplyChatData(PersonalData):
    model = "messaging.AutoReplyChat"
    subjects = {"workspace": "workspace", "contact": "contact", "person": "taken_over_by"}
    fields = {
        "id": technical("Names the row."),
        "workspace": WORKSPACE,
        "whatsapp_account": technical("Tells which number the chat is with."),
        "contact": WHOSE_CHAT,
        "chat_jid": replace(CHAT, correct=Correct.NEVER),
        "chat_key": replace(CHAT, purpose="Keeps the chat's addresses together.", export=Export.OMITTED),
        **dict.fromkeys(
            (
                *("last_inbound_at", "last_human_at", "last_reply_at", "taken_over", "taken_over_until"),
                *("muted_until", "quick_count", "same_count", "was_answered"),
            ),
            GUARD,
        ),
        "taken_over_by": replace(AUTHOR, purpose="Tells the team who took the chat over."),
        "last_mark": technical(
            "Tells that the same was said again: a keyed hash of the last text, deleted after a day.",
            export=Export.OMITTED,
        ),
    }


@declare
class AutoReplyDecisionData(PersonalData):
    model = "messaging.AutoReplyDecision"
    subjects = {"workspace": "workspace", "contact": "contact"}
    fields = {
        "id": technical("Names the row."),
        "workspace": WORKSPACE,
        "contact": WHOSE_CHAT,
        "chat_jid": replace(CHAT, correct=Correct.NEVER),
        **dict.fromkeys(("whatsapp_account", "message_id", "verdict", "received_at", "decided_at"), TRACE),
        "facts": replace(TRACE, json_keys=("minutes", "limit", "until", "name", "count", "why")),
        "rules": replace(
            TRACE,
            recipients=TEAM,
            json_keys=("rule", "why", "keyword", "minutes", "name", "hours", "days", "failed", "action", "code"),
        ),
        "others": replace(TRACE, json_keys=("number", "chat_kind", "text", "stopped")),
    }


@declare
class AutoReplyAnswerData(PersonalData):
    model = "messaging.AutoReplyAnswer"
    subjects = {"workspace": "workspace", "contact": "contact"}
    fields = {
        "id": technical("Names the row."),
        "workspace": WORKSPACE,
        "decision": technical("Leads to the decision."),
        "rule": technical("Leads to the rule that was followed."),
        "whatsapp_account": technical("Tells which number answered."),
        "contact": WHOSE_CHAT,
        "chat_jid": replace(CHAT, purpose="Counts the answers in a chat.", correct=Correct.NEVER),
        "chat_key": replace(CHAT, purpose="Keeps the chat's addresses together.", export=Export.OMITTED),
        **dict.fromkeys(("replied", "answered_at"), TRACE),
    }
