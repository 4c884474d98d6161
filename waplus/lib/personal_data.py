"""The data map's vocabulary, and the base class that every model's declaration derives from.

Each app's `personal_data.py` declares every field of every model that it
brings, its libraries' models included; a test subtracts what is declared from
what exists. The categories are the rows of the policy's table. Export,
correction and erasure will walk the declarations instead of hand-kept lists of
tables, so a declaration also says to whom a row belongs (`subjects`).
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from enum import StrEnum
from functools import reduce
from operator import or_

from django.apps import apps
from django.db.models import Model, Q, QuerySet


class Category(StrEnum):
    """What kind of data a field holds: a row of the policy's table, or nothing personal."""

    ACCOUNT = "account"
    AUTHENTICATION = "authentication"
    WHATSAPP_CONTACT = "whatsapp_contact"
    MESSAGE_METADATA = "message_metadata"
    MESSAGE_CONTENT = "message_content"
    FILES = "files"
    GOOGLE = "google"
    ENVIRONMENT = "environment"
    INSTALLED_EXTENSIONS = "installed_extensions"
    TECHNICAL = "technical"


class Retention(StrEnum):
    """When a value goes."""

    WHILE_NEEDED = "until it is deleted by a person or the account closes"
    WHILE_CONNECTED = "until the device or integration is disconnected"
    UNTIL_EXPIRY = "until the moment of expiry that the row carries"
    ONE_DAY = "one day"
    SEVEN_DAYS = "seven days"
    AUDIT = "as long as the workspace exists, as a record of who did what"
    FOREVER = "without limit: it is not personal"


class Recipient(StrEnum):
    """Who may receive a value, beyond our own servers."""

    HOSTING = "Alibaba Cloud (hosting, storage, logs)"
    MAIL = "mail provider"
    TEAM = "members of the same workspace"
    CRM_PROVIDERS = "HubSpot, Salesforce or Zoho, once connected"
    WEBHOOKS = "webhook addresses of the workspace"
    STAFF = "authorised staff, with a recorded reason"


class Export(StrEnum):
    """How a value appears in an export."""

    PLAIN = "as it is"
    MASKED = "that it exists, not its value"
    OMITTED = "not at all"


class Correct(StrEnum):
    """Who may correct a value."""

    BY_PERSON = "the person or a member, in the product"
    BY_STAFF = "staff, on request"
    DERIVED = "follows from another value"
    NEVER = "a record of what happened"


class Erase(StrEnum):
    """What erasure does to a value."""

    WITH_ROW = "deleted with its row"
    CLEARED = "emptied, the row stays"
    KEPT = "kept: it identifies nobody"


@dataclass(frozen=True)
class Field:
    """What is declared of one field. `json_keys` names what a JSON document may hold; `[]` stands for a plain list."""

    category: Category
    purpose: str
    retention: Retention = Retention.WHILE_NEEDED
    recipients: tuple[Recipient, ...] = (Recipient.HOSTING,)
    export: Export = Export.PLAIN
    correct: Correct = Correct.BY_PERSON
    erase: Erase = Erase.WITH_ROW
    json_keys: tuple[str, ...] = ()


def technical(purpose: str, **kwargs) -> Field:
    """A field that says nothing about a person: keys, counters, times of the machine."""
    return Field(Category.TECHNICAL, purpose, **{"correct": Correct.NEVER, "recipients": (), **kwargs})


Path = str | tuple[str, ...] | Callable[[object], Q]


# What the declarations of several apps have in common.
TEAM = (Recipient.HOSTING, Recipient.TEAM)
TEAM_AND_STAFF = (Recipient.HOSTING, Recipient.TEAM, Recipient.STAFF)
CLIENT_ID = technical("Names the row; the extension may make it.")
WORKSPACE = technical("Tells which workspace the row belongs to.")


class PersonalData:
    """The declaration of one model. Subclasses set `model`, `subjects` and `fields`.

    `subjects` maps a kind of subject (`person`, `contact`, `workspace`,
    `instance`) to the ORM path that leads from a row to it, or to several of
    which one suffices; where no path exists, to a function that makes a
    condition of the subject's id. A row may belong to several subjects.
    """

    model: str
    subjects: dict[str, Path] = {}
    fields: dict[str, Field] = {}

    @classmethod
    def model_class(cls) -> type[Model]:
        return apps.get_model(cls.model)

    @classmethod
    def condition(cls, kind: str, subject_id) -> Q | None:
        """Which rows belong to a subject; None if this model knows no such kind."""
        path = cls.subjects.get(kind)
        if path is None or callable(path):
            return path and path(subject_id)
        paths = (path,) if isinstance(path, str) else path
        return reduce(or_, (Q(**{one: subject_id}) for one in paths))

    @classmethod
    def rows_of(cls, kind: str, subject_id) -> QuerySet:
        """Rows that belong to a subject; none if this model knows no such kind."""
        manager = cls.model_class()._base_manager
        condition = cls.condition(kind, subject_id)
        return manager.none() if condition is None else manager.filter(condition)


_declared: dict[str, type[PersonalData]] = {}


def declare(declaration: type[PersonalData]) -> type[PersonalData]:
    """Class decorator: enter a declaration into the map; a model is declared once."""
    label = declaration.model.lower()
    if label in _declared:
        raise ValueError(f"{label} is declared twice")
    _declared[label] = declaration
    return declaration


def declarations() -> Iterator[type[PersonalData]]:
    """All declarations, by the order of their models' labels."""
    for label in sorted(_declared):
        yield _declared[label]


def existing_fields() -> dict[str, set[str]]:
    """Every stored field of every installed model, by model label: what must be declared.

    Many-to-many tables count as models of their own.
    """
    return {
        model._meta.label_lower: {field.name for field in model._meta.local_fields}
        for model in apps.get_models(include_auto_created=True)
        if model._meta.managed and not model._meta.proxy
    }


def undeclared() -> set[str]:
    """`model.field` of every stored field that no declaration names."""
    return {
        f"{label}.{name}"
        for label, names in existing_fields().items()
        for name in names - set(_declared[label].fields if label in _declared else ())
    }


def vanished() -> set[str]:
    """`model.field` of every declared field that does not exist."""
    existing = existing_fields()
    return {
        f"{label}.{name}"
        for label, declaration in _declared.items()
        for name in set(declaration.fields) - existing.get(label, set())
    }
