"""What has an end of its own goes when it is reached."""

from datetime import timedelta

from allauth.usersessions.models import UserSession
from django.contrib.sessions.models import Session
from django.db import transaction
from django.db.models import Exists, OuterRef
from django.utils import timezone

from accounts.idempotency import delete_old_records
from accounts.models import ExtensionInstance, Invitation
from accounts.services.tokens import delete_expired_tokens

# An expired invitation stays for a while on the team's page, where it can be sent again.
INVITATION_REST = timedelta(days=30)
# An installation that nobody ever logged in with, or that was signed out, and that was not heard of again.
ANONYMOUS_REST = timedelta(days=180)


@transaction.atomic
def delete_expired() -> dict[str, int]:
    """Delete expired tokens, browser sessions, invitations, kept answers and forgotten installations; answers how many."""
    now = timezone.now()
    living = Session.objects.filter(session_key=OuterRef("session_key"))
    anonymous = ExtensionInstance.objects.filter(user=None, sessions=None, seen_at__lt=now - ANONYMOUS_REST)
    return {
        "tokens": delete_expired_tokens(),
        "answers": delete_old_records(),
        "sessions": Session.objects.filter(expire_date__lt=now).delete()[0],
        "browsers": UserSession.objects.filter(~Exists(living)).delete()[0],
        "invitations": Invitation.objects.filter(expires_at__lt=now - INVITATION_REST).delete()[0],
        "instances": anonymous.delete()[0],
    }
