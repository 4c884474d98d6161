"""Switching chats on and off, and what would be deleted by it.

Whoever switches waits until everybody who stores by the old state has ended;
what is off from then on is marked at once, is not shown any more, and is
deleted in chunks (`deletion`).
"""

from collections.abc import Iterable
from dataclasses import dataclass
from uuid import UUID

from django.db import transaction
from django.db.models import Count, Q, QuerySet, Sum
from django.utils import timezone

from accounts.actors import Actor
from accounts.models import Workspace
from accounts.services.events import record_event
from crm.models import Chat, ChatKind, Tab, Tag, WhatsAppAccount
from messaging.models import ConversationRule, ConversationSync, Deleting, RuleKind
from messaging.models.conversations import RULE_TARGETS
from messaging.services.conversations.places import places_of_chats
from messaging.services.conversations.switches import OFF, switches_of, turn_switches
from waplus.lib.errors import UNKNOWN_ID, Invalid, NotFound, Refused
from waplus.lib.hints import hint_after_commit
from waplus.lib.ids import uuid7

MAX_RULES = 100
SWEEP = "messaging.tasks.delete_switched_off"
_MODELS = {RuleKind.CHAT: Chat, RuleKind.ACCOUNT: WhatsAppAccount, RuleKind.TAG: Tag, RuleKind.TAB: Tab}
_CHUNK = 2_000


@dataclass(frozen=True)
class Loss:
    """What would be deleted: chats, messages that would go, and messages whose content would."""

    chats: int = 0
    messages: int = 0
    contents: int = 0


def rule_of(*, workspace: Workspace, rule_id: UUID, lock: bool = False) -> ConversationRule:
    """A rule by id, within the workspace."""
    rules = ConversationRule.objects.for_workspace(workspace)
    rule = (rules.select_for_update() if lock else rules).filter(pk=rule_id).first()
    if rule is None:
        raise NotFound
    return rule


@transaction.atomic
def switch_chats(
    *,
    workspace: Workspace,
    actor: Actor,
    kind: str,
    target_id: UUID,
    metadata_on: bool,
    content_on: bool,
    id: UUID | None = None,
) -> tuple[ConversationRule, bool]:
    """Set the switch of a chat, a number, a tag or a tab, and answer it and whether it is new.

    A switch that is there already is changed. Only a single chat's may be off
    altogether; one of several chats is removed instead.
    """
    _check(kind, metadata_on, content_on)
    turn_switches(workspace)
    rules = ConversationRule.objects.for_workspace(workspace)
    column = RULE_TARGETS[RuleKind(kind)]
    rule = rules.select_for_update().filter(kind=kind, **{f"{column}_id": target_id}).first()
    if rule is not None:
        return _change(workspace, actor, rule, metadata_on, content_on), False
    if not _target_exists(workspace, kind, target_id):
        raise Invalid(column, "does_not_exist", UNKNOWN_ID)
    if id is not None and ConversationRule.objects.filter(pk=id).exists():
        raise Refused("id_taken", field="id")
    if kind != RuleKind.CHAT and rules.exclude(kind=RuleKind.CHAT).count() >= MAX_RULES:
        raise Refused("limit_reached", extra={"limit": MAX_RULES})
    rule = ConversationRule.objects.create(
        id=id or uuid7(),
        workspace=workspace,
        kind=kind,
        metadata_on=metadata_on,
        content_on=content_on,
        changed_by_id=actor.user_id,
        changed_at=timezone.now(),
        **{f"{column}_id": target_id},
    )
    record_event(kind=_event(rule), actor=actor, workspace=workspace, obj=rule)
    _settle(workspace, _scope(workspace, rule))
    return rule, True


@transaction.atomic
def change_rule(
    *, workspace: Workspace, actor: Actor, rule_id: UUID, precondition=lambda rule: None, **values: bool
) -> ConversationRule:
    """Switch metadata or content of a rule on or off. `precondition` is called with the locked row and may refuse."""
    turn_switches(workspace)
    rule = rule_of(workspace=workspace, rule_id=rule_id, lock=True)
    precondition(rule)
    metadata_on, content_on = values.get("metadata_on", rule.metadata_on), values.get("content_on", rule.content_on)
    _check(rule.kind, metadata_on, content_on)
    return _change(workspace, actor, rule, metadata_on, content_on)


@transaction.atomic
def remove_rule(*, workspace: Workspace, actor: Actor, rule_id: UUID) -> None:
    """Remove a switch: its chats follow the other rules, and what none of these keeps is deleted."""
    turn_switches(workspace)
    rule = rule_of(workspace=workspace, rule_id=rule_id, lock=True)
    scope = list(_scope(workspace, rule).values_list("pk", flat=True))
    record_event(kind="conversation_rule.removed", actor=actor, workspace=workspace, obj=rule)
    ConversationSync.objects.for_workspace(workspace).filter(metadata_rule=rule).update(metadata_rule=None)
    ConversationSync.objects.for_workspace(workspace).filter(content_rule=rule).update(content_rule=None)
    rule.delete()
    _settle(workspace, ConversationSync.objects.for_workspace(workspace).filter(pk__in=scope))


def preview(
    *,
    workspace: Workspace,
    rule: ConversationRule | None,
    chat_id: UUID | None = None,
    metadata_on: bool,
    content_on: bool,
) -> Loss:
    """What would be deleted if a rule, or the switch of a chat that has none yet, were set so; all of it off: removed.

    At most this: what another rule keeps on stays.
    """
    if rule is None:
        home = places_of_chats(workspace, [chat_id])
        syncs = ConversationSync.objects.for_workspace(workspace).filter(chat__in=[one.home for one in home.values()])
    else:
        syncs = _scope(workspace, rule)
    if metadata_on and content_on:
        return Loss()
    column = "content_count" if metadata_on else "message_count"
    if rule is not None and rule.kind != RuleKind.CHAT:
        syncs = syncs.filter(content_rule=rule) if metadata_on else syncs.filter(metadata_rule=rule)
    sums = syncs.filter(**{f"{column}__gt": 0}).aggregate(
        chats=Count("pk"), messages=Sum("message_count"), contents=Sum("content_count")
    )
    messages = 0 if metadata_on else sums["messages"] or 0
    return Loss(sums["chats"] or 0, messages, sums["contents"] or 0)


@transaction.atomic
def settle_orphans(limit: int = 200) -> int:
    """Look again at chats whose rule is gone with its tag, tab or number; answers how many were looked at."""
    lost = Q(metadata_rule=None, message_count__gt=0) | Q(content_rule=None, content_count__gt=0)
    found = list(
        ConversationSync.objects.filter(lost, deleting=Deleting.NOTHING)
        .order_by("workspace_id", "pk")
        .values_list("workspace_id", "pk")[:limit]
    )
    for workspace_id in dict.fromkeys(row[0] for row in found):
        workspace = Workspace.objects.get(pk=workspace_id)
        turn_switches(workspace)
        ids = [pk for owner, pk in found if owner == workspace_id]
        _settle(workspace, ConversationSync.objects.for_workspace(workspace).filter(pk__in=ids))
    return len(found)


def _check(kind: str, metadata_on: bool, content_on: bool) -> None:
    if content_on and not metadata_on:
        raise Invalid("content_on", "invalid", "Content is synced only together with metadata.")
    if kind != RuleKind.CHAT and not metadata_on:
        raise Invalid("metadata_on", "invalid", "Remove the rule instead of switching all of it off.")


def _target_exists(workspace: Workspace, kind: str, target_id: UUID) -> bool:
    targets = _MODELS[RuleKind(kind)].objects.for_workspace(workspace).filter(pk=target_id)
    if kind == RuleKind.CHAT:
        # Channels, broadcast lists and the status are never synced.
        targets = targets.filter(kind__in=[ChatKind.PERSON, ChatKind.GROUP])
    return targets.exists()


def _change(
    workspace: Workspace, actor: Actor, rule: ConversationRule, metadata_on: bool, content_on: bool
) -> ConversationRule:
    changed = [
        name
        for name, value in (("metadata_on", metadata_on), ("content_on", content_on))
        if getattr(rule, name) != value
    ]
    if not changed:
        return rule
    rule.metadata_on, rule.content_on, rule.version = metadata_on, content_on, rule.version + 1
    rule.changed_by_id, rule.changed_at = actor.user_id, timezone.now()
    rule.save()
    record_event(kind=_event(rule), actor=actor, workspace=workspace, obj=rule, changed=changed)
    _settle(workspace, _scope(workspace, rule))
    return rule


def _event(rule: ConversationRule) -> str:
    return f"conversation_rule.switched_{'on' if rule.metadata_on else 'off'}"


def _scope(workspace: Workspace, rule: ConversationRule) -> QuerySet:
    """The rows of chats that are kept by a rule, or that its own switch speaks of."""
    condition = Q(metadata_rule=rule) | Q(content_rule=rule)
    if rule.kind == RuleKind.CHAT:
        homes = {place.home for place in places_of_chats(workspace, [rule.chat_id]).values()}
        condition |= Q(chat__in=homes)
    return ConversationSync.objects.for_workspace(workspace).filter(condition)


def _settle(workspace: Workspace, syncs: QuerySet) -> None:
    """Bring rows to what is on now, and mark what is off and has something to delete."""
    ids = list(syncs.order_by("pk").values_list("pk", flat=True))
    marked = False
    for chunk in _chunks(ids):
        rows = list(
            ConversationSync.objects.for_workspace(workspace)
            .filter(pk__in=chunk)
            .order_by("pk")
            .select_for_update(no_key=True)
        )
        switches = switches_of(workspace, {row.home_id for row in rows})
        for row in rows:
            switch = switches.get(row.home_id, OFF)
            row.metadata_rule_id, row.content_rule_id = switch.metadata, switch.content
            if not switch.metadata:
                row.deleting = Deleting.METADATA
            elif not switch.content and row.content_count and row.deleting != Deleting.METADATA:
                row.deleting = Deleting.CONTENT
            if not switch.content:
                row.content_covered, row.content_reached_start = [], False
            marked = marked or bool(row.deleting)
        ConversationSync.objects.bulk_update(
            rows, ["metadata_rule", "content_rule", "deleting", "content_covered", "content_reached_start"]
        )
    if marked:
        hint_after_commit(SWEEP)


def _chunks(ids: list) -> Iterable[list]:
    return (ids[start : start + _CHUNK] for start in range(0, len(ids), _CHUNK))
