"""Pairs of neighbouring characters behind texts in scripts without spaces, so that two of them are found anywhere."""

from django.db import migrations

from waplus.lib.text import UNSPACED, searchable

BATCH = 2000


def add_pairs(apps, schema_editor):
    for name in ("Contact", "Note", "Chat"):
        rows = apps.get_model("crm", name).objects
        batch = []
        for row in rows.filter(search_text__regex=f"[{UNSPACED}]").only("id", "search_text").iterator(BATCH):
            row.search_text = searchable(row.search_text.partition("  ")[0].strip())
            batch.append(row)
            if len(batch) == BATCH:
                rows.bulk_update(batch, ["search_text"])
                batch = []
        rows.bulk_update(batch, ["search_text"])


class Migration(migrations.Migration):
    dependencies = [("crm", "0010_timeline_indexes")]

    operations = [migrations.RunPython(add_pairs, migrations.RunPython.noop)]
