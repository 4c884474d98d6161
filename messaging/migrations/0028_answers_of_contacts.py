"""Let answers hang on the contact, so that merges take along how often a person was answered.

What is there learns whose it is from its decision, which merges have always moved.
"""

import django.db.models.deletion
import django.db.models.functions.comparison
from django.conf import settings
from django.db import migrations, models

import waplus.lib.constraints

FILL = """
UPDATE messaging_autoreplyanswer a SET contact_id = d.contact_id, chat_jid = d.chat_jid
FROM messaging_autoreplydecision d WHERE d.id = a.decision_id
"""


class Migration(migrations.Migration):
    dependencies = [
        ("accounts", "0008_warnings_by_email"),
        ("crm", "0015_lists_of_rare_chats"),
        ("messaging", "0027_number_lists"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.RemoveIndex(model_name="autoreplyanswer", name="auto_reply_answer_chat"),
        migrations.RemoveField(model_name="autoreplyanswer", name="chat_key"),
        migrations.AddField(
            model_name="autoreplyanswer",
            name="contact",
            field=waplus.lib.constraints.ScopedForeignKey(
                db_constraint=False,
                db_index=False,
                null=True,
                on_delete=django.db.models.deletion.CASCADE,
                related_name="+",
                to="crm.contact",
            ),
        ),
        migrations.AddField(
            model_name="autoreplyanswer",
            name="chat_jid",
            field=models.CharField(default="", max_length=64, verbose_name="chat"),
            preserve_default=False,
        ),
        migrations.RunSQL(FILL, migrations.RunSQL.noop),
        migrations.AddField(
            model_name="autoreplyanswer",
            name="chat_key",
            field=models.GeneratedField(
                db_persist=True,
                expression=django.db.models.functions.comparison.Coalesce(
                    django.db.models.functions.comparison.Cast("contact", models.TextField()),
                    "chat_jid",
                    output_field=models.TextField(),
                ),
                help_text="The contact's id, or the chat's address without one.",
                output_field=models.TextField(),
            ),
        ),
        migrations.AddIndex(
            model_name="autoreplyanswer",
            index=models.Index(fields=["whatsapp_account", "chat_key", "answered_at"], name="auto_reply_answer_chat"),
        ),
        migrations.AddIndex(
            model_name="autoreplyanswer",
            index=models.Index(
                condition=models.Q(("contact__isnull", False)),
                fields=["workspace", "contact"],
                name="auto_reply_answer_of",
            ),
        ),
        migrations.AddConstraint(
            model_name="autoreplyanswer",
            constraint=waplus.lib.constraints.CompositeForeignKey(field="contact", name="auto_reply_answer_contact"),
        ),
    ]
