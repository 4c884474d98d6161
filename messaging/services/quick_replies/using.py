"""Using a quick reply: its texts with a contact's own values, and how often it was used."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID

from django.db import IntegrityError, transaction
from django.db.models import Count, Max, OuterRef, QuerySet, Subquery
from django.db.models.functions import Coalesce
from django.utils import timezone

from accounts.models import User, Workspace
from crm.models import Chat, Contact, ContactIdentity
from messaging.models import QuickReply, QuickReplyUse
from messaging.services.quick_replies.changes import reply_of, visible_replies
from messaging.services.templating import fill, problems_of, values_for
from messaging.services.templating.variables import Fields
from waplus.lib.deletion import delete_in_chunks
from waplus.lib.errors import Invalid, NotFound, Refused
from waplus.lib.jids import InvalidJid, parse_jid
from waplus.lib.languages import closest_language
from waplus.lib.locks import Hold, held

USES_KEPT = timedelta(days=90)


@dataclass(frozen=True)
class RenderedReply:
    """Parts ready to be inserted, `{body, media}`, the language that they are in, and the variables that are missing.

    A missing variable stands in its text as it is written, so that a person sees where to fill something in.
    """

    language: str
    parts: list[dict]
    missing: list[str]


def contact_in_chat(*, workspace: Workspace, chat_jid: str) -> Contact | None:
    """Whom a chat is with: by the chat as it was observed, or by an identity of this very form."""
    try:
        jid = str(parse_jid(chat_jid))
    except InvalidJid as error:
        raise Invalid("chat_jid", "invalid", str(error)) from None
    chats = Chat.objects.for_workspace(workspace).filter(jid=jid, contact__isnull=False)
    found = chats.values_list("contact", flat=True).first()
    if found is None:
        identities = ContactIdentity.objects.for_workspace(workspace).filter(value=jid, holds_key=True)
        found = identities.values_list("contact", flat=True).first()
    return found and Contact.objects.for_workspace(workspace).alive().filter(pk=found).first()


def render_texts(
    *,
    workspace: Workspace,
    contents: Sequence[dict],
    default_language: str,
    contact: Contact | None,
    sender: User,
    language: str = "",
) -> RenderedReply:
    """What some texts say to a contact, in the language that comes closest to the wanted one."""
    texts = {text["language"]: text["parts"] for text in contents}
    chosen = closest_language(language or default_language, list(texts), default_language)
    values = values_for(workspace, [part["body"] for part in texts[chosen]], contact=contact, sender=sender)
    rendered = [(fill(part["body"], values), part["media"]) for part in texts[chosen]]
    missing = dict.fromkeys(name for text, _ in rendered for name in text.missing)
    parts = [{"body": text.text, "media": media} for text, media in rendered]
    return RenderedReply(chosen, [part for part in parts if part["body"] or part["media"]], list(missing))


def render_reply(
    *,
    workspace: Workspace,
    user: User,
    reply_id: UUID,
    contact: Contact | None = None,
    chat_jid: str = "",
    language: str = "",
) -> RenderedReply:
    """A quick reply for a contact, or for whoever a chat is with. Nothing is written."""
    reply = reply_of(workspace=workspace, user=user, reply_id=reply_id)
    if contact is None and chat_jid:
        contact = contact_in_chat(workspace=workspace, chat_jid=chat_jid)
    return render_texts(
        workspace=workspace,
        contents=reply.contents,
        default_language=reply.default_language,
        contact=contact,
        sender=user,
        language=language,
    )


@transaction.atomic
def count_use(*, workspace: Workspace, user: User, reply_id: UUID, id: UUID) -> tuple[QuickReplyUse, bool]:
    """Count a use once per `id`, and whether it is new. It is no event: thousands a day would bury all others."""
    seen = held(visible_replies(workspace=workspace, user=user).filter(pk=reply_id), Hold.FROM_DELETION)
    if not seen:
        raise NotFound
    if (existing := QuickReplyUse.objects.filter(pk=id).first()) is None:
        use = QuickReplyUse(id=id, workspace=workspace, reply=seen[0], user=user, used_at=timezone.now())
        try:
            with transaction.atomic():
                use.save(force_insert=True)
            return use, True
        except IntegrityError:
            existing = QuickReplyUse.objects.filter(pk=id).first()
    if existing is None or (existing.workspace_id, existing.reply_id, existing.user_id) != (
        workspace.pk,
        reply_id,
        user.pk,
    ):
        raise Refused("id_taken", field="id")
    return existing, False


def with_uses(replies: QuerySet[QuickReply]) -> QuerySet[QuickReply]:
    """Quick replies with `use_count` and `last_used_at`, of the last 90 days."""
    uses = QuickReplyUse.objects.filter(reply=OuterRef("pk")).order_by().values("reply")
    count = uses.annotate(count=Count("pk")).values("count")
    last = uses.annotate(last=Max("used_at")).values("last")
    return replies.annotate(use_count=Coalesce(Subquery(count), 0), last_used_at=Subquery(last))


def forget_old_uses() -> int:
    """Delete uses of more than 90 days ago; answers how many there were."""
    return delete_in_chunks(QuickReplyUse.objects.filter(used_at__lt=timezone.now() - USES_KEPT))


def note_problems(workspace: Workspace, replies: Sequence[QuickReply]) -> None:
    """Set `problems` on each: what no longer is as it was when the text was saved, such as a field that is gone."""
    fields = Fields(workspace)
    for reply in replies:
        bodies = [part["body"] for text in reply.contents for part in text["parts"]]
        reply.problems = problems_of(workspace, bodies, fields=fields)
