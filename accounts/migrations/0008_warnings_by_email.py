"""Let people choose whether they are warned of messages by e-mail."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("accounts", "0007_fill_media_limits"),
    ]

    operations = [
        migrations.AddField(
            model_name="user",
            name="warnings_by_email",
            field=models.BooleanField(default=True, verbose_name="warnings about messages by e-mail"),
        ),
    ]
