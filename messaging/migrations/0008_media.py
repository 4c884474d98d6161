"""Files with pixels and small pictures; uploads that come in parts."""

import django.core.validators
import django.db.models.deletion
import django.utils.timezone
import uuid_utils.compat
from django.conf import settings
from django.db import migrations, models

import messaging.models.media
import waplus.lib.constraints


class Migration(migrations.Migration):
    dependencies = [
        ("accounts", "0006_media_limits"),
        ("messaging", "0007_dispatchers"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name="MediaPart",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        default=uuid_utils.compat.uuid7, editable=False, primary_key=True, serialize=False
                    ),
                ),
                (
                    "number",
                    models.PositiveIntegerField(
                        validators=[
                            django.core.validators.MinValueValidator(1),
                            django.core.validators.MaxValueValidator(1000),
                        ]
                    ),
                ),
                ("size", models.PositiveIntegerField(help_text="Bytes.", verbose_name="size")),
                ("sha256", models.BinaryField(max_length=32)),
                ("file", models.FileField(max_length=200, upload_to=messaging.models.media.part_path)),
            ],
            options={
                "abstract": False,
            },
        ),
        migrations.CreateModel(
            name="MediaUpload",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        default=uuid_utils.compat.uuid7, editable=False, primary_key=True, serialize=False
                    ),
                ),
                ("name", models.CharField(blank=True, max_length=255, verbose_name="name")),
                ("size", models.PositiveBigIntegerField(help_text="Bytes, as announced.", verbose_name="size")),
                ("sha256", models.BinaryField(help_text="As announced.", max_length=32, null=True)),
                ("completed_as", models.UUIDField(null=True, verbose_name="file")),
                ("created_at", models.DateTimeField(auto_now_add=True, verbose_name="begun")),
                ("active_at", models.DateTimeField(default=django.utils.timezone.now, verbose_name="last heard of")),
            ],
            options={
                "abstract": False,
            },
        ),
        migrations.AddField(
            model_name="mediafile",
            name="height",
            field=models.PositiveIntegerField(
                help_text="Pixels, of pictures as they are shown.", null=True, verbose_name="height"
            ),
        ),
        migrations.AddField(
            model_name="mediafile",
            name="thumbnail",
            field=models.FileField(
                blank=True, help_text="WebP.", max_length=200, upload_to=messaging.models.media.thumbnail_path
            ),
        ),
        migrations.AddField(
            model_name="mediafile",
            name="wanted_at",
            field=models.DateTimeField(
                default=django.utils.timezone.now,
                help_text="For a day from then it stays, even if nothing carries it.",
                verbose_name="last uploaded",
            ),
        ),
        migrations.AddField(
            model_name="mediafile",
            name="width",
            field=models.PositiveIntegerField(
                help_text="Pixels, of pictures as they are shown.", null=True, verbose_name="width"
            ),
        ),
        migrations.AlterField(
            model_name="mediafile",
            name="sha256",
            field=models.BinaryField(help_text="Of the bytes as they are kept.", max_length=32),
        ),
        migrations.AddIndex(
            model_name="mediafile",
            index=models.Index(fields=["wanted_at"], name="media_file_wanted"),
        ),
        migrations.AddField(
            model_name="mediapart",
            name="workspace",
            field=models.ForeignKey(
                db_index=False, on_delete=django.db.models.deletion.CASCADE, related_name="+", to="accounts.workspace"
            ),
        ),
        migrations.AddField(
            model_name="mediaupload",
            name="created_by",
            field=models.ForeignKey(
                null=True, on_delete=django.db.models.deletion.SET_NULL, related_name="+", to=settings.AUTH_USER_MODEL
            ),
        ),
        migrations.AddField(
            model_name="mediaupload",
            name="workspace",
            field=models.ForeignKey(
                db_index=False, on_delete=django.db.models.deletion.CASCADE, related_name="+", to="accounts.workspace"
            ),
        ),
        migrations.AddField(
            model_name="mediapart",
            name="upload",
            field=waplus.lib.constraints.ScopedForeignKey(
                db_constraint=False,
                db_index=False,
                on_delete=django.db.models.deletion.CASCADE,
                related_name="parts",
                to="messaging.mediaupload",
            ),
        ),
        migrations.AddIndex(
            model_name="mediaupload",
            index=models.Index(fields=["active_at"], name="media_upload_active"),
        ),
        migrations.AddIndex(
            model_name="mediaupload",
            index=models.Index(fields=["workspace"], name="media_upload_of"),
        ),
        migrations.AddConstraint(
            model_name="mediaupload",
            constraint=models.UniqueConstraint(fields=("workspace", "id"), name="messaging_mediaupload_scoped_id"),
        ),
        migrations.AddConstraint(
            model_name="mediapart",
            constraint=models.UniqueConstraint(fields=("workspace", "id"), name="messaging_mediapart_scoped_id"),
        ),
        migrations.AddConstraint(
            model_name="mediapart",
            constraint=waplus.lib.constraints.CompositeForeignKey(field="upload", name="media_part_upload"),
        ),
        migrations.AddConstraint(
            model_name="mediapart",
            constraint=models.UniqueConstraint(fields=("upload", "number"), name="media_part_once"),
        ),
    ]
