"""Requests a second of an authenticated page of 50 contacts, as a share of a bare Django view.

The bare view stands in the same project (same settings, same middleware) under
the same web server; it runs the very statement of the product by hand, without
authentication, limits, DRF or ORM, and returns the same bytes. The two are
compared before anything is timed, and measured in turn. A third row shows the
same view in a Django without any middleware: what the product's middleware costs.
"""

import contextlib
import json
import os
import statistics

import django

from bench._figures import figure
from bench._load import Connection, rate, request_bytes, served

GOAL = 0.5
ROUNDS = 5
SECONDS = 4.0
CONTACTS = 20_000


def run() -> None:
    """Prepare, compare, measure, print."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "waplus.settings")
    os.environ["WAPLUS_ENV"] = "development"
    os.environ["LOG_LEVEL"] = "WARNING"
    django.setup()
    token = _prepare()
    path = "/api/v1/contacts/?limit=50&sort=name"
    statement = _statement()
    request = request_bytes(path, {"Authorization": f"Bearer {token}"})
    with contextlib.ExitStack() as servers:
        port = servers.enter_context(served("waplus.wsgi:application", {}))
        body = Connection(port, request).ask()
        bare = {"BENCH_STATEMENT": statement, "BENCH_NEXT_CURSOR": json.dumps(json.loads(body)["next_cursor"])}
        ports = [port]
        for middleware in ("all", "none"):
            ports.append(
                servers.enter_context(served("bench._bare:application", {**bare, "BENCH_MIDDLEWARE": middleware}))
            )
            if Connection(ports[-1], request).ask() != body:
                raise RuntimeError("the bare view answers other bytes")
        for each in ports:
            rate(each, request, 1)
        rounds = [[rate(each, request, SECONDS) for each in ports] for _ in range(ROUNDS)]
    print(
        f"one page of 50 of {CONTACTS:,} contacts, {len(body):,} bytes; requests/s in {ROUNDS} rounds of {SECONDS:.0f} s"
    )
    print(f"{'round':<8} {'product':>10} {'bare view':>10} {'ratio':>6} {'no middleware':>14} {'ratio':>6}")
    for number, (ours, raw, empty) in enumerate(rounds, 1):
        print(f"{number:<8} {ours:>10.0f} {raw:>10.0f} {ours / raw:>6.2f} {empty:>14.0f} {ours / empty:>6.2f}")
    figure("contacts_page", statistics.median(ours / raw for ours, raw, _ in rounds), GOAL)


def _prepare() -> str:
    """A migrated database with one workspace, its contacts, and an access token."""
    from django.core.management import call_command
    from django.db import connection
    from django.utils import timezone

    from accounts import actors
    from accounts.models import Plan, User
    from accounts.services import instances, plans, tokens, workspaces
    from waplus.lib.ids import uuid7

    call_command("migrate", verbosity=0)
    user = User.objects.create_user(f"bench-{uuid7().hex}@example.com")
    workspace = workspaces.create_workspace(owner=user, name="Bench", actor=actors.person(user))
    plan = Plan.objects.get(code="business")
    plan.requests_per_minute = 100_000_000
    plan.save()
    plans.change_plan(workspace=workspace, plan=plan, actor=actors.SYSTEM)
    with connection.cursor() as cursor:
        cursor.execute(
            """
            WITH made AS (
                INSERT INTO crm_contact
                    (id, workspace_id, name, profile_name, company, email, sort_name, search_text, created_at, updated_at)
                SELECT gen_random_uuid(), %(workspace)s, 'Contact ' || md5(n::text), '', 'Company ' || mod(n, 100), n || '@example.com',
                       'contact ' || md5(n::text), ' contact ' || md5(n::text) || ' ' || 4915100000000 + n, now(), now()
                FROM generate_series(1, %(count)s) n RETURNING id, workspace_id, email
            )
            INSERT INTO crm_contactidentity
                (id, workspace_id, contact_id, kind, value, match_key, holds_key, source, observed_at)
            SELECT gen_random_uuid(), workspace_id, id, 'phone', '+' || 4915100000000 + split_part(email, '@', 1)::bigint,
                   (4915100000000 + split_part(email, '@', 1)::bigint)::text, true, 'import', now()
            FROM made
            """,
            {"workspace": workspace.pk, "count": CONTACTS},
        )
        cursor.execute("ANALYZE")
    secret = "s" * 43
    instance, _ = instances.register_instance(
        id=uuid7(), secret=secret, installed_at=timezone.now(), version="2.0.0", time_zone="UTC"
    )
    return tokens.log_in_instance(user=user, instance=instance).access_token


def _statement() -> str:
    """The statement that the product runs for the page, with its parameters."""
    from django.db import connection

    from accounts.models import Workspace
    from crm.search.orders import segments_of
    from crm.services.contact_pages import plain_page

    workspace = Workspace.objects.latest("created_at")
    statement = plain_page(segments_of(workspace, "name")[0], False, 51)
    with connection.cursor() as cursor:
        return cursor.mogrify(statement._sql, [workspace.pk]).decode()
