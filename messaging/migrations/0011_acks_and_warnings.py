"""Acknowledgements per participant, chats that cannot be reached, who is there to send, and warnings."""

import django.db.models.deletion
import uuid_utils.compat
from django.conf import settings
from django.db import migrations, models

import waplus.lib.constraints


class Migration(migrations.Migration):
    dependencies = [
        ("accounts", "0008_warnings_by_email"),
        ("crm", "0015_lists_of_rare_chats"),
        ("messaging", "0010_new_contacts_of_numbers"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name="DispatchWarning",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        default=uuid_utils.compat.uuid7, editable=False, primary_key=True, serialize=False
                    ),
                ),
                (
                    "kind",
                    models.CharField(
                        choices=[
                            ("no_instance", "No device is there to send"),
                            ("late", "Messages are too late and wait for a decision"),
                            ("outcome_unknown", "Nobody knows whether messages were sent"),
                        ],
                        max_length=16,
                        verbose_name="kind",
                    ),
                ),
                ("first_due_at", models.DateTimeField(verbose_name="first message due")),
                ("message_count", models.PositiveIntegerField(verbose_name="messages")),
                ("raised_at", models.DateTimeField(verbose_name="raised")),
                ("resolved_at", models.DateTimeField(null=True, verbose_name="resolved")),
            ],
            options={
                "abstract": False,
            },
        ),
        migrations.CreateModel(
            name="MessageAck",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        default=uuid_utils.compat.uuid7, editable=False, primary_key=True, serialize=False
                    ),
                ),
                (
                    "participant",
                    models.CharField(
                        blank=True,
                        help_text="Somebody in a group; empty for the chat as a whole.",
                        max_length=64,
                        verbose_name="participant",
                    ),
                ),
                ("ack", models.SmallIntegerField(default=0, verbose_name="acknowledgement")),
                ("delivered_at", models.DateTimeField(null=True, verbose_name="delivered")),
                ("read_at", models.DateTimeField(null=True, verbose_name="read")),
                ("played_at", models.DateTimeField(null=True, verbose_name="played")),
                ("failure", models.SmallIntegerField(null=True, verbose_name="failure")),
                ("failure_code", models.CharField(blank=True, max_length=32, verbose_name="code of the failure")),
                ("failed_at", models.DateTimeField(null=True, verbose_name="failed")),
            ],
            options={
                "abstract": False,
            },
        ),
        migrations.CreateModel(
            name="NumberPresence",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        default=uuid_utils.compat.uuid7, editable=False, primary_key=True, serialize=False
                    ),
                ),
                ("seen_at", models.DateTimeField(verbose_name="last seen")),
                ("may_dispatch", models.BooleanField(default=True, verbose_name="may send")),
            ],
            options={
                "abstract": False,
            },
        ),
        migrations.CreateModel(
            name="UnreachableChat",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        default=uuid_utils.compat.uuid7, editable=False, primary_key=True, serialize=False
                    ),
                ),
                ("chat_jid", models.CharField(max_length=64, verbose_name="chat")),
                (
                    "code",
                    models.CharField(
                        choices=[
                            ("not_on_whatsapp", "This number is not on WhatsApp"),
                            ("blocked", "They have blocked this number"),
                            ("left_group", "This number is not in the group any more"),
                            ("chat_gone", "The chat is gone"),
                        ],
                        max_length=32,
                        verbose_name="reason",
                    ),
                ),
                ("since", models.DateTimeField(verbose_name="since")),
            ],
            options={
                "abstract": False,
            },
        ),
        migrations.CreateModel(
            name="WarningMail",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        default=uuid_utils.compat.uuid7, editable=False, primary_key=True, serialize=False
                    ),
                ),
                (
                    "state",
                    models.CharField(
                        choices=[
                            ("waiting", "Waiting to be sent"),
                            ("sending", "Being handed to the mail server"),
                            ("delivered", "Delivered"),
                            ("failed", "Failed"),
                            ("unknown", "Outcome unknown"),
                            ("dropped", "No longer wanted"),
                        ],
                        default="waiting",
                        max_length=10,
                        verbose_name="state",
                    ),
                ),
                ("attempts", models.PositiveSmallIntegerField(default=0, verbose_name="attempts")),
                ("lease_until", models.DateTimeField(null=True)),
                ("noted_at", models.DateTimeField(verbose_name="noted")),
                ("delivered_at", models.DateTimeField(null=True, verbose_name="delivered")),
                ("problem", models.CharField(blank=True, max_length=300, verbose_name="problem")),
            ],
            options={
                "abstract": False,
            },
        ),
        migrations.AddIndex(
            model_name="queuedmessage",
            index=models.Index(
                condition=models.Q(("state", "queued")),
                fields=["workspace", "due_at", "id"],
                name="queued_message_next",
            ),
        ),
        migrations.AddIndex(
            model_name="queuedmessage",
            index=models.Index(
                condition=models.Q(("state__in", ["leased", "sending", "outcome_unknown", "late", "failed"])),
                fields=["workspace", "-due_at", "-id"],
                name="queued_message_to_see_to",
            ),
        ),
        migrations.AddIndex(
            model_name="queuedmessage",
            index=models.Index(
                condition=models.Q(("state", "late")), fields=["whatsapp_account"], name="queued_message_late"
            ),
        ),
        migrations.AddField(
            model_name="dispatchwarning",
            name="whatsapp_account",
            field=waplus.lib.constraints.ScopedForeignKey(
                db_constraint=False,
                db_index=False,
                on_delete=django.db.models.deletion.CASCADE,
                related_name="+",
                to="crm.whatsappaccount",
            ),
        ),
        migrations.AddField(
            model_name="dispatchwarning",
            name="workspace",
            field=models.ForeignKey(
                db_index=False, on_delete=django.db.models.deletion.CASCADE, related_name="+", to="accounts.workspace"
            ),
        ),
        migrations.AddField(
            model_name="messageack",
            name="message",
            field=waplus.lib.constraints.ScopedForeignKey(
                db_constraint=False,
                db_index=False,
                on_delete=django.db.models.deletion.CASCADE,
                related_name="acks",
                to="messaging.queuedmessage",
            ),
        ),
        migrations.AddField(
            model_name="messageack",
            name="workspace",
            field=models.ForeignKey(
                db_index=False, on_delete=django.db.models.deletion.CASCADE, related_name="+", to="accounts.workspace"
            ),
        ),
        migrations.AddField(
            model_name="numberpresence",
            name="instance",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.CASCADE, related_name="+", to="accounts.extensioninstance"
            ),
        ),
        migrations.AddField(
            model_name="numberpresence",
            name="whatsapp_account",
            field=waplus.lib.constraints.ScopedForeignKey(
                db_constraint=False,
                db_index=False,
                on_delete=django.db.models.deletion.CASCADE,
                related_name="+",
                to="crm.whatsappaccount",
            ),
        ),
        migrations.AddField(
            model_name="numberpresence",
            name="workspace",
            field=models.ForeignKey(
                db_index=False, on_delete=django.db.models.deletion.CASCADE, related_name="+", to="accounts.workspace"
            ),
        ),
        migrations.AddField(
            model_name="unreachablechat",
            name="instance",
            field=models.ForeignKey(
                db_index=False,
                null=True,
                on_delete=django.db.models.deletion.SET_NULL,
                related_name="+",
                to="accounts.extensioninstance",
            ),
        ),
        migrations.AddField(
            model_name="unreachablechat",
            name="whatsapp_account",
            field=waplus.lib.constraints.ScopedForeignKey(
                db_constraint=False,
                db_index=False,
                on_delete=django.db.models.deletion.CASCADE,
                related_name="+",
                to="crm.whatsappaccount",
            ),
        ),
        migrations.AddField(
            model_name="unreachablechat",
            name="workspace",
            field=models.ForeignKey(
                db_index=False, on_delete=django.db.models.deletion.CASCADE, related_name="+", to="accounts.workspace"
            ),
        ),
        migrations.AddField(
            model_name="warningmail",
            name="recipient",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.CASCADE, related_name="+", to=settings.AUTH_USER_MODEL
            ),
        ),
        migrations.AddField(
            model_name="warningmail",
            name="warning",
            field=waplus.lib.constraints.ScopedForeignKey(
                db_constraint=False,
                db_index=False,
                on_delete=django.db.models.deletion.CASCADE,
                related_name="mails",
                to="messaging.dispatchwarning",
            ),
        ),
        migrations.AddField(
            model_name="warningmail",
            name="workspace",
            field=models.ForeignKey(
                db_index=False, on_delete=django.db.models.deletion.CASCADE, related_name="+", to="accounts.workspace"
            ),
        ),
        migrations.AddIndex(
            model_name="dispatchwarning",
            index=models.Index(fields=["workspace", "-id"], name="dispatch_warning_list"),
        ),
        migrations.AddIndex(
            model_name="dispatchwarning",
            index=models.Index(fields=["whatsapp_account", "-id"], name="dispatch_warning_of_number"),
        ),
        migrations.AddConstraint(
            model_name="dispatchwarning",
            constraint=models.UniqueConstraint(fields=("workspace", "id"), name="messaging_dispatchwarning_scoped_id"),
        ),
        migrations.AddConstraint(
            model_name="dispatchwarning",
            constraint=waplus.lib.constraints.CompositeForeignKey(
                field="whatsapp_account", name="dispatch_warning_account"
            ),
        ),
        migrations.AddConstraint(
            model_name="dispatchwarning",
            constraint=models.UniqueConstraint(
                condition=models.Q(("resolved_at", None)),
                fields=("whatsapp_account", "kind"),
                name="dispatch_warning_open",
            ),
        ),
        migrations.AddConstraint(
            model_name="messageack",
            constraint=waplus.lib.constraints.CompositeForeignKey(field="message", name="message_ack_message"),
        ),
        migrations.AddConstraint(
            model_name="messageack",
            constraint=models.UniqueConstraint(fields=("message", "participant"), name="message_ack_once"),
        ),
        migrations.AddConstraint(
            model_name="messageack",
            constraint=models.CheckConstraint(
                condition=models.Q(("ack__gte", 0), ("ack__lte", 4)), name="message_ack_rises"
            ),
        ),
        migrations.AddConstraint(
            model_name="messageack",
            constraint=models.CheckConstraint(
                condition=models.Q(("failure", None), ("failure__lt", 0), _connector="OR"), name="message_ack_failure"
            ),
        ),
        migrations.AddConstraint(
            model_name="numberpresence",
            constraint=waplus.lib.constraints.CompositeForeignKey(
                field="whatsapp_account", name="number_presence_account"
            ),
        ),
        migrations.AddConstraint(
            model_name="numberpresence",
            constraint=models.UniqueConstraint(fields=("whatsapp_account", "instance"), name="number_presence_once"),
        ),
        migrations.AddConstraint(
            model_name="unreachablechat",
            constraint=models.UniqueConstraint(fields=("workspace", "id"), name="messaging_unreachablechat_scoped_id"),
        ),
        migrations.AddConstraint(
            model_name="unreachablechat",
            constraint=waplus.lib.constraints.CompositeForeignKey(
                field="whatsapp_account", name="unreachable_chat_account"
            ),
        ),
        migrations.AddConstraint(
            model_name="unreachablechat",
            constraint=models.UniqueConstraint(
                fields=("workspace", "whatsapp_account", "chat_jid"), name="unreachable_chat_once"
            ),
        ),
        migrations.AddIndex(
            model_name="warningmail",
            index=models.Index(
                condition=models.Q(("state__in", ["waiting", "sending"])),
                fields=["lease_until"],
                name="warning_mail_pending",
            ),
        ),
        migrations.AddConstraint(
            model_name="warningmail",
            constraint=waplus.lib.constraints.CompositeForeignKey(field="warning", name="warning_mail_warning"),
        ),
        migrations.AddConstraint(
            model_name="warningmail",
            constraint=models.UniqueConstraint(fields=("warning", "recipient"), name="warning_mail_once"),
        ),
    ]
