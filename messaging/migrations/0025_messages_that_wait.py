from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("messaging", "0024_lighter_claims"),
    ]

    operations = [
        migrations.AddIndex(
            model_name="conversationmessage",
            index=models.Index(
                condition=models.Q(("has_content", False), ("revoked_at", None), ("type", "ciphertext")),
                fields=["chat"],
                name="conversation_message_waiting",
            ),
        ),
    ]
