"""Composite foreign keys: the database itself refuses a reference into another workspace.

Django 5.2 has no composite foreign key, but constraints of a model are
tracked by migrations, so this one is written as a constraint. PostgreSQL
checks it at commit (`DEFERRABLE INITIALLY DEFERRED`, like Django's own keys)
and lets rows pass whose reference is NULL (`MATCH SIMPLE`).
"""

from django.db import models
from django.db.models.constraints import BaseConstraint


class ScopedForeignKey(models.ForeignKey):
    """A foreign key between rows of one workspace; its check is the model's `CompositeForeignKey`."""

    def __init__(self, to, on_delete, **kwargs):
        kwargs["db_constraint"] = False
        super().__init__(to, on_delete, **kwargs)


class CompositeForeignKey(BaseConstraint):
    """`(workspace_id, <field>_id)` references `(workspace_id, id)` of the field's model.

    The referenced model carries the matching unique constraint
    (`WorkspaceModel` has it). `validate()` has nothing to do: serializers
    resolve related ids through the workspace, and the database has the last word.
    """

    def __init__(self, *, field: str, name: str):
        super().__init__(name=name)
        self.field = field

    def _sql(self, model, schema_editor) -> str:
        quote = schema_editor.quote_name
        field = model._meta.get_field(self.field)
        remote = field.related_model._meta
        return (
            f"CONSTRAINT {quote(self.name)} FOREIGN KEY ({quote('workspace_id')}, {quote(field.column)}) "
            f"REFERENCES {quote(remote.db_table)} ({quote('workspace_id')}, {quote(remote.pk.column)}) "
            "DEFERRABLE INITIALLY DEFERRED"
        )

    def constraint_sql(self, model, schema_editor):
        """Nothing inside CREATE TABLE: see `create_sql`."""
        return self.create_sql(model, schema_editor)

    def create_sql(self, model, schema_editor):
        """Left to the end of the migration, when the unique constraint that it needs is surely there."""
        table = schema_editor.quote_name(model._meta.db_table)
        schema_editor.deferred_sql.append(f"ALTER TABLE {table} ADD {self._sql(model, schema_editor)}")

    def remove_sql(self, model, schema_editor):
        quote = schema_editor.quote_name
        return f"ALTER TABLE {quote(model._meta.db_table)} DROP CONSTRAINT {quote(self.name)}"

    def validate(self, model, instance, exclude=None, using=None):
        """The database checks it."""

    def __eq__(self, other):
        return isinstance(other, CompositeForeignKey) and (self.name, self.field) == (other.name, other.field)

    def __hash__(self):
        return hash((self.name, self.field))

    def deconstruct(self):
        path, args, kwargs = super().deconstruct()
        return path, args, {**kwargs, "field": self.field}
