"""Contacts of tests with everything that can hang on one, and what the tables hold of a workspace."""

import json
import random
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from uuid import UUID

from django.apps import apps
from django.db import connection
from django.utils import timezone

from accounts import actors
from accounts.models import User, Workspace
from crm.models import (
    Avatar,
    Chat,
    Contact,
    ContactTag,
    CustomField,
    FieldValue,
    GroupMember,
    Note,
    NoteEdit,
    Reminder,
    Stage,
    Tag,
    WhatsAppAccount,
)
from crm.services.contacts import create_contact, derive_search
from messaging.models import (
    AutoReplyAnswer,
    AutoReplyChat,
    AutoReplyDecision,
    AutoReplyRule,
    Broadcast,
    BroadcastExclusion,
    ConsentRecord,
    QueuedMessage,
    ShareLink,
    Suppression,
)
from messaging.tests.schedules import make_schedule
from waplus.lib.ids import uuid7

NOON = datetime(2026, 11, 24, 12, tzinfo=UTC)
# What an undone merge leaves behind on purpose, and what is no row of a contact.
JOURNALS = {"crm_merge", "crm_mergemove", "crm_mergesuggestion", "accounts_event", "crm_tombstone"}
STAMPS = ("changed_xid", "version", "field_versions", "updated_at")


@dataclass
class Furniture:
    """What the contacts of one workspace share."""

    workspace: Workspace
    user: User
    account: WhatsAppAccount
    tags: list[Tag]
    fields: list[CustomField]
    stages: list[Stage]
    avatars: list[Avatar]
    group: Chat
    rule: AutoReplyRule


def furnish(workspace: Workspace, user: User) -> Furniture:
    """Tags, fields, stages, photos, a number and a group."""
    account = WhatsAppAccount.objects.create(workspace=workspace, jid="5511911112222@c.us")
    return Furniture(
        workspace,
        user,
        account,
        [Tag.objects.create(workspace=workspace, name=f"Tag {n}", folded=f"tag {n}") for n in range(5)],
        [
            CustomField.objects.create(workspace=workspace, name=f"Field {n}", folded=f"field {n}", kind="text")
            for n in range(5)
        ],
        [Stage.objects.create(workspace=workspace, name=f"Stage {n}", folded=f"stage {n}") for n in range(2)],
        [
            Avatar.objects.create(workspace=workspace, sha256=bytes([n]) * 32, width=1, height=1, size=1)
            for n in range(2)
        ],
        Chat.objects.create(
            workspace=workspace, whatsapp_account=account, jid="120363041234567890@g.us", kind="group", search_text=""
        ),
        AutoReplyRule.objects.create(workspace=workspace, name="Away"),
    )


def make_contact(workspace: Workspace, *identities: str, **fields) -> Contact:
    """A contact by the spellings of its identities, whose kinds follow from their form."""
    kinds = {"c.us": "c_us", "lid": "lid", "s.whatsapp.net": "c_us"}
    raw = [
        {
            "kind": kinds[value.partition("@")[2]] if "@" in value else "phone" if value[0] == "+" else "bsuid",
            "value": value,
        }
        for value in identities
    ]
    contact, _ = create_contact(
        workspace=workspace, actor=actors.SYSTEM, source="person", identities=raw, **{"name": "", **fields}
    )
    return contact


class Crowd:
    """Random contacts with random rows on them, of every kind that can hang on a contact."""

    def __init__(self, furniture: Furniture, seed: int):
        self.furniture = furniture
        self.random = random.Random(seed)
        self.number = 0

    def _fresh(self) -> int:
        self.number += 1
        return self.number

    def contact(self) -> Contact:
        """A contact whose own columns are there or not, with some of everything."""
        choose, furniture = self.random.choice, self.furniture
        number = self._fresh()
        identities = [f"+49151{10_000_000 + number}"] * choose([0, 1]) + [f"49151{10_000_000 + number}@c.us"] * choose(
            [0, 1]
        )
        identities += [f"{157_163_732_000_000 + self._fresh()}@lid" for _ in range(choose([0, 1, 2]))]
        contact = make_contact(
            furniture.workspace,
            *identities,
            f"BR.{self._fresh()}",
            name=choose(["", f"Name {number}"]),
            company=choose(["", f"Company {number}"]),
            email=choose(["", f"mail{number}@example.com"]),
        )
        Contact.objects.filter(pk=contact.pk).update(
            profile_name=choose(["", f"Profile {number}"]),
            owner=choose([None, furniture.user]),
            stage=choose([None, *furniture.stages]),
            avatar=choose([None, *furniture.avatars]),
        )
        contact.refresh_from_db()
        derive_search(contact)
        contact.save()
        self._furnish(contact)
        return contact

    def _furnish(self, contact: Contact) -> None:
        furniture, chance, now = self.furniture, self.random, NOON
        scope = {"workspace": furniture.workspace, "contact": contact}
        for tag in chance.sample(furniture.tags, chance.randint(0, 4)):
            ContactTag.objects.create(**scope, tag=tag, added_at=now)
        for field in chance.sample(furniture.fields, chance.randint(0, 4)):
            text = f"value {self._fresh()}"
            FieldValue.objects.create(**scope, field=field, value=text, text=text)
        for _ in range(chance.randint(0, 2)):
            note = Note.objects.create(**scope, text=f"note {self._fresh()}", search_text=" note", created_at=now)
            NoteEdit.objects.create(workspace=furniture.workspace, note=note, text="before", written_at=now)
            Reminder.objects.create(
                **scope,
                text="call",
                wall_time=now.replace(tzinfo=None),
                occurrence_wall=now.replace(tzinfo=None),
                time_zone="UTC",
                due_at=now,
            )
            jid = f"{157_163_733_000_000 + self._fresh()}@lid"
            Chat.objects.create(
                **scope, whatsapp_account=furniture.account, jid=jid, kind="person", search_text="", unread_count=1
            )
            GroupMember.objects.create(**scope, chat=furniture.group, jid=jid)
            due_at = timezone.now() + timedelta(days=1)
            schedule = make_schedule(furniture.account, contact=scope["contact"], chat_jid=jid, due_at=due_at)
            QueuedMessage.objects.create(
                **scope,
                source="scheduled",
                origin_id=schedule.pk,
                scheduled_message=schedule,
                occurrence_at=due_at,
                whatsapp_account=furniture.account,
                chat_jid=jid,
                message_id=f"3EB0{self._fresh():018X}",
                due_at=due_at,
                not_before=due_at,
                expires_at=due_at,
                queued_at=now,
            )
            broadcast = Broadcast.objects.create(
                workspace=furniture.workspace, whatsapp_account=furniture.account, name="News"
            )
            BroadcastExclusion.objects.create(**scope, broadcast=broadcast, reason="opted_out")
            AutoReplyChat.objects.get_or_create(
                **scope, whatsapp_account=furniture.account, defaults={"chat_jid": "4915100000000@c.us"}
            )
            ShareLink.objects.create(
                **scope,
                chat=furniture.group,
                message_ids=[uuid7()],
                token_hash=self._fresh().to_bytes(32),
                expires_at=now,
                created_at=now,
            )
            decision = AutoReplyDecision.objects.create(
                **scope,
                whatsapp_account=furniture.account,
                chat_jid="4915100000000@c.us",
                message_id=f"DECIDED{self._fresh()}",
                verdict="answered",
                received_at=now,
                decided_at=now,
            )
            AutoReplyAnswer.objects.create(
                **scope,
                decision=decision,
                rule=furniture.rule,
                whatsapp_account=furniture.account,
                chat_jid="4915100000000@c.us",
                replied=True,
                answered_at=now,
            )
            suppression = Suppression.objects.create(
                **scope, key_hash=self._fresh().to_bytes(32), key_version=1, source="person", created_at=now
            )
            ConsentRecord.objects.create(
                **scope, suppression=suppression, kind="withdrawn", means="person", recorded_at=now
            )


def tables_of(workspace: Workspace) -> dict[tuple[str, UUID], str]:
    """Every row of a workspace by table and id, without stamps; journals and events are left out."""
    rows = {}
    with connection.cursor() as cursor:
        for model in apps.get_models():
            table = model._meta.db_table
            if table in JOURNALS or not {"id", "workspace"} <= {field.name for field in model._meta.local_fields}:
                continue
            cursor.execute(f"SELECT id, to_jsonb(t) FROM {table} t WHERE workspace_id = %s", [workspace.pk])
            for row_id, row in cursor.fetchall():
                row = json.loads(row) if isinstance(row, str) else row
                rows[table, row_id] = json.dumps({key: row[key] for key in sorted(row) if key not in STAMPS})
    return rows


def difference(before: dict, after: dict) -> set[tuple[str, UUID]]:
    """The rows that came, went or changed."""
    return {key for key in {*before, *after} if before.get(key) != after.get(key)}


def ids(rows: Iterable) -> list[str]:
    """Ids as the API writes them."""
    return [str(row.pk) for row in rows]
