"""Quick replies in folders, with texts by language; devices pull them, so they are stamped."""

import django.db.models.deletion
import uuid_utils.compat
from django.conf import settings
from django.db import migrations, models

import waplus.lib.change_stamps
import waplus.lib.constraints
from waplus.lib.change_stamps import StampChanges


class Migration(migrations.Migration):
    dependencies = [
        ("accounts", "0008_warnings_by_email"),
        ("messaging", "0018_broadcast_recipients"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name="QuickReply",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        default=uuid_utils.compat.uuid7, editable=False, primary_key=True, serialize=False
                    ),
                ),
                (
                    "changed_xid",
                    waplus.lib.change_stamps.Xid8Field(
                        db_default=waplus.lib.change_stamps.CurrentXid(), editable=False
                    ),
                ),
                ("version", models.PositiveIntegerField(db_default=1, editable=False)),
                ("field_versions", models.JSONField(db_default=models.Value({}, models.JSONField()), editable=False)),
                ("name", models.CharField(max_length=80, verbose_name="name")),
                (
                    "shortcut",
                    models.CharField(
                        blank=True,
                        help_text="What is typed to find it, with its slash.",
                        max_length=33,
                        verbose_name="shortcut",
                    ),
                ),
                (
                    "shortcut_key",
                    models.CharField(blank=True, editable=False, help_text="Folded, without slash.", max_length=100),
                ),
                ("default_language", models.CharField(max_length=16, verbose_name="default language")),
                ("contents", models.JSONField(default=list, editable=False, verbose_name="texts")),
                ("search_text", models.TextField(editable=False, help_text="Shortcut and name, folded.")),
                ("position", models.PositiveIntegerField(default=0, verbose_name="position")),
                ("created_at", models.DateTimeField(auto_now_add=True, verbose_name="created")),
                ("updated_at", models.DateTimeField(auto_now=True, verbose_name="changed")),
            ],
            options={
                "verbose_name_plural": "quick replies",
                "abstract": False,
            },
        ),
        migrations.CreateModel(
            name="QuickReplyFolder",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        default=uuid_utils.compat.uuid7, editable=False, primary_key=True, serialize=False
                    ),
                ),
                (
                    "changed_xid",
                    waplus.lib.change_stamps.Xid8Field(
                        db_default=waplus.lib.change_stamps.CurrentXid(), editable=False
                    ),
                ),
                ("version", models.PositiveIntegerField(db_default=1, editable=False)),
                ("field_versions", models.JSONField(db_default=models.Value({}, models.JSONField()), editable=False)),
                ("name", models.CharField(max_length=80, verbose_name="name")),
                ("folded", models.CharField(editable=False, max_length=200)),
                ("position", models.PositiveIntegerField(default=0, verbose_name="position")),
                ("created_at", models.DateTimeField(auto_now_add=True, verbose_name="created")),
            ],
            options={
                "abstract": False,
            },
        ),
        migrations.CreateModel(
            name="QuickReplyText",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        default=uuid_utils.compat.uuid7, editable=False, primary_key=True, serialize=False
                    ),
                ),
                (
                    "language",
                    models.CharField(help_text="BCP 47, such as pt-BR.", max_length=16, verbose_name="language"),
                ),
            ],
            options={
                "abstract": False,
            },
        ),
        migrations.CreateModel(
            name="QuickReplyUse",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        default=uuid_utils.compat.uuid7, editable=False, primary_key=True, serialize=False
                    ),
                ),
                ("used_at", models.DateTimeField(verbose_name="used")),
            ],
            options={
                "abstract": False,
            },
        ),
        migrations.RemoveConstraint(
            model_name="contentpart",
            name="content_part_held_once",
        ),
        migrations.AddField(
            model_name="quickreply",
            name="created_by",
            field=models.ForeignKey(
                null=True, on_delete=django.db.models.deletion.SET_NULL, related_name="+", to=settings.AUTH_USER_MODEL
            ),
        ),
        migrations.AddField(
            model_name="quickreply",
            name="owner",
            field=models.ForeignKey(
                help_text="Of a private one.",
                null=True,
                on_delete=django.db.models.deletion.CASCADE,
                related_name="+",
                to=settings.AUTH_USER_MODEL,
            ),
        ),
        migrations.AddField(
            model_name="quickreply",
            name="workspace",
            field=models.ForeignKey(
                db_index=False, on_delete=django.db.models.deletion.CASCADE, related_name="+", to="accounts.workspace"
            ),
        ),
        migrations.AddField(
            model_name="quickreplyfolder",
            name="workspace",
            field=models.ForeignKey(
                db_index=False, on_delete=django.db.models.deletion.CASCADE, related_name="+", to="accounts.workspace"
            ),
        ),
        migrations.AddField(
            model_name="quickreply",
            name="folder",
            field=waplus.lib.constraints.ScopedForeignKey(
                db_constraint=False,
                db_index=False,
                null=True,
                on_delete=django.db.models.deletion.SET_NULL,
                related_name="replies",
                to="messaging.quickreplyfolder",
            ),
        ),
        migrations.AddField(
            model_name="quickreplytext",
            name="reply",
            field=waplus.lib.constraints.ScopedForeignKey(
                db_constraint=False,
                db_index=False,
                on_delete=django.db.models.deletion.CASCADE,
                related_name="texts",
                to="messaging.quickreply",
            ),
        ),
        migrations.AddField(
            model_name="quickreplytext",
            name="workspace",
            field=models.ForeignKey(
                db_index=False, on_delete=django.db.models.deletion.CASCADE, related_name="+", to="accounts.workspace"
            ),
        ),
        migrations.AddField(
            model_name="contentpart",
            name="quick_reply_text",
            field=waplus.lib.constraints.ScopedForeignKey(
                db_constraint=False,
                db_index=False,
                null=True,
                on_delete=django.db.models.deletion.CASCADE,
                related_name="parts",
                to="messaging.quickreplytext",
            ),
        ),
        migrations.AddConstraint(
            model_name="contentpart",
            constraint=waplus.lib.constraints.CompositeForeignKey(
                field="quick_reply_text", name="content_part_quick_reply_text"
            ),
        ),
        migrations.AddConstraint(
            model_name="contentpart",
            constraint=models.UniqueConstraint(
                condition=models.Q(("quick_reply_text__isnull", False)),
                fields=("quick_reply_text", "position"),
                name="content_part_of_quick_reply_text",
            ),
        ),
        migrations.AddConstraint(
            model_name="contentpart",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(
                        ("auto_reply_rule__isnull", True),
                        ("broadcast__isnull", True),
                        ("quick_reply_text__isnull", True),
                        ("scheduled_message__isnull", False),
                    ),
                    models.Q(
                        ("auto_reply_rule__isnull", True),
                        ("broadcast__isnull", False),
                        ("quick_reply_text__isnull", True),
                        ("scheduled_message__isnull", True),
                    ),
                    models.Q(
                        ("auto_reply_rule__isnull", False),
                        ("broadcast__isnull", True),
                        ("quick_reply_text__isnull", True),
                        ("scheduled_message__isnull", True),
                    ),
                    models.Q(
                        ("auto_reply_rule__isnull", True),
                        ("broadcast__isnull", True),
                        ("quick_reply_text__isnull", False),
                        ("scheduled_message__isnull", True),
                    ),
                    _connector="OR",
                ),
                name="content_part_held_once",
            ),
        ),
        migrations.AddField(
            model_name="quickreplyuse",
            name="reply",
            field=waplus.lib.constraints.ScopedForeignKey(
                db_constraint=False,
                db_index=False,
                on_delete=django.db.models.deletion.CASCADE,
                related_name="uses",
                to="messaging.quickreply",
            ),
        ),
        migrations.AddField(
            model_name="quickreplyuse",
            name="user",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.CASCADE, related_name="+", to=settings.AUTH_USER_MODEL
            ),
        ),
        migrations.AddField(
            model_name="quickreplyuse",
            name="workspace",
            field=models.ForeignKey(
                db_index=False, on_delete=django.db.models.deletion.CASCADE, related_name="+", to="accounts.workspace"
            ),
        ),
        migrations.AddIndex(
            model_name="quickreplyfolder",
            index=models.Index(fields=["workspace", "changed_xid", "id"], name="quickreplyfolder_changes"),
        ),
        migrations.AddConstraint(
            model_name="quickreplyfolder",
            constraint=models.UniqueConstraint(fields=("workspace", "id"), name="messaging_quickreplyfolder_scoped_id"),
        ),
        migrations.AddConstraint(
            model_name="quickreplyfolder",
            constraint=models.UniqueConstraint(fields=("workspace", "folded"), name="quick_reply_folder_once"),
        ),
        migrations.AddIndex(
            model_name="quickreply",
            index=models.Index(fields=["workspace", "changed_xid", "id"], name="quickreply_changes"),
        ),
        migrations.AddIndex(
            model_name="quickreply",
            index=models.Index(fields=["workspace", "position", "id"], name="quick_reply_order"),
        ),
        migrations.AddIndex(
            model_name="quickreply",
            index=models.Index(
                condition=models.Q(("folder__isnull", False)),
                fields=["workspace", "folder"],
                name="quick_reply_folder_",
            ),
        ),
        migrations.AddConstraint(
            model_name="quickreply",
            constraint=models.UniqueConstraint(fields=("workspace", "id"), name="messaging_quickreply_scoped_id"),
        ),
        migrations.AddConstraint(
            model_name="quickreply",
            constraint=waplus.lib.constraints.CompositeForeignKey(field="folder", name="quick_reply_in_folder"),
        ),
        migrations.AddConstraint(
            model_name="quickreply",
            constraint=models.UniqueConstraint(
                condition=models.Q(("shortcut_key", ""), _negated=True),
                fields=("workspace", "owner", "shortcut_key"),
                name="quick_reply_shortcut_once",
                nulls_distinct=False,
            ),
        ),
        migrations.AddConstraint(
            model_name="quickreplytext",
            constraint=models.UniqueConstraint(fields=("workspace", "id"), name="messaging_quickreplytext_scoped_id"),
        ),
        migrations.AddConstraint(
            model_name="quickreplytext",
            constraint=waplus.lib.constraints.CompositeForeignKey(field="reply", name="quick_reply_text_reply"),
        ),
        migrations.AddConstraint(
            model_name="quickreplytext",
            constraint=models.UniqueConstraint(fields=("reply", "language"), name="quick_reply_text_once"),
        ),
        migrations.AddIndex(
            model_name="quickreplyuse",
            index=models.Index(fields=["reply", "used_at"], name="quick_reply_use_of"),
        ),
        migrations.AddIndex(
            model_name="quickreplyuse",
            index=models.Index(fields=["used_at"], name="quick_reply_use_age"),
        ),
        migrations.AddConstraint(
            model_name="quickreplyuse",
            constraint=waplus.lib.constraints.CompositeForeignKey(field="reply", name="quick_reply_use_reply"),
        ),
        StampChanges("messaging_quickreplyfolder", "quick_reply_folder", ["name", "position"]),
        StampChanges(
            "messaging_quickreply",
            "quick_reply",
            ["name", "shortcut", "folder_id", "owner_id", "position", "default_language", "contents"],
        ),
    ]
