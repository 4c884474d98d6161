"""Find who shows a photo without reading everything."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("crm", "0008_sync_floors"),
    ]

    operations = [
        migrations.AddIndex(
            model_name="chat",
            index=models.Index(
                condition=models.Q(("avatar__isnull", False)), fields=["workspace", "avatar"], name="chat_by_avatar"
            ),
        ),
        migrations.AddIndex(
            model_name="contact",
            index=models.Index(
                condition=models.Q(("avatar__isnull", False)), fields=["workspace", "avatar"], name="contact_by_avatar"
            ),
        ),
    ]
