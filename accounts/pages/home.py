"""Home: what to do next, how much of the plan is used, and who waits for an answer."""

from django.shortcuts import render
from django.views.decorators.http import require_safe

from accounts.next_steps import next_steps
from accounts.page_access import member_page
from accounts.pages.plan import with_warnings
from accounts.services.invitations import open_invitations_of
from accounts.services.plans import usage_table


@require_safe
@member_page()
def home(request, membership):
    """The first page after login."""
    steps = next_steps(membership)
    return render(
        request,
        "pages/home.html",
        {
            "steps": steps,
            "steps_done": sum(step["done"] for step in steps),
            "usage": with_warnings(usage_table(membership.workspace)),
            "invitations": open_invitations_of(request.user),
        },
    )
