"""The rules of a workspace, compiled once in each process and for each version of them."""

import threading
from collections import OrderedDict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from uuid import UUID

from accounts.models import Workspace
from crm.filters import Filter, parse_filter
from messaging.models import AutoReplyRule, BusinessHours, ContentPart
from messaging.services.auto_replies.hours import Opening
from messaging.services.auto_replies.matching import TextConditions

KEPT = 256


@dataclass(frozen=True)
class CompiledRule:
    """A rule as it is asked. `texts` are slots of `Rules.texts`, `filters` places in `Rules.filters`."""

    id: UUID
    name: str
    accounts: frozenset[UUID]
    kinds: frozenset[str]
    texts: tuple[int, ...]
    takes_any: bool
    hours: tuple[tuple[UUID, bool], ...]
    first_in_days: int | None
    is_first: bool
    outbound_hours: int | None
    filters: tuple[int, ...]
    actions: tuple[dict, ...]
    replies: int
    stops: bool
    cool_down: timedelta
    delay: timedelta
    author_id: UUID | None


@dataclass
class Rules:
    """All rules that are switched on, in their order."""

    rules: list[CompiledRule] = field(default_factory=list)
    texts: TextConditions = field(default_factory=TextConditions)
    filters: list[Filter] = field(default_factory=list)
    openings: dict[UUID, Opening] = field(default_factory=dict)

    @property
    def takes_groups(self) -> bool:
        return any("group" in rule.kinds for rule in self.rules)

    @property
    def longest_rest(self) -> timedelta:
        return max((rule.cool_down for rule in self.rules), default=timedelta(0))

    def reads_text(self, account_id: UUID) -> bool:
        """Whether a rule for a number looks at what people write."""
        return any(rule.texts and (not rule.accounts or account_id in rule.accounts) for rule in self.rules)


def compile_rules(workspace: Workspace, rows: Iterable[AutoReplyRule], replies: Mapping[UUID, int]) -> Rules:
    """Rules in their order, compiled. `replies` says how many parts each answers with."""
    made, slot = Rules(), 0
    for hours in BusinessHours.objects.for_workspace(workspace):
        made.openings[hours.pk] = Opening.of(hours)
    for row in rows:
        texts, filters, by_kind = [], [], {}
        for condition in row.conditions:
            kind = condition["kind"]
            by_kind.setdefault(kind, []).append(condition)
            if kind == "keyword":
                made.texts.add_keywords(slot, condition["words"], condition["match"])
            elif kind == "pattern":
                made.texts.add_pattern(slot, condition["pattern"])
            elif kind == "contact":
                filters.append(len(made.filters))
                made.filters.append(parse_filter(workspace, condition["filter"], lenient=True))
            if kind in ("keyword", "pattern"):
                texts.append(slot)
                slot += 1
        first = by_kind.get("first_message", [])
        outbound = by_kind.get("last_outbound", [])
        made.rules.append(
            CompiledRule(
                id=row.pk,
                name=row.name,
                accounts=frozenset(row.whatsapp_accounts),
                kinds=frozenset(row.chat_kinds),
                texts=tuple(texts),
                takes_any="any" in by_kind,
                hours=tuple((UUID(each["hours"]), each["is"] == "inside") for each in by_kind.get("hours", [])),
                is_first=bool(first),
                first_in_days=max((each["days"] for each in first if "days" in each), default=None),
                outbound_hours=max((each["hours"] for each in outbound), default=None),
                filters=tuple(filters),
                actions=tuple(row.actions),
                replies=replies.get(row.pk, 0),
                stops=row.stop_after_match,
                cool_down=timedelta(minutes=row.cool_down_minutes),
                delay=timedelta(seconds=row.delay_seconds),
                author_id=row.created_by_id,
            )
        )
    return made


def counted_parts(workspace: Workspace) -> dict[UUID, int]:
    """How many parts each rule answers with."""
    counts: dict[UUID, int] = {}
    parts = ContentPart.objects.for_workspace(workspace).filter(auto_reply_rule__isnull=False)
    for rule_id in parts.values_list("auto_reply_rule", flat=True):
        counts[rule_id] = counts.get(rule_id, 0) + 1
    return counts


_kept: OrderedDict[UUID, tuple[UUID, Rules]] = OrderedDict()
_lock = threading.Lock()


def rules_of(workspace: Workspace, version: UUID) -> Rules:
    """The rules that are switched on, compiled for a version that was read just now in this transaction.

    What is read here may be newer than the version, never older: then it is
    read once more under its own.
    """
    with _lock:
        found = _kept.get(workspace.pk)
        if found and found[0] == version:
            _kept.move_to_end(workspace.pk)
            return found[1]
    rows = AutoReplyRule.objects.for_workspace(workspace).filter(enabled=True).order_by("position", "id")
    rules = compile_rules(workspace, rows, counted_parts(workspace))
    with _lock:
        _kept[workspace.pk] = version, rules
        _kept.move_to_end(workspace.pk)
        while len(_kept) > KEPT:
            _kept.popitem(last=False)
    return rules
