"""Health: alive (the process answers) and ready (the database answers and is migrated)."""

from django.core.cache import cache
from django.db import DatabaseError, connection
from django.db.migrations.executor import MigrationExecutor
from django.http import JsonResponse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

# Migrations only ever come with a new process, so one look that found none missing is enough.
_seen = {"migrated": False}


@require_safe
@never_cache
def live(request):
    """The process answers; nothing else is asked, so a database that is away does not get web processes killed."""
    return JsonResponse({"status": "alive"})


@require_safe
@never_cache
def ready(request):
    """The database answers, its migrations are those of the code, and the cache keeps what it is given."""
    checks = {"database": _database(), "cache": _cache()}
    fine = all(state == "ok" for state in checks.values())
    return JsonResponse({"status": "ready" if fine else "not ready", "checks": checks}, status=200 if fine else 503)


def _database() -> str:
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1")
        if not _seen["migrated"]:
            executor = MigrationExecutor(connection)
            if executor.migration_plan(executor.loader.graph.leaf_nodes()):
                return "migrations are missing"
            _seen["migrated"] = True
    except DatabaseError:
        return "unreachable"
    return "ok"


def _cache() -> str:
    try:
        cache.set("health", "ok", 10)
        return "ok" if cache.get("health") == "ok" else "forgets"
    except OSError:
        return "unreachable"
