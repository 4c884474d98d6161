"""Give every place in the queue what it now says of itself."""

from django.db import migrations

FILL = """
UPDATE messaging_queuedmessage q
SET origin_id = q.scheduled_message_id, not_before = q.due_at, contact_id = s.contact_id, created_by_id = s.created_by_id,
    sending_at = coalesce(q.sent_at, CASE WHEN q.state IN ('sending', 'outcome_unknown') THEN q.due_at END)
FROM messaging_scheduledmessage s WHERE s.id = q.scheduled_message_id
"""


class Migration(migrations.Migration):
    dependencies = [("messaging", "0002_queue_of_everything")]

    operations = [migrations.RunSQL(FILL, migrations.RunSQL.noop)]
