"""The workspace that the walk tries to get into: one of everything, a canary in every text."""

from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID

from allauth.account.models import EmailAddress
from allauth.mfa.models import Authenticator
from allauth.usersessions.models import UserSession
from django.apps import apps
from django.contrib.sessions.backends.db import SessionStore
from django.core.files.base import ContentFile
from django.db import connection
from django.utils import timezone

from accounts import actors
from accounts.models import ExtensionInstance, Invitation, Membership, Role, User, Workspace
from conftest import Device, join, make_device, make_person
from crm.models import (
    Avatar,
    BulkAction,
    BulkChunk,
    Chat,
    Contact,
    ContactsOfEvent,
    GroupMember,
    ImportBatch,
    ImportRow,
    Merge,
    MergeSuggestion,
    Reminder,
    StagedRow,
    Tab,
    TabCount,
    WhatsAppAccount,
)
from crm.services.bin import delete_contact
from crm.services.contacts import create_contact, update_contact
from crm.services.custom_fields import create_field, retire_field
from crm.services.merging import merge_contacts
from crm.services.notes import delete_note, edit_note, write_note
from crm.services.stages import create_stage
from crm.services.tags import create_tag, tag_contact
from messaging.models import (
    AutoReplyAnswer,
    AutoReplyChat,
    AutoReplyDecision,
    AutoReplyRule,
    Broadcast,
    BroadcastExclusion,
    BroadcastSetting,
    BusinessHours,
    ContentPart,
    ConversationMessage,
    ConversationRule,
    ConversationSync,
    DispatchAttempt,
    MediaFile,
    MediaPart,
    MediaUpload,
    MessageReaction,
    NumberList,
    NumberListChunk,
    NumberListRefusal,
    OptOutWord,
    QueuedMessage,
    ShareLink,
    ShareOpening,
    Suppression,
    UnreachableChat,
)
from messaging.services.quick_replies.changes import create_reply
from messaging.services.quick_replies.folders import create_folder
from messaging.services.quick_replies.using import count_use
from messaging.tests.schedules import make_schedule
from waplus.lib.hashing import hash_secret
from waplus.lib.ids import uuid7

CANARY = "canary8c1f"
INVITATION_TOKEN = f"{CANARY}-invitation-token"


@dataclass
class Target:
    """Acme and the ids in it, by the names that routes give to their parameters."""

    workspace: Workspace
    alice: User
    device: Device
    ids: dict[str, object]

    def secrets(self) -> list[str]:
        """What must never be seen by others: the canary, and every id of a row of Acme."""
        ids = {str(value) for value in self.ids.values() if isinstance(value, UUID)}
        return [CANARY, *sorted(ids)]


def build(workspace: Workspace, alice: User) -> Target:
    """Fill Acme. Every text carries the canary, every id is kept by name."""
    now = timezone.now()
    User.objects.filter(pk=alice.pk).update(name=f"Alice {CANARY}")
    Workspace.objects.filter(pk=workspace.pk).update(name=f"Acme {CANARY}")
    workspace.refresh_from_db()
    alice.refresh_from_db()
    device = make_device(alice, workspace)
    ExtensionInstance.objects.filter(pk=device.instance.pk).update(name=f"Laptop {CANARY}")
    member = join(workspace, make_person(f"Dora{CANARY}"))
    invitation = Invitation.objects.create(
        workspace=workspace,
        email=f"{CANARY}@example.com",
        role=Role.MEMBER,
        token_hash=hash_secret(INVITATION_TOKEN),
        invited_by=alice,
        expires_at=now + timedelta(days=1),
    )
    account = WhatsAppAccount.objects.create(workspace=workspace, jid="5511911112222@c.us", name=f"Number {CANARY}")
    contact, _ = create_contact(
        workspace=workspace,
        actor=actors.person(alice),
        source="person",
        name=f"Contact {CANARY}",
        company=f"Company {CANARY}",
        email=f"contact-{CANARY}@example.com",
        identities=[{"kind": "phone", "value": "+4915112345678"}, {"kind": "lid", "value": "157163732254124@lid"}],
    )
    records = _records(workspace, actors.person(alice), contact)
    double, merge, suggestion = _doubles(workspace, contact)
    batch, pending, previewed = (_import(workspace, alice, state) for state in ("finished", "uploaded", "previewed"))
    StagedRow.objects.create(
        workspace=workspace, batch_id=previewed.pk, row_number=1, name=CANARY, note=CANARY, outcome="created"
    )
    chat, group = (
        Chat.objects.create(
            workspace=workspace, whatsapp_account=account, jid=jid, kind=kind, name=CANARY, search_text=f" {CANARY}"
        )
        for jid, kind in (("4915112345677@c.us", "person"), ("120363041234567890@g.us", "group"))
    )
    avatar = Avatar(workspace=workspace, sha256=bytes(32), width=1, height=1, size=1)
    avatar.file.save("photo.jpg", ContentFile(CANARY.encode()), save=False)
    avatar.save(force_insert=True)
    Contact.objects.filter(pk=contact.pk).update(avatar=avatar)
    Chat.objects.filter(pk=chat.pk).update(avatar=avatar)
    media = MediaFile(workspace=workspace, sha256=bytes(32), media_type="text/plain", name=f"{CANARY}.txt", size=10)
    media.file.save("file", ContentFile(CANARY.encode()), save=False)
    media.save(force_insert=True)
    upload = MediaUpload.objects.create(workspace=workspace, name=f"{CANARY}.txt", size=10)
    part = MediaPart(workspace=workspace, upload=upload, number=1, size=10, sha256=bytes(32))
    part.file.save("part", ContentFile(CANARY.encode()), save=False)
    part.save(force_insert=True)
    share = ShareLink.objects.create(
        workspace=workspace,
        chat=chat,
        message_ids=[uuid7()],
        token_hash=hash_secret(f"{CANARY}-share-token"),
        expires_at=now + timedelta(days=1),
        created_at=now,
    )
    ShareOpening.objects.create(workspace=workspace, share=share, opened_at=now, agent=CANARY)
    GroupMember.objects.create(workspace=workspace, chat=group, jid="4915112345677@c.us", name=CANARY)
    ImportRow.objects.create(workspace=workspace, batch=batch, row_number=1, outcome="refused", reason=CANARY)
    tab = Tab.objects.create(workspace=workspace, name=f"Tab {CANARY}", owner=alice, shared=True, position=1)
    bulk = BulkAction.objects.create(workspace=workspace, action="bin", filter={"q": CANARY}, created_by=alice)
    BulkChunk.objects.create(workspace=workspace, bulk_action=bulk, number=0, contact_ids=[contact.pk])
    ContactsOfEvent.objects.create(
        workspace=workspace, contact_ids=[contact.pk], first_contact_id=contact.pk, last_contact_id=contact.pk
    )
    TabCount.objects.create(workspace=workspace, tab=tab, count=7, exact=True, tab_version=1, counted_at=now)
    reminder = _reminder(workspace, contact, alice)
    done_reminder = _reminder(workspace, contact, alice, state="done", done_at=now)
    rule, message = _conversation(workspace, alice, account, group)
    scheduled = make_schedule(
        account, contact=contact, chat_jid="4915112345678@c.us", body=f"Body {CANARY}", created_by=alice
    )
    series = make_schedule(
        account, chat_jid="4915112345679@c.us", body=f"Body {CANARY}", rrule="FREQ=DAILY", created_by=alice
    )
    queued = _queued(
        workspace,
        account,
        device.instance,
        "4915199999999@c.us",
        state="leased",
        fence=1,
        claimed_at=now,
        lease_until=now + timedelta(hours=1),
    )
    _queued(workspace, account, None, "4915188888888@c.us", state="queued")
    unknown = _queued(
        workspace, account, device.instance, "4915177777777@c.us", state="outcome_unknown", fence=1, claimed_at=now
    )
    DispatchAttempt.objects.create(
        workspace=workspace,
        message=unknown,
        fence=1,
        instance=device.instance,
        claimed_at=now,
        outcome="lease_expired",
        ended_at=now,
    )
    suppression = Suppression.objects.create(
        workspace=workspace,
        key_hash=bytes(32),
        key_version=1,
        source="person",
        note=CANARY,
        contact=contact,
        created_by=alice,
        created_at=now,
    )
    number_list, open_list = (
        NumberList.objects.create(
            workspace=workspace,
            file_name=CANARY,
            note=CANARY,
            state=state,
            total=2,
            done=1,
            refused=1,
            created_by=alice,
        )
        for state in ("stopped", "running")
    )
    NumberListRefusal.objects.create(
        workspace=workspace, number_list=number_list, line=1, code="no_number", detail=CANARY
    )
    NumberListChunk.objects.create(
        workspace=workspace, number_list=open_list, number=1, line_numbers=[2], lines=[f"+4915112345678 {CANARY}"]
    )
    OptOutWord.objects.create(workspace=workspace, word=CANARY.lower()[:60], kind="out")
    late = _queued(workspace, account, None, "4915166666666@c.us", state="late")
    broadcasts = _broadcasts(workspace, account, contact, alice)
    unreachable = UnreachableChat.objects.create(
        workspace=workspace, whatsapp_account=account, chat_jid="4915155555555@c.us", code="blocked", since=now
    )
    Authenticator.objects.create(user=alice, type=Authenticator.Type.TOTP, data={"secret": CANARY})
    session = SessionStore()
    session["note"] = CANARY
    session.create()
    browser = UserSession.objects.create(user=alice, ip="127.0.0.1", user_agent=CANARY, session_key=session.session_key)
    return Target(
        workspace,
        alice,
        device,
        {
            "workspace": workspace.pk,
            "user": alice.pk,
            "instance": device.instance.pk,
            "member": member.pk,
            "owner": Membership.objects.get(workspace=workspace, role=Role.OWNER).pk,
            "invitation": invitation.pk,
            "account": account.pk,
            "contact": contact.pk,
            "avatar": avatar.pk,
            "media": media.pk,
            "upload": upload.pk,
            "share": share.pk,
            "chat": chat.pk,
            "group": group.pk,
            **records,
            **_quick_replies(workspace, alice),
            "double": double.pk,
            "merge": merge.pk,
            "suggestion": suggestion.pk,
            "identity": contact.identities.first().pk,
            "import": batch.pk,
            "tab": tab.pk,
            "bulk": bulk.pk,
            "pending_import": pending.pk,
            "previewed_import": previewed.pk,
            "reminder": reminder.pk,
            "done_reminder": done_reminder.pk,
            "conversation_rule": rule.pk,
            "message": message.pk,
            "scheduled": scheduled.pk,
            "series": series.pk,
            "queued": queued.pk,
            "late": late.pk,
            "reserved": queued.message_id,
            **broadcasts,
            "suppression": suppression.pk,
            "number_list": number_list.pk,
            "open_number_list": open_list.pk,
            "unknown": unknown.pk,
            "unreachable": unreachable.pk,
            "browser": browser.pk,
            **_auto_replies(workspace, account, contact),
            "authenticator": Authenticator.objects.get(user=alice).pk,
            "address": EmailAddress.objects.get(user=alice).pk,
        },
    )


def _conversation(workspace, alice, account, chat) -> tuple[ConversationRule, ConversationMessage]:
    """A chat that is switched on, and a message of it."""
    now = timezone.now()
    rule = ConversationRule.objects.create(
        workspace=workspace, kind="chat", chat=chat, metadata_on=True, content_on=True, changed_at=now, changed_by=alice
    )
    ConversationSync.objects.create(
        workspace=workspace, whatsapp_account=account, chat=chat, home=chat, metadata_rule=rule, content_rule=rule
    )
    message = ConversationMessage.objects.create(
        workspace=workspace,
        chat=chat,
        seen_in=chat.pk,
        message_id="3EB0C0",
        from_me=False,
        participant="4915112345677@c.us",
        type="chat",
        sent_at=now,
        synced_at=now,
        has_content=True,
        text=CANARY,
        search_text=f" {CANARY}",
    )
    MessageReaction.objects.create(workspace=workspace, message=message, reactor="me", emoji=CANARY, reacted_at=now)
    return rule, message


def _quick_replies(workspace: Workspace, alice: User) -> dict[str, UUID]:
    """A quick reply of the team in a folder, used once, and a private one."""
    who = {"workspace": workspace, "actor": actors.person(alice)}
    folder, _ = create_folder(**who, name=f"Folder {CANARY}")
    texts = [{"language": "en", "parts": [{"body": f"Reply {CANARY}"}]}]
    reply, _ = create_reply(**who, user=alice, name=f"Reply {CANARY}", folder=folder, texts=texts)
    private, _ = create_reply(**who, user=alice, name=f"Private {CANARY}", visibility="private", texts=texts)
    count_use(workspace=workspace, user=alice, reply_id=reply.pk, id=uuid7())
    return {"reply_folder": folder.pk, "quick_reply": reply.pk, "private_reply": private.pk}


def _doubles(workspace, contact) -> tuple[Contact, Merge, MergeSuggestion]:
    """A contact that may be the same person, a merge that can be undone, and a suggestion."""
    double, absorbed = (
        create_contact(
            workspace=workspace, actor=actors.SYSTEM, source="person", identities=[], name=f"{name} {CANARY}"
        )[0]
        for name in ("Double", "Absorbed")
    )
    merge, _ = merge_contacts(workspace=workspace, actor=actors.SYSTEM, kept_id=contact.pk, absorbed_id=absorbed.pk)
    suggestion = MergeSuggestion.objects.create(
        workspace=workspace, one=contact, other=double, reason="same_name", detail=CANARY
    )
    return double, merge, suggestion


def _import(workspace, alice, state: str) -> ImportBatch:
    batch = ImportBatch(
        workspace=workspace,
        file_name=f"{CANARY}.csv",
        columns=[{"title": CANARY, "samples": [CANARY], "target": "name"}],
        state=state,
        rows_total=1,
        rows_done=1 if state == "finished" else 0,
        created_by=alice,
    )
    batch.file.save("contacts.csv", ContentFile(f"{CANARY}\n{CANARY}\n".encode()), save=False)
    batch.save(force_insert=True)
    return batch


def _reminder(workspace, contact, person, **fields) -> Reminder:
    due_at = timezone.now() - timedelta(minutes=1)
    return Reminder.objects.create(
        workspace=workspace,
        contact=contact,
        text=f"Reminder {CANARY}",
        wall_time=due_at.replace(tzinfo=None),
        occurrence_wall=due_at.replace(tzinfo=None),
        time_zone="UTC",
        due_at=due_at,
        assignee=person,
        created_by=person,
        **fields,
    )


def _records(workspace: Workspace, actor, contact: Contact) -> dict[str, UUID]:
    """Tags, stages, fields, notes and something in the bin."""
    first_tag, last_tag = (create_tag(workspace=workspace, actor=actor, name=f"{n} {CANARY}")[0] for n in "ab")
    first_stage, last_stage = (create_stage(workspace=workspace, actor=actor, name=f"{n} {CANARY}")[0] for n in "ab")
    field, retired_field = (
        create_field(workspace=workspace, actor=actor, name=f"{n} {CANARY}", kind="text")[0] for n in "ab"
    )
    for each in (field, retired_field):
        update_contact(workspace=workspace, contact_id=contact.pk, actor=actor, fields={str(each.pk): CANARY})
    update_contact(workspace=workspace, contact_id=contact.pk, actor=actor, stage=first_stage.pk)
    retire_field(workspace=workspace, field_id=retired_field.pk, actor=actor)
    tag_contact(workspace=workspace, contact_id=contact.pk, tag_id=first_tag.pk, actor=actor)
    note, binned_note = (
        write_note(workspace=workspace, contact_id=contact.pk, actor=actor, text=f"{n} {CANARY}")[0] for n in "ab"
    )
    edit_note(workspace=workspace, note_id=note.pk, actor=actor, text=f"edited {CANARY}")
    delete_note(workspace=workspace, note_id=binned_note.pk, actor=actor)
    binned, _ = create_contact(
        workspace=workspace, actor=actor, source="person", name=f"Binned {CANARY}", identities=[]
    )
    delete_contact(workspace=workspace, contact_id=binned.pk, actor=actor)
    return {
        "tag": first_tag.pk,
        "last_tag": last_tag.pk,
        "stage": first_stage.pk,
        "last_stage": last_stage.pk,
        "field": field.pk,
        "retired_field": retired_field.pk,
        "note": note.pk,
        "binned_note": binned_note.pk,
        "binned": binned.pk,
    }


def _broadcasts(workspace, account, contact, alice) -> dict[str, UUID]:
    """A broadcast in each state in which something can be done with one."""
    found = {}
    for state in ("draft", "scheduled", "running", "paused"):
        broadcast = Broadcast.objects.create(
            workspace=workspace,
            whatsapp_account=account,
            name=f"Broadcast {CANARY}",
            audience={"include": [{"contacts": [str(contact.pk)]}], "exclude": []},
            state=state,
            started_at=timezone.now() if state in ("running", "paused") else None,
            created_by=alice,
        )
        ContentPart.objects.create(workspace=workspace, broadcast=broadcast, position=0, body=f"Body {CANARY}")
        found[f"{state}_broadcast"] = broadcast.pk
    BroadcastExclusion.objects.create(
        workspace=workspace, broadcast_id=found["running_broadcast"], contact=contact, reason="missing_variable", detail="name"
    )  # fmt: skip
    BroadcastSetting.objects.create(workspace=workspace)
    return found


def _queued(workspace, account, instance, chat_jid: str, **fields) -> QueuedMessage:
    now = timezone.now()
    body = f"Body {CANARY}"
    schedule = make_schedule(account, chat_jid=chat_jid, body=body, due_at=now, state="queued")
    return QueuedMessage.objects.create(
        workspace=workspace,
        source="scheduled",
        origin_id=schedule.pk,
        scheduled_message=schedule,
        occurrence_at=now,
        not_before=now - timedelta(seconds=1),
        whatsapp_account=account,
        chat_jid=chat_jid,
        body=body,
        message_id="3EB0" + uuid7().hex[:18].upper(),
        due_at=now - timedelta(seconds=1),
        expires_at=now + timedelta(hours=1),
        queued_at=now,
        instance=instance,
        claim_id=uuid7() if instance else None,
        **fields,
    )


def fingerprint(target: Target) -> dict[str, str]:
    """A hash of the rows of each table that are Acme's or Alice's."""
    parts, params = [], []
    for model in apps.get_models():
        fields = {field.name: field for field in model._meta.local_fields}
        if model is Workspace:
            condition, value = "id = %s", target.workspace.pk
        elif model is User:
            condition, value = "id = %s", target.alice.pk
        elif model is ExtensionInstance:
            condition, value = "id = %s", target.device.instance.pk
        elif "workspace" in fields:
            condition, value = "workspace_id = %s", target.workspace.pk
        elif "session" in fields:
            condition = "session_id IN (SELECT id FROM accounts_instancesession WHERE workspace_id = %s)"
            value = target.workspace.pk
        elif "user" in fields:
            condition, value = "user_id = %s", target.alice.pk
        else:
            continue
        table = model._meta.db_table
        parts.append(
            f"SELECT '{table}', count(*)::text || ':' || coalesce(md5(string_agg(t::text, '|' ORDER BY t::text)), '') "
            f"FROM {table} t WHERE {condition}"
        )
        params.append(value)
    with connection.cursor() as cursor:
        cursor.execute(" UNION ALL ".join(parts), params)
        return dict(cursor.fetchall())


def writes() -> dict[str, int]:
    """How many rows this transaction has written by table, what it took back included; as the server itself counts them.

    Costs a fifth of a fingerprint, and most requests write nothing at all.
    """
    with connection.cursor() as cursor:
        cursor.execute("SELECT relname, n_tup_ins + n_tup_upd + n_tup_del FROM pg_stat_xact_user_tables")
        return dict(cursor.fetchall())


def counts(target: Target) -> dict[str, int]:
    """Rows of Acme by table, for the report."""
    return {table: int(value.partition(":")[0]) for table, value in fingerprint(target).items()}


__all__ = ["CANARY", "INVITATION_TOKEN", "Contact", "Target", "build", "counts", "fingerprint", "writes"]


def _auto_replies(workspace: Workspace, account: WhatsAppAccount, contact: Contact) -> dict:
    """Rules, hours, a chat that is taken over, and a decision."""
    hours = BusinessHours.objects.create(workspace=workspace, name=f"Hours {CANARY}", time_zone="UTC")
    rule, last = (
        AutoReplyRule.objects.create(
            workspace=workspace, name=f"Rule {CANARY}", position=position, conditions=[{"kind": "any"}]
        )
        for position in (0, 1)
    )
    for each in (rule, last):
        ContentPart.objects.create(workspace=workspace, auto_reply_rule=each, position=0, body=f"Reply {CANARY}")
    chat_jid = "4915112345677@c.us"
    chat = AutoReplyChat.objects.create(
        workspace=workspace, whatsapp_account=account, chat_jid=chat_jid, taken_over=True, contact=contact
    )
    now = timezone.now()
    decision = AutoReplyDecision.objects.create(
        workspace=workspace,
        whatsapp_account=account,
        chat_jid=chat_jid,
        message_id=CANARY,
        verdict="answered",
        rules=[{"rule": str(rule.pk), "why": "fits"}],
        received_at=now,
        decided_at=now,
    )
    AutoReplyAnswer.objects.create(
        workspace=workspace,
        decision=decision,
        rule=rule,
        whatsapp_account=account,
        chat_jid=chat_jid,
        replied=True,
        answered_at=now,
    )
    return {
        "hours": hours.pk,
        "auto_reply": rule.pk,
        "last_auto_reply": last.pk,
        "decision": decision.pk,
        "auto_reply_chat": chat.pk,
    }
