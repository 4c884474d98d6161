"""WhatsApp numbers and imports in the admin. Contacts are not: address books of customers are no business of staff."""

from django.contrib import admin
from django.db.models import Q
from django.utils.formats import date_format
from django.utils.timezone import localtime
from django.utils.translation import gettext_lazy as _
from unfold.decorators import display

from accounts.models import User, Workspace
from crm.models import ImportBatch, WhatsAppAccount
from crm.models.imports import ImportState
from waplus.lib.admin import ReadOnlyAdmin, as_uuid, mask_jid, page_link
from waplus.lib.phones import InvalidPhone, parse_phone


@admin.register(WhatsAppAccount)
class WhatsAppAccountAdmin(ReadOnlyAdmin):
    list_display = ("number", "workspace_page", "created_at")
    list_select_related = ("workspace",)
    search_fields = ("jid",)
    search_help_text = _("Whole number with country code, or workspace ID")
    fields = ("id", "number", "workspace_page", "created_at")
    readonly_fields = fields
    links = ("workspace",)

    def get_queryset(self, request):
        return super().get_queryset(request).defer("lid", "name")

    def get_object(self, request, object_id, from_field=None):
        """The row as staff may see it; it is never saved, so what is hidden is taken out at once."""
        account = super().get_object(request, object_id, from_field)
        if account is not None:
            account.name = mask_jid(account.jid)
        return account

    def find(self, queryset, term):
        if uuid := as_uuid(term):
            return queryset.filter(Q(workspace=uuid) | Q(pk=uuid))
        try:
            return queryset.filter(jid=f"{parse_phone('+' + term.lstrip('+'))}@c.us")
        except InvalidPhone:
            return queryset.none()

    @display(description=_("number"))
    def number(self, account):
        return mask_jid(account.jid)

    @display(description=_("workspace"))
    def workspace_page(self, account):
        return page_link(Workspace, account.workspace_id, account.workspace)


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
class ImportBatchAdmin(ReadOnlyAdmin):
    list_display = ("created_at", "workspace_page", "state_label", *ROWS, "problem")
    list_filter = ("state",)
    list_select_related = ("workspace",)
    search_fields = ("id",)
    search_help_text = _("ID of an import or a workspace")
    fields = (
        *("id", "workspace_page", "uploader", "format", "default_country", "duplicates", "state_label"),
        *("problem", *ROWS, "rows_done", "attempts", "created_at", "finished_at"),
    )
    readonly_fields = fields
    links = ("workspace",)

    def get_queryset(self, request):
        """Neither the file, nor its name, nor its column titles: without a header, a person stands in their place."""
        hidden = ("file", "file_name", "columns", "tags", "new_tags", "remarks", "preview")
        return super().get_queryset(request).defer(*hidden).select_related("workspace", "created_by")

    def get_object(self, request, object_id, from_field=None):
        """The row under a title that tells nothing of the file; it is never saved."""
        batch = super().get_object(request, object_id, from_field)
        if batch is not None:
            batch.file_name = date_format(localtime(batch.created_at), "DATETIME_FORMAT")
        return batch

    def find(self, queryset, term):
        uuid = as_uuid(term)
        return queryset.filter(Q(pk=uuid) | Q(workspace=uuid)) if uuid else queryset.none()

    @display(description=_("state"), label=STATE_COLOURS)
    def state_label(self, batch):
        return batch.get_state_display()

    @display(description=_("uploaded by"))
    def uploader(self, batch):
        return page_link(User, batch.created_by_id, batch.created_by)

    @display(description=_("workspace"))
    def workspace_page(self, batch):
        return page_link(Workspace, batch.workspace_id, batch.workspace)
