"""The budget of a number in the browser: what is used, what waits for what, and the settings."""

from datetime import date, timedelta

from django import forms
from django.contrib import messages
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_http_methods

from accounts import actors
from accounts.models import Role
from accounts.page_access import member_page, refused_at
from crm.models import WhatsAppAccount
from messaging.models import SendingBudget
from messaging.serializers.budget import told as as_told
from messaging.services.budget import update_budget
from messaging.services.budget.changes import SETTINGS, refuse_odd_night
from messaging.services.budget.forecast import forecast
from messaging.services.budget.state import FULL_DAY, ensure_budget, warmed
from waplus.lib.walltime import zone_names

# The settings as the form groups them: a title, what one should know, and the names.
GROUPS = [
    (
        gettext_lazy("Pace"),
        gettext_lazy("So long a number rests after each message."),
        ["spacing_seconds", "jitter_seconds"],
    ),
    (
        gettext_lazy("Limits"),
        gettext_lazy("An empty limit is no limit."),
        ["max_per_hour", "max_per_day", "max_new_per_day"],
    ),
    (
        gettext_lazy("Quiet hours"),
        gettext_lazy(
            "They hold broadcasts and messages to new contacts back, by the recipient’s clock where it is known, else by "
            "this time zone. Empty both for none."
        ),
        ["quiet_from", "quiet_until", "zone"],
    ),
    (
        gettext_lazy("Warm-up"),
        gettext_lazy("A young number sends a little more each day. Empty the first day if yours is not young."),
        ["warm_up_from", "warm_up_start", "warm_up_days"],
    ),
    (
        gettext_lazy("Answers"),
        gettext_lazy(
            "If fewer new contacts write back within seven days, messages to more of them wait. Empty: no limit."
        ),
        ["min_reply_percent"],
    ),
]


class BudgetForm(forms.ModelForm):
    """The settings of a budget."""

    class Meta:
        model = SendingBudget
        fields = SETTINGS
        widgets = {
            "quiet_from": forms.TimeInput(attrs={"type": "time"}, format="%H:%M"),
            "quiet_until": forms.TimeInput(attrs={"type": "time"}, format="%H:%M"),
            "warm_up_from": forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d"),
        }

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        self.fields["zone"] = forms.ChoiceField(
            label=self.fields["zone"].label, choices=[(name, name) for name in sorted(zone_names())]
        )
        for name in SETTINGS:
            self.fields[name].required = not SendingBudget._meta.get_field(name).null

    def clean(self) -> dict:
        """What a constraint would say by its name is said in words before."""
        values = super().clean()
        if not {"quiet_from", "quiet_until"} & set(self.errors):
            with refused_at(self):
                refuse_odd_night(values.get("quiet_from"), values.get("quiet_until"))
        return values


@require_http_methods(["GET", "HEAD", "POST"])
@member_page()
def number_budget(request, membership, account_id):
    """What a number may send; a POST by an admin changes it."""
    account = get_object_or_404(WhatsAppAccount.objects.for_workspace(membership.workspace), pk=account_id)
    budget = ensure_budget(account, timezone.now())
    may_change = membership.may(Role.ADMIN)
    form = BudgetForm(request.POST if request.method == "POST" and may_change else None, instance=budget)
    if request.method == "POST" and may_change:
        by = {"workspace": membership.workspace, "actor": actors.person(request.user), "account_id": account.pk}
        if request.POST.get("do") == "resume":
            update_budget(**by, resume_cold=True)
            messages.success(request, _("Messages to new contacts go on."))
            return redirect("number-budget", account.pk)
        if form.is_valid():
            with refused_at(form):
                update_budget(**by, **{name: form.cleaned_data[name] for name in SETTINGS})
                messages.success(request, _("The budget is saved."))
                return redirect("number-budget", account.pk)
        budget.refresh_from_db()
    warm_up = _bars(budget, timezone.localdate())
    context = {
        "account": account,
        "budget": budget,
        **seen_of(budget, account),
        "form": form,
        "groups": [(title, help, [form[name] for name in names]) for title, help, names in GROUPS],
        "may_change": may_change,
        "warm_up": warm_up,
        "warm_up_width": 12 * len(warm_up),
    }
    return render(request, "messaging/number_budget.html", context)


def seen_of(budget: SendingBudget, account: WhatsAppAccount) -> dict:
    """What is used up and what waits, as pages show it. It looks at everything that waits, so no page asks again by itself."""
    seen = as_told(budget, forecast(account))
    labels = (("hour", _("In the last hour")), ("day", _("Today")), ("new_contacts", _("New contacts today")))
    return {"seen": seen, "meters": [{"label": label, **seen[key]} for key, label in labels]}


def _bars(budget: SendingBudget, today: date) -> list[dict]:
    """The days of a warm-up that is under way, as bars: place, height of 100, number, and whether it is today."""
    since = budget.warm_up_from
    if since is None or not 0 <= (today - since).days < budget.warm_up_days:
        return []
    limits = [
        (day, warmed(since, budget.warm_up_start, budget.warm_up_days, day, budget.max_per_day or FULL_DAY, None)[1])
        for day in (since + timedelta(days=n) for n in range(budget.warm_up_days + 1))
    ]
    most = max(limit for _day, limit in limits)
    return [
        {
            "x": n * 12,
            "y": 100 - max(2, round(limit * 100 / most)),
            "height": max(2, round(limit * 100 / most)),
            "limit": limit,
            "day": day,
            "today": day == today,
        }
        for n, (day, limit) in enumerate(limits)
    ]
