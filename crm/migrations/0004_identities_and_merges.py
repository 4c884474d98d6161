"""Longer ids, lists of chats with and without messages, chats of nobody yet, and how far suggestions have come."""

import datetime

import django.db.models.deletion
import django.db.models.functions.comparison
import uuid_utils.compat
from django.db import migrations, models

import waplus.lib.constraints


class Migration(migrations.Migration):
    dependencies = [
        ("accounts", "0003_notify_changes"),
        ("crm", "0003_change_stamps"),
    ]

    operations = [
        migrations.CreateModel(
            name="SuggestionScan",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        default=uuid_utils.compat.uuid7, editable=False, primary_key=True, serialize=False
                    ),
                ),
                ("seen_xid", models.BigIntegerField(default=0)),
                ("seen_id", models.UUIDField(null=True)),
            ],
            options={
                "abstract": False,
            },
        ),
        migrations.RemoveIndex(
            model_name="chat",
            name="chat_by_last_message",
        ),
        migrations.AlterField(
            model_name="contact",
            name="merged_into",
            field=waplus.lib.constraints.ScopedForeignKey(
                db_constraint=False,
                db_index=False,
                null=True,
                on_delete=django.db.models.deletion.CASCADE,
                related_name="merged",
                to="crm.contact",
            ),
        ),
        migrations.AlterField(
            model_name="contactidentity",
            name="match_key",
            field=models.CharField(editable=False, max_length=150),
        ),
        migrations.AlterField(
            model_name="contactidentity",
            name="value",
            field=models.CharField(max_length=150, verbose_name="value"),
        ),
        migrations.AddIndex(
            model_name="chat",
            index=models.Index(
                condition=models.Q(("contact", None)), fields=["workspace", "jid"], name="chat_of_nobody"
            ),
        ),
        migrations.AddIndex(
            model_name="chat",
            index=models.Index(
                models.F("workspace"),
                models.OrderBy(
                    django.db.models.functions.comparison.Coalesce(
                        "last_message_at",
                        models.Value(datetime.datetime(1970, 1, 1, 0, 0, tzinfo=datetime.UTC)),
                        output_field=models.DateTimeField(),
                    ),
                    descending=True,
                ),
                models.OrderBy(models.F("id"), descending=True),
                name="chat_by_last_message",
            ),
        ),
        migrations.AddIndex(
            model_name="groupmember",
            index=models.Index(
                condition=models.Q(("contact", None)), fields=["workspace", "jid"], name="group_member_of_nobody"
            ),
        ),
        migrations.AddField(
            model_name="suggestionscan",
            name="workspace",
            field=models.ForeignKey(
                db_index=False, on_delete=django.db.models.deletion.CASCADE, related_name="+", to="accounts.workspace"
            ),
        ),
        migrations.AddConstraint(
            model_name="suggestionscan",
            constraint=models.UniqueConstraint(fields=("workspace",), name="suggestion_scan_once"),
        ),
    ]
