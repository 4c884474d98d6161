from django.db import migrations

from waplus.lib.ids import uuid7

PLANS = [
    # code, name, contacts, members, numbers, scheduled, broadcast recipients, AI credits, requests a minute
    ("free", "Free", 1_000, 2, 1, 50, 100, 20, 300),
    ("team", "Team", 50_000, 10, 5, 5_000, 20_000, 2_000, 600),
    ("business", "Business", 2_000_000, 250, 50, 1_000_000, 1_000_000, 50_000, 1_200),
]


def add_plans(apps, schema_editor):
    plans = apps.get_model("accounts", "Plan")
    for position, (code, name, contacts, members, numbers, scheduled, broadcast, credits, requests) in enumerate(PLANS):
        plans.objects.get_or_create(
            code=code,
            defaults={
                "id": uuid7(),
                "name": name,
                "is_default": code == "free",
                "position": position,
                "max_contacts": contacts,
                "max_members": members,
                "max_whatsapp_numbers": numbers,
                "max_scheduled_messages": scheduled,
                "max_broadcast_recipients": broadcast,
                "max_ai_credits": credits,
                "requests_per_minute": requests,
            },
        )


class Migration(migrations.Migration):
    dependencies = [("accounts", "0001_initial")]
    operations = [migrations.RunPython(add_plans, migrations.RunPython.noop)]
