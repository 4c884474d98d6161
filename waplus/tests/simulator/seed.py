"""Run once for a fresh database: a workspace on a plan without limits, its numbers, and a token for each instance.

The arguments are a file to write to, and how many numbers and instances of each there are.
"""

import json
import os
import sys
from pathlib import Path

import django

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "waplus.tests.simulator.settings")

NO_BUDGET = {
    **dict.fromkeys(("spacing_seconds", "jitter_seconds"), 0),
    **dict.fromkeys(("max_per_hour", "max_per_day", "max_new_per_day", "quiet_from", "quiet_until"), None),
    "min_reply_percent": None,
}


def seed(target: Path, numbers: int, instances: int) -> None:
    from django.core.management import call_command
    from django.utils import timezone

    from accounts import actors
    from accounts.models import Plan, Resource, User, Workspace
    from accounts.services import tokens
    from accounts.services.instances import register_instance
    from accounts.services.workspaces import create_workspace
    from crm.models import WhatsAppAccount
    from messaging.models import SendingBudget
    from waplus.lib.ids import uuid7

    call_command("migrate", verbosity=0, interactive=False)
    limits = {f"max_{resource.value}": 1_000_000_000 for resource in Resource}
    Plan.objects.filter(code="business").update(requests_per_minute=1_000_000, **limits)
    alice = User.objects.create_user(email="alice@example.com", password="correct horse battery staple", name="Alice")
    workspace = create_workspace(owner=alice, name="Acme", actor=actors.person(alice), default_country="BR")
    Workspace.objects.filter(pk=workspace.pk).update(plan=Plan.objects.get(code="business"))

    def log_in() -> dict:
        instance, _ = register_instance(
            id=uuid7(), secret="s" * 43, installed_at=timezone.now(), version="2.0.0", time_zone="UTC"
        )
        pair = tokens.log_in_instance(user=alice, instance=instance, workspace_id=workspace.pk)
        return {"id": str(instance.pk), "token": pair.access_token}

    accounts = []
    for index in range(numbers):
        account = WhatsAppAccount.objects.create(workspace=workspace, jid=f"55119{index:08}@c.us")
        SendingBudget.objects.create(workspace=workspace, whatsapp_account=account, **NO_BUDGET)
        accounts.append({"id": str(account.pk), "instances": [log_in() for _ in range(instances)]})
    target.write_text(json.dumps({"numbers": accounts, "person": log_in()}))


if __name__ == "__main__":
    django.setup()
    seed(Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3]))
