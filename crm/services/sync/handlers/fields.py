"""Custom fields, and what contacts have in them."""

from dataclasses import replace
from uuid import UUID

from accounts.models import Role
from crm.models import CustomField, FieldValue
from crm.services import contacts, custom_fields
from crm.services.field_values import InvalidValue, canonical_value
from crm.services.sync.handlers.registry import (
    APPLIED,
    MERGED,
    REFUSED,
    UNCHANGED,
    Applied,
    Change,
    created,
    handles,
    locked,
    moved,
    update_row,
)
from waplus.lib.errors import FieldError, NotFound, Refused


@handles("custom_field", "create", role=Role.ADMIN)
def create_field(change: Change) -> Applied:
    """A field; where one of its name and kind is there already, that one. Options have ids, so choices are never joined."""
    try:
        row, is_new = custom_fields.create_field(**change.who, id=change.row_id, **change.values)
    except Refused as refusal:
        if refusal.code != "name_taken" or not (namesake := _same(refusal.extra["id"], change.values)):
            raise
        return Applied(namesake.pk, MERGED)
    return created(row, is_new, change)


def _same(namesake_id: str, values: dict) -> CustomField | None:
    namesake = CustomField.objects.get(pk=namesake_id)
    is_same = (namesake.kind, namesake.currency) == (values["kind"], values.get("currency", ""))
    return namesake if is_same and namesake.kind not in custom_fields.CHOICES else None


@handles("custom_field", "update", role=Role.ADMIN)
def update_field(change: Change) -> Applied:
    row = locked(CustomField, change)
    if "options" in change.values:
        change.values["options"] = custom_fields.options_of(row, change.values["options"])
    return update_row(
        row, change, lambda **values: custom_fields.revise_field(**change.who, field_id=change.row_id, **values)
    )


@handles("custom_field", "move", role=Role.ADMIN)
def move_field(change: Change) -> Applied:
    return moved(change, lambda after: custom_fields.move_field(**change.who, field_id=change.row_id, after=after))


@handles("custom_field", "retire", role=Role.ADMIN)
def retire_field(change: Change) -> Applied:
    before = locked(CustomField, change).retired_at
    custom_fields.retire_field(**change.who, field_id=change.row_id)
    return Applied(change.row_id, UNCHANGED if before else APPLIED)


@handles("custom_field", "restore", role=Role.ADMIN)
def restore_field(change: Change) -> Applied:
    before = locked(CustomField, change).retired_at
    custom_fields.restore_field(**change.who, field_id=change.row_id)
    return Applied(change.row_id, APPLIED if before else UNCHANGED)


@handles("field_value", "create")
def fill_field(change: Change) -> Applied:
    """A pair of contact and field has one value; where a colleague gave another one meanwhile, that one stays."""
    contact_id = change.values["contact"]
    contacts.contact_of(workspace=change.workspace, contact_id=contact_id, lock=True)
    pair = FieldValue.objects.for_workspace(change.workspace).filter(contact=contact_id, field=change.values["field"])
    present = pair.first()
    if present is None:
        _set_field(change, contact_id, change.values["field"], change.values["value"])
        present = pair.first()
        return Applied(present.pk if present else change.row_id, APPLIED if present else UNCHANGED)
    if present.value == _meant(present, change.values["value"]):
        return Applied(present.pk, UNCHANGED)
    return Applied(present.pk, REFUSED, [FieldError("value", "conflict", "Somebody filled it meanwhile.")])


def _set_field(change: Change, contact_id: UUID, field_id: UUID, value) -> None:
    contacts.update_contact(**change.who, contact_id=contact_id, fields={str(field_id): value})


def _meant(row: FieldValue, raw):
    """A value as it would be stored, for the same may be written in several ways; what is none stays and is refused later."""
    try:
        canonical = canonical_value(CustomField.objects.get(pk=row.field_id), raw, row.value)
    except InvalidValue:
        return raw
    return canonical.value if canonical else None


@handles("field_value", "update")
def change_field(change: Change) -> Applied:
    pair = _pair_of(FieldValue, change)
    row = locked(FieldValue, change)
    meant = replace(change, values={"value": _meant(row, change.values["value"])})
    return update_row(row, meant, lambda value: _set_field(change, pair.contact_id, pair.field_id, value))


@handles("field_value", "delete")
def empty_field(change: Change) -> Applied:
    row = FieldValue.objects.for_workspace(change.workspace).filter(pk=change.row_id).first()
    if row is None:
        return Applied(change.row_id, UNCHANGED)
    _set_field(change, row.contact_id, row.field_id, None)
    return Applied(change.row_id)


def _pair_of(model, change: Change):
    """A row of a pair, its contact locked first: services lock contacts before what hangs on them."""
    row = model.objects.for_workspace(change.workspace).filter(pk=change.row_id).first()
    if row is None:
        raise NotFound
    contacts.contact_of(workspace=change.workspace, contact_id=row.contact_id, lock=True)
    return row
