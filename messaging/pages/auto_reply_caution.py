"""How cautious automatic replies are: every limit with what it is for, and a form for who may change it."""

from django import forms
from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_http_methods

from accounts import actors
from accounts.models import Role
from accounts.page_access import member_page
from messaging.models import AutoReplySetting
from messaging.services.auto_replies import rules
from messaging.services.auto_replies.versions import setting_of

# The limits as the page groups them: a title, and for each what it is called and what it is for.
GROUPS = (
    (
        gettext_lazy("When one of you writes"),
        {
            "silence_minutes": (
                gettext_lazy("Minutes of silence after a member wrote"),
                gettext_lazy("For so long no rule answers in that chat. With 0, rules answer at once again."),
            ),
        },
    ),
    (
        gettext_lazy("Not too many answers"),
        {
            "chat_per_hour": (
                gettext_lazy("Answers an hour in one chat"),
                gettext_lazy("Somebody who writes a lot does not get an answer to each message."),
            ),
            "number_per_hour": (
                gettext_lazy("Answers an hour from one number"),
                gettext_lazy(
                    "Over all chats of a WhatsApp number, so that it is not taken for a spammer’s when many write at once."
                ),
            ),
        },
    ),
    (
        gettext_lazy("When a robot writes back"),
        {
            "loop_exchanges": (
                gettext_lazy("Answers in a row without a person"),
                gettext_lazy(
                    "So many answers in one chat, with nobody of you in between, look like two robots talking. Rules are "
                    "then silent there for a day; you can let them answer again before."
                ),
            ),
            "loop_minutes": (
                gettext_lazy("Within so many minutes"),
                gettext_lazy("Only answers of these last minutes count as being in a row."),
            ),
        },
    ),
)


def _bounds(name: str) -> tuple[int, int]:
    """The least and the most that the model allows."""
    limits = {each.code: each.limit_value for each in AutoReplySetting._meta.get_field(name).validators}
    return limits["min_value"], limits["max_value"]


class CautionForm(forms.Form):
    """Every limit as a number; bounds and defaults are the model's."""

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        for _title, limits in GROUPS:
            for name, (label, purpose) in limits.items():
                least, most = _bounds(name)
                default = AutoReplySetting._meta.get_field(name).default
                self.fields[name] = forms.IntegerField(
                    label=label,
                    min_value=least,
                    max_value=most,
                    help_text=_("%(purpose)s Default: %(default)s.") % {"purpose": purpose, "default": default},
                )

    @property
    def groups(self) -> list[tuple]:
        """Titles with their fields."""
        return [(title, [self[name] for name in limits]) for title, limits in GROUPS]


@require_http_methods(["GET", "HEAD", "POST"])
@member_page()
def auto_reply_caution(request, membership):
    """All limits and what they are for; a POST of an admin changes them."""
    is_sent, may_change = request.method == "POST", membership.may(Role.ADMIN)
    if is_sent and not may_change:
        raise PermissionDenied
    setting = setting_of(membership.workspace)
    kept = {name: getattr(setting, name) for name in CautionForm().fields}
    form = CautionForm(request.POST if is_sent else None, initial=kept)
    if is_sent and form.is_valid():
        actor = actors.person(request.user)
        rules.update_setting(workspace=membership.workspace, actor=actor, **form.cleaned_data)
        messages.success(request, _("Saved. It counts from the next message on."))
        return redirect("auto-reply-caution")
    return render(request, "messaging/auto_reply_caution.html", {"form": form, "may_change": may_change})
