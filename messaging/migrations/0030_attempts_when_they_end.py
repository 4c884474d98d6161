"""An attempt is a row once it has ended; the one under way stands in the message's row.

What is under way moves there. Every message that was ever handed out learns when that last was.
"""

from django.conf import settings
from django.db import migrations, models

FILL = """
UPDATE messaging_queuedmessage q SET claimed_at = coalesce(
    (SELECT a.claimed_at FROM messaging_dispatchattempt a WHERE a.message_id = q.id AND a.fence = q.fence), q.due_at
) WHERE q.fence > 0;
DELETE FROM messaging_dispatchattempt WHERE outcome = '';
UPDATE messaging_dispatchattempt SET ended_at = claimed_at WHERE ended_at IS NULL;
"""
BACK = """
INSERT INTO messaging_dispatchattempt (id, workspace_id, message_id, fence, instance_id, claimed_at, outcome, reason)
SELECT gen_random_uuid(), workspace_id, id, fence, instance_id, claimed_at, '', '' FROM messaging_queuedmessage
WHERE state IN ('leased', 'sending');
SET CONSTRAINTS ALL IMMEDIATE;
"""


class Migration(migrations.Migration):
    dependencies = [
        ("accounts", "0008_warnings_by_email"),
        ("crm", "0015_lists_of_rare_chats"),
        ("messaging", "0029_skipped_messages"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.AddField(
            model_name="queuedmessage",
            name="claimed_at",
            field=models.DateTimeField(null=True, verbose_name="last handed out"),
        ),
        migrations.RunSQL(FILL, migrations.RunSQL.noop),
        migrations.AddConstraint(
            model_name="queuedmessage",
            constraint=models.CheckConstraint(
                condition=models.Q(("fence", 0), ("claimed_at__isnull", False), _connector="OR"),
                name="queued_message_claimed",
            ),
        ),
        migrations.RunSQL(migrations.RunSQL.noop, BACK),
        migrations.AlterField(
            model_name="dispatchattempt",
            name="ended_at",
            field=models.DateTimeField(verbose_name="ended"),
        ),
        migrations.AlterField(
            model_name="dispatchattempt",
            name="outcome",
            field=models.CharField(max_length=16, verbose_name="outcome"),
        ),
        migrations.AddConstraint(
            model_name="dispatchattempt",
            constraint=models.CheckConstraint(
                condition=models.Q(("outcome", ""), _negated=True), name="dispatch_attempt_outcome"
            ),
        ),
    ]
