"""Budgets of numbers in the admin: the settings, and what rests. Customers change them, and members see what they hold back."""

from django.contrib import admin
from django.utils.translation import gettext_lazy as _
from unfold.decorators import display

from messaging.models import SendingBudget
from messaging.services.budget.changes import SETTINGS
from waplus.lib.admin import EMPTY, OfNumberAdmin


@admin.register(SendingBudget)
class SendingBudgetAdmin(OfNumberAdmin):
    found_by = ("pk", "whatsapp_account", "workspace")
    search_help_text = _("ID of the row, of its WhatsApp number or of its workspace")
    list_display = ("updated_at", "number", "workspace_page", "limits", "warm_up_from", "cold_paused_until")
    fields = (
        *("id", "workspace_page", "number", *SETTINGS),
        *("cold_paused_until", "cold_pause_code", "cold_pauses", "created_at", "updated_at"),
    )
    readonly_fields = fields

    @display(description=_("hour · day · new"))
    def limits(self, row):
        """The three limits in one column, so that the list is no wider than a window."""
        limits = (row.max_per_hour, row.max_per_day, row.max_new_per_day)
        return " · ".join(EMPTY if limit is None else f"{limit:,}" for limit in limits)
