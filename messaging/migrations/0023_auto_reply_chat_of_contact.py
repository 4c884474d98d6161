"""One row a chat and contact, by the column that merges look at."""

from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("accounts", "0008_warnings_by_email"),
        ("crm", "0015_lists_of_rare_chats"),
        ("messaging", "0022_messages_of_contacts"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.AddConstraint(
            model_name="autoreplychat",
            constraint=models.UniqueConstraint(
                fields=("whatsapp_account", "contact"), name="auto_reply_chat_contact_once"
            ),
        ),
    ]
