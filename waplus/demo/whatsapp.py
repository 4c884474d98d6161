"""What the demo's extension would have reported: a number, people, chats, groups and photos."""

from datetime import datetime, timedelta
from uuid import UUID

from accounts.actors import Actor
from accounts.models import Workspace
from crm.models import Chat, WhatsAppAccount
from crm.services.avatars import set_chat_avatar, set_contact_avatar
from crm.services.chats import report_chats, update_chat
from crm.services.group_members import set_members
from crm.services.observations import observe
from crm.services.whatsapp_accounts import add_whatsapp_account
from waplus.demo import people
from waplus.demo.portraits import emblem, portrait

JID = "5511912345678@c.us"
STRANGERS = ("Zé da Esquina", "🌻 Mel", "مريم", "Coffee lover", "小林", "Nadja", "Студия света", "J.")
GROUPS = (
    ("120363040000000001@g.us", "Coffee club ☕", "We taste on the first Saturday of the month.", ""),
    ("120363040000000002@g.us", "Fornecedores 2026", "", "Suppliers"),
    ("120363040000000003@g.us", "Vila Madalena – lojistas", "Shops of the quarter", ""),
)
PHOTOS = 24
# Every so-manieth customer has written; a stride through all worlds.
STRIDE = 5


def _lid(place: int) -> str:
    return f"{157_000_000_000_000 + place * 7_919}@lid"


def _jid(number: str) -> str:
    return "".join(filter(str.isdigit, number)) + "@c.us"


def report(*, workspace: Workspace, actor: Actor, now: datetime, contacts: dict[str, UUID]) -> None:
    """Report everything; `contacts` are the ids of the address book's contacts by name."""
    account, _is_new = add_whatsapp_account(workspace=workspace, actor=actor, jid=JID, name="Shop")
    writers = [(name, people.number_of(world, index)) for world, index, name in people.names()][::STRIDE]
    strangers = _observe(workspace, actor, account, now, writers)
    _report_chats(workspace, actor, account, now, writers)
    _report_groups(workspace, actor, writers)
    shown = [contacts[name] for name, _number in writers] + strangers
    for place, contact_id in enumerate(shown[:PHOTOS]):
        set_contact_avatar(workspace=workspace, actor=actor, contact_id=contact_id, data=portrait(place))


def _observe(workspace, actor, account: WhatsAppAccount, now: datetime, writers) -> list[UUID]:
    """Show whoever wrote with a profile name and a LID; answers the ids of those whom nobody knew."""
    seen = {"whatsapp_account": str(account.pk), "observed_at": (now - timedelta(days=3)).isoformat()}
    known = [
        {
            **seen,
            "jid": _jid(number),
            "lid": _lid(place),
            "profile_name": f"{name.split()[0]} ✨" if place % 3 else name,
        }
        for place, (name, number) in enumerate(writers)
    ]
    new = [{**seen, "lid": _lid(900 + place), "profile_name": name} for place, name in enumerate(STRANGERS)]
    outcomes = observe(workspace=workspace, actor=actor, items=[*known, *new], create=True)
    # WhatsApp shows one of the strangers and a customer as one person: a merge is suggested.
    same = {**seen, "jid": _jid(writers[1][1]), "lid": _lid(900)}
    observe(workspace=workspace, actor=actor, items=[same])
    return [outcome.row_id for outcome in outcomes[len(known) :]]


def _report_chats(workspace, actor, account: WhatsAppAccount, now: datetime, writers) -> None:
    def ago(minutes: int) -> str:
        return (now - timedelta(minutes=minutes)).isoformat()

    items = [
        {"jid": _jid(number), "last_inbound_at": ago(4 + place * place * 13), "unread_count": (place * 3) % 4}
        if place % 3 == 0
        else {
            "jid": _jid(number),
            "last_inbound_at": ago(40 + place * 97),
            "last_outbound_at": ago(25 + place * 61),
            "archived": place % 11 == 10,
        }
        for place, (_name, number) in enumerate(writers)
    ]
    items += [
        {"jid": _lid(900 + place), "name": name, "last_inbound_at": ago(90 + place * 400), "unread_count": 1}
        for place, name in enumerate(STRANGERS)
    ]
    items += [
        {"jid": jid, "name": name, "description": about, "last_message_at": ago(15 + place * 700)}
        for place, (jid, name, about, _own) in enumerate(GROUPS)
    ]
    items += [
        {"jid": "120363040000000009@newsletter", "name": "Roasters’ weekly", "last_message_at": ago(5_000)},
        {"jid": "1700000000@broadcast", "name": "Opening hours", "last_message_at": ago(9_000)},
    ]
    report_chats(
        workspace=workspace, actor=actor, items=[{"whatsapp_account": str(account.pk), **one} for one in items]
    )


def _report_groups(workspace, actor, writers) -> None:
    chats = {chat.jid: chat for chat in Chat.objects.for_workspace(workspace).filter(kind="group")}
    for place, (jid, _name, _about, own_name) in enumerate(GROUPS):
        chat = chats[jid]
        there = [writers[0], *writers[place + 1 :: 4]]
        members = [{"jid": _jid(number), "name": name, "is_admin": name == writers[0][0]} for name, number in there]
        set_members(workspace=workspace, actor=actor, chat_id=chat.pk, members=members)
        set_chat_avatar(workspace=workspace, actor=actor, chat_id=chat.pk, data=emblem(place))
        if own_name:
            update_chat(workspace=workspace, chat_id=chat.pk, actor=actor, own_name=own_name)
