"""No row points into another workspace: the database refuses it, and a check at boot finds who forgot to ask for that."""

from datetime import datetime
from itertools import count

import pytest
from django.apps import apps
from django.contrib.postgres.fields import ArrayField
from django.db import IntegrityError, connection, models, transaction
from django.test.utils import isolate_apps
from django.utils import timezone

from accounts import checks
from accounts.models import ExtensionInstance, User
from accounts.scoping import WorkspaceModel
from conftest import make_device, make_person
from messaging.models.content import HOLDERS
from messaging.models.conversations import RULE_TARGETS
from waplus.lib.constraints import CompositeForeignKey, ScopedForeignKey
from waplus.lib.fields import WallClockField
from waplus.lib.ids import uuid7

Contact = apps.get_model("crm.Contact")
TENANTS = [model for model in apps.get_models() if issubclass(model, WorkspaceModel)]
REFERENCES = [
    (model, constraint)
    for model in TENANTS
    for constraint in model._meta.constraints
    if isinstance(constraint, CompositeForeignKey)
]
numbers = count(1)


def value_of(field: models.Field, workspace):
    """A value that the column takes; rows that it needs are made in the same workspace."""
    number = next(numbers)
    if field.name == "workspace":
        return workspace.pk
    if field.null:
        return None
    if field.is_relation:
        return row_of(field.related_model, workspace)
    if field.has_default():
        return field.get_default()
    if field.choices:
        return field.choices[0][0]
    if field.blank and isinstance(field, models.CharField | models.TextField):
        return ""
    if isinstance(field, WallClockField):
        return datetime(2026, 1, 1)
    made = {
        models.CharField: f"x{number}",
        models.TextField: f"x{number}",
        models.FileField: f"x{number}",
        models.DateTimeField: timezone.now(),
        models.DateField: timezone.now().date(),
        models.TimeField: timezone.now().time(),
        models.BinaryField: number.to_bytes(32),
        models.JSONField: {},
        ArrayField: [],
        models.BooleanField: False,
        models.BigIntegerField: number,
        models.IntegerField: number,
        models.UUIDField: uuid7(),
        models.PositiveIntegerField: number,
        models.PositiveSmallIntegerField: number % 30_000,
    }
    return next(value for kind, value in made.items() if isinstance(field, kind))


def fitting(model: type[models.Model], workspace, given: dict) -> dict:
    """What a row needs beside its references so that rules over several columns let it pass."""
    match model._meta.label:
        case "messaging.ContentPart" if not any(given.get(f"{holder}_id") for holder in HOLDERS):
            return {"broadcast_id": row_of(apps.get_model("messaging.Broadcast"), workspace)}
        case "messaging.ConversationRule":
            found = next(((kind, name) for kind, name in RULE_TARGETS.items() if given.get(f"{name}_id")), None)
            kind, name = found or ("chat", "chat")
            made = {} if found else {"chat_id": row_of(apps.get_model("crm.Chat"), workspace)}
            return {"kind": kind, **made}
        case "messaging.ConversationMessage":
            return {"has_content": True}
        case "messaging.ScheduledRecipient":
            return {"state": "paused"}
        case "messaging.MessageAck":
            return {"ack": 1}
        case "messaging.ShareLink":
            return {"message_ids": [uuid7()]}
    return {}


def insert(model: type[models.Model], workspace, **given):
    """Write a row past the ORM, as a careless statement would; answers its id."""
    fields = [
        field for field in model._meta.local_concrete_fields if not field.has_db_default() and not field.generated
    ]
    given = {**fitting(model, workspace, given), **given}
    values = {field.attname: given.get(field.attname) or value_of(field, workspace) for field in fields}
    quoted = ", ".join(f'"{field.column}"' for field in fields)
    with connection.cursor() as cursor:
        cursor.execute(
            f'INSERT INTO "{model._meta.db_table}" ({quoted}) VALUES ({", ".join(["%s"] * len(fields))})',
            [field.get_db_prep_save(values[field.attname], connection) for field in fields],
        )
    return values[model._meta.pk.attname]


def row_of(model: type[models.Model], workspace):
    if model is User:
        return make_person(f"p{next(numbers)}").pk
    if model is ExtensionInstance:
        return make_device().instance.pk
    return insert(model, workspace)


def check_now() -> None:
    with connection.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
        cursor.execute("SET CONSTRAINTS ALL DEFERRED")


@pytest.mark.django_db
@pytest.mark.parametrize(("model", "constraint"), REFERENCES, ids=[f"{m._meta.label}.{c.field}" for m, c in REFERENCES])
def test_database_refuses_reference_into_other_workspace(acme, other, model, constraint):
    field = model._meta.get_field(constraint.field)
    here, there = (row_of(field.related_model, workspace) for workspace in (acme, other))

    with pytest.raises(IntegrityError, match=constraint.name), transaction.atomic():
        insert(model, acme, **{field.attname: there})
        check_now()
    with pytest.raises(IntegrityError, match=constraint.name), transaction.atomic():
        insert(model, acme, **{field.attname: uuid7()})
        check_now()

    id = insert(model, acme, **{field.attname: here})
    check_now()  # positive control: the same row within one workspace is fine
    with pytest.raises(IntegrityError), transaction.atomic():
        model.objects.filter(pk=id).update(workspace=other)
        check_now()
    with pytest.raises(IntegrityError, match=constraint.name), transaction.atomic():
        model.objects.filter(pk=id).update(**{field.attname: there})
        check_now()


def test_every_reference_was_tried():
    by_introspection = {
        (model, field.name)
        for model in TENANTS
        for field in model._meta.local_fields
        if isinstance(field.related_model, type) and issubclass(field.related_model, WorkspaceModel)
    }
    assert {(model, constraint.field) for model, constraint in REFERENCES} == by_introspection
    assert len(REFERENCES) >= 8
    print(f"{len(REFERENCES)} references between tenants")  # noqa: T201


@pytest.mark.django_db
def test_database_has_every_scoped_key_and_no_other_key_between_tenants():
    tables = [model._meta.db_table for model in TENANTS]
    with connection.cursor() as cursor:
        cursor.execute(
            """
            SELECT conname, cardinality(conkey), condeferrable FROM pg_constraint
            WHERE contype = 'f' AND conrelid::regclass::text = ANY(%s) AND confrelid::regclass::text = ANY(%s)
            """,
            [tables, tables],
        )
        assert set(cursor.fetchall()) == {(constraint.name, 2, True) for _, constraint in REFERENCES}


# --- The check at boot ----------------------------------------------------------------------------


def found(monkeypatch, *made_up: type[models.Model]) -> list[str]:
    monkeypatch.setattr(checks.apps, "get_models", lambda **kwargs: list(made_up))
    return [f"{error.id} {error.msg}" for error in checks.check_scoped_references(None)]


def test_check_passes_for_what_is_there():
    assert checks.check_scoped_references(None) == []


@isolate_apps("crm")
def test_check_finds_plain_key_between_tenants(monkeypatch):
    class Note(WorkspaceModel):
        contact = models.ForeignKey(Contact, models.CASCADE, related_name="+")

        class Meta(WorkspaceModel.Meta):
            app_label = "crm"

    assert found(monkeypatch, Note) == ["accounts.E001 crm.Note.contact could point into another workspace."]


@isolate_apps("crm")
def test_check_finds_scoped_key_without_its_constraint(monkeypatch):
    class Note(WorkspaceModel):
        contact = ScopedForeignKey(Contact, models.CASCADE, related_name="+")

        class Meta(WorkspaceModel.Meta):
            app_label = "crm"

    assert found(monkeypatch, Note) == ["accounts.E001 crm.Note.contact could point into another workspace."]


@isolate_apps("crm")
def test_check_finds_plain_key_behind_constraint(monkeypatch):
    class Note(WorkspaceModel):
        contact = models.ForeignKey(Contact, models.CASCADE, related_name="+")

        class Meta(WorkspaceModel.Meta):
            app_label = "crm"
            constraints = [CompositeForeignKey(field="contact", name="note_contact")]

    assert found(monkeypatch, Note) == ["accounts.E001 crm.Note.contact could point into another workspace."]


@isolate_apps("crm")
def test_check_is_content_with_scoped_key(monkeypatch):
    class Note(WorkspaceModel):
        contact = ScopedForeignKey(Contact, models.CASCADE, related_name="+")
        author = models.ForeignKey(User, models.CASCADE, related_name="+")

        class Meta(WorkspaceModel.Meta):
            app_label = "crm"
            constraints = [CompositeForeignKey(field="contact", name="note_contact")]

    assert found(monkeypatch, Note) == []
