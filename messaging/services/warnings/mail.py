"""What a warning says by e-mail, in the recipient's language and zone, and sending it at most once."""

from datetime import datetime, timedelta
from email.utils import parseaddr
from zoneinfo import ZoneInfo

from django.conf import settings
from django.core.mail import EmailMessage
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils import timezone, translation

from accounts.models import Membership, User
from messaging.models import DispatchWarning, WarningMail
from messaging.services.warnings.sweep import COUNTED
from waplus.lib.mail_once import MailOnce
from waplus.lib.walltime import zone_names

# A warning that could not be sent for so long warns of nothing any more.
LATEST = timedelta(hours=2)


class WarningMails(MailOnce):
    """The mails of warnings."""

    model = WarningMail

    def latest(self, row: WarningMail) -> datetime:
        return row.noted_at + LATEST

    def message(self, row: WarningMail, now: datetime) -> EmailMessage | None:
        """The warning must still stand, and the person be a member who wants to be warned."""
        open_warnings = DispatchWarning.objects.filter(pk=row.warning_id, resolved_at=None)
        warning = open_warnings.select_related("workspace", "whatsapp_account").first()
        members = Membership.objects.filter(
            workspace=row.workspace_id, user=row.recipient_id, user__is_active=True, user__warnings_by_email=True
        )
        membership = members.select_related("user").first()
        if warning is None or membership is None:
            return None
        return warning_message(mail=row, warning=warning, recipient=membership.user)


def send_warning_mails() -> dict[str, int]:
    """Send what is noted; answers how many ended how."""
    return WarningMails().send_waiting()


def warning_message(*, mail: WarningMail, warning: DispatchWarning, recipient: User) -> EmailMessage:
    """The message to one recipient. Its Message-ID is the row's, so a mailbox recognises what it has.

    It names the number and how many messages wait, never what they say or to whom.
    """
    language = recipient.language if recipient.language in dict(settings.LANGUAGES) else settings.LANGUAGE_CODE
    zone = recipient.time_zone if recipient.time_zone in zone_names() else "UTC"
    domain = parseaddr(settings.DEFAULT_FROM_EMAIL)[1].rpartition("@")[2] or "localhost"
    with translation.override(language), timezone.override(ZoneInfo(zone)):
        context = {
            "warning": warning,
            "number": str(warning.whatsapp_account),
            "count": warning.message_count,
            "is_capped": warning.message_count >= COUNTED,
            "zone": zone,
            "link": settings.BASE_URL + reverse("number", args=[warning.whatsapp_account_id]),
            "profile": settings.BASE_URL + reverse("profile"),
        }
        subject = " ".join(render_to_string("messaging/email/warning_subject.txt", context).split())
        text = render_to_string("messaging/email/warning.txt", context).strip() + "\n"
    return EmailMessage(
        subject,
        text,
        settings.DEFAULT_FROM_EMAIL,
        [recipient.email],
        headers={"Message-ID": f"<warning.{mail.pk}@{domain}>", "Auto-Submitted": "auto-generated"},
    )
