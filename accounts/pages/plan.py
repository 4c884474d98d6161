"""The plan: limits, use, and what the other plans allow."""

from django.conf import settings
from django.shortcuts import render
from django.views.decorators.http import require_safe

from accounts.models import Plan, Resource
from accounts.models.plans import BYTES
from accounts.page_access import member_page
from accounts.services.plans import usage_table

WARN_AT = 0.8


def with_warnings(rows: list[dict]) -> list[dict]:
    """Usage with the amount from which a meter changes its colour."""
    return [{**row, "high": max(int(row["limit"] * WARN_AT), 1), "full": row["used"] >= row["limit"]} for row in rows]


@require_safe
@member_page()
def plan(request, membership):
    """The workspace's plan beside the others."""
    plans = [
        {"plan": one, "limits": [(resource.label, one.limit_of(resource), resource in BYTES) for resource in Resource]}
        for one in Plan.objects.all()
    ]
    return render(
        request,
        "pages/plan.html",
        {
            "plan": membership.workspace.plan,
            "plans": plans,
            "usage": with_warnings(usage_table(membership.workspace)),
            "support_email": settings.SUPPORT_EMAIL,
        },
    )
