"""WhatsApp numbers of a workspace."""

from uuid import UUID

from django.db import transaction

from accounts.actors import Actor
from accounts.models import Resource, Workspace
from accounts.services import plans
from accounts.services.changes import set_changed
from accounts.services.events import record_event
from crm.models import WhatsAppAccount
from waplus.lib.deletion import delete_rows
from waplus.lib.errors import Invalid, NotFound, Refused
from waplus.lib.ids import uuid7
from waplus.lib.jids import InvalidJid, JidKind, parse_jid


def _canonical(field: str, value: str, kind: JidKind) -> str:
    try:
        jid = parse_jid(value)
    except InvalidJid as error:
        raise Invalid(field, "invalid_jid", str(error)) from error
    if jid.kind != kind:
        raise Invalid(
            field, "invalid_jid", f"This must be an id of the form …@{'c.us' if kind == JidKind.PERSON else 'lid'}."
        )
    return str(jid)


def account_of(*, workspace: Workspace, account_id: UUID, lock: bool = False) -> WhatsAppAccount:
    """A number by id, within the workspace."""
    accounts = WhatsAppAccount.objects.for_workspace(workspace)
    account = (accounts.select_for_update(no_key=True) if lock else accounts).filter(pk=account_id).first()
    if account is None:
        raise NotFound
    return account


@transaction.atomic
def add_whatsapp_account(
    *, workspace: Workspace, actor: Actor, jid: str, lid: str = "", name: str = "", id: UUID | None = None
) -> tuple[WhatsAppAccount, bool]:
    """Tell of a number that is logged in in WhatsApp Web, and whether it is new; telling again changes nothing."""
    jid = _canonical("jid", jid, JidKind.PERSON)
    lid = _canonical("lid", lid, JidKind.LID) if lid else ""
    Workspace.objects.select_for_update(no_key=True).get(pk=workspace.pk)
    known = WhatsAppAccount.objects.for_workspace(workspace).filter(jid=jid).first()
    if known is not None:
        return known, False
    if id is not None and WhatsAppAccount.objects.filter(pk=id).exists():
        raise Refused("id_taken", field="id")
    plans.reserve(workspace=workspace, resource=Resource.WHATSAPP_NUMBERS)
    account = WhatsAppAccount.objects.create(id=id or uuid7(), workspace=workspace, jid=jid, lid=lid, name=name)
    record_event(kind="whatsapp_account.added", actor=actor, workspace=workspace, obj=account)
    return account, True


@transaction.atomic
def update_whatsapp_account(*, workspace: Workspace, account_id: UUID, actor: Actor, **values) -> WhatsAppAccount:
    """Change the name, or note the LID once it is observed."""
    account = account_of(workspace=workspace, account_id=account_id, lock=True)
    if values.get("lid"):
        values["lid"] = _canonical("lid", values["lid"], JidKind.LID)
    changed = set_changed(account, values)
    if changed:
        account.save(update_fields=changed)
        record_event(kind="whatsapp_account.updated", actor=actor, workspace=workspace, obj=account, changed=changed)
    return account


@transaction.atomic
def remove_whatsapp_account(*, workspace: Workspace, account_id: UUID, actor: Actor) -> None:
    """Remove a number with its chats and its queue."""
    account = account_of(workspace=workspace, account_id=account_id, lock=True)
    # Nobody may refer to it any more while what refers to it is gathered.
    WhatsAppAccount.objects.select_for_update().get(pk=account.pk)
    record_event(kind="whatsapp_account.removed", actor=actor, workspace=workspace, obj=account)
    delete_rows(WhatsAppAccount, [account.pk], workspace.pk)
    plans.release(workspace=workspace, resource=Resource.WHATSAPP_NUMBERS)
    plans.recount(workspace, Resource.SCHEDULED_MESSAGES)
