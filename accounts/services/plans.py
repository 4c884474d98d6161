"""Plans: limits that hold under concurrency.

A service reserves before it writes and releases when it deletes, in the same
transaction. The conditional update locks the usage row until commit, so two
requests that race for the last place take turns, and a rollback gives the
place back by itself.
"""

import logging
from collections.abc import Callable
from datetime import date
from functools import cache

from django.db import transaction
from django.db.models import F
from django.db.models.functions import Greatest
from django.template.defaultfilters import filesizeformat
from django.utils import timezone

from accounts.actors import Actor
from accounts.models import Membership, Plan, Resource, Usage, Workspace
from accounts.models.plans import BYTES, MONTHLY
from accounts.services.events import record_event
from waplus.lib.errors import Refused
from waplus.lib.prepared import PreparedStatement

logger = logging.getLogger(__name__)

_LIMIT = "(SELECT p.max_{resource} FROM accounts_workspace w JOIN accounts_plan p ON p.id = w.plan_id WHERE w.id = {workspace})"
_RESERVE = """
INSERT INTO accounts_usage (id, workspace_id, resource, period, used)
SELECT gen_random_uuid(), {workspace}, '{resource}', {period}, {amount} WHERE {amount} <= {limit}
ON CONFLICT (workspace_id, resource, period) DO UPDATE SET used = accounts_usage.used + excluded.used
WHERE accounts_usage.used + excluded.used <= {limit}
RETURNING used
"""


def reserving(resource: Resource, *, workspace: str, amount: str, period: str = "NULL::date") -> str:
    """SQL that takes an amount of a limit, for a statement that reserves and writes at once: a row, or none if it is too much.

    The arguments are SQL. The plan is read by the same statement, because a
    workspace at hand may be older than a change of plan.
    """
    limit = _LIMIT.format(resource=resource.value, workspace=workspace)
    return _RESERVE.format(resource=resource.value, workspace=workspace, amount=amount, period=period, limit=limit)


@cache
def _reserve_statement(resource: Resource) -> PreparedStatement:
    return PreparedStatement(reserving(resource, workspace="$1::uuid", period="$2::date", amount="$3::bigint"))


def _period(resource: Resource) -> date | None:
    return timezone.now().date().replace(day=1) if resource in MONTHLY else None


def reserve(*, workspace: Workspace, resource: Resource, amount: int = 1) -> None:
    """Take `amount` of a limit, or raise `plan_limit_reached` with `limit`, `used` and `resource`."""
    if amount and not _reserve_statement(resource).fetch([workspace.pk, _period(resource), amount]):
        raise limit_reached(workspace=workspace, resource=resource, amount=amount)


def limit_reached(*, workspace: Workspace, resource: Resource, amount: int = 1) -> Refused:
    """The refusal of a reservation, with the numbers of now."""
    plan = Plan.objects.get(workspaces=workspace.pk)
    limit, used = plan.limit_of(resource), used_of(workspace=workspace, resource=resource)
    if resource in BYTES:
        sentence = f"The plan “{plan.name}” stores {filesizeformat(limit)} of files; {filesizeformat(used)} are in use, and this needs {filesizeformat(amount)} more."
    else:
        sentence = (
            f"The plan “{plan.name}” allows {limit:,} × {Resource(resource).label.lower()}; {used:,} are in use"
            + (f", and this needs {amount:,} more." if amount > 1 else ".")
        )
    return Refused(
        "plan_limit_reached",
        sentence.replace("\xa0", " "),
        extra={"resource": resource.value, "limit": limit, "used": used},
    )


def release(*, workspace: Workspace, resource: Resource, amount: int = 1) -> None:
    """Give back what was reserved; never below nothing."""
    if amount:
        Usage.objects.filter(workspace=workspace, resource=resource, period=_period(resource)).update(
            used=Greatest(F("used") - amount, 0)
        )


def wait_turn(*, workspace: Workspace, resource: Resource) -> None:
    """Lock the usage as a reservation does, without taking anything: for what else has to happen in turns with them."""
    usage = Usage.objects.filter(workspace=workspace, resource=resource, period=_period(resource))
    usage.select_for_update(no_key=True).first()


def used_of(*, workspace: Workspace, resource: Resource) -> int:
    """How much of a resource is used now, or this month."""
    used = Usage.objects.filter(workspace=workspace, resource=resource, period=_period(resource)).values_list(
        "used", flat=True
    )
    return used.first() or 0


def usage_table(workspace: Workspace) -> list[dict]:
    """Every resource with its limit and its use, for people and for the extension."""
    rows = {(row.resource, row.period): row.used for row in Usage.objects.filter(workspace=workspace)}
    return [
        {
            "resource": resource.value,
            "label": resource.label,
            "limit": workspace.plan.limit_of(resource),
            "used": rows.get((resource.value, _period(resource)), 0),
            "monthly": resource in MONTHLY,
            "bytes": resource in BYTES,
        }
        for resource in Resource
    ]


@transaction.atomic
def change_plan(*, workspace: Workspace, plan: Plan, actor: Actor) -> list[dict]:
    """Put a workspace on another plan. What is there stays; answers the resources that are now above their limit."""
    workspace = Workspace.objects.select_for_update(no_key=True).get(pk=workspace.pk)
    if workspace.plan_id != plan.pk:
        workspace.plan = plan
        workspace.save(update_fields=["plan"])
        record_event(kind="workspace.plan_changed", actor=actor, workspace=workspace, obj=workspace, changed=["plan"])
    return [row for row in usage_table(workspace) if row["used"] > row["limit"]]


@transaction.atomic
def update_plan(*, plan: Plan, actor: Actor, **values) -> Plan:
    """Change a plan for everybody who is on it. Making it the default one takes that from the plan that was."""
    rows = {row.pk: row for row in Plan.objects.select_for_update().order_by("pk")}
    plan = rows[plan.pk]
    changed = [name for name, value in values.items() if getattr(plan, name) != value]
    if "is_default" in changed:
        if not values["is_default"]:
            raise Refused("conflict", "New workspaces need a plan: make another one the default instead.")
        Plan.objects.filter(is_default=True).update(is_default=False)
    for name in changed:
        setattr(plan, name, values[name])
    if changed:
        plan.save(update_fields=changed)
        record_event(kind="plan.updated", actor=actor, workspace=None, obj=plan, changed=changed)
    return plan


# What is counted by rows can be counted again; apps add theirs at start.
_recounts: dict[Resource, Callable[[Workspace], int]] = {
    Resource.MEMBERS: lambda workspace: Membership.objects.for_workspace(workspace).count()
}


def register_recount(resource: Resource, count: Callable[[Workspace], int]) -> None:
    """Tell how the rows behind a resource are counted."""
    _recounts[resource] = count


def recount(workspace: Workspace, *resources: Resource) -> dict[str, tuple[int, int]]:
    """Set usage (of all resources, or of some) to what is really there; answers what was wrong as `{resource: (was, is)}`.

    A service whose deletion takes rows of higher floors along calls it for their
    resources, which it can name but not count.

    The usage row is locked first, so that no reservation can slip in between
    the count and its correction.
    """
    wrong = {}
    for resource, count in _recounts.items():
        if resources and resource not in resources:
            continue
        with transaction.atomic():
            Usage.objects.get_or_create(workspace=workspace, resource=resource, period=None)
            usage = Usage.objects.select_for_update().get(workspace=workspace, resource=resource, period=None)
            actual = count(workspace)
            if usage.used != actual:
                wrong[resource.value] = (usage.used, actual)
                Usage.objects.filter(pk=usage.pk).update(used=actual)
                if not resources:
                    logger.error("usage of %s in %s was %s and is %s", resource.value, workspace.pk, usage.used, actual)
    return wrong
