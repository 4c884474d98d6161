"""The page behind an invitation's link. Opening it changes nothing; accepting is a POST."""

from django.http import Http404
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.http import urlencode
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods

from accounts import actors
from accounts.page_access import person_page, told
from accounts.services import invitations


@require_http_methods(["GET", "HEAD", "POST"])
@never_cache
def invitation(request, token):
    """Who invites whom to what; a POST of the invited person accepts."""
    found = invitations.find_invitation(token)
    if found is None:
        return render(request, "pages/invitation_gone.html", status=404)
    if request.method == "POST":
        return _accept(request, token, found.workspace.name)
    after = urlencode({"next": request.path})
    is_theirs = request.user.is_authenticated and (
        request.user.emailaddress_set.filter(email__iexact=found.email, verified=True).exists()
    )
    return render(
        request,
        "pages/invitation.html",
        {
            "invitation": found,
            "is_theirs": is_theirs,
            "login_link": f"{reverse('account_login')}?{after}",
            "signup_link": f"{reverse('account_signup')}?{after}&{urlencode({'email': found.email})}",
        },
    )


@person_page
def _accept(request, token, workspace_name):
    try:
        with told(request, _("Welcome to “%(workspace)s”.") % {"workspace": workspace_name}):
            invitations.accept_invitation(token=token, user=request.user, actor=actors.person(request.user))
            return redirect("home")
    except Http404:
        return render(request, "pages/invitation_gone.html", status=404)
    return redirect("invitation", token)
