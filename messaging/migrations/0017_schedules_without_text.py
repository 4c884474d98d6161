"""Drop what recipients and parts say now."""

from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [("messaging", "0016_fill_schedules")]

    operations = [
        migrations.RemoveConstraint(
            model_name="scheduledmessage",
            name="scheduled_message_contact",
        ),
        migrations.RemoveIndex(
            model_name="scheduledmessage",
            name="scheduled_message_due",
        ),
        migrations.RemoveField(
            model_name="scheduledmessage",
            name="body",
        ),
        migrations.RemoveField(
            model_name="scheduledmessage",
            name="chat_jid",
        ),
        migrations.RemoveField(
            model_name="scheduledmessage",
            name="contact",
        ),
    ]
