"""Security: what protects the account, in one place."""

from allauth.mfa.models import Authenticator
from allauth.usersessions.models import UserSession
from django.shortcuts import render
from django.views.decorators.http import require_safe

from accounts.models import ExtensionInstance
from accounts.page_access import person_page


@require_safe
@person_page
def security(request):
    """Password, second factor, recovery codes, and where one is logged in."""
    rows = list(Authenticator.objects.filter(user=request.user))
    codes = next((row for row in rows if row.type == Authenticator.Type.RECOVERY_CODES), None)
    return render(
        request,
        "pages/security.html",
        {
            "totp": next((row for row in rows if row.type == Authenticator.Type.TOTP), None),
            "passkeys": [row for row in rows if row.type == Authenticator.Type.WEBAUTHN],
            "codes_left": len(codes.wrap().get_unused_codes()) if codes else None,
            "browser_count": UserSession.objects.filter(user=request.user).count(),
            "device_count": ExtensionInstance.objects.filter(user=request.user).count(),
        },
    )
