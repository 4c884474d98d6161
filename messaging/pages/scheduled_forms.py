"""The form of a scheduled message: whom, what, when, how often, by whose clock."""

from datetime import datetime, time, timedelta
from uuid import UUID
from zoneinfo import ZoneInfo

from django import forms
from django.http import QueryDict
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from accounts.models import User, Workspace
from crm.models import Chat, Contact, WhatsAppAccount
from crm.pages.recurrence import CHOICES, in_words
from crm.pages.reminder_forms import WallTimeField
from messaging.models import ScheduleClock, ScheduledMessage
from messaging.pages.message_parts import unjudged
from messaging.services.scheduling.recipients import To
from waplus.lib.ids import uuid7
from waplus.lib.walltime import zone_names

MORNING = time(9)
AUTO_ID = "schedule-%s"
ENDS = [("", gettext_lazy("Never")), ("count", gettext_lazy("After some times")), ("until", gettext_lazy("On a day"))]
LATE = [
    (10, gettext_lazy("10 minutes")),
    (60, gettext_lazy("An hour")),
    (240, gettext_lazy("Four hours")),
    (1440, gettext_lazy("A day")),
]


class ScheduleForm(forms.Form):
    """A scheduled message, but for its parts (`MessageParts`). A new one's id is made with the form, so that sending it twice makes one.

    `to` names recipients as `contact:<id>` or `chat:<WhatsApp id>`.
    """

    id = forms.UUIDField(widget=forms.HiddenInput, required=False)
    whatsapp_account = forms.ChoiceField(
        label=gettext_lazy("From which number?"),
        error_messages={"invalid_choice": gettext_lazy("Choose one of the list.")},
    )
    wall_time = WallTimeField(label=gettext_lazy("When?"))
    time_zone = forms.CharField(
        label=gettext_lazy("Time zone"),
        max_length=64,
        widget=forms.TextInput(attrs={"list": "zones", "autocomplete": "off"}),
    )
    clock = forms.ChoiceField(label=gettext_lazy("By whose clock?"), choices=ScheduleClock)
    rrule = forms.ChoiceField(label=gettext_lazy("How often?"), choices=CHOICES, required=False)
    ends = forms.ChoiceField(label=gettext_lazy("Ends"), choices=ENDS, required=False)
    ends_count = forms.IntegerField(label=gettext_lazy("Times"), min_value=1, max_value=5000, required=False)
    ends_on = forms.DateField(
        label=gettext_lazy("Last day"), required=False, widget=forms.DateInput(attrs={"type": "date"})
    )
    lateness_minutes = forms.TypedChoiceField(label=gettext_lazy("May be late by"), choices=LATE, coerce=int)
    on_late = forms.ChoiceField(
        label=gettext_lazy("If it is later"),
        choices=[("skip", gettext_lazy("Skip it")), ("ask", gettext_lazy("Ask somebody"))],
    )

    def __init__(self, *args, workspace: Workspace, **kwargs):
        super().__init__(*args, **kwargs)
        self.workspace = workspace
        accounts = WhatsAppAccount.objects.for_workspace(workspace).order_by("id")
        self.accounts = {str(account.pk): account for account in accounts}
        self.fields["whatsapp_account"].choices = [(key, str(account)) for key, account in self.accounts.items()]
        for name in ("rrule", "lateness_minutes"):
            self._keep(name)

    def _keep(self, name: str) -> None:
        """Offer also what is chosen already, where it is none of the usual choices."""
        chosen = self.initial.get(name)
        offered = {str(key) for key, _label in self.fields[name].choices}
        if chosen and str(chosen) not in offered:
            label = in_words(chosen) if name == "rrule" else str(chosen)
            self.fields[name].choices = [*self.fields[name].choices, (chosen, label)]

    def clean_whatsapp_account(self) -> WhatsAppAccount:
        return self.accounts[self.cleaned_data["whatsapp_account"]]

    def clean_time_zone(self) -> str:
        zone = self.cleaned_data["time_zone"].strip()
        if zone not in zone_names():
            raise forms.ValidationError(_("Choose a time zone such as America/Sao_Paulo."), code="invalid_time_zone")
        return zone

    def clean(self):
        values = super().clean()
        rule, ends = values.get("rrule"), values.get("ends")
        if rule and ends == "count" and "COUNT" not in rule and "UNTIL" not in rule:
            if not values.get("ends_count"):
                self.add_error("ends_count", _("Say how many times."))
            else:
                values["rrule"] = f"{rule};COUNT={values['ends_count']}"
        if rule and ends == "until" and "COUNT" not in rule and "UNTIL" not in rule:
            if not values.get("ends_on"):
                self.add_error("ends_on", _("Choose the last day."))
            else:
                values["rrule"] = f"{rule};UNTIL={values['ends_on']:%Y%m%d}"
        return values

    @classmethod
    def again(cls, data: QueryDict, *, workspace: Workspace, initial: dict | None = None) -> "ScheduleForm":
        """The form as it was sent, without a judgement: a button of it asked for something else than to save it."""
        return cls(initial={**(initial or {}), **unjudged(cls, data)}, workspace=workspace, auto_id=AUTO_ID)

    def values(self) -> dict:
        """What the service is given, but for recipients and parts."""
        names = ("whatsapp_account", "wall_time", "time_zone", "clock", "rrule", "lateness_minutes", "on_late")
        return {name: self.cleaned_data[name] for name in names}


def new_form(user: User, workspace: Workspace) -> ScheduleForm:
    """A form for a new message, tomorrow morning unless something else is chosen."""
    now = timezone.now().astimezone(ZoneInfo(user.time_zone))
    tomorrow = datetime.combine(now.date() + timedelta(days=1), MORNING)
    initial = {
        "id": uuid7(),
        "wall_time": tomorrow,
        "time_zone": user.time_zone,
        "clock": ScheduleClock.SENDER,
        "lateness_minutes": 60,
        "on_late": "skip",
    }
    return ScheduleForm(initial=initial, workspace=workspace, auto_id=AUTO_ID)


def form_of(message: ScheduledMessage) -> ScheduleForm:
    """The form of a message as it is."""
    initial = {
        "whatsapp_account": str(message.whatsapp_account_id),
        "wall_time": message.wall_time,
        "time_zone": message.time_zone,
        "clock": message.clock,
        "rrule": message.rrule,
        "lateness_minutes": message.lateness_minutes,
        "on_late": message.on_late,
    }
    return ScheduleForm(initial=initial, workspace=message.workspace, auto_id=AUTO_ID)


def recipients_of(workspace: Workspace, named: list[str]) -> list[To]:
    """Recipients as a form names them; what is not there (any more) is left out."""
    ids, chats = [], []
    for name in dict.fromkeys(named):
        kind, _colon, value = name.partition(":")
        if kind == "chat":
            chats.append(value)
        elif kind == "contact":
            try:
                ids.append(UUID(value))
            except ValueError:
                continue
    contacts = Contact.objects.for_workspace(workspace).alive().in_bulk(ids)
    known = set(Chat.objects.for_workspace(workspace).filter(jid__in=chats).values_list("jid", flat=True))
    return [
        *(To(contact=contacts[id]) for id in ids if id in contacts),
        *(To(chat_jid=jid) for jid in chats if jid in known),
    ]
