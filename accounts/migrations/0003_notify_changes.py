"""An event of a workspace wakes who listens: a hint with the workspace and the transaction, delivered at commit."""

from django.db import migrations

FORWARD = """
CREATE FUNCTION accounts_event_notify() RETURNS trigger LANGUAGE plpgsql AS $notify$
BEGIN
  PERFORM pg_notify('waplus_changes', NEW.workspace_id::text || ':' || pg_current_xact_id()::text);
  RETURN NULL;
END $notify$;
CREATE TRIGGER accounts_event_notify AFTER INSERT ON accounts_event
  FOR EACH ROW WHEN (NEW.workspace_id IS NOT NULL) EXECUTE FUNCTION accounts_event_notify();
"""
BACKWARD = "DROP FUNCTION accounts_event_notify() CASCADE"


class Migration(migrations.Migration):
    dependencies = [("accounts", "0002_plans")]

    operations = [migrations.RunSQL(FORWARD, BACKWARD)]
