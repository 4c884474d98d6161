"""Change stamps: every synced row carries the transaction that wrote it last, set by the database.

Readers follow changes by commit order, not by clock: they read rows with
`changed_xid < pg_snapshot_xmin(pg_current_snapshot())`, below which every
transaction has ended (docs/adr/0010-change-stamps.md). A default stamps what is
inserted, a trigger what is updated, another leaves a tombstone for what is
deleted; bulk statements and hand-written SQL are stamped like everything else.
"""

from django.db import models
from django.db.migrations.operations.base import Operation


class Xid8Field(models.Field):
    """A transaction id of 64 bits (`xid8`); an int in Python. The database sets it."""

    description = "A transaction id"

    def __init__(self, **kwargs):
        kwargs.setdefault("editable", False)
        kwargs.setdefault("db_default", CurrentXid())
        super().__init__(**kwargs)

    def db_type(self, connection):
        return "xid8"

    def from_db_value(self, value, expression, connection):
        return None if value is None else int(value)

    def get_prep_value(self, value):
        value = super().get_prep_value(value)
        return str(value) if isinstance(value, int) else value


class CurrentXid(models.Func):
    """`pg_current_xact_id()`: the id of the transaction that runs."""

    function = "pg_current_xact_id"
    arity = 0
    allowed_default = True

    def __init__(self, **kwargs):
        super().__init__(output_field=models.BigIntegerField(), **kwargs)


class StampChanges(Operation):
    """Install the triggers of a synced table; again, with other columns, it replaces them.

    `kind` names the rows in tombstones; `versioned` are the columns whose
    versions `field_versions` keeps. A table without versions has `None` there.
    """

    reversible = True
    reduces_to_sql = True

    def __init__(self, table: str, kind: str, versioned: list[str] | None = None):
        self.table = table
        self.kind = kind
        self.versioned = versioned

    def state_forwards(self, app_label, state):
        """The state of models knows no triggers."""

    def database_forwards(self, app_label, schema_editor, from_state, to_state):
        schema_editor.execute(self.forward_sql(), params=None)

    def database_backwards(self, app_label, schema_editor, from_state, to_state):
        schema_editor.execute(
            f"DROP FUNCTION IF EXISTS {self.table}_stamp() CASCADE; DROP FUNCTION IF EXISTS {self.table}_bury() CASCADE",
            params=None,
        )

    def describe(self):
        return f"Stamp changes of {self.table}"

    def forward_sql(self) -> str:
        """The functions and triggers, as one text."""
        lines = ["NEW.changed_xid := pg_current_xact_id();"]
        if self.versioned is not None:
            lines.append("NEW.version := OLD.version + 1;")
            lines += [
                f"IF NEW.{column} IS DISTINCT FROM OLD.{column} THEN "
                f"NEW.field_versions := NEW.field_versions || jsonb_build_object('{column}', NEW.version); END IF;"
                for column in self.versioned
            ]
        body = "\n  ".join(lines)
        return f"""
CREATE OR REPLACE FUNCTION {self.table}_stamp() RETURNS trigger LANGUAGE plpgsql AS $stamp$
BEGIN
  {body}
  RETURN NEW;
END $stamp$;
CREATE OR REPLACE TRIGGER {self.table}_stamp BEFORE UPDATE ON {self.table}
  FOR EACH ROW WHEN (OLD.* IS DISTINCT FROM NEW.*) EXECUTE FUNCTION {self.table}_stamp();
CREATE OR REPLACE FUNCTION {self.table}_bury() RETURNS trigger LANGUAGE plpgsql AS $bury$
BEGIN
  INSERT INTO crm_tombstone (workspace_id, kind, row_id) SELECT workspace_id, '{self.kind}', id FROM gone;
  RETURN NULL;
END $bury$;
CREATE OR REPLACE TRIGGER {self.table}_bury AFTER DELETE ON {self.table}
  REFERENCING OLD TABLE AS gone FOR EACH STATEMENT EXECUTE FUNCTION {self.table}_bury();
"""
