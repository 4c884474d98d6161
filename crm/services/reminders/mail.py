"""What a reminder says by e-mail, in the recipient's language and zone."""

from email.utils import parseaddr
from zoneinfo import ZoneInfo

from django.conf import settings
from django.core.mail import EmailMessage
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils import timezone, translation

from accounts.models import User
from crm.models import Reminder, ReminderDelivery
from waplus.lib.walltime import zone_names

SUBJECT_LENGTH = 60


def _beginning(text: str) -> str:
    """The beginning of a text on one line, cut at a word."""
    line = " ".join(text.split())
    if len(line) <= SUBJECT_LENGTH:
        return line
    cut = line[:SUBJECT_LENGTH]
    return (cut.rpartition(" ")[0] or cut) + "…"


def reminder_message(*, delivery: ReminderDelivery, reminder: Reminder, recipient: User) -> EmailMessage:
    """The message of a delivery. Its Message-ID is the delivery's, so a mailbox recognises what it has.

    The subject tells no more than the beginning of the reminder; whom it is
    about stands inside.
    """
    language = recipient.language if recipient.language in dict(settings.LANGUAGES) else settings.LANGUAGE_CODE
    zone = recipient.time_zone if recipient.time_zone in zone_names() else "UTC"
    domain = parseaddr(settings.DEFAULT_FROM_EMAIL)[1].rpartition("@")[2] or "localhost"
    with translation.override(language), timezone.override(ZoneInfo(zone)):
        context = {
            "reminder": reminder,
            "beginning": _beginning(reminder.text),
            "due_at": delivery.due_at,
            "zone": zone,
            "about": reminder.contact or reminder.chat,
            "link": settings.BASE_URL + reverse("contact", args=[reminder.contact_id]) if reminder.contact_id else "",
            "profile": settings.BASE_URL + reverse("profile"),
        }
        subject = " ".join(render_to_string("crm/email/reminder_subject.txt", context).split())
        text = render_to_string("crm/email/reminder.txt", context).strip() + "\n"
    return EmailMessage(
        subject,
        text,
        settings.DEFAULT_FROM_EMAIL,
        [recipient.email],
        headers={"Message-ID": f"<reminder.{delivery.pk}@{domain}>", "Auto-Submitted": "auto-generated"},
    )
