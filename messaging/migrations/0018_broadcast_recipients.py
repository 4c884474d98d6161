"""Recipients of a broadcast in the order of its start, by an index that knows their states; parts of plans."""

from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("accounts", "0005_reminders_by_email"),
        ("crm", "0015_lists_of_rare_chats"),
        ("messaging", "0017_schedules_without_text"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.RemoveIndex(
            model_name="queuedmessage",
            name="queued_message_progress",
        ),
        migrations.AddField(
            model_name="broadcast",
            name="allow_partial",
            field=models.BooleanField(
                default=False,
                help_text="Without it, a broadcast to more people than the plan allows does not start.",
                verbose_name="send to as many as the plan allows",
            ),
        ),
        migrations.AddIndex(
            model_name="queuedmessage",
            index=models.Index(
                condition=models.Q(("broadcast__isnull", False)),
                fields=["broadcast", "id"],
                include=("state",),
                name="queued_message_recipients",
            ),
        ),
    ]
