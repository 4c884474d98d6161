"""Doing what rules say, once a decision: it is one transaction with the decision, so what was decided was done.

Each action stands by itself: one that cannot be done (its tag is gone, the chat
has no contact) is told of in the trace and keeps no other from being done.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID
from zoneinfo import ZoneInfo

from django.db import transaction

from accounts.actors import SYSTEM
from accounts.models import Membership, Role, User, Workspace
from accounts.services.events import record_event
from crm.models import Contact
from crm.services.contacts import update_contact
from crm.services.reminders.changes import create_reminder
from crm.services.tags import tag_contact, untag_contact
from messaging.models import AutoReplyDecision, ContentPart, MessageSource
from messaging.services.addressing import zone_of_chat
from messaging.services.auto_replies.compiled import CompiledRule
from messaging.services.queueing import NewMessage, queue_messages
from messaging.services.templating import MissingVariable, render_for
from waplus.lib.errors import Refused

# A robot's answer that comes later than this is none.
LIFE = timedelta(minutes=10)


@dataclass(frozen=True)
class Done:
    """What became of a rule: whether an answer was queued, the variable that was missing, actions that failed."""

    replied: bool
    missing: str = ""
    failed: tuple[dict, ...] = ()


class Doer:
    """Does the rules of one decision. The contact is looked up if something needs it."""

    def __init__(self, workspace: Workspace, decision: AutoReplyDecision, now: datetime):
        self.workspace = workspace
        self.decision = decision
        self.now = now
        self._contact: Contact | None = None

    @property
    def contact(self) -> Contact | None:
        if self._contact is None and self.decision.contact_id:
            contacts = Contact.objects.for_workspace(self.workspace).alive().select_related("owner")
            self._contact = contacts.filter(pk=self.decision.contact_id).first()
        return self._contact

    def follow(self, rules: Sequence[CompiledRule]) -> dict[UUID, Done]:
        """Do what rules say, in their order, and answer what became of each."""
        parts: dict[UUID, list[ContentPart]] = {}
        replying = [rule.id for rule in rules if rule.replies]
        if replying:
            held = ContentPart.objects.for_workspace(self.workspace).filter(auto_reply_rule__in=replying)
            for part in held.order_by("position"):
                parts.setdefault(part.auto_reply_rule_id, []).append(part)
        found, messages, due_at = {}, [], self.now
        for rule in rules:
            due_at = max(due_at, self.now + rule.delay)
            try:
                said = self._said(rule, parts.get(rule.id, []), due_at, len(messages))
                missing = ""
            except MissingVariable as error:
                said, missing = [], error.name
            messages += said
            failed = tuple(filter(None, (self._do(rule, action) for action in rule.actions)))
            found[rule.id] = Done(bool(said), missing, failed)
        if messages:
            queue_messages(workspace=self.workspace, rows=messages)
            record_event(kind="auto_reply.answered", actor=SYSTEM, workspace=self.workspace, obj=self.decision)
        return found

    def _said(
        self, rule: CompiledRule, parts: Sequence[ContentPart], due_at: datetime, position: int
    ) -> list[NewMessage]:
        decision, said = self.decision, []
        sender = self._sender(rule) if parts else None
        for part in parts:
            if not part.body and part.media_id is None:
                continue
            body = part.body and render_for(
                self.workspace,
                part.body,
                contact=self.contact,
                sender=sender,
                may_be_empty=part.media_id is not None,
            )
            said.append(
                NewMessage(
                    source=MessageSource.AUTO_REPLY,
                    origin_id=decision.pk,
                    occurrence_at=self.now,
                    position=position + len(said),
                    whatsapp_account_id=decision.whatsapp_account_id,
                    contact_id=decision.contact_id,
                    chat_jid=decision.chat_jid,
                    body=body,
                    media_id=part.media_id,
                    due_at=due_at,
                    expires_at=due_at + LIFE,
                    recipient_zone=zone_of_chat(decision.chat_jid),
                )
            )
        return said

    def _sender(self, rule: CompiledRule) -> User | None:
        """Whose name stands in an answer: that of who looks after the contact, else of who wrote the rule."""
        if self.contact is not None and self.contact.owner_id:
            return self.contact.owner
        return User.objects.filter(pk=rule.author_id).first() if rule.author_id else None

    def _do(self, rule: CompiledRule, action: dict) -> dict | None:
        """Do one action; answers why not, if it could not be done."""
        kind = action["kind"]
        try:
            with transaction.atomic():
                _ACTS[kind](self, rule, action)
        except Refused as refusal:
            return {"action": kind, "code": refusal.fields[0].code if refusal.fields else refusal.code}
        return None

    def _contact_id(self) -> UUID:
        if self.contact is None:
            raise Refused("invalid", "The chat is with nobody in the contacts.", field="contact")
        return self.contact.pk

    def _tag(self, rule: CompiledRule, action: dict) -> None:
        tag_contact(workspace=self.workspace, contact_id=self._contact_id(), tag_id=UUID(action["tag"]), actor=SYSTEM)

    def _untag(self, rule: CompiledRule, action: dict) -> None:
        untag_contact(workspace=self.workspace, contact_id=self._contact_id(), tag_id=UUID(action["tag"]), actor=SYSTEM)

    def _assign(self, rule: CompiledRule, action: dict) -> None:
        contact_id = self._contact_id()
        if not (action.get("only_if_unowned") and self.contact.owner_id):
            update_contact(workspace=self.workspace, contact_id=contact_id, actor=SYSTEM, owner=UUID(action["member"]))
            self._contact = None

    def _remind(self, rule: CompiledRule, action: dict) -> None:
        contact_id = self._contact_id()
        members = Membership.objects.for_workspace(self.workspace).select_related("user")
        wanted = action.get("member") or self.contact.owner_id
        member = (wanted and members.filter(user=wanted).first()) or members.get(role=Role.OWNER)
        local = (self.now + timedelta(minutes=action["minutes"])).astimezone(ZoneInfo(member.user.time_zone))
        create_reminder(
            workspace=self.workspace,
            user=member.user,
            actor=SYSTEM,
            text=action["text"],
            wall_time=local.replace(tzinfo=None),
            contact=Contact(pk=contact_id, workspace=self.workspace),
        )

    def _webhook(self, rule: CompiledRule, action: dict) -> None:
        """What webhooks will pick up: the decision, and which rule meant it."""
        record_event(
            kind="auto_reply.triggered",
            actor=SYSTEM,
            workspace=self.workspace,
            obj=self.decision,
            changed=[f"rules.{rule.id}"],
        )


_ACTS: dict[str, Callable[[Doer, CompiledRule, dict], None]] = {
    "tag": Doer._tag,
    "untag": Doer._untag,
    "assign": Doer._assign,
    "remind": Doer._remind,
    "webhook": Doer._webhook,
}
