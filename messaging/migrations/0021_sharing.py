"""Links to stretches of synced conversations, and who opened them."""

import django.contrib.postgres.fields
import django.db.models.deletion
import uuid_utils.compat
from django.conf import settings
from django.db import migrations, models

import waplus.lib.constraints


class Migration(migrations.Migration):
    dependencies = [
        ("accounts", "0008_warnings_by_email"),
        ("crm", "0015_lists_of_rare_chats"),
        ("messaging", "0020_auto_reply_answered"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name="ShareLink",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        default=uuid_utils.compat.uuid7, editable=False, primary_key=True, serialize=False
                    ),
                ),
                (
                    "message_ids",
                    django.contrib.postgres.fields.ArrayField(
                        base_field=models.UUIDField(), size=None, verbose_name="messages"
                    ),
                ),
                (
                    "removed_ids",
                    django.contrib.postgres.fields.ArrayField(
                        base_field=models.UUIDField(), blank=True, default=list, size=None, verbose_name="left out"
                    ),
                ),
                ("token_hash", models.BinaryField(max_length=32, unique=True)),
                ("password", models.CharField(blank=True, max_length=128, verbose_name="password")),
                ("redact_numbers", models.BooleanField(default=True, verbose_name="numbers are masked")),
                ("include_media", models.BooleanField(default=False, verbose_name="files are shown")),
                ("expires_at", models.DateTimeField(verbose_name="expires")),
                ("revoked_at", models.DateTimeField(null=True, verbose_name="revoked")),
                ("opened_count", models.PositiveIntegerField(default=0, verbose_name="opened")),
                ("created_at", models.DateTimeField(verbose_name="made")),
                (
                    "chat",
                    waplus.lib.constraints.ScopedForeignKey(
                        db_constraint=False,
                        db_index=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="+",
                        to="crm.chat",
                    ),
                ),
                (
                    "contact",
                    waplus.lib.constraints.ScopedForeignKey(
                        db_constraint=False,
                        db_index=False,
                        help_text="Whose deletion ends it.",
                        null=True,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="+",
                        to="crm.contact",
                    ),
                ),
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
            name="ShareOpening",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        default=uuid_utils.compat.uuid7, editable=False, primary_key=True, serialize=False
                    ),
                ),
                ("opened_at", models.DateTimeField(verbose_name="opened")),
                (
                    "agent",
                    models.CharField(
                        blank=True, help_text="Such as Chrome 140 on Windows.", max_length=60, verbose_name="browser"
                    ),
                ),
                (
                    "network",
                    models.CharField(
                        blank=True,
                        help_text="The address without its last parts: /24, or /48 of IPv6.",
                        max_length=45,
                        verbose_name="network",
                    ),
                ),
                (
                    "share",
                    waplus.lib.constraints.ScopedForeignKey(
                        db_constraint=False,
                        db_index=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="openings",
                        to="messaging.sharelink",
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
        migrations.AddIndex(
            model_name="sharelink",
            index=models.Index(fields=["workspace", "chat"], name="share_link_of_chat"),
        ),
        migrations.AddIndex(
            model_name="sharelink",
            index=models.Index(
                condition=models.Q(("contact__isnull", False)),
                fields=["workspace", "contact"],
                name="share_link_of_contact",
            ),
        ),
        migrations.AddIndex(
            model_name="sharelink",
            index=models.Index(fields=["expires_at"], name="share_link_expiry"),
        ),
        migrations.AddConstraint(
            model_name="sharelink",
            constraint=models.UniqueConstraint(fields=("workspace", "id"), name="messaging_sharelink_scoped_id"),
        ),
        migrations.AddConstraint(
            model_name="sharelink",
            constraint=waplus.lib.constraints.CompositeForeignKey(field="chat", name="share_link_chat"),
        ),
        migrations.AddConstraint(
            model_name="sharelink",
            constraint=waplus.lib.constraints.CompositeForeignKey(field="contact", name="share_link_contact"),
        ),
        migrations.AddConstraint(
            model_name="sharelink",
            constraint=models.CheckConstraint(
                condition=models.Q(("message_ids__len__gte", 1), ("message_ids__len__lte", 500)),
                name="share_link_messages",
            ),
        ),
        migrations.AddConstraint(
            model_name="sharelink",
            constraint=models.CheckConstraint(
                condition=models.Q(("removed_ids__contained_by", models.F("message_ids"))), name="share_link_removed"
            ),
        ),
        migrations.AddIndex(
            model_name="shareopening",
            index=models.Index(fields=["share", "-id"], name="share_opening_list"),
        ),
        migrations.AddConstraint(
            model_name="shareopening",
            constraint=models.UniqueConstraint(fields=("workspace", "id"), name="messaging_shareopening_scoped_id"),
        ),
        migrations.AddConstraint(
            model_name="shareopening",
            constraint=waplus.lib.constraints.CompositeForeignKey(field="share", name="share_opening_share"),
        ),
    ]
