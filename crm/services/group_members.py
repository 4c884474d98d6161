"""Who is in a group: the whole list, or what changed of it. Being in a group makes nobody a contact."""

from uuid import UUID

from django.db import transaction

from accounts.actors import Actor
from accounts.models import Workspace
from accounts.services.events import record_event
from crm.models import Chat, ChatKind, GroupMember
from crm.services.chat_links import hold_contacts
from crm.services.chats import chat_of
from crm.services.reports import ItemRefused, check_names, check_size, flag_of, text_of
from waplus.lib.errors import Invalid, Refused
from waplus.lib.jids import InvalidJid, parse_jid

# WhatsApp lets 1,024 people into a group.
MAX_MEMBERS = 1_100


@transaction.atomic
def set_members(*, workspace: Workspace, actor: Actor, chat_id: UUID, members: list) -> Chat:
    """Make the members of a group be these, `[{jid, name, is_admin}]`; who is not named has left."""
    return _change(workspace, actor, chat_id, members, None)


@transaction.atomic
def change_members(*, workspace: Workspace, actor: Actor, chat_id: UUID, members: list, left: list) -> Chat:
    """Bring changes to the members of a group: `members` came or changed, `left` are JIDs that went."""
    return _change(workspace, actor, chat_id, members, left)


def _change(workspace: Workspace, actor: Actor, chat_id: UUID, members: list, left: list | None) -> Chat:
    named = _read(members)
    gone = None if left is None else _jids(left)
    # The lock lets those who report the same group take turns.
    chat = chat_of(workspace=workspace, chat_id=chat_id, lock=True)
    if chat.kind != ChatKind.GROUP:
        raise Refused("wrong_state", "Only groups have members.")
    there = {member.jid: member for member in GroupMember.objects.for_workspace(workspace).filter(chat=chat)}
    if gone is None:
        gone = there.keys() - named.keys()
    if left is not None and len(there.keys() | named.keys()) - len(gone & there.keys()) > MAX_MEMBERS:
        raise Invalid("members", "too_many", f"A group has at most {MAX_MEMBERS:,} members.")
    lonely = [parse_jid(jid) for jid in named if jid not in there or there[jid].contact_id is None]
    contacts = hold_contacts(workspace=workspace, jids=lonely)
    new, changed = [], []
    for jid, values in named.items():
        if contact_id := contacts.get(jid):
            values["contact_id"] = contact_id
        if jid not in there:
            new.append(GroupMember(workspace=workspace, chat=chat, jid=jid, **values))
        elif any(getattr(there[jid], name) != value for name, value in values.items()):
            for name, value in values.items():
                setattr(there[jid], name, value)
            changed.append(there[jid])
    GroupMember.objects.bulk_create(new)
    GroupMember.objects.bulk_update(changed, ["name", "is_admin", "contact"])
    went = GroupMember.objects.for_workspace(workspace).filter(chat=chat, jid__in=gone).delete()[0] if gone else 0
    if count := len(new) + len(changed) + went:
        record_event(
            kind="chat.members_reported", actor=actor, workspace=workspace, obj=chat, changed=["members"], count=count
        )
    return chat


def _read(members: list) -> dict[str, dict]:
    """Members by canonical JID with the columns that are spoken of; refuses the request for one that is wrong."""
    check_size(members, MAX_MEMBERS, "members")
    named = {}
    for index, item in enumerate(members):
        try:
            check_names(item, ("jid", "name", "is_admin"))
            values = {"name": text_of(item, "name"), "is_admin": flag_of(item, "is_admin")}
            jid = _person(text_of(item, "jid", limit=200) or "")
        except ItemRefused as error:
            raise Invalid(f"members.{index}", error.code, error.detail) from error
        except InvalidJid as error:
            raise Invalid(f"members.{index}.jid", "invalid_jid", str(error)) from error
        named[jid] = {name: value for name, value in values.items() if value is not None}
    return named


def _jids(left: list) -> set[str]:
    check_size(left, MAX_MEMBERS, "left")
    jids = set()
    for index, text in enumerate(left):
        try:
            jids.add(_person(text))
        except InvalidJid as error:
            raise Invalid(f"left.{index}", "invalid_jid", str(error)) from error
    return jids


def _person(text: str) -> str:
    jid = parse_jid(text)
    if not jid.is_person:
        raise InvalidJid("Members of a group are people.")
    return str(jid)
