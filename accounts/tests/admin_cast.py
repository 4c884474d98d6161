"""Staff for the tests of the admin, and rows full of what staff must not see."""

import time
from datetime import datetime, timedelta

from allauth.account.internal.userkit import user_id_to_str
from allauth.mfa.models import Authenticator
from allauth.mfa.totp.internal.auth import TOTP, generate_totp_secret
from allauth.usersessions.models import UserSession
from django.contrib.auth.models import Group
from django.core.files.base import ContentFile
from django.test import Client
from django.utils import timezone
from django_celery_beat.models import IntervalSchedule, PeriodicTask

from accounts import actors
from accounts.models import IdempotencyRecord, InstanceSession, Role, User, Workspace
from accounts.services import instances, invitations, plans, tokens, workspaces
from crm.models import Chat, Contact, ContactIdentity, ImportBatch, ImportRow, WhatsAppAccount
from messaging.models import (
    AutoReplyDecision,
    Broadcast,
    ConsentRecord,
    ConversationRule,
    ConversationSync,
    DispatchAttempt,
    DispatchWarning,
    MediaFile,
    MessageAck,
    NumberList,
    NumberListChunk,
    NumberListRefusal,
    NumberPresence,
    OptOutWord,
    QueuedMessage,
    SendingBudget,
    ShareLink,
    Suppression,
    UnreachableChat,
    WarningMail,
)
from messaging.services.quick_replies.changes import create_reply
from messaging.tests.schedules import make_schedule
from waplus.lib.ids import uuid7

NUMBER = "4915123459978"
CHAT = "5511987651234"


def make_staff(name: str = "sam", *, superuser: bool = True, two_factor: bool = True) -> User:
    user = User.objects.create_user(
        email=f"{name}@example.com",
        password="correct horse battery staple",
        name=name.title(),
        is_staff=True,
        is_superuser=superuser,
    )
    user.emailaddress_set.create(email=user.email, verified=True, primary=True)
    if two_factor:
        TOTP.activate(user, generate_totp_secret())
    return user


def confirm(client: Client, user: User, *, age: float = 0, method: str = "mfa", kind: str = "totp") -> Client:
    """Log in, with a session that has shown a second factor `age` seconds ago."""
    client.force_login(user)
    session = client.session
    session["account_authentication_methods"] = [{"method": method, "type": kind, "at": time.time() - age}]
    session["account_authentication_methods_user"] = user_id_to_str(user)
    session.save()
    return client


class Canaries:
    """Texts that may show up on no page of the admin; each stands in a row that some page shows a part of."""

    def __init__(self, n: int = 0):
        self.body = f"canary-body-{n}"
        self.queued_body = f"canary-queued-{n}"
        self.contact = f"canary-contact-{n}"
        self.column = f"canary-column-{n}"
        self.row = f"canary-row-{n}"
        self.answer = f"canary-answer-{n}"
        self.instance_secret = f"canary-secret-{n}"
        self.reply = f"canary-reply-{n}"
        self.file = f"canary-file-{n}"
        self.note = f"canary-note-{n}"
        self.said = f"canary-said-{n}"
        self.number = str(int(NUMBER) + n * 100)
        self.chat = str(int(CHAT) + n * 100)
        self.found: list[str] = []

    @property
    def texts(self) -> list[str]:
        own = [value for value in vars(self).values() if isinstance(value, str)]
        return [*own, *self.found]


def plant(n: int = 0, workspace: Workspace | None = None) -> Canaries:
    """One row of everything, in a workspace of its own."""
    canaries = Canaries(n)
    now = timezone.now()
    owner = User.objects.create_user(email=f"owner{n}@example.com", password="another long password", name=f"Owner {n}")
    owner.emailaddress_set.create(email=owner.email, verified=True, primary=True)
    authenticator = TOTP.activate(owner, generate_totp_secret()).instance
    workspace = workspaces.create_workspace(owner=owner, name=f"Workspace {n}", actor=actors.person(owner))
    instance, _ = instances.register_instance(
        id=uuid7(),
        secret=canaries.instance_secret,
        installed_at=now,
        version="2.0.0",
        browser="Chrome",
        time_zone="UTC",
    )
    pair = tokens.log_in_instance(user=owner, instance=instance, workspace_id=workspace.pk)
    instance.refresh_from_db()
    session = InstanceSession.objects.get(instance=instance)
    invitation = invitations.invite(
        workspace=workspace, email=f"guest{n}@example.com", role=Role.MEMBER, inviter=owner, actor=actors.person(owner)
    )
    device = UserSession.objects.create(
        user=owner, session_key=f"canarykey{n:030}", ip="192.0.2.1", user_agent="Chrome"
    )
    scope = {"workspace": workspace}
    IdempotencyRecord.objects.create(**scope, user=owner, key=f"key-{n}", fingerprint=b"f" * 32, body=canaries.answer)
    account = WhatsAppAccount.objects.create(**scope, jid=f"{canaries.number}@c.us", lid=f"99{n}887766@lid")
    contact = Contact.objects.create(
        **scope,
        name=canaries.contact,
        company=canaries.contact,
        search_text=canaries.contact,
        created_at=now,
        updated_at=now,
    )
    ContactIdentity.objects.create(
        **scope,
        contact=contact,
        kind="phone",
        value=canaries.chat,
        match_key=canaries.chat,
        source="person",
        observed_at=now,
    )
    batch = ImportBatch.objects.create(
        **scope,
        file=ContentFile(canaries.contact.encode(), name="people.csv"),
        file_name=canaries.contact,
        columns=[{"title": canaries.column, "samples": [canaries.column], "target": "ignore"}],
        state="failed",
        problem="The file is empty.",
        created_by=owner,
    )
    ImportRow.objects.create(**scope, batch=batch, row_number=1, outcome="refused", reason=canaries.row)
    message = make_schedule(
        account,
        contact=contact,
        chat_jid=f"{canaries.chat}@c.us",
        body=canaries.body,
        wall_time=datetime(2030, 1, 1, 9),
        time_zone="Europe/Berlin",
        due_at=now,
        created_by=owner,
    )
    create_reply(
        workspace=workspace,
        user=owner,
        actor=actors.person(owner),
        name=canaries.reply,
        shortcut=canaries.reply,
        texts=[{"language": "en", "parts": [{"body": canaries.reply}]}],
    )
    queued = QueuedMessage.objects.create(
        **scope,
        source="scheduled",
        origin_id=message.pk,
        scheduled_message=message,
        contact=contact,
        created_by=owner,
        occurrence_at=now,
        not_before=now,
        whatsapp_account=account,
        chat_jid=f"{canaries.chat}@c.us",
        body=canaries.queued_body,
        message_id=f"3EB0{n:016}",
        due_at=now,
        expires_at=now + timedelta(hours=1),
        queued_at=now,
        instance=instance,
    )
    DispatchAttempt.objects.create(
        **scope,
        message=queued,
        fence=1,
        instance=instance,
        claimed_at=now,
        outcome="failed",
        reason="No such chat.",
        ended_at=now,
    )
    MessageAck.objects.create(
        **scope, message=queued, participant=f"{canaries.chat}@c.us", ack=3, delivered_at=now, read_at=now
    )
    NumberPresence.objects.create(**scope, whatsapp_account=account, instance=instance, seen_at=now)
    SendingBudget.objects.create(**scope, whatsapp_account=account)
    suppression = Suppression.objects.create(
        **scope,
        key_hash=bytes([n + 65]) * 32,
        key_version=1,
        source="person",
        note=canaries.note,
        contact=contact,
        created_by=owner,
        created_at=now,
    )
    ConsentRecord.objects.create(
        **scope,
        kind="withdrawn",
        means="word",
        word=canaries.said,
        evidence=canaries.note,
        suppression=suppression,
        contact=contact,
        whatsapp_account=account,
        recorded_by=owner,
        recorded_at=now,
    )
    numbers = NumberList.objects.create(
        **scope, file_name=canaries.file, note=canaries.note, total=2, done=1, refused=1, created_by=owner
    )
    NumberListChunk.objects.create(
        **scope, number_list=numbers, number=1, line_numbers=[2], lines=[f"+{canaries.chat}"]
    )
    NumberListRefusal.objects.create(
        **scope, number_list=numbers, line=1, code="no_number", detail="There is no number."
    )
    OptOutWord.objects.create(**scope, word=f"enough {n}", language="en", kind="out", created_by=owner)
    warning = DispatchWarning.objects.create(
        **scope, whatsapp_account=account, kind="no_instance", first_due_at=now, message_count=1, raised_at=now
    )
    WarningMail.objects.create(**scope, warning=warning, recipient=owner, noted_at=now)
    UnreachableChat.objects.create(
        **scope, whatsapp_account=account, chat_jid=f"{canaries.chat}@c.us", code="blocked", since=now
    )
    media = MediaFile(
        **scope, sha256=bytes([n]) * 32, media_type="application/pdf", name=canaries.file, size=9, created_by=owner
    )
    media.file.save("file", ContentFile(canaries.file.encode()), save=False)
    media.save(force_insert=True)
    chat = Chat.objects.create(
        **scope,
        whatsapp_account=account,
        jid=f"{canaries.chat}@c.us",
        kind="person",
        name=canaries.file,
        search_text="",
    )
    AutoReplyDecision.objects.create(
        **scope,
        whatsapp_account=account,
        contact=contact,
        chat_jid=f"{canaries.chat}@c.us",
        message_id=f"3EB0{n}",
        verdict="answered",
        received_at=now,
        decided_at=now,
    )
    Broadcast.objects.create(**scope, whatsapp_account=account, name=canaries.file, created_by=owner)
    rule = ConversationRule.objects.create(
        **scope, kind="chat", chat=chat, metadata_on=True, content_on=False, changed_at=now
    )
    ConversationSync.objects.create(**scope, chat=chat, home=chat, whatsapp_account=account, metadata_rule=rule)
    ShareLink.objects.create(
        **scope,
        chat=chat,
        message_ids=[uuid7()],
        token_hash=bytes([n]) * 32,
        expires_at=now + timedelta(days=1),
        created_by=owner,
        created_at=now,
    )
    Group.objects.create(name=f"Group {n}")
    every, _ = IntervalSchedule.objects.get_or_create(every=3, period=IntervalSchedule.SECONDS)
    PeriodicTask.objects.create(name=f"task {n}", task="accounts.tasks.recount_usage", interval=every)
    plans.reserve(workspace=workspace, resource=plans.Resource.CONTACTS, amount=7)
    hashes = [
        bytes(instance.secret_hash),
        bytes(invitation.token_hash),
        *(bytes(row.token_hash) for row in (session.access_tokens.get(), session.refresh_tokens.get())),
    ]
    canaries.found = [
        *(one.hex() for one in hashes),
        *(repr(one)[2:-1] for one in hashes),
        session.auth_hash,
        owner.password,
        pair.access_token,
        pair.refresh_token,
        authenticator.data["secret"],
        Authenticator.objects.get(pk=authenticator.pk).wrap().instance.data["secret"],
        device.session_key,
        account.lid,
        bytes(suppression.key_hash).hex(),
        bytes(suppression.key_hash).decode(),
    ]
    return canaries
