"""What a filter may say of a chat; of a contact, that one of its chats is so."""

import datetime as dt
from dataclasses import dataclass
from typing import ClassVar
from uuid import UUID

from crm.filters.moments import Span
from crm.filters.nodes import CONTACTS, ChatLeaf, Scope
from crm.filters.reading import Reading, Wrong, boolean, items, members, only, whole
from crm.filters.sql import Along, Driver, Sql, any_of, exists, union
from crm.models import ChatKind
from crm.models.chats import LISTED_AT_SQL

MAX_HOURS = 24 * 366
NOT_OF_PERSON = Sql("crm_chat.kind <> 'person'")


@dataclass(frozen=True)
class Unread(ChatLeaf):
    """Has unread messages, or none."""

    name: ClassVar[str] = "unread"
    value: bool

    @classmethod
    def read(cls, value, path, reading):
        return cls(boolean(value, path))

    def data(self):
        return {"unread": self.value}

    def of_chat(self, scope, chat):
        return Sql(f"{chat}.unread_count {'> 0' if self.value else '= 0'}")

    def is_indexed(self):
        return self.value

    def along(self, scope):
        return [Along(self.of_chat(scope, "crm_chat"))] if self.value else []


@dataclass(frozen=True)
class AwaitingReply(ChatLeaf):
    """The last message is theirs, for at least some hours."""

    name: ClassVar[str] = "awaiting_reply"
    value: bool
    hours: int = 0

    @classmethod
    def read(cls, value, path, reading):
        if isinstance(value, dict):
            return cls(True, whole(only(value, path, "hours")[1], f"{path}.hours", MAX_HOURS))
        return cls(boolean(value, path))

    def data(self):
        return {"awaiting_reply": {"hours": self.hours} if self.hours else self.value}

    def of_chat(self, scope, chat):
        if not self.value:
            return Sql(f"NOT {chat}.awaiting_reply")
        since = scope.now - dt.timedelta(hours=self.hours)
        long_enough = Sql(f" AND {chat}.last_inbound_at IS NOT NULL AND {chat}.last_inbound_at <= %s", (since,))
        return Sql(f"{chat}.awaiting_reply") + (long_enough if self.hours else "")

    def is_indexed(self):
        return self.value

    def along(self, scope):
        return [Along(Sql("crm_chat.awaiting_reply"))] if self.value else []


@dataclass(frozen=True)
class LastMessage(ChatLeaf):
    """The latest message is within a span, or there was never one."""

    name: ClassVar[str] = "last_message"
    span: Span | None

    @classmethod
    def read(cls, value, path, reading):
        if isinstance(value, dict) and "never" in value:
            if members(value, path, "never")["never"] is not True:
                raise Wrong(f"{path}.never", "invalid", "Only true can stand here.")
            return cls(None)
        return cls(Span.read(value, path))

    def data(self):
        return {"last_message": self.span.data() if self.span else {"never": True}}

    def of_chat(self, scope, chat):
        # What chats are listed by, and therefore indexed: before all messages where there was never one.
        column = LISTED_AT_SQL.format(alias=chat)
        if self.span is None:
            return Sql(f"{column} = '1970-01-01 00:00:00+00'")
        return Sql(f"{column} > '1970-01-01 00:00:00+00' AND ") + self.span.condition(column, scope.now)

    def is_indexed(self):
        return True

    def along(self, scope):
        return [Along(self.of_chat(scope, "crm_chat"), is_range=True)]


@dataclass(frozen=True)
class OfKind(ChatLeaf):
    """Is a chat with a person, a group, a channel or a broadcast list; of a contact: is a member of a group."""

    name: ClassVar[str] = "kind"
    kinds: tuple[str, ...]

    @classmethod
    def read(cls, value, path, reading):
        listed = isinstance(value, dict)
        values = items(only(value, path, "any")[1], f"{path}.any") if listed else [value]
        for index, each in enumerate(values):
            if each not in ChatKind.values if isinstance(each, str) else True:
                where = f"{path}.any.{index}" if listed else path
                raise Wrong(where, "invalid_choice", f"One of: {', '.join(ChatKind.values)}.")
        return cls(tuple(sorted(set(values))))

    def data(self):
        return {"kind": self.kinds[0] if len(self.kinds) == 1 else {"any": list(self.kinds)}}

    def of_chat(self, scope, chat):
        return Sql(f"{chat}.kind = ANY(%s)", (list(self.kinds),))

    def condition(self, scope):
        found = super().condition(scope)
        if scope.target != CONTACTS or ChatKind.GROUP not in self.kinds:
            return found
        member = (
            "FROM crm_groupmember member WHERE member.workspace_id = crm_contact.workspace_id "
            "AND member.contact_id = crm_contact.id"
        )
        return any_of([found, exists(Sql(member))])

    def is_indexed(self):
        return ChatKind.PERSON not in self.kinds or ChatKind.GROUP in self.kinds

    def drivers(self, scope):
        found = super().drivers(scope)
        if ChatKind.GROUP not in self.kinds:
            return found
        members = Sql(
            "SELECT member.contact_id AS id FROM crm_groupmember member "
            "WHERE member.workspace_id = %s AND member.contact_id IS NOT NULL",
            (scope.workspace_id,),
        )
        # With people's chats it brings nearly everybody who has one.
        rank = 6 if ChatKind.PERSON in self.kinds else 3
        return [Driver(rank, union([*(driver.select for driver in found), members]), is_exact=True)]

    def along(self, scope):
        return [] if ChatKind.PERSON in self.kinds else [Along(NOT_OF_PERSON)]


@dataclass(frozen=True)
class Archived(ChatLeaf):
    """Is archived, or is not."""

    name: ClassVar[str] = "archived"
    value: bool

    @classmethod
    def read(cls, value, path, reading):
        return cls(boolean(value, path))

    def data(self):
        return {"archived": self.value}

    def of_chat(self, scope, chat):
        return Sql(f"{chat}.archived" if self.value else f"NOT {chat}.archived")

    def is_indexed(self):
        return self.value

    def along(self, scope):
        return [Along(self.of_chat(scope, "crm_chat"))] if self.value else []


@dataclass(frozen=True)
class OfAccount(ChatLeaf):
    """Is a chat of one of the workspace's WhatsApp numbers."""

    name: ClassVar[str] = "whatsapp_account"
    accounts: tuple[UUID, ...]

    @classmethod
    def read(cls, value, path, reading: Reading):
        if isinstance(value, dict):
            return cls(reading.ids(only(value, path, "any")[1], f"{path}.any", "whatsapp_account"))
        return cls((reading.id(value, path, "whatsapp_account"),))

    def data(self):
        written = [str(each) for each in self.accounts]
        return {"whatsapp_account": written[0] if len(written) == 1 else {"any": written}}

    def of_chat(self, scope: Scope, chat):
        return Sql(f"{chat}.whatsapp_account_id = ANY(%s)", (list(self.accounts),))

    def is_indexed(self):
        return True
