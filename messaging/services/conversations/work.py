"""What extensions are asked to send: which chats are on, and which stretches of them are missing."""

from dataclasses import dataclass, field
from datetime import UTC, datetime
from uuid import UUID

from django.db import connection, transaction
from django.db.models import F

from accounts.models import Workspace
from crm.models import Chat, ContactTag
from messaging.models import ConversationRule, ConversationSync, RuleKind
from messaging.services.conversations.coverage import Completeness, gaps
from messaging.services.conversations.homes import make_syncs
from messaging.services.conversations.ingest import hold_account
from messaging.services.conversations.measuring import completeness, measured
from messaging.services.conversations.places import places_of_chats
from messaging.services.conversations.switches import OFF, Switch, chats_of_tab, hold_switches, switches_of
from messaging.services.observed import needs_text
from waplus.lib.ids import uuid7

# So many chats are named one by one; a rule of more is better made for the whole number.
MAX_NAMED = 20_000
ENROLLED = 500
_UNKNOWN = """
SELECT c.id FROM crm_chat c
WHERE c.workspace_id = %s AND c.whatsapp_account_id = %s AND c.kind = 'person'
  AND NOT EXISTS (SELECT 1 FROM messaging_conversationsync s WHERE s.chat_id = c.id)
ORDER BY c.last_message_at DESC NULLS LAST LIMIT %s
"""


@dataclass(frozen=True)
class NamedChat:
    """A chat whose switches are not those of all chats with persons."""

    chat_jid: str
    metadata: bool
    content: bool


@dataclass(frozen=True)
class Needs:
    """What of a number is wanted: of chats with persons, of chats that are named, and live text in passing."""

    live_text: bool
    persons_metadata: bool
    persons_content: bool
    chats: list[NamedChat] = field(default_factory=list)


def needs_of(*, workspace: Workspace, account_id: UUID) -> Needs:
    """What an extension should send of a number, and no more."""
    whole = (
        ConversationRule.objects.for_workspace(workspace)
        .filter(kind=RuleKind.ACCOUNT, whatsapp_account=account_id)
        .first()
    )
    usual = Switch(whole.pk if whole else None, whole.pk if whole and whole.content_on else None)
    named = _named(workspace, account_id)
    switches = switches_of(workspace, named)
    jids = dict(Chat.objects.for_workspace(workspace).filter(pk__in=named).values_list("pk", "jid"))
    chats = []
    for chat_id in sorted(named, key=lambda id: jids[id]):
        switch = switches.get(chat_id, OFF)
        on = bool(switch.metadata), bool(switch.content)
        if on != (bool(usual.metadata), bool(usual.content)) or jids[chat_id].endswith("@g.us"):
            chats.append(NamedChat(jids[chat_id], *on))
    return Needs(needs_text(workspace, account_id), bool(usual.metadata), bool(usual.content), chats)


def _named(workspace: Workspace, account_id: UUID) -> set[UUID]:
    """Chats of a number that a rule beside that of the whole number speaks of."""
    rules = ConversationRule.objects.for_workspace(workspace).filter(
        kind__in=(RuleKind.CHAT, RuleKind.TAG, RuleKind.TAB)
    )
    chats = Chat.objects.for_workspace(workspace).filter(whatsapp_account=account_id)
    own = rules.filter(kind=RuleKind.CHAT).values("chat")
    found = set(chats.filter(pk__in=own).values_list("pk", flat=True)[:MAX_NAMED])
    # The other chats of a conversation that has a switch of its own.
    found |= set(
        chats.filter(contact__in=chats.filter(pk__in=own, contact__isnull=False).values("contact")).values_list(
            "pk", flat=True
        )[:MAX_NAMED]
    )
    for rule in rules.exclude(kind=RuleKind.CHAT):
        if rule.kind == RuleKind.TAG:
            wearers = ContactTag.objects.for_workspace(workspace).filter(tag=rule.tag_id).values("contact")
            found |= set(chats.filter(kind="person", contact__in=wearers).values_list("pk", flat=True)[:MAX_NAMED])
        else:
            ids = chats_of_tab(workspace, rule.tab_id)
            found |= set(chats.filter(pk__in=ids[:MAX_NAMED]).values_list("pk", flat=True))
    return found


@dataclass(frozen=True)
class Stretch:
    """What to fetch of a chat: messages after `after` and before `before`; None is without an end on that side."""

    after: datetime | None
    before: datetime | None


@dataclass(frozen=True)
class Work:
    """A chat with what is missing of it, what matters most first."""

    chat: Chat
    content: bool
    stretches: list[Stretch]
    completeness: Completeness


@transaction.atomic
def work_of(*, workspace: Workspace, account_id: UUID, limit: int = 50) -> list[Work]:
    """Chats of a number that are on and not whole, with what to fetch: newer messages, then gaps, then older ones."""
    hold_account(workspace, account_id)
    hold_switches(workspace)
    _enrol(workspace, account_id)
    on = ConversationSync.objects.for_workspace(workspace).filter(
        home=F("chat"), whatsapp_account=account_id, metadata_rule__isnull=False, deleting=""
    )
    found = []
    for sync in measured(on).order_by(F("newest_at").desc(nulls_last=True), "pk").iterator(chunk_size=200):
        work = work_for(sync)
        if work.stretches:
            found.append(work)
            if len(found) >= limit:
                break
    return found


def work_for(sync: ConversationSync) -> Work:
    """What is missing of one chat. `sync` is `measured`."""
    content = sync.content_rule_id is not None
    ranges = sync.content_covered if content else sync.covered
    reached = sync.content_reached_start if content else sync.reached_start
    stretches = []
    if not ranges:
        stretches.append(Stretch(None, None))
    else:
        if sync.newest_at is not None and sync.newest_at.timestamp() > ranges[-1][1]:
            stretches.append(Stretch(_moment(ranges[-1][1]), None))
        stretches += [Stretch(_moment(start), _moment(end)) for start, end in gaps(ranges)]
        if not reached:
            stretches.append(Stretch(None, _moment(ranges[0][0])))
    return Work(sync.chat, content, stretches, completeness(sync))


def _enrol(workspace: Workspace, account_id: UUID) -> None:
    """Make rows for chats that are on and have none yet: those with the latest messages first, some at a time."""
    rules = ConversationRule.objects.for_workspace(workspace)
    if rules.filter(kind=RuleKind.ACCOUNT, whatsapp_account=account_id).exists():
        with connection.cursor() as cursor:
            cursor.execute(_UNKNOWN, [workspace.pk, account_id, ENROLLED])
            wanted = {row[0] for row in cursor.fetchall()}
    else:
        wanted = set()
    named = _named(workspace, account_id)
    known = ConversationSync.objects.for_workspace(workspace).filter(chat__in=named).values_list("chat_id", flat=True)
    wanted |= set(sorted(named - set(known))[:ENROLLED])
    places = places_of_chats(workspace, wanted)
    switches = switches_of(workspace, {place.home for place in places.values()})
    on = [place for place in places.values() if switches.get(place.home, OFF).metadata]
    if not on:
        return
    make_syncs(workspace, account_id, on, iter(uuid7, None))
    homes = {place.home for place in on}
    rows = list(
        ConversationSync.objects.for_workspace(workspace)
        .filter(chat__in=homes, metadata_rule=None, deleting="")
        .order_by("pk")
        .select_for_update(no_key=True)
    )
    for row in rows:
        switch = switches[row.home_id]
        row.metadata_rule_id, row.content_rule_id = switch.metadata, switch.content
    ConversationSync.objects.bulk_update(rows, ["metadata_rule", "content_rule"])


def _moment(seconds: float) -> datetime:
    return datetime.fromtimestamp(seconds, UTC)
