"""Rules of automatic replies: make, change, order, switch, delete; and how cautious a workspace answers."""

from collections.abc import Sequence
from uuid import UUID

from django.db import IntegrityError, transaction
from django.utils import timezone

from accounts.actors import Actor
from accounts.models import User, Workspace
from accounts.services.changes import set_changed
from accounts.services.events import record_event
from crm.models import WhatsAppAccount
from crm.services.naming import clean_name, next_position, reorder
from messaging.models import AutoReplyRule, AutoReplySetting
from messaging.services.auto_replies.conditions import clean_actions, clean_conditions
from messaging.services.auto_replies.versions import renew_version, setting_of
from messaging.services.contents import clean_parts, parts_of, replace_parts, same_parts
from messaging.services.templating import check_text
from waplus.lib.errors import UNKNOWN_ID, Invalid, NotFound, Refused
from waplus.lib.ids import uuid7
from waplus.lib.locks import take_turns

MAX_RULES = 200
KINDS = ("person", "group")


def rule_of(*, workspace: Workspace, rule_id: UUID, lock: bool = False) -> AutoReplyRule:
    """A rule by id, within the workspace."""
    rules = AutoReplyRule.objects.for_workspace(workspace)
    rule = (rules.select_for_update() if lock else rules).filter(pk=rule_id).first()
    if rule is None:
        raise NotFound
    return rule


def rules_in_order(*, workspace: Workspace) -> list[AutoReplyRule]:
    """All rules of the workspace, at most `MAX_RULES`, in the order in which they are tried."""
    return list(AutoReplyRule.objects.for_workspace(workspace).prefetch_related("parts").order_by("position", "id"))


def clean_rule(workspace: Workspace, values: dict) -> dict:
    """What a rule is made of as it is kept; raises `Refused` with the place of what is wrong."""
    values = dict(values)
    if "name" in values:
        values["name"] = clean_name(values["name"])
    if "conditions" in values:
        values["conditions"] = clean_conditions(workspace, values["conditions"])
    if "actions" in values:
        values["actions"] = clean_actions(workspace, values["actions"])
    if "whatsapp_accounts" in values:
        values["whatsapp_accounts"] = _accounts(workspace, values["whatsapp_accounts"])
    if "chat_kinds" in values:
        values["chat_kinds"] = sorted(set(values["chat_kinds"]), reverse=True)
        if not values["chat_kinds"] or not set(values["chat_kinds"]) <= set(KINDS):
            raise Invalid("chat_kinds", "invalid_choice", "Chats with people, groups, or both: person, group.")
    return values


def _accounts(workspace: Workspace, ids: Sequence[UUID]) -> list[UUID]:
    wanted = list(dict.fromkeys(ids))
    known = set(WhatsAppAccount.objects.for_workspace(workspace).filter(pk__in=wanted).values_list("pk", flat=True))
    for index, id in enumerate(wanted):
        if id not in known:
            raise Invalid(f"whatsapp_accounts.{index}", "does_not_exist", UNKNOWN_ID)
    return wanted


def checked_parts(workspace: Workspace, parts: Sequence | None) -> list[dict]:
    """The parts of an answer, none for a rule that only does something; each text's variables are known ones."""
    if not parts:
        return []
    cleaned = clean_parts(parts)
    for index, part in enumerate(cleaned):
        check_text(workspace, part["body"], field=f"parts.{index}.body")
    return cleaned


def _check_does_something(has_parts: bool, rule: AutoReplyRule) -> None:
    if not has_parts and not rule.actions:
        raise Invalid("parts", "required", "A rule answers with something, or does something.")


@transaction.atomic
def create_rule(
    *,
    workspace: Workspace,
    user: User,
    actor: Actor,
    id: UUID | None = None,
    parts: Sequence | None = None,
    **values,
) -> tuple[AutoReplyRule, bool]:
    """A rule at the end of the order, and whether it is new: a repeat with the same id answers the rule as it is now."""
    take_turns("auto_reply_rules", workspace.pk)
    if existing := AutoReplyRule.objects.of_client(workspace, id):
        return existing, False
    if AutoReplyRule.objects.for_workspace(workspace).count() >= MAX_RULES:
        raise Refused("limit_reached", f"A workspace has at most {MAX_RULES} rules.", extra={"limit": MAX_RULES})
    rule = AutoReplyRule(id=id or uuid7(), workspace=workspace, created_by=user, **clean_rule(workspace, values))
    said = checked_parts(workspace, parts)
    _check_does_something(bool(said), rule)
    rule.position = next_position(AutoReplyRule, workspace)
    try:
        with transaction.atomic():
            rule.save(force_insert=True)
    except IntegrityError:
        raise Refused("id_taken", field="id") from None
    if said:
        replace_parts(workspace=workspace, parts=said, auto_reply_rule=rule)
    renew_version(workspace)
    record_event(kind="auto_reply_rule.created", actor=actor, workspace=workspace, obj=rule)
    return rule, True


@transaction.atomic
def update_rule(
    *,
    workspace: Workspace,
    rule_id: UUID,
    actor: Actor,
    precondition=lambda rule: None,
    parts: Sequence | None = None,
    **values,
) -> AutoReplyRule:
    """Change a rule, `parts` as a whole (an empty list takes the answer away). It goes by the new one from the commit on."""
    take_turns("auto_reply_rules", workspace.pk)
    rule = rule_of(workspace=workspace, rule_id=rule_id, lock=True)
    precondition(rule)
    changed = set_changed(rule, clean_rule(workspace, values))
    present = list(parts_of(rule))
    said = checked_parts(workspace, parts)
    rewritten = parts is not None and not same_parts(present, said)
    _check_does_something(bool(said) if parts is not None else bool(present), rule)
    if rewritten:
        if said:
            replace_parts(workspace=workspace, parts=said, auto_reply_rule=rule)
        else:
            parts_of(rule).delete()
    if changed or rewritten:
        rule.updated_at = timezone.now()
        rule.save(update_fields=[*changed, "updated_at"])
        renew_version(workspace)
        names = [*changed, *(["parts"] if rewritten else [])]
        record_event(kind="auto_reply_rule.updated", actor=actor, workspace=workspace, obj=rule, changed=names)
    return rule


@transaction.atomic
def delete_rule(*, workspace: Workspace, rule_id: UUID, actor: Actor, precondition=lambda rule: None) -> None:
    """Delete a rule; what it decided stays in the trace."""
    take_turns("auto_reply_rules", workspace.pk)
    rule = rule_of(workspace=workspace, rule_id=rule_id, lock=True)
    precondition(rule)
    record_event(kind="auto_reply_rule.deleted", actor=actor, workspace=workspace, obj=rule)
    renew_version(workspace)
    rule.delete()


@transaction.atomic
def reorder_rules(*, workspace: Workspace, actor: Actor, ids: Sequence[UUID]) -> list[AutoReplyRule]:
    """Put rules into an order (see `naming.reorder`); answers all of them in it."""
    take_turns("auto_reply_rules", workspace.pk)
    if moved := reorder(AutoReplyRule, workspace, ids):
        renew_version(workspace)
        record_event(
            kind="auto_reply_rule.reordered", actor=actor, workspace=workspace, changed=["position"], count=moved
        )
    return rules_in_order(workspace=workspace)


@transaction.atomic
def update_setting(*, workspace: Workspace, actor: Actor, **values) -> AutoReplySetting:
    """Change how cautious the workspace answers."""
    take_turns("auto_reply_rules", workspace.pk)
    renew_version(workspace)
    setting = setting_of(workspace)
    changed = set_changed(setting, values)
    if changed:
        setting.save(update_fields=changed)
        record_event(kind="auto_reply_setting.updated", actor=actor, workspace=workspace, changed=changed)
    return setting
