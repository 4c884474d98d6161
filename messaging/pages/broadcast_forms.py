"""The forms of a broadcast: what it says and when it goes, and whom it is for."""

from dataclasses import dataclass

from django import forms
from django.http import QueryDict
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from accounts.models import User, Workspace
from crm.models import ImportBatch, Tag, WhatsAppAccount
from crm.pages.filter_language import Said, filter_of, said_by
from crm.pages.filter_rows import Row, Subject, is_finished, rows_of, subjects
from crm.pages.reminder_forms import WallTimeField
from crm.services.tabs import tabs_in_order
from messaging.models import Broadcast, HoursOf
from messaging.models.broadcasts import EVERY_DAY
from messaging.services.broadcasts.drafting import MAX_NAME, MAX_RATE
from waplus.lib.ids import uuid7
from waplus.lib.text import place_in
from waplus.lib.walltime import zone_names

DAYS = [
    *((1, gettext_lazy("Mon")), (2, gettext_lazy("Tue")), (3, gettext_lazy("Wed")), (4, gettext_lazy("Thu"))),
    *((5, gettext_lazy("Fri")), (6, gettext_lazy("Sat")), (7, gettext_lazy("Sun"))),
]


class BroadcastForm(forms.Form):
    """Name, number, times and pace: all but what it says (`MessageParts`). Sending a form twice makes one draft, by its id."""

    id = forms.UUIDField(widget=forms.HiddenInput, required=False)
    name = forms.CharField(
        label=gettext_lazy("Name"),
        max_length=MAX_NAME,
        help_text=gettext_lazy("For your team; recipients never see it."),
    )
    whatsapp_account = forms.ChoiceField(
        label=gettext_lazy("From which number?"),
        error_messages={"invalid_choice": gettext_lazy("Choose one of the list.")},
    )
    start_wall = WallTimeField(
        label=gettext_lazy("Start"), required=False, help_text=gettext_lazy("Empty: as soon as somebody starts it.")
    )
    end_wall = WallTimeField(
        label=gettext_lazy("End"),
        required=False,
        help_text=gettext_lazy("Whoever has not got it by then gets nothing."),
    )
    time_zone = forms.CharField(
        label=gettext_lazy("Time zone"),
        max_length=64,
        widget=forms.TextInput(attrs={"list": "zones", "autocomplete": "off"}),
    )
    hours_days = forms.TypedMultipleChoiceField(
        label=gettext_lazy("On these days"),
        choices=DAYS,
        coerce=int,
        widget=forms.CheckboxSelectMultiple,
        required=False,
    )
    hours_from = forms.TimeField(
        label=gettext_lazy("From"), required=False, widget=forms.TimeInput(attrs={"type": "time"}, format="%H:%M")
    )
    hours_to = forms.TimeField(
        label=gettext_lazy("Until"), required=False, widget=forms.TimeInput(attrs={"type": "time"}, format="%H:%M")
    )
    hours_of = forms.ChoiceField(label=gettext_lazy("By whose clock?"), choices=HoursOf)
    rate_per_hour = forms.IntegerField(
        label=gettext_lazy("At most so many people an hour"), required=False, min_value=1, max_value=MAX_RATE
    )
    allow_partial = forms.BooleanField(
        label=gettext_lazy("If the plan does not allow all of them, send to as many as it does"), required=False
    )

    def __init__(self, *args, workspace: Workspace, **kwargs):
        super().__init__(*args, **kwargs)
        accounts = WhatsAppAccount.objects.for_workspace(workspace).order_by("id")
        self.accounts = {str(account.pk): account for account in accounts}
        self.fields["whatsapp_account"].choices = [(key, str(account)) for key, account in self.accounts.items()]

    def clean_whatsapp_account(self) -> WhatsAppAccount:
        return self.accounts[self.cleaned_data["whatsapp_account"]]

    def clean_time_zone(self) -> str:
        if self.cleaned_data["time_zone"] not in zone_names():
            raise forms.ValidationError(_("This is no time zone. Choose one of the list."), code="invalid")
        return self.cleaned_data["time_zone"]

    @property
    def values(self) -> dict:
        """What the services take."""
        values = dict(self.cleaned_data)
        hours = {
            "days": values.pop("hours_days"),
            "from": values.pop("hours_from"),
            "to": values.pop("hours_to"),
            "of": values.pop("hours_of"),
        }
        return {**values, "hours": hours}


def initial_of(broadcast: Broadcast | None, user: User) -> dict:
    """What the form begins with."""
    if broadcast is None:
        return {
            "id": uuid7(),
            "time_zone": user.time_zone,
            "hours_of": HoursOf.RECIPIENT,
            "hours_days": list(EVERY_DAY),
        }
    names = [name for name in BroadcastForm.base_fields if name not in ("id", "whatsapp_account")]
    return {name: getattr(broadcast, name) for name in names} | {"whatsapp_account": str(broadcast.whatsapp_account_id)}


@dataclass
class AudienceForm:
    """Whom a broadcast is for: conditions as in the list of contacts, and tags, tabs and imports by name.

    What the form has no words for (lists of ids, filters of the API) is kept as it is, in `others`.
    """

    known: dict[str, Subject]
    choices: dict[str, list[tuple[str, str]]]
    rows: list[Row]
    match: str
    everybody: bool
    chosen: dict[str, list[str]]
    others: dict[str, list[dict]]

    @classmethod
    def _empty(cls, workspace: Workspace, user: User) -> "AudienceForm":
        tags = Tag.objects.for_workspace(workspace).order_by("position", "id").values_list("id", "name")
        imports = ImportBatch.objects.for_workspace(workspace).filter(state="finished").order_by("-id")[:50]
        tabs = [(str(tab.pk), tab.name) for tab in tabs_in_order(workspace=workspace, user=user)]
        choices = {
            "tags": [(str(id), name) for id, name in tags],
            "tab": tabs,
            "import": [(str(batch.pk), batch.file_name) for batch in imports],
        }
        return cls(subjects(workspace), choices, [], "all", False, {}, {"include": [], "exclude": []})

    @classmethod
    def of(cls, broadcast: Broadcast, user: User) -> "AudienceForm":
        """As the draft has it."""
        form = cls._empty(broadcast.workspace, user)
        for part in ("include", "exclude"):
            for source in broadcast.audience.get(part, []):
                form._take(part, source)
        return form

    def _take(self, part: str, source: dict) -> None:
        [(kind, value)] = source.items()
        if kind == "filter" and part == "include" and not self.rows and not self.everybody:
            if value == {}:
                self.everybody = True
                return
            said = said_by(value, self.known, searchable=False)
            if said is not None:
                self.rows, self.match = list(said.rows), said.match
                return
        offered = dict(self.choices.get(kind, []))
        wanted = value if isinstance(value, list) else [value]
        if kind in self.choices and all(each in offered for each in wanted):
            self.chosen.setdefault(f"{part}_{kind}", []).extend(wanted)
        else:
            self.others[part].append(source)

    @classmethod
    def sent(cls, data: QueryDict, broadcast: Broadcast, user: User) -> "AudienceForm":
        """As it was sent, with one condition more or less if a button asked for that."""
        form = cls._empty(broadcast.workspace, user)
        form.others = cls.of(broadcast, user).others if not data.get("forget") else form.others
        form.everybody = bool(data.get("everybody"))
        form.match = "any" if data.get("match") == "any" else "all"
        form.rows = rows_of(data, form.known)
        if (drop := place_in(form.rows, data.get("drop", ""))) is not None:
            del form.rows[drop]
        if subject := form.known.get(data.get("add", "")):
            form.rows.append(Row(subject.key, subject.ops[0][0]))
        for name in ("include_tags", "include_tab", "include_import", "exclude_tags", "exclude_tab", "exclude_import"):
            offered = dict(form.choices[name.partition("_")[2]])
            form.chosen[name] = [value for value in data.getlist(name) if value in offered]
        return form

    def audience(self, zone: str) -> dict:
        """In the language of audiences. `zone` says when days begin."""
        rows = [row for row in self.rows if is_finished(row, self.known)]
        include = [{"filter": {}}] if self.everybody else []
        if rows:
            include.append({"filter": filter_of(rows, self.match, self.known, zone)})
        return {
            "include": [*include, *self._sources("include"), *self.others["include"]],
            "exclude": [*self._sources("exclude"), *self.others["exclude"]],
        }

    def _sources(self, part: str) -> list[dict]:
        tags = self.chosen.get(f"{part}_tags")
        found = [{"tags": tags}] if tags else []
        for kind in ("tab", "import"):
            found += [{kind: value} for value in self.chosen.get(f"{part}_{kind}", [])]
        return found

    @property
    def shown_rows(self) -> list[tuple]:
        """Each condition with its subject and how its value is entered."""
        return [(row, (subject := self.known[row.field]), subject.input_of(row.op)) for row in self.rows]

    @property
    def pickers(self) -> list[dict]:
        """The lists to choose from, as the page shows them."""
        labels = {"tags": _("Tags"), "tab": _("Tabs"), "import": _("Imports")}
        return [
            {
                "label": labels[kind],
                "boxes": [
                    (f"{part}_{kind}", value, label, value in self.chosen.get(f"{part}_{kind}", []))
                    for value, label in self.choices[kind]
                ],
                "open": bool(self.chosen.get(f"{part}_{kind}")),
                "part": part,
            }
            for part in ("include", "exclude")
            for kind in ("tags", "tab", "import")
            if self.choices[kind]
        ]

    def words(self) -> list[str]:
        """Whom it means, a sentence for each source."""
        found = [_("All contacts")] if self.everybody else []
        if rows := tuple(row for row in self.rows if is_finished(row, self.known)):
            found.append(Said("", rows, self.match).words(self.known))
        for part, without in (("include", ""), ("exclude", _("without"))):
            for kind in ("tags", "tab", "import"):
                names = dict(self.choices[kind])
                chosen = [names[value] for value in self.chosen.get(f"{part}_{kind}", [])]
                if chosen:
                    found.append(" ".join(filter(None, (without, ", ".join(chosen)))))
            for source in self.others[part]:
                found.append(" ".join(filter(None, (without, other_words(source)))))
        return found


def other_words(source: dict) -> str:
    """A source that the form has no fields for, in words."""
    [(kind, value)] = source.items()
    if kind == "contacts":
        return _("%(count)s contacts by name") % {"count": len(value)}
    return _("something that was chosen elsewhere, or is gone")
