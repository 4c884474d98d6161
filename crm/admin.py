"""WhatsApp numbers and imports in the admin. Contacts are not: address books of customers are no business of staff."""

from django.contrib import admin
from django.utils.formats import date_format
from django.utils.timezone import localtime
from django.utils.translation import gettext_lazy as _
from unfold.decorators import display

from crm.models import ImportBatch, WhatsAppAccount
from crm.models.imports import ImportState
from waplus.lib.admin import OfWorkspaceAdmin, as_uuid, mask_jid
from waplus.lib.phones import InvalidPhone, parse_phone


@admin.register(WhatsAppAccount)
class WhatsAppAccountAdmin(OfWorkspaceAdmin):
    hidden = ("lid", "name")
    list_display = ("number", "workspace_page", "created_at")
    search_fields = ("jid",)
    search_help_text = _("Whole number with country code, or workspace ID")
    fields = ("id", "number", "workspace_page", "created_at")
    readonly_fields = fields

    def get_object(self, request, object_id, from_field=None):
        """The row as staff may see it; it is never saved, so what is hidden is taken out at once."""
        account = super().get_object(request, object_id, from_field)
        if account is not None:
            account.name = mask_jid(account.jid)
        return account

    def find(self, queryset, term):
        if as_uuid(term):
            return super().find(queryset, term)
        try:
            return queryset.filter(jid=f"{parse_phone('+' + term.lstrip('+'))}@c.us")
        except InvalidPhone:
            return queryset.none()

    @display(description=_("number"))
    def number(self, account):
        return mask_jid(account.jid)


STATE_COLOURS = {
    ImportState.WAITING.label: "info",
    ImportState.RUNNING.label: "info",
    ImportState.FINISHED.label: "success",
    ImportState.FAILED.label: "danger",
    ImportState.PREVIEWING.label: "info",
    ImportState.UNDOING.label: "info",
}
ROWS = (
    *("rows_total", "rows_created", "rows_merged", "rows_unchanged", "rows_skipped", "rows_refused"),
    *("contacts_deleted", "rows_restored", "rows_kept"),
)


@admin.register(ImportBatch)
class ImportBatchAdmin(OfWorkspaceAdmin):
    # Without a header, a person stands in the place of the titles of columns.
    hidden = ("file", "file_name", "columns", "tags", "new_tags", "remarks", "preview")
    list_display = ("created_at", "workspace_page", "state_label", *ROWS, "problem")
    list_filter = ("state",)
    fields = (
        *("id", "workspace_page", "author", "format", "default_country", "duplicates", "state_label"),
        *("problem", *ROWS, "rows_done", "attempts", "created_at", "finished_at"),
    )
    readonly_fields = fields

    def get_object(self, request, object_id, from_field=None):
        """The row under a title that tells nothing of the file; it is never saved."""
        batch = super().get_object(request, object_id, from_field)
        if batch is not None:
            batch.file_name = date_format(localtime(batch.created_at), "DATETIME_FORMAT")
        return batch

    @display(description=_("state"), label=STATE_COLOURS)
    def state_label(self, batch):
        return batch.get_state_display()
