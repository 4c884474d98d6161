"""Recipients of scheduled messages as rows, series, and parts instead of one text (the data follow)."""

import django.contrib.postgres.fields
import django.db.models.deletion
import uuid_utils.compat
from django.db import migrations, models

import waplus.lib.constraints
import waplus.lib.fields


class Migration(migrations.Migration):
    dependencies = [
        ("accounts", "0005_reminders_by_email"),
        ("crm", "0015_lists_of_rare_chats"),
        ("messaging", "0014_urgent_messages"),
    ]

    operations = [
        migrations.CreateModel(
            name="ScheduledRecipient",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        default=uuid_utils.compat.uuid7, editable=False, primary_key=True, serialize=False
                    ),
                ),
                ("chat_jid", models.CharField(max_length=64, verbose_name="chat")),
                ("keeps_address", models.BooleanField(default=False, verbose_name="a person named the chat")),
                ("time_zone", models.CharField(max_length=64, verbose_name="time zone")),
                ("recipient_zone", models.CharField(blank=True, max_length=64, verbose_name="recipient’s time zone")),
                ("next_wall", waplus.lib.fields.WallClockField(null=True, verbose_name="next local time")),
                ("next_at", models.DateTimeField(null=True, verbose_name="next")),
                ("last_at", models.DateTimeField(null=True, verbose_name="last")),
                (
                    "state",
                    models.CharField(
                        choices=[
                            ("waiting", "Waiting for its time"),
                            ("paused", "Paused"),
                            ("done", "Handed to the queue"),
                            ("cancelled", "Cancelled"),
                        ],
                        default="waiting",
                        max_length=9,
                        verbose_name="state",
                    ),
                ),
            ],
            options={
                "abstract": False,
            },
        ),
        migrations.AddField(
            model_name="scheduledmessage",
            name="clock",
            field=models.CharField(
                choices=[("sender", "By the sender’s clock"), ("recipient", "By the recipient’s clock")],
                default="sender",
                max_length=9,
                verbose_name="whose clock",
            ),
        ),
        migrations.AddField(
            model_name="scheduledmessage",
            name="excluded",
            field=django.contrib.postgres.fields.ArrayField(
                base_field=waplus.lib.fields.WallClockField(),
                blank=True,
                default=list,
                size=None,
                verbose_name="left out",
            ),
        ),
        migrations.AddField(
            model_name="scheduledmessage",
            name="on_late",
            field=models.CharField(
                choices=[("skip", "Skip it"), ("ask", "Ask")],
                default="skip",
                max_length=4,
                verbose_name="if it is too late",
            ),
        ),
        migrations.AddField(
            model_name="scheduledmessage",
            name="rrule",
            field=models.CharField(
                blank=True, help_text="RFC 5545, without DTSTART.", max_length=300, verbose_name="recurrence"
            ),
        ),
        migrations.AlterField(
            model_name="scheduledmessage",
            name="lateness_minutes",
            field=models.PositiveIntegerField(
                default=60,
                help_text="Minutes after the time in which it may still be sent.",
                verbose_name="how late is still fine",
            ),
        ),
        migrations.AlterField(
            model_name="scheduledmessage",
            name="state",
            field=models.CharField(
                choices=[
                    ("waiting", "Waiting for its time"),
                    ("paused", "Paused"),
                    ("queued", "Handed to the queue"),
                    ("cancelled", "Cancelled"),
                ],
                default="waiting",
                max_length=10,
                verbose_name="state",
            ),
        ),
        migrations.AddField(
            model_name="scheduledrecipient",
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
            model_name="scheduledrecipient",
            name="scheduled_message",
            field=waplus.lib.constraints.ScopedForeignKey(
                db_constraint=False,
                db_index=False,
                on_delete=django.db.models.deletion.CASCADE,
                related_name="recipients",
                to="messaging.scheduledmessage",
            ),
        ),
        migrations.AddField(
            model_name="scheduledrecipient",
            name="workspace",
            field=models.ForeignKey(
                db_index=False, on_delete=django.db.models.deletion.CASCADE, related_name="+", to="accounts.workspace"
            ),
        ),
        migrations.AddIndex(
            model_name="scheduledrecipient",
            index=models.Index(
                condition=models.Q(("state", "waiting")), fields=["next_at"], name="scheduled_recipient_due"
            ),
        ),
        migrations.AddIndex(
            model_name="scheduledrecipient",
            index=models.Index(
                condition=models.Q(("state", "waiting")),
                fields=["workspace", "next_at"],
                name="scheduled_recipient_calendar",
            ),
        ),
        migrations.AddIndex(
            model_name="scheduledrecipient",
            index=models.Index(
                condition=models.Q(("contact__isnull", False)),
                fields=["workspace", "contact"],
                name="scheduled_recipient_to",
            ),
        ),
        migrations.AddConstraint(
            model_name="scheduledrecipient",
            constraint=models.UniqueConstraint(
                fields=("workspace", "id"), name="messaging_scheduledrecipient_scoped_id"
            ),
        ),
        migrations.AddConstraint(
            model_name="scheduledrecipient",
            constraint=waplus.lib.constraints.CompositeForeignKey(
                field="scheduled_message", name="scheduled_recipient_message"
            ),
        ),
        migrations.AddConstraint(
            model_name="scheduledrecipient",
            constraint=waplus.lib.constraints.CompositeForeignKey(field="contact", name="scheduled_recipient_contact"),
        ),
        migrations.AddConstraint(
            model_name="scheduledrecipient",
            constraint=models.UniqueConstraint(
                fields=("scheduled_message", "contact"), name="scheduled_recipient_once"
            ),
        ),
        migrations.AddConstraint(
            model_name="scheduledrecipient",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("state", "waiting"), _negated=True),
                    models.Q(("next_at__isnull", False), ("next_wall__isnull", False)),
                    _connector="OR",
                ),
                name="scheduled_recipient_waits_for_something",
            ),
        ),
    ]
