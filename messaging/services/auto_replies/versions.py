"""The version of a workspace's rules: another one after every change, read again before every decision.

A random version and no counter: a database that was put back to yesterday
counts the same numbers a second time.
"""

import uuid

from django.db import connection

from accounts.models import Workspace
from messaging.models import AutoReplySetting
from waplus.lib.ids import uuid7


def setting_of(workspace: Workspace) -> AutoReplySetting:
    """How cautious a workspace answers; without a row, as it is by default."""
    found = AutoReplySetting.objects.for_workspace(workspace).first()
    return found or AutoReplySetting(workspace=workspace)


def renew_version(workspace: Workspace) -> None:
    """Tell every process, at commit, that rules, hours or settings changed."""
    setting = AutoReplySetting(id=uuid7(), workspace=workspace)
    names = [field.attname for field in AutoReplySetting._meta.concrete_fields]
    with connection.cursor() as cursor:
        cursor.execute(
            f"INSERT INTO messaging_autoreplysetting ({', '.join(names)}) VALUES ({', '.join(['%s'] * len(names))}) "
            "ON CONFLICT (workspace_id) DO UPDATE SET version = EXCLUDED.version",
            [uuid.uuid4() if name == "version" else getattr(setting, name) for name in names],
        )
