"""Custom fields: made, renamed, ordered, retired and taken back; nothing that a contact has in them is lost.

A field's kind and currency never change, because its values would mean something
else. Options of choices are retired and not deleted.
"""

from collections.abc import Sequence
from uuid import UUID

from django.db import IntegrityError, connection, transaction
from django.utils import timezone

from accounts.actors import Actor
from accounts.models import Workspace
from accounts.services.changes import set_changed
from accounts.services.events import record_event
from crm.models import Colour, CustomField, FieldKind, FieldValue
from crm.services.field_values import hold_fields, minor_digits, option_text
from crm.services.naming import clean_name, folded_name, move, next_position, reorder
from waplus.lib.errors import Invalid, NotFound, Refused
from waplus.lib.ids import uuid7
from waplus.lib.locks import take_turns
from waplus.lib.text import fold

MAX_FIELDS = 200
MAX_OPTIONS = 200
CHUNK = 2_000
CHOICES = (FieldKind.CHOICE, FieldKind.MULTIPLE)


def field_of(*, workspace: Workspace, field_id: UUID, lock: bool = False) -> CustomField:
    """A custom field by id, within the workspace, retired or not."""
    fields = CustomField.objects.for_workspace(workspace)
    field = (fields.select_for_update() if lock else fields).filter(pk=field_id).first()
    if field is None:
        raise NotFound
    return field


def fields_in_order(*, workspace: Workspace) -> list[CustomField]:
    """All fields of the workspace, retired ones too, at most `MAX_FIELDS`, as people ordered them."""
    return list(CustomField.objects.for_workspace(workspace).order_by("position", "id"))


@transaction.atomic
def create_field(
    *,
    workspace: Workspace,
    actor: Actor,
    name: str,
    kind: str,
    options: Sequence[dict] = (),
    currency: str = "",
    id: UUID | None = None,
) -> tuple[CustomField, bool]:
    """A custom field at the end of the order, and whether it is new: a repeat with the same id answers what is there.

    `options` of choices are `{label, colour?, id?}`; `currency` of money is an ISO 4217 code.
    """
    name, kind = clean_name(name), FieldKind(kind)
    options = _options(kind, (), options)
    _check_currency(kind, currency)
    take_turns("crm_customfield", workspace.pk)
    if existing := CustomField.objects.of_client(workspace, id):
        return existing, False
    if CustomField.objects.for_workspace(workspace).count() >= MAX_FIELDS:
        sentence = f"A workspace has at most {MAX_FIELDS} custom fields, retired ones included."
        raise Refused("limit_reached", sentence, extra={"limit": MAX_FIELDS})
    field = CustomField(id=id or uuid7(), workspace=workspace, name=name, folded=folded_name(name), kind=kind)
    field.options, field.currency, field.position = options, currency, next_position(CustomField, workspace)
    _save(field, force_insert=True)
    record_event(kind="custom_field.created", actor=actor, workspace=workspace, obj=field)
    return field, True


def _check_currency(kind: FieldKind, currency: str) -> None:
    if kind != FieldKind.MONEY:
        if currency:
            raise Invalid("currency", "invalid", "Only money has a currency.")
        return
    try:
        minor_digits(currency)
    except ValueError:
        raise Invalid("currency", "invalid", "This is no currency in use; write its ISO 4217 code.") from None


def _options(kind: FieldKind, present: Sequence[dict], wanted: Sequence[dict]) -> list[dict]:
    """The options in their wanted order, then the present ones that are not named, retired: none is ever lost."""
    if wanted and kind not in CHOICES:
        raise Invalid("options", "invalid", "Only choices have options.")
    known = {option["id"]: option for option in present}
    options: dict[str, dict] = {}
    for index, raw in enumerate(wanted):
        id = str(raw.get("id") or uuid7())
        if id in options:
            raise Invalid(f"options.{index}.id", "repeated", "Each option stands once in the list.")
        before = known.get(id, {"colour": Colour.GREY.value, "retired": False})
        options[id] = {
            "id": id,
            "label": clean_name(raw.get("label", before.get("label", "")), f"options.{index}.label"),
            "colour": str(raw.get("colour", before["colour"])),
            "retired": bool(raw.get("retired", before["retired"])),
        }
    for option in present:
        options.setdefault(option["id"], {**option, "retired": True})
    if len(options) > MAX_OPTIONS:
        raise Invalid("options", "too_many", f"A field has at most {MAX_OPTIONS} options, retired ones included.")
    labels: set[str] = set()
    for index, option in enumerate(options.values()):
        label = folded_name(option["label"])
        if not option["retired"] and label in labels:
            raise Invalid(f"options.{index}.label", "name_taken", f"There are two options “{option['label']}”.")
        labels.update(() if option["retired"] else (label,))
    return list(options.values())


def _save(field: CustomField, **how) -> None:
    try:
        with transaction.atomic():
            field.save(**how)
    except IntegrityError:
        fields = CustomField.objects.filter(workspace=field.workspace_id, retired_at=None, folded=field.folded)
        namesake = fields.exclude(pk=field.pk).first()
        if namesake is None:
            raise Refused("id_taken", field="id") from None
        raise Refused("name_taken", field="name", extra={"id": str(namesake.pk)}) from None


def update_field(
    *, workspace: Workspace, field_id: UUID, actor: Actor, precondition=lambda field: None, **values
) -> CustomField:
    """Change a field's name, or its `options`: the wanted list in its order, `{id, label, colour, retired}`.

    Options that the list leaves out are retired. What contacts are found by
    under a label that changed follows in chunks of a transaction each; whoever
    is cut off in between sends the options again.
    """
    field = _update(workspace, field_id, actor, precondition, values)
    if "options" in values:
        _follow_labels(workspace, field)
    return field


@transaction.atomic
def revise_field(*, workspace: Workspace, field_id: UUID, actor: Actor, **values) -> CustomField:
    """Change a field as `update_field` does, as far as nothing has to follow in its values: no option's label changes.

    Raises `online_only` otherwise, because that may take as long as a field has values.
    """
    field = field_of(workspace=workspace, field_id=field_id, lock=True)
    labels = {option["id"]: option["label"] for option in options_of(field, values.get("options", ()))}
    if any(labels[option["id"]] != option["label"] for option in field.options):
        raise Refused("online_only", "Labels of options are changed online: PATCH /api/v1/custom-fields/<id>/.")
    return _update(workspace, field_id, actor, lambda field: None, values)


def options_of(field: CustomField, wanted: Sequence[dict]) -> list[dict]:
    """The options that a field has once the wanted ones are set."""
    return _options(FieldKind(field.kind), field.options, wanted)


@transaction.atomic
def _update(workspace: Workspace, field_id: UUID, actor: Actor, precondition, values: dict) -> CustomField:
    field = field_of(workspace=workspace, field_id=field_id, lock=True)
    precondition(field)
    if "name" in values:
        values["name"] = clean_name(values["name"])
        values["folded"] = folded_name(values["name"])
    if "options" in values:
        values["options"] = _options(FieldKind(field.kind), field.options, values["options"])
    changed = set_changed(field, values)
    if not changed:
        return field
    _save(field, update_fields=changed)
    changed = [name for name in changed if name != "folded"]
    record_event(kind="custom_field.updated", actor=actor, workspace=workspace, obj=field, changed=changed)
    field.refresh_from_db()
    return field


_STALE = """
SELECT v.id FROM crm_fieldvalue v CROSS JOIN LATERAL (
    SELECT string_agg(o.folded, ' ' ORDER BY e.place) AS text
    FROM jsonb_array_elements_text(CASE jsonb_typeof(v.value) WHEN 'array' THEN v.value ELSE jsonb_build_array(v.value) END)
         WITH ORDINALITY AS e (id, place)
    JOIN unnest(%(ids)s::text[], %(labels)s::text[]) AS o (id, folded) ON o.id = e.id
) wanted
WHERE v.workspace_id = %(workspace)s AND v.field_id = %(field)s AND v.text <> left(wanted.text, 500)
"""


def _follow_labels(workspace: Workspace, field: CustomField) -> None:
    """Bring the text by which values are found and sorted in line with the labels of their options."""
    params = {
        "workspace": workspace.pk,
        "field": field.pk,
        "ids": [option["id"] for option in field.options],
        "labels": [fold(option["label"]) for option in field.options],
    }
    with connection.cursor() as cursor:
        cursor.execute(_STALE, params)
        stale = [row[0] for row in cursor.fetchall()]
    for start in range(0, len(stale), CHUNK):
        _follow_chunk(workspace, field.pk, stale[start : start + CHUNK])


@transaction.atomic
def _follow_chunk(workspace: Workspace, field_id: UUID, ids: list[UUID]) -> None:
    field = hold_fields(workspace=workspace, ids=[field_id]).get(field_id)
    if field is None:
        return
    values = FieldValue.objects.for_workspace(workspace).filter(pk__in=ids).order_by("pk").select_for_update()
    rows = list(values)
    for row in rows:
        row.text = option_text(field, row.value if isinstance(row.value, list) else [row.value])
    FieldValue.objects.bulk_update(rows, ["text"])


@transaction.atomic
def reorder_fields(*, workspace: Workspace, actor: Actor, ids: Sequence[UUID]) -> list[CustomField]:
    """Put fields into an order (see `naming.reorder`); answers all of them in it."""
    if moved := reorder(CustomField, workspace, ids):
        record_event(kind="custom_field.reordered", actor=actor, workspace=workspace, changed=["position"], count=moved)
    return fields_in_order(workspace=workspace)


@transaction.atomic
def move_field(*, workspace: Workspace, field_id: UUID, actor: Actor, after: UUID | None) -> bool:
    """Put a custom field behind another one, or first; answers whether it stood elsewhere."""
    moved = move(CustomField, workspace, field_id, after)
    if moved:
        record_event(kind="custom_field.reordered", actor=actor, workspace=workspace, changed=["position"], count=moved)
    return bool(moved)


@transaction.atomic
def retire_field(*, workspace: Workspace, field_id: UUID, actor: Actor) -> CustomField:
    """Show a field no more and take no more values for it; those that are there stay. Again, it changes nothing."""
    field = field_of(workspace=workspace, field_id=field_id, lock=True)
    if field.retired_at is None:
        field.retired_at = timezone.now()
        field.save(update_fields=["retired_at"])
        record_event(kind="custom_field.retired", actor=actor, workspace=workspace, obj=field, changed=["retired_at"])
        field.refresh_from_db()
    return field


@transaction.atomic
def restore_field(*, workspace: Workspace, field_id: UUID, actor: Actor) -> CustomField:
    """Show a retired field again, with all its values; `name_taken` if another field has its name by now."""
    field = field_of(workspace=workspace, field_id=field_id, lock=True)
    if field.retired_at is not None:
        field.retired_at = None
        _save(field, update_fields=["retired_at"])
        record_event(kind="custom_field.restored", actor=actor, workspace=workspace, obj=field, changed=["retired_at"])
        field.refresh_from_db()
    return field


def delete_field(*, workspace: Workspace, field_id: UUID, actor: Actor) -> int:
    """Delete a retired field for good, with its values, in chunks; answers how many values there were."""
    deleted = 0
    while chunk := _delete_chunk(workspace, field_id):
        deleted += chunk
    with transaction.atomic():
        field = field_of(workspace=workspace, field_id=field_id, lock=True)
        if field.retired_at is None:
            raise Refused("wrong_state", "Retire the field first.")
        record_event(kind="custom_field.deleted", actor=actor, workspace=workspace, obj=field, count=deleted)
        CustomField.objects.filter(pk=field.pk)._raw_delete(using=connection.alias)
    return deleted


@transaction.atomic
def _delete_chunk(workspace: Workspace, field_id: UUID) -> int:
    """The field is locked meanwhile: nobody takes it back while its values go."""
    field = field_of(workspace=workspace, field_id=field_id, lock=True)
    if field.retired_at is None:
        raise Refused("wrong_state", "Retire the field first.")
    values = FieldValue.objects.for_workspace(workspace).filter(field=field)
    chunk = list(values.values_list("pk", flat=True)[:CHUNK])
    return FieldValue.objects.filter(pk__in=chunk)._raw_delete(using=connection.alias) if chunk else 0
