"""How much storage a plan comes with, and how large one file may be."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("accounts", "0005_reminders_by_email"),
    ]

    operations = [
        migrations.AddField(
            model_name="plan",
            name="max_media_bytes",
            field=models.PositiveBigIntegerField(default=524288000, verbose_name="bytes of files"),
        ),
        migrations.AddField(
            model_name="plan",
            name="max_media_mb",
            field=models.PositiveIntegerField(default=16, verbose_name="mebibytes of one file"),
        ),
        migrations.AlterField(
            model_name="usage",
            name="resource",
            field=models.CharField(
                choices=[
                    ("contacts", "Contacts"),
                    ("members", "Members"),
                    ("whatsapp_numbers", "WhatsApp numbers"),
                    ("scheduled_messages", "Scheduled messages waiting"),
                    ("broadcast_recipients", "Broadcast recipients a month"),
                    ("ai_credits", "AI credits a month"),
                    ("media_bytes", "Storage for files"),
                ],
                max_length=32,
            ),
        ),
    ]
