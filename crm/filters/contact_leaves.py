"""What a filter may say of a contact."""

from dataclasses import dataclass
from typing import ClassVar
from uuid import UUID

from crm.filters.moments import Span
from crm.filters.nodes import ALIVE, ContactLeaf, Scope
from crm.filters.reading import MAX_IDS, Reading, Wrong, boolean, items, only, text
from crm.filters.sql import FALSE, Driver, Sql, all_of, any_of, beginning, beside, containing, exists, none_of, wearing
from waplus.lib.phones import match_key


def contacts_where(scope: Scope, condition: Sql) -> Sql:
    """Ids of the workspace's contacts by their own columns."""
    start = Sql(
        f"SELECT crm_contact.id FROM crm_contact WHERE crm_contact.workspace_id = %s AND {ALIVE} AND (",
        (scope.workspace_id,),
    )
    return start + condition + ")"


@dataclass(frozen=True)
class Everywhere(ContactLeaf):
    """Words that stand in the contact's text, tags, fields or notes."""

    name: ClassVar[str] = "q"
    text: str

    @classmethod
    def read(cls, value, path, reading):
        return cls(" ".join(text(value, path).split()))

    def data(self):
        return {"q": self.text}

    def _places(self, scope):
        from crm.search.words import Places, words_of

        return Places(scope.workspace_id, words_of(scope.workspace, self.text))

    def of_contact(self, scope):
        places = self._places(scope)
        return places.anywhere() if places.words else FALSE

    def drivers(self, scope):
        places = self._places(scope)
        return places.drivers() if places.words else []


@dataclass(frozen=True)
class Tagged(ContactLeaf):
    """Wears any or all of some tags, or none at all."""

    name: ClassVar[str] = "tag"
    how: str
    tags: tuple[UUID, ...] = ()

    @classmethod
    def read(cls, value, path, reading: Reading):
        how, held = only(value, path, "any", "all", "none")
        if how == "none":
            if held is not True:
                raise Wrong(f"{path}.none", "invalid", "Only true can stand here: the contact wears no tag.")
            return cls("none")
        return cls(how, reading.ids(held, f"{path}.{how}", "tag"))

    def data(self):
        return {"tag": {self.how: [str(tag) for tag in self.tags] if self.tags else True}}

    def of_contact(self, scope):
        if self.how == "none":
            return none_of(beside("crm_contacttag", "worn"))
        if self.how == "any":
            return beside("crm_contacttag", "worn", Sql("worn.tag_id = ANY(%s)", (list(self.tags),)))
        return all_of(beside("crm_contacttag", "worn", Sql("worn.tag_id = %s", (tag,))) for tag in self.tags)

    def drivers(self, scope):
        sets = {"any": [list(self.tags)], "all": [[tag] for tag in self.tags], "none": []}[self.how]
        return [Driver(4, wearing(scope.workspace_id, tags), is_exact=len(sets) == 1) for tags in sets]


class _Assigned(ContactLeaf):
    """A column that names one of a few things, or nothing."""

    column: ClassVar[str]
    kind: ClassVar[str]
    values: tuple

    @classmethod
    def read(cls, value, path, reading: Reading):
        listed = isinstance(value, dict)
        values = items(only(value, path, "any")[1], f"{path}.any") if listed else [value]
        found = [
            cls._one(each, f"{path}.any.{index}" if listed else path, reading) for index, each in enumerate(values)
        ]
        return cls(tuple(sorted(set(found), key=str)))

    @classmethod
    def _one(cls, value, path, reading):
        return None if value is None else reading.id(value, path, cls.kind)

    def data(self):
        written = [value if value in (None, "me") else str(value) for value in self.values]
        return {self.name: written[0] if len(written) == 1 else {"any": written}}

    def _ids(self, scope) -> list[UUID]:
        named = [scope.viewer_id if value == "me" else value for value in self.values]
        return [value for value in named if value is not None]

    def of_contact(self, scope):
        column = f"crm_contact.{self.column}"
        nobody = Sql(f"{column} IS NULL") if None in self.values else FALSE
        ids = self._ids(scope)
        some = Sql(f"({column} IS NOT NULL AND {column} = ANY(%s))", (ids,)) if ids else FALSE
        return any_of([nobody, some])

    def drivers(self, scope):
        if None in self.values:
            return []
        column = f"crm_contact.{self.column}"
        named = Sql(f"{column} IS NOT NULL AND {column} = ANY(%s)", (self._ids(scope),))
        return [Driver(5, contacts_where(scope, named))]


@dataclass(frozen=True)
class Owned(_Assigned):
    """Is looked after by somebody: a member, `me`, or nobody (null)."""

    name: ClassVar[str] = "owner"
    column: ClassVar[str] = "owner_id"
    kind: ClassVar[str] = "member"
    values: tuple

    @classmethod
    def _one(cls, value, path, reading):
        return "me" if value == "me" else super()._one(value, path, reading)


@dataclass(frozen=True)
class Staged(_Assigned):
    """Stands at a stage, or at none (null)."""

    name: ClassVar[str] = "stage"
    column: ClassVar[str] = "stage_id"
    kind: ClassVar[str] = "stage"
    values: tuple


@dataclass(frozen=True)
class Created(ContactLeaf):
    """Was added within a span."""

    name: ClassVar[str] = "created"
    span: Span

    @classmethod
    def read(cls, value, path, reading):
        return cls(Span.read(value, path))

    def data(self):
        return {"created": self.span.data()}

    def of_contact(self, scope):
        return self.span.condition("crm_contact.created_at", scope.now)


@dataclass(frozen=True)
class Changed(ContactLeaf):
    """Was changed within a span."""

    name: ClassVar[str] = "changed"
    span: Span

    @classmethod
    def read(cls, value, path, reading):
        return cls(Span.read(value, path))

    def data(self):
        return {"changed": self.span.data()}

    def of_contact(self, scope):
        return self.span.condition("crm_contact.updated_at", scope.now)

    def drivers(self, scope):
        return [Driver(6, contacts_where(scope, self.of_contact(scope)))]


_NUMBERED = (
    "FROM crm_contactidentity known WHERE known.workspace_id = crm_contact.workspace_id "
    "AND known.contact_id = crm_contact.id AND known.kind IN ('phone', 'c_us')"
)


@dataclass(frozen=True)
class Numbered(ContactLeaf):
    """Has a number, one of a country, or one with some digits in it."""

    name: ClassVar[str] = "number"
    how: str
    value: str | bool

    @classmethod
    def read(cls, value, path, reading):
        how, held = only(value, path, "has", "country", "contains")
        path = f"{path}.{how}"
        if how == "has":
            return cls(how, boolean(held, path))
        digits = "".join(str(int(each)) for each in text(held, path, 40) if each.isdecimal())
        if not digits or (how == "country" and len(digits) > 4):
            raise Wrong(path, "invalid", "Digits have to stand here, for a country its calling code such as 55.")
        return cls(how, digits if how == "country" else digits.lstrip("0") or digits)

    def data(self):
        return {"number": {self.how: self.value}}

    def of_contact(self, scope):
        if self.how == "has":
            return exists(Sql(_NUMBERED)) if self.value else none_of(exists(Sql(_NUMBERED)))
        if self.how == "country":
            return exists(Sql(f"{_NUMBERED} AND known.match_key LIKE %s", (beginning(self.value),)))
        patterns = sorted({containing(self.value), containing(match_key(self.value))})
        found = "known.value LIKE ANY(%s) OR known.match_key LIKE ANY(%s)"
        return exists(Sql(f"{_NUMBERED} AND ({found})", (patterns, patterns)))

    def drivers(self, scope):
        if self.how != "contains" or len(self.value) < 3:
            return []
        patterns = sorted({containing(self.value), containing(match_key(self.value))})
        found = Sql("crm_contact.search_text LIKE ANY(%s)", (patterns,))
        return [Driver(2, contacts_where(scope, found), stops=False, sample=found)]


@dataclass(frozen=True)
class Addressed(ContactLeaf):
    """Has an e-mail address, or this very one."""

    name: ClassVar[str] = "email"
    how: str
    value: str | bool

    @classmethod
    def read(cls, value, path, reading):
        how, held = only(value, path, "has", "is")
        path = f"{path}.{how}"
        return cls(how, boolean(held, path) if how == "has" else text(held, path, 254).strip().lower())

    def data(self):
        return {"email": {self.how: self.value}}

    def of_contact(self, scope):
        if self.how == "has":
            return Sql("crm_contact.email <> ''" if self.value else "crm_contact.email = ''")
        return Sql("crm_contact.email <> '' AND lower(crm_contact.email) = %s", (self.value,))

    def drivers(self, scope):
        return [Driver(1, contacts_where(scope, self.of_contact(scope)))] if self.how == "is" else []


@dataclass(frozen=True)
class Imported(ContactLeaf):
    """Was made or changed by an import."""

    name: ClassVar[str] = "import"
    batch: UUID

    @classmethod
    def read(cls, value, path, reading: Reading):
        return cls(reading.id(value, path, "import"))

    def data(self):
        return {"import": str(self.batch)}

    def _rows(self, scope) -> Sql:
        return Sql(
            "SELECT contact_id AS id FROM crm_importrow WHERE workspace_id = %s AND batch_id = %s "
            "AND outcome IN ('created', 'merged') AND contact_id IS NOT NULL",
            (scope.workspace_id, self.batch),
        )

    def of_contact(self, scope):
        return "crm_contact.id IN (" + self._rows(scope) + ")"

    def drivers(self, scope):
        return [Driver(4, self._rows(scope), is_exact=True)]


@dataclass(frozen=True)
class OneOf(ContactLeaf):
    """Is one of some contacts, by id; ids of nobody match nothing and are no error."""

    name: ClassVar[str] = "ids"
    ids: tuple[UUID, ...]

    @classmethod
    def read(cls, value, path, reading: Reading):
        return cls(reading.ids(value, path, "contact", MAX_IDS))

    def data(self):
        return {"ids": [str(each) for each in self.ids]}

    def of_contact(self, scope):
        return Sql("crm_contact.id = ANY(%s)", (list(self.ids),))

    def drivers(self, scope):
        return [Driver(0, contacts_where(scope, self.of_contact(scope)))]


@dataclass(frozen=True)
class InGroup(ContactLeaf):
    """Is a member of a group, by the id of its chat."""

    name: ClassVar[str] = "group"
    chat: UUID

    @classmethod
    def read(cls, value, path, reading: Reading):
        return cls(reading.id(value, path, "chat"))

    def data(self):
        return {"group": str(self.chat)}

    def of_contact(self, scope):
        return exists(
            Sql(
                "FROM crm_groupmember member WHERE member.workspace_id = crm_contact.workspace_id "
                "AND member.contact_id = crm_contact.id AND member.chat_id = %s",
                (self.chat,),
            )
        )

    def drivers(self, scope):
        select = "SELECT contact_id AS id FROM crm_groupmember WHERE workspace_id = %s AND chat_id = %s AND contact_id IS NOT NULL"
        return [Driver(3, Sql(select, (scope.workspace_id, self.chat)), is_exact=True)]
