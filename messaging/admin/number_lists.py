"""Lists of numbers in the admin: how far they are and how they ended, never who is on them."""

from django.contrib import admin
from django.utils.translation import gettext_lazy as _
from unfold.decorators import display

from crm.models import BulkState
from messaging.models import NumberList
from waplus.lib.admin import OfWorkspaceAdmin

COUNTS = ("total", "added", "known", "refused")
COLOURS = {
    BulkState.RUNNING.label: "info",
    BulkState.FINISHED.label: "success",
    BulkState.FAILED.label: "danger",
}


@admin.register(NumberList)
class NumberListAdmin(OfWorkspaceAdmin):
    hidden = ("file_name", "note")
    list_display = ("created_at", "workspace_page", "state_label", *COUNTS, "problem")
    list_filter = ("state",)
    fields = (
        *("id", "workspace_page", "author", "default_country", "state_label", "problem", *COUNTS, "done", "attempts"),
        *("created_at", "finished_at"),
    )
    readonly_fields = fields

    @display(description=_("state"), label=COLOURS)
    def state_label(self, row):
        return row.get_state_display()
