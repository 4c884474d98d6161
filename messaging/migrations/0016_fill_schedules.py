"""Give every scheduled message its recipient and its part."""

from django.db import migrations

FILL = """
INSERT INTO messaging_scheduledrecipient (
    id, workspace_id, scheduled_message_id, contact_id, chat_jid, keeps_address, time_zone, recipient_zone,
    next_wall, next_at, last_at, state
)
SELECT gen_random_uuid(), workspace_id, id, contact_id, chat_jid, contact_id IS NULL, time_zone, '',
       CASE WHEN state = 'waiting' THEN wall_time END, CASE WHEN state = 'waiting' THEN due_at END,
       CASE WHEN state = 'queued' THEN due_at END, CASE state WHEN 'queued' THEN 'done' ELSE state END
FROM messaging_scheduledmessage;
INSERT INTO messaging_contentpart (id, workspace_id, scheduled_message_id, position, body)
SELECT gen_random_uuid(), workspace_id, id, 0, body FROM messaging_scheduledmessage
"""


class Migration(migrations.Migration):
    dependencies = [("messaging", "0015_schedules")]

    operations = [migrations.RunSQL(FILL, migrations.RunSQL.noop)]
