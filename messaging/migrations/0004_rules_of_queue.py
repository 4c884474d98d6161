"""Constraints and indexes of the queue, media and content, now that every row is filled."""

from django.db import migrations, models

import waplus.lib.constraints


class Migration(migrations.Migration):
    dependencies = [("messaging", "0003_fill_queue")]

    operations = [
        migrations.AddIndex(
            model_name="queuedmessage",
            index=models.Index(
                condition=models.Q(("broadcast", None), ("state", "queued")),
                fields=["whatsapp_account", "not_before", "due_at", "origin_id", "position"],
                name="queued_message_claim",
            ),
        ),
        migrations.AddIndex(
            model_name="queuedmessage",
            index=models.Index(
                condition=models.Q(("broadcast__isnull", False), ("state", "queued")),
                fields=["broadcast", "not_before", "id"],
                name="queued_message_of_broadcast",
            ),
        ),
        migrations.AddIndex(
            model_name="queuedmessage",
            index=models.Index(
                condition=models.Q(("state__in", ["queued", "leased", "sending", "outcome_unknown"])),
                fields=["whatsapp_account", "chat_key"],
                name="queued_message_chat",
            ),
        ),
        migrations.AddIndex(
            model_name="queuedmessage",
            index=models.Index(
                condition=models.Q(("sending_at__isnull", False)),
                fields=["whatsapp_account", "sending_at"],
                name="queued_message_budget",
            ),
        ),
        migrations.AddIndex(
            model_name="queuedmessage",
            index=models.Index(
                condition=models.Q(("scheduled_message__isnull", False)),
                fields=["scheduled_message"],
                name="queued_message_schedule_",
            ),
        ),
        migrations.AddIndex(
            model_name="queuedmessage",
            index=models.Index(
                condition=models.Q(("contact__isnull", False)),
                fields=["workspace", "contact"],
                name="queued_message_to",
            ),
        ),
        migrations.AddIndex(
            model_name="queuedmessage",
            index=models.Index(
                condition=models.Q(("media__isnull", False)), fields=["workspace", "media"], name="queued_message_file"
            ),
        ),
        migrations.AddConstraint(
            model_name="queuedmessage",
            constraint=waplus.lib.constraints.CompositeForeignKey(field="broadcast", name="queued_message_broadcast"),
        ),
        migrations.AddConstraint(
            model_name="queuedmessage",
            constraint=waplus.lib.constraints.CompositeForeignKey(field="contact", name="queued_message_contact"),
        ),
        migrations.AddConstraint(
            model_name="queuedmessage",
            constraint=waplus.lib.constraints.CompositeForeignKey(field="media", name="queued_message_media"),
        ),
        migrations.AddConstraint(
            model_name="queuedmessage",
            constraint=models.UniqueConstraint(
                fields=("origin_id", "occurrence_at", "chat_jid", "position"), name="queued_message_once"
            ),
        ),
        migrations.AddConstraint(
            model_name="queuedmessage",
            constraint=models.UniqueConstraint(
                fields=("whatsapp_account", "message_id"), name="queued_message_reserved"
            ),
        ),
        migrations.AddIndex(
            model_name="broadcast",
            index=models.Index(
                condition=models.Q(("state", "running")), fields=["whatsapp_account"], name="broadcast_running"
            ),
        ),
        migrations.AddIndex(
            model_name="broadcast",
            index=models.Index(fields=["workspace", "-id"], name="broadcast_list"),
        ),
        migrations.AddConstraint(
            model_name="broadcast",
            constraint=models.UniqueConstraint(fields=("workspace", "id"), name="messaging_broadcast_scoped_id"),
        ),
        migrations.AddConstraint(
            model_name="broadcast",
            constraint=waplus.lib.constraints.CompositeForeignKey(field="whatsapp_account", name="broadcast_account"),
        ),
        migrations.AddConstraint(
            model_name="mediafile",
            constraint=models.UniqueConstraint(fields=("workspace", "id"), name="messaging_mediafile_scoped_id"),
        ),
        migrations.AddConstraint(
            model_name="mediafile",
            constraint=models.UniqueConstraint(fields=("workspace", "sha256"), name="media_file_once"),
        ),
        migrations.AddIndex(
            model_name="contentpart",
            index=models.Index(
                condition=models.Q(("media__isnull", False)),
                fields=["workspace", "media"],
                name="content_part_by_media",
            ),
        ),
        migrations.AddConstraint(
            model_name="contentpart",
            constraint=models.UniqueConstraint(fields=("workspace", "id"), name="messaging_contentpart_scoped_id"),
        ),
        migrations.AddConstraint(
            model_name="contentpart",
            constraint=waplus.lib.constraints.CompositeForeignKey(field="media", name="content_part_media"),
        ),
        migrations.AddConstraint(
            model_name="contentpart",
            constraint=waplus.lib.constraints.CompositeForeignKey(
                field="scheduled_message", name="content_part_scheduled_message"
            ),
        ),
        migrations.AddConstraint(
            model_name="contentpart",
            constraint=waplus.lib.constraints.CompositeForeignKey(field="broadcast", name="content_part_broadcast"),
        ),
        migrations.AddConstraint(
            model_name="contentpart",
            constraint=models.UniqueConstraint(
                condition=models.Q(("scheduled_message__isnull", False)),
                fields=("scheduled_message", "position"),
                name="content_part_of_scheduled_message",
            ),
        ),
        migrations.AddConstraint(
            model_name="contentpart",
            constraint=models.UniqueConstraint(
                condition=models.Q(("broadcast__isnull", False)),
                fields=("broadcast", "position"),
                name="content_part_of_broadcast",
            ),
        ),
        migrations.AddConstraint(
            model_name="contentpart",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("broadcast__isnull", True), ("scheduled_message__isnull", False)),
                    models.Q(("broadcast__isnull", False), ("scheduled_message__isnull", True)),
                    _connector="OR",
                ),
                name="content_part_held_once",
            ),
        ),
    ]
