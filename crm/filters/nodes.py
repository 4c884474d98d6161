"""The tree of a filter: and, or, not, and what every leaf offers.

Conditions are never unknown (NULL): what a row lacks is false, so that `not`
turns it into true.
"""

import datetime as dt
from dataclasses import dataclass, replace
from typing import ClassVar
from uuid import UUID

from crm.filters.reading import Reading
from crm.filters.sql import Along, Driver, Sql, all_of, any_of, beside, exists, none_of, union

CONTACTS, CHATS = "contacts", "chats"
ALIVE = "crm_contact.deleted_at IS NULL AND crm_contact.merged_into_id IS NULL"


@dataclass(frozen=True)
class Scope:
    """For whom a filter is evaluated and when: what `me` and `last_days` mean. `target` is the rows it selects."""

    workspace: object
    viewer_id: UUID | None
    now: dt.datetime
    target: str

    @property
    def workspace_id(self) -> UUID:
        return self.workspace.pk


class Node:
    """A part of a filter."""

    def data(self) -> dict:
        """Its JSON in normal form."""
        raise NotImplementedError

    def condition(self, scope: Scope) -> Sql:
        """SQL over a row of `crm_contact` or `crm_chat`, as the scope's target says."""
        raise NotImplementedError

    def drivers(self, scope: Scope) -> list[Driver]:
        """Selects of contacts' ids, each of which holds all that match; empty where no index knows."""
        return []

    def along(self, scope: Scope) -> list[Along]:
        """What indexes in the order of the list of chats know of all that match."""
        return []

    def leaves(self) -> list["Node"]:
        return [self]


class ContactLeaf(Node):
    """Says something of a contact; of a chat, that its contact is so."""

    name: ClassVar[str]

    @classmethod
    def read(cls, value, path: str, reading: Reading) -> "ContactLeaf":
        """From JSON; raises `Wrong`."""
        raise NotImplementedError

    def of_contact(self, scope: Scope) -> Sql:
        raise NotImplementedError

    def condition(self, scope: Scope) -> Sql:
        if scope.target == CONTACTS:
            return self.of_contact(scope)
        return exists(
            "FROM crm_contact WHERE crm_contact.workspace_id = crm_chat.workspace_id "
            f"AND crm_contact.id = crm_chat.contact_id AND {ALIVE} AND (" + self.of_contact(scope) + ")"
        )


class ChatLeaf(Node):
    """Says something of a chat; of a contact, that one of its chats is so."""

    name: ClassVar[str]

    def of_chat(self, scope: Scope, chat: str) -> Sql:
        """Over the row of `crm_chat` that is called `chat` there."""
        raise NotImplementedError

    def condition(self, scope: Scope) -> Sql:
        if scope.target == CHATS:
            return self.of_chat(scope, "crm_chat")
        return beside("crm_chat", "talk", self.of_chat(scope, "talk"))

    def is_indexed(self) -> bool:
        """Whether an index leads to the chats that are so."""
        return False

    def drivers(self, scope: Scope) -> list[Driver]:
        if not self.is_indexed():
            return []
        select = Sql(
            "SELECT talk.contact_id AS id FROM crm_chat talk WHERE talk.workspace_id = %s AND talk.contact_id IS NOT NULL AND (",
            (scope.workspace_id,),
        )
        return [Driver(3, select + self.of_chat(scope, "talk") + ")", is_exact=True)]


@dataclass(frozen=True)
class And(Node):
    children: tuple[Node, ...]

    def data(self) -> dict:
        return {"and": [each.data() for each in self.children]} if self.children else {}

    def condition(self, scope: Scope) -> Sql:
        return all_of(each.condition(scope) for each in self.children)

    def drivers(self, scope: Scope) -> list[Driver]:
        found = [replace(driver, is_exact=False) for each in self.children for driver in each.drivers(scope)]
        return sorted(found, key=lambda driver: driver.rank)

    def along(self, scope: Scope) -> list[Along]:
        return [known for each in self.children for known in each.along(scope)]

    def leaves(self) -> list[Node]:
        return [leaf for each in self.children for leaf in each.leaves()]


@dataclass(frozen=True)
class Or(Node):
    children: tuple[Node, ...]

    def data(self) -> dict:
        return {"or": [each.data() for each in self.children]}

    def condition(self, scope: Scope) -> Sql:
        return any_of(each.condition(scope) for each in self.children)

    def drivers(self, scope: Scope) -> list[Driver]:
        """Together the children's best; none if one child has none, because anything may match that one."""
        found = [each.drivers(scope) for each in self.children]
        if not all(found):
            return []
        best = [next((driver for driver in drivers if driver.is_exact), drivers[0]) for drivers in found]
        samples = [driver.sample for driver in best if driver.sample is not None]
        return [
            Driver(
                max(driver.rank for driver in best),
                union(driver.select for driver in best),
                all(driver.stops for driver in best),
                any_of(samples) if samples else None,
                all(driver.is_exact for driver in best),
            )
        ]

    def leaves(self) -> list[Node]:
        return [leaf for each in self.children for leaf in each.leaves()]


@dataclass(frozen=True)
class Not(Node):
    child: Node

    def data(self) -> dict:
        return {"not": self.child.data()}

    def condition(self, scope: Scope) -> Sql:
        return none_of(self.child.condition(scope))

    def leaves(self) -> list[Node]:
        return self.child.leaves()
