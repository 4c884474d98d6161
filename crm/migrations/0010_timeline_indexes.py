from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("crm", "0009_avatars_in_use")]

    operations = [
        migrations.RemoveIndex(model_name="importrow", name="import_row_of_contact"),
        migrations.AddIndex(
            model_name="importrow",
            index=models.Index(
                condition=models.Q(("outcome__in", ("created", "merged"))),
                fields=["contact_id", "batch"],
                name="import_row_of_contact",
            ),
        ),
        migrations.AddIndex(
            model_name="note",
            index=models.Index(
                condition=models.Q(("edited_at__isnull", False)),
                fields=["workspace", "contact", "-edited_at"],
                name="note_edited",
            ),
        ),
    ]
