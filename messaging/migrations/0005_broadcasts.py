"""Broadcasts: audience, times, hours, progress; whom they left out; who may start them."""

import django.contrib.postgres.fields
import django.db.models.deletion
import uuid_utils.compat
from django.conf import settings
from django.db import migrations, models

import messaging.models.broadcasts
import waplus.lib.constraints
import waplus.lib.fields
import waplus.lib.walltime


class Migration(migrations.Migration):
    dependencies = [
        ("accounts", "0005_reminders_by_email"),
        ("crm", "0015_lists_of_rare_chats"),
        ("messaging", "0004_rules_of_queue"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name="BroadcastExclusion",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        default=uuid_utils.compat.uuid7, editable=False, primary_key=True, serialize=False
                    ),
                ),
                (
                    "reason",
                    models.CharField(
                        choices=[
                            ("in_bin", "In the bin"),
                            ("no_identity", "No number and no WhatsApp ID"),
                            ("unreachable", "Not reachable in WhatsApp"),
                            ("opted_out", "Does not want to be contacted"),
                            ("missing_variable", "Something that the text names is missing"),
                            ("duplicate", "The same chat as somebody else’s"),
                            ("over_plan", "Beyond what the plan allows this month"),
                            ("no_time", "No time left before the end"),
                        ],
                        max_length=20,
                        verbose_name="reason",
                    ),
                ),
                (
                    "detail",
                    models.CharField(
                        blank=True, help_text="Such as the variable's name.", max_length=100, verbose_name="detail"
                    ),
                ),
            ],
            options={
                "abstract": False,
            },
        ),
        migrations.CreateModel(
            name="BroadcastSetting",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        default=uuid_utils.compat.uuid7, editable=False, primary_key=True, serialize=False
                    ),
                ),
                (
                    "members_may_start",
                    models.BooleanField(
                        default=False,
                        help_text="Without it they draft and try out, and an admin or the owner starts.",
                        verbose_name="members may start broadcasts",
                    ),
                ),
            ],
            options={
                "abstract": False,
            },
        ),
        migrations.AddField(
            model_name="broadcast",
            name="attempts",
            field=models.PositiveSmallIntegerField(default=0, help_text="Starts that broke off."),
        ),
        migrations.AddField(
            model_name="broadcast",
            name="audience",
            field=models.JSONField(blank=True, default=dict, verbose_name="audience"),
        ),
        migrations.AddField(
            model_name="broadcast",
            name="end_wall",
            field=waplus.lib.fields.WallClockField(null=True, verbose_name="end"),
        ),
        migrations.AddField(
            model_name="broadcast",
            name="ends_at",
            field=models.DateTimeField(null=True),
        ),
        migrations.AddField(
            model_name="broadcast",
            name="finished_at",
            field=models.DateTimeField(
                help_text="Nothing of it is left to be settled.", null=True, verbose_name="finished"
            ),
        ),
        migrations.AddField(
            model_name="broadcast",
            name="hours_days",
            field=django.contrib.postgres.fields.ArrayField(
                base_field=models.PositiveSmallIntegerField(),
                default=messaging.models.broadcasts.every_day,
                size=None,
                verbose_name="days",
            ),
        ),
        migrations.AddField(
            model_name="broadcast",
            name="hours_from",
            field=models.TimeField(null=True, verbose_name="from"),
        ),
        migrations.AddField(
            model_name="broadcast",
            name="hours_of",
            field=models.CharField(
                choices=[("recipient", "The recipient’s local time, where it is known"), ("sender", "Our local time")],
                default="recipient",
                max_length=9,
                verbose_name="whose time",
            ),
        ),
        migrations.AddField(
            model_name="broadcast",
            name="hours_to",
            field=models.TimeField(null=True, verbose_name="until"),
        ),
        migrations.AddField(
            model_name="broadcast",
            name="left_out",
            field=models.JSONField(
                blank=True, default=dict, help_text="How many were left out at the start, by reason."
            ),
        ),
        migrations.AddField(
            model_name="broadcast",
            name="problem",
            field=models.CharField(
                blank=True, help_text="Why it did not start.", max_length=300, verbose_name="problem"
            ),
        ),
        migrations.AddField(
            model_name="broadcast",
            name="rate_per_hour",
            field=models.PositiveIntegerField(null=True, verbose_name="people an hour"),
        ),
        migrations.AddField(
            model_name="broadcast",
            name="recipients",
            field=models.PositiveIntegerField(
                default=0, help_text="Who was queued at the start.", verbose_name="recipients"
            ),
        ),
        migrations.AddField(
            model_name="broadcast",
            name="reply_days",
            field=models.PositiveSmallIntegerField(
                default=7, help_text="For how long what people write back counts as an answer.", verbose_name="days"
            ),
        ),
        migrations.AddField(
            model_name="broadcast",
            name="start_wall",
            field=waplus.lib.fields.WallClockField(null=True, verbose_name="start"),
        ),
        migrations.AddField(
            model_name="broadcast",
            name="started_at",
            field=models.DateTimeField(null=True, verbose_name="started"),
        ),
        migrations.AddField(
            model_name="broadcast",
            name="started_by",
            field=models.ForeignKey(
                null=True, on_delete=django.db.models.deletion.SET_NULL, related_name="+", to=settings.AUTH_USER_MODEL
            ),
        ),
        migrations.AddField(
            model_name="broadcast",
            name="starts_at",
            field=models.DateTimeField(null=True),
        ),
        migrations.AddField(
            model_name="broadcast",
            name="time_zone",
            field=models.CharField(
                default="UTC", max_length=64, validators=[waplus.lib.walltime.validate_zone], verbose_name="time zone"
            ),
        ),
        migrations.AddField(
            model_name="broadcast",
            name="zones",
            field=django.contrib.postgres.fields.ArrayField(
                base_field=models.CharField(max_length=64),
                blank=True,
                default=list,
                help_text="Time zones of its recipients.",
                size=None,
            ),
        ),
        migrations.AlterField(
            model_name="broadcast",
            name="state",
            field=models.CharField(
                choices=[
                    ("draft", "Draft"),
                    ("scheduled", "Waiting for its time"),
                    ("starting", "Being started"),
                    ("running", "Running"),
                    ("paused", "Paused"),
                    ("done", "Done"),
                    ("cancelled", "Cancelled"),
                ],
                default="draft",
                max_length=10,
                verbose_name="state",
            ),
        ),
        migrations.AddIndex(
            model_name="broadcast",
            index=models.Index(
                condition=models.Q(("finished_at", None), models.Q(("state", "draft"), _negated=True)),
                fields=["state", "starts_at"],
                name="broadcast_to_do",
            ),
        ),
        migrations.AddIndex(
            model_name="queuedmessage",
            index=models.Index(
                condition=models.Q(("broadcast__isnull", False)),
                fields=["broadcast", "state"],
                name="queued_message_progress",
            ),
        ),
        migrations.AddField(
            model_name="broadcastexclusion",
            name="broadcast",
            field=waplus.lib.constraints.ScopedForeignKey(
                db_constraint=False,
                db_index=False,
                on_delete=django.db.models.deletion.CASCADE,
                related_name="exclusions",
                to="messaging.broadcast",
            ),
        ),
        migrations.AddField(
            model_name="broadcastexclusion",
            name="contact",
            field=waplus.lib.constraints.ScopedForeignKey(
                db_constraint=False,
                db_index=False,
                on_delete=django.db.models.deletion.CASCADE,
                related_name="+",
                to="crm.contact",
            ),
        ),
        migrations.AddField(
            model_name="broadcastexclusion",
            name="workspace",
            field=models.ForeignKey(
                db_index=False, on_delete=django.db.models.deletion.CASCADE, related_name="+", to="accounts.workspace"
            ),
        ),
        migrations.AddField(
            model_name="broadcastsetting",
            name="workspace",
            field=models.ForeignKey(
                db_index=False, on_delete=django.db.models.deletion.CASCADE, related_name="+", to="accounts.workspace"
            ),
        ),
        migrations.AddIndex(
            model_name="broadcastexclusion",
            index=models.Index(fields=["broadcast", "reason", "id"], name="broadcast_exclusion_list"),
        ),
        migrations.AddIndex(
            model_name="broadcastexclusion",
            index=models.Index(fields=["workspace", "contact"], name="broadcast_exclusion_of"),
        ),
        migrations.AddConstraint(
            model_name="broadcastexclusion",
            constraint=waplus.lib.constraints.CompositeForeignKey(
                field="broadcast", name="broadcast_exclusion_broadcast"
            ),
        ),
        migrations.AddConstraint(
            model_name="broadcastexclusion",
            constraint=waplus.lib.constraints.CompositeForeignKey(field="contact", name="broadcast_exclusion_contact"),
        ),
        migrations.AddConstraint(
            model_name="broadcastexclusion",
            constraint=models.UniqueConstraint(fields=("broadcast", "contact"), name="broadcast_exclusion_once"),
        ),
        migrations.AddConstraint(
            model_name="broadcastsetting",
            constraint=models.UniqueConstraint(fields=("workspace",), name="broadcast_setting_once"),
        ),
    ]
