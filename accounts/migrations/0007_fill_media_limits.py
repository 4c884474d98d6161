"""How much storage the plans on offer come with. A plan of one's own keeps what every plan starts with."""

from django.db import migrations

GIBIBYTE = 1024**3
LIMITS = {"free": (500 * 1024**2, 16), "team": (20 * GIBIBYTE, 100), "business": (500 * GIBIBYTE, 100)}


def fill(apps, schema_editor):
    plans = apps.get_model("accounts", "Plan")
    for code, (max_media_bytes, max_media_mb) in LIMITS.items():
        plans.objects.filter(code=code).update(max_media_bytes=max_media_bytes, max_media_mb=max_media_mb)


class Migration(migrations.Migration):
    dependencies = [("accounts", "0006_media_limits")]
    operations = [migrations.RunPython(fill, migrations.RunPython.noop)]
