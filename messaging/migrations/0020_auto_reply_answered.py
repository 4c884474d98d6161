"""Whether the last message of a chat got an answer."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("messaging", "0019_quick_replies"),
    ]

    operations = [
        migrations.AddField(
            model_name="autoreplychat",
            name="was_answered",
            field=models.BooleanField(default=False, help_text="Whether the last message got an answer."),
        ),
    ]
