"""The form of a reminder, and reminders made ready to be shown with theirs."""

from datetime import datetime, time, timedelta
from zoneinfo import ZoneInfo

from django import forms
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from accounts.models import User
from crm.models import Reminder, ReminderState
from crm.models.reminders import MAX_REMINDER
from crm.pages.recurrence import CHOICES, in_words
from waplus.lib.ids import uuid7

MORNING = time(9)


class WallTimeInput(forms.DateTimeInput):
    """The browser's own chooser of a day and a time, without seconds."""

    def __init__(self):
        super().__init__(attrs={"type": "datetime-local"}, format="%Y-%m-%dT%H:%M")


class WallTimeField(forms.Field):
    """A wall-clock time, naive: the zone is the person's."""

    widget = WallTimeInput

    def to_python(self, value) -> datetime | None:
        if value in self.empty_values:
            return None
        try:
            moment = datetime.fromisoformat(value)
        except (ValueError, TypeError):
            moment = None
        if moment is None or moment.tzinfo is not None:
            raise forms.ValidationError(_("Choose a day and a time."), code="invalid")
        return moment


class ReminderForm(forms.Form):
    """A reminder. A new one's id is made with the form, so that sending it twice makes one."""

    id = forms.UUIDField(widget=forms.HiddenInput, required=False)
    text = forms.CharField(
        label=gettext_lazy("What about?"),
        max_length=MAX_REMINDER,
        widget=forms.TextInput(attrs={"autocomplete": "off"}),
    )
    wall_time = WallTimeField(label=gettext_lazy("When?"))
    rrule = forms.ChoiceField(label=gettext_lazy("How often?"), choices=CHOICES, required=False)
    assignee = forms.ChoiceField(label=gettext_lazy("For whom?"))

    def __init__(self, *args, members: list[User], **kwargs):
        super().__init__(*args, **kwargs)
        self.fields["assignee"].choices = [(str(member.pk), str(member)) for member in members]
        chosen = self.initial.get("rrule")
        if chosen and chosen not in dict(CHOICES):
            self.fields["rrule"].choices = [*CHOICES, (chosen, in_words(chosen))]
        self.members = {str(member.pk): member for member in members}

    def clean_assignee(self) -> User:
        return self.members[self.cleaned_data["assignee"]]


def new_form(user: User, members: list[User], prefix: str = "reminder") -> ReminderForm:
    """A form for a new reminder, tomorrow morning unless something else is chosen."""
    now = timezone.now().astimezone(ZoneInfo(user.time_zone)).replace(tzinfo=None)
    tomorrow = datetime.combine(now.date() + timedelta(days=1), MORNING)
    initial = {"id": uuid7(), "wall_time": tomorrow, "assignee": str(user.pk)}
    return ReminderForm(initial=initial, members=members, auto_id=f"{prefix}-%s")


def with_forms(rows: list[Reminder], members: list[User], refused: ReminderForm | None = None, refused_id=None):
    """Each reminder with its words and its form; the one that was refused with its errors."""
    now = timezone.now()
    for reminder in rows:
        reminder.is_overdue = reminder.state == ReminderState.OPEN and reminder.due_at <= now
        reminder.recurs = in_words(reminder.rrule) if reminder.rrule else ""
        reminder.form = refused
        if reminder.pk != refused_id:
            initial = {
                "text": reminder.text,
                "wall_time": reminder.occurrence_wall,
                "rrule": reminder.rrule,
                "assignee": str(reminder.assignee_id or ""),
            }
            reminder.form = ReminderForm(initial=initial, members=members, auto_id=f"reminder-{reminder.pk}-%s")
    return rows
