"""Automatic replies: rules, hours, chats, decisions and answers."""

import uuid

import django.contrib.postgres.fields
import django.core.validators
import django.db.models.deletion
import django.db.models.functions.comparison
import uuid_utils.compat
from django.conf import settings
from django.db import migrations, models

import messaging.models.auto_replies
import waplus.lib.constraints
import waplus.lib.walltime


class Migration(migrations.Migration):
    dependencies = [
        ("accounts", "0005_reminders_by_email"),
        ("accounts", "__first__"),
        ("crm", "0015_lists_of_rare_chats"),
        ("messaging", "0008_media"),
    ]

    operations = [
        migrations.CreateModel(
            name="BusinessHours",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        default=uuid_utils.compat.uuid7, editable=False, primary_key=True, serialize=False
                    ),
                ),
                ("name", models.CharField(max_length=80, verbose_name="name")),
                (
                    "time_zone",
                    models.CharField(
                        max_length=64, validators=[waplus.lib.walltime.validate_zone], verbose_name="time zone"
                    ),
                ),
                ("intervals", models.JSONField(blank=True, default=list, verbose_name="open")),
                ("holidays", models.JSONField(blank=True, default=list, verbose_name="holidays")),
                ("created_at", models.DateTimeField(auto_now_add=True, verbose_name="created")),
                ("updated_at", models.DateTimeField(auto_now=True, verbose_name="changed")),
                (
                    "workspace",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="+",
                        to="accounts.workspace",
                    ),
                ),
            ],
            options={
                "abstract": False,
            },
        ),
        migrations.CreateModel(
            name="AutoReplyRule",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        default=uuid_utils.compat.uuid7, editable=False, primary_key=True, serialize=False
                    ),
                ),
                ("name", models.CharField(max_length=80, verbose_name="name")),
                ("enabled", models.BooleanField(default=False, verbose_name="switched on")),
                ("position", models.PositiveIntegerField(default=0, verbose_name="position")),
                (
                    "whatsapp_accounts",
                    django.contrib.postgres.fields.ArrayField(
                        base_field=models.UUIDField(), blank=True, default=list, size=None, verbose_name="numbers"
                    ),
                ),
                (
                    "chat_kinds",
                    django.contrib.postgres.fields.ArrayField(
                        base_field=models.CharField(max_length=6),
                        default=messaging.models.auto_replies.persons,
                        size=None,
                        verbose_name="chats",
                    ),
                ),
                ("conditions", models.JSONField(blank=True, default=list, verbose_name="conditions")),
                ("actions", models.JSONField(blank=True, default=list, verbose_name="actions")),
                (
                    "stop_after_match",
                    models.BooleanField(default=True, verbose_name="try no later rules after this one"),
                ),
                (
                    "cool_down_minutes",
                    models.PositiveIntegerField(
                        default=60,
                        help_text="Minutes in which the rule does not answer again in the same chat.",
                        validators=[django.core.validators.MaxValueValidator(43200)],
                        verbose_name="rest in a chat",
                    ),
                ),
                (
                    "delay_seconds",
                    models.PositiveSmallIntegerField(
                        default=3,
                        validators=[django.core.validators.MaxValueValidator(300)],
                        verbose_name="wait before answering",
                    ),
                ),
                ("created_at", models.DateTimeField(auto_now_add=True, verbose_name="created")),
                ("updated_at", models.DateTimeField(auto_now=True, verbose_name="changed")),
                (
                    "created_by",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "workspace",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="+",
                        to="accounts.workspace",
                    ),
                ),
            ],
            options={
                "abstract": False,
            },
        ),
        migrations.CreateModel(
            name="AutoReplySetting",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        default=uuid_utils.compat.uuid7, editable=False, primary_key=True, serialize=False
                    ),
                ),
                ("version", models.UUIDField(default=uuid.uuid4)),
                (
                    "silence_minutes",
                    models.PositiveSmallIntegerField(
                        default=30,
                        help_text="Minutes.",
                        validators=[
                            django.core.validators.MinValueValidator(0),
                            django.core.validators.MaxValueValidator(1440),
                        ],
                        verbose_name="silence after a member wrote",
                    ),
                ),
                (
                    "chat_per_hour",
                    models.PositiveSmallIntegerField(
                        default=10,
                        validators=[
                            django.core.validators.MinValueValidator(1),
                            django.core.validators.MaxValueValidator(60),
                        ],
                        verbose_name="answers an hour in one chat",
                    ),
                ),
                (
                    "number_per_hour",
                    models.PositiveSmallIntegerField(
                        default=60,
                        validators=[
                            django.core.validators.MinValueValidator(1),
                            django.core.validators.MaxValueValidator(1000),
                        ],
                        verbose_name="answers an hour from one number",
                    ),
                ),
                (
                    "loop_exchanges",
                    models.PositiveSmallIntegerField(
                        default=8,
                        help_text="More within the minutes beside it is taken for two robots talking.",
                        validators=[
                            django.core.validators.MinValueValidator(2),
                            django.core.validators.MaxValueValidator(50),
                        ],
                        verbose_name="answers in a row without a person",
                    ),
                ),
                (
                    "loop_minutes",
                    models.PositiveSmallIntegerField(
                        default=30,
                        validators=[
                            django.core.validators.MinValueValidator(1),
                            django.core.validators.MaxValueValidator(1440),
                        ],
                        verbose_name="within minutes",
                    ),
                ),
                (
                    "workspace",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="+",
                        to="accounts.workspace",
                    ),
                ),
            ],
            options={
                "abstract": False,
            },
        ),
        migrations.CreateModel(
            name="AutoReplyChat",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        default=uuid_utils.compat.uuid7, editable=False, primary_key=True, serialize=False
                    ),
                ),
                ("chat_jid", models.CharField(max_length=64, verbose_name="chat")),
                ("last_inbound_at", models.DateTimeField(null=True, verbose_name="last received")),
                ("last_human_at", models.DateTimeField(null=True, verbose_name="last written by a member")),
                ("last_reply_at", models.DateTimeField(null=True, verbose_name="last answered by itself")),
                ("taken_over", models.BooleanField(default=False, verbose_name="taken over")),
                (
                    "taken_over_until",
                    models.DateTimeField(
                        help_text="Empty: until given back.", null=True, verbose_name="taken over until"
                    ),
                ),
                (
                    "muted_until",
                    models.DateTimeField(
                        help_text="A robot seems to write here.", null=True, verbose_name="muted until"
                    ),
                ),
                (
                    "quick_count",
                    models.PositiveSmallIntegerField(default=0, help_text="Messages in a row within seconds of ours."),
                ),
                (
                    "same_count",
                    models.PositiveSmallIntegerField(default=0, help_text="Same messages in a row, each answered."),
                ),
                ("last_mark", models.BinaryField(max_length=8, null=True)),
                (
                    "contact",
                    waplus.lib.constraints.ScopedForeignKey(
                        db_constraint=False,
                        db_index=False,
                        null=True,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="+",
                        to="crm.contact",
                    ),
                ),
                (
                    "taken_over_by",
                    models.ForeignKey(
                        db_index=False,
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "whatsapp_account",
                    waplus.lib.constraints.ScopedForeignKey(
                        db_constraint=False,
                        db_index=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="+",
                        to="crm.whatsappaccount",
                    ),
                ),
                (
                    "workspace",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="+",
                        to="accounts.workspace",
                    ),
                ),
                (
                    "chat_key",
                    models.GeneratedField(
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
            ],
            options={
                "abstract": False,
            },
        ),
        migrations.CreateModel(
            name="AutoReplyDecision",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        default=uuid_utils.compat.uuid7, editable=False, primary_key=True, serialize=False
                    ),
                ),
                ("chat_jid", models.CharField(max_length=64, verbose_name="chat")),
                ("message_id", models.CharField(max_length=128, verbose_name="WhatsApp message")),
                (
                    "verdict",
                    models.CharField(
                        choices=[
                            ("answered", "Answered"),
                            ("acted", "Did something, without an answer"),
                            ("old", "Too old"),
                            ("muted", "The chat is muted"),
                            ("taken_over", "Taken over by a member"),
                            ("member_wrote", "A member wrote"),
                            ("echo", "Our own words"),
                            ("loop", "A robot writes"),
                            ("opted_out", "Does not want to be contacted"),
                            ("no_match", "No rule fits"),
                            ("cool_down", "Answered a moment ago"),
                            ("chat_cap", "Enough answers in this chat"),
                            ("number_cap", "Enough answers from this number"),
                            ("missing_variable", "Something that the text names is missing"),
                            ("failed", "Could not be done"),
                        ],
                        max_length=16,
                        verbose_name="verdict",
                    ),
                ),
                ("facts", models.JSONField(blank=True, default=dict)),
                ("rules", models.JSONField(blank=True, default=list)),
                ("others", models.JSONField(blank=True, default=dict)),
                ("received_at", models.DateTimeField(verbose_name="message sent")),
                ("decided_at", models.DateTimeField(verbose_name="decided")),
                (
                    "contact",
                    waplus.lib.constraints.ScopedForeignKey(
                        db_constraint=False,
                        db_index=False,
                        null=True,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="+",
                        to="crm.contact",
                    ),
                ),
                (
                    "whatsapp_account",
                    waplus.lib.constraints.ScopedForeignKey(
                        db_constraint=False,
                        db_index=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="+",
                        to="crm.whatsappaccount",
                    ),
                ),
                (
                    "workspace",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="+",
                        to="accounts.workspace",
                    ),
                ),
            ],
            options={
                "abstract": False,
            },
        ),
        migrations.CreateModel(
            name="AutoReplyAnswer",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        default=uuid_utils.compat.uuid7, editable=False, primary_key=True, serialize=False
                    ),
                ),
                ("chat_key", models.TextField(help_text="The contact's id, or the chat's address without one.")),
                ("replied", models.BooleanField(verbose_name="an answer was queued")),
                ("answered_at", models.DateTimeField(verbose_name="when")),
                (
                    "whatsapp_account",
                    waplus.lib.constraints.ScopedForeignKey(
                        db_constraint=False,
                        db_index=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="+",
                        to="crm.whatsappaccount",
                    ),
                ),
                (
                    "workspace",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="+",
                        to="accounts.workspace",
                    ),
                ),
                (
                    "decision",
                    waplus.lib.constraints.ScopedForeignKey(
                        db_constraint=False,
                        db_index=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="answers",
                        to="messaging.autoreplydecision",
                    ),
                ),
                (
                    "rule",
                    waplus.lib.constraints.ScopedForeignKey(
                        db_constraint=False,
                        db_index=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="answers",
                        to="messaging.autoreplyrule",
                    ),
                ),
            ],
            options={
                "abstract": False,
            },
        ),
        migrations.RemoveConstraint(
            model_name="contentpart",
            name="content_part_held_once",
        ),
        migrations.AddIndex(
            model_name="queuedmessage",
            index=models.Index(
                condition=models.Q(("source", "direct")),
                fields=["whatsapp_account", "chat_key", "queued_at"],
                name="queued_message_direct",
            ),
        ),
        migrations.AddField(
            model_name="contentpart",
            name="auto_reply_rule",
            field=waplus.lib.constraints.ScopedForeignKey(
                db_constraint=False,
                db_index=False,
                null=True,
                on_delete=django.db.models.deletion.CASCADE,
                related_name="parts",
                to="messaging.autoreplyrule",
            ),
        ),
        migrations.AddConstraint(
            model_name="contentpart",
            constraint=waplus.lib.constraints.CompositeForeignKey(
                field="auto_reply_rule", name="content_part_auto_reply_rule"
            ),
        ),
        migrations.AddConstraint(
            model_name="contentpart",
            constraint=models.UniqueConstraint(
                condition=models.Q(("auto_reply_rule__isnull", False)),
                fields=("auto_reply_rule", "position"),
                name="content_part_of_auto_reply_rule",
            ),
        ),
        migrations.AddConstraint(
            model_name="contentpart",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(
                        ("auto_reply_rule__isnull", True),
                        ("broadcast__isnull", True),
                        ("scheduled_message__isnull", False),
                    ),
                    models.Q(
                        ("auto_reply_rule__isnull", True),
                        ("broadcast__isnull", False),
                        ("scheduled_message__isnull", True),
                    ),
                    models.Q(
                        ("auto_reply_rule__isnull", False),
                        ("broadcast__isnull", True),
                        ("scheduled_message__isnull", True),
                    ),
                    _connector="OR",
                ),
                name="content_part_held_once",
            ),
        ),
        migrations.AddIndex(
            model_name="autoreplychat",
            index=models.Index(
                condition=models.Q(("contact__isnull", False)),
                fields=["workspace", "contact"],
                name="auto_reply_chat_of",
            ),
        ),
        migrations.AddIndex(
            model_name="autoreplychat",
            index=models.Index(
                condition=models.Q(("taken_over", True), ("muted_until__isnull", False), _connector="OR"),
                fields=["workspace", "id"],
                name="auto_reply_chat_silent",
            ),
        ),
        migrations.AddIndex(
            model_name="autoreplychat",
            index=models.Index(
                condition=models.Q(("last_mark__isnull", False)),
                fields=["last_inbound_at"],
                name="auto_reply_chat_marked",
            ),
        ),
        migrations.AddConstraint(
            model_name="autoreplychat",
            constraint=waplus.lib.constraints.CompositeForeignKey(
                field="whatsapp_account", name="auto_reply_chat_account"
            ),
        ),
        migrations.AddConstraint(
            model_name="autoreplychat",
            constraint=waplus.lib.constraints.CompositeForeignKey(field="contact", name="auto_reply_chat_contact"),
        ),
        migrations.AddConstraint(
            model_name="autoreplychat",
            constraint=models.UniqueConstraint(fields=("whatsapp_account", "chat_key"), name="auto_reply_chat_once"),
        ),
        migrations.AddIndex(
            model_name="autoreplydecision",
            index=models.Index(fields=["workspace", "chat_jid", "-id"], name="auto_reply_decision_chat"),
        ),
        migrations.AddIndex(
            model_name="autoreplydecision",
            index=models.Index(
                condition=models.Q(("contact__isnull", False)),
                fields=["workspace", "contact"],
                name="auto_reply_decision_of",
            ),
        ),
        migrations.AddIndex(
            model_name="autoreplydecision",
            index=models.Index(fields=["decided_at"], name="auto_reply_decision_age"),
        ),
        migrations.AddConstraint(
            model_name="autoreplydecision",
            constraint=models.UniqueConstraint(
                fields=("workspace", "id"), name="messaging_autoreplydecision_scoped_id"
            ),
        ),
        migrations.AddConstraint(
            model_name="autoreplydecision",
            constraint=waplus.lib.constraints.CompositeForeignKey(
                field="whatsapp_account", name="auto_reply_decision_account"
            ),
        ),
        migrations.AddConstraint(
            model_name="autoreplydecision",
            constraint=waplus.lib.constraints.CompositeForeignKey(field="contact", name="auto_reply_decision_contact"),
        ),
        migrations.AddConstraint(
            model_name="autoreplydecision",
            constraint=models.UniqueConstraint(
                fields=("whatsapp_account", "message_id"), name="auto_reply_decision_once"
            ),
        ),
        migrations.AddIndex(
            model_name="autoreplyrule",
            index=models.Index(fields=["workspace", "position", "id"], name="auto_reply_rule_order"),
        ),
        migrations.AddConstraint(
            model_name="autoreplyrule",
            constraint=models.UniqueConstraint(fields=("workspace", "id"), name="messaging_autoreplyrule_scoped_id"),
        ),
        migrations.AddIndex(
            model_name="autoreplyanswer",
            index=models.Index(fields=["whatsapp_account", "answered_at"], name="auto_reply_answer_number"),
        ),
        migrations.AddIndex(
            model_name="autoreplyanswer",
            index=models.Index(fields=["whatsapp_account", "chat_key", "answered_at"], name="auto_reply_answer_chat"),
        ),
        migrations.AddIndex(
            model_name="autoreplyanswer",
            index=models.Index(fields=["rule", "answered_at"], name="auto_reply_answer_week"),
        ),
        migrations.AddConstraint(
            model_name="autoreplyanswer",
            constraint=waplus.lib.constraints.CompositeForeignKey(field="decision", name="auto_reply_answer_decision"),
        ),
        migrations.AddConstraint(
            model_name="autoreplyanswer",
            constraint=waplus.lib.constraints.CompositeForeignKey(field="rule", name="auto_reply_answer_rule"),
        ),
        migrations.AddConstraint(
            model_name="autoreplyanswer",
            constraint=waplus.lib.constraints.CompositeForeignKey(
                field="whatsapp_account", name="auto_reply_answer_account"
            ),
        ),
        migrations.AddConstraint(
            model_name="autoreplyanswer",
            constraint=models.UniqueConstraint(fields=("decision", "rule"), name="auto_reply_answer_once"),
        ),
        migrations.AddConstraint(
            model_name="autoreplysetting",
            constraint=models.UniqueConstraint(fields=("workspace",), name="auto_reply_setting_once"),
        ),
        migrations.AddConstraint(
            model_name="businesshours",
            constraint=models.UniqueConstraint(fields=("workspace", "id"), name="messaging_businesshours_scoped_id"),
        ),
        migrations.AddConstraint(
            model_name="businesshours",
            constraint=models.UniqueConstraint(fields=("workspace", "name"), name="business_hours_name"),
        ),
    ]
