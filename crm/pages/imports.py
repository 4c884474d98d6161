"""Imports in the browser: upload a file, say what its columns are, look at what would happen, run it, take it back."""

from uuid import UUID

from django import forms
from django.conf import settings
from django.contrib import messages
from django.http import Http404, StreamingHttpResponse
from django.shortcuts import redirect, render
from django.utils.text import get_valid_filename
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from accounts import actors
from accounts.countries import CountrySelect, countries
from accounts.models import Membership
from accounts.page_access import member_page, refused_at, told
from crm.models import DuplicatePolicy, ImportBatch, ImportRow, ImportState, RowOutcome, Tag
from crm.models.imports import OPEN_STATES, PENDING_STATES
from crm.pages.import_columns import target_choices
from crm.services.imports import batches, results
from waplus.lib.api.pagination import PageRequest, Sort
from waplus.lib.errors import NotFound, Refused
from waplus.lib.ids import uuid7

TALLIES = {
    RowOutcome.CREATED: gettext_lazy("New contacts"),
    RowOutcome.MERGED: gettext_lazy("Added to contacts"),
    RowOutcome.UNCHANGED: gettext_lazy("Nothing new"),
    RowOutcome.SKIPPED: gettext_lazy("Left as they are"),
    RowOutcome.REFUSED: gettext_lazy("Refused"),
}
BY_ROW = {"row_number": Sort("row_number", decode=int)}
NEWEST = {"newest": Sort("id", descending=True, decode=UUID)}


class UploadForm(forms.Form):
    """A file of contacts. The id is made with the form, so that sending it twice makes one import."""

    id = forms.UUIDField(widget=forms.HiddenInput)
    file = forms.FileField(
        label=gettext_lazy("File"),
        max_length=200,
        widget=forms.FileInput(attrs={"accept": ".csv,.tsv,.txt,.xlsx,.vcf,text/csv,text/vcard"}),
    )


class OptionsForm(forms.Form):
    """How the file is read, and what becomes of contacts that are there already."""

    default_country = forms.ChoiceField(
        label=gettext_lazy("Default country"),
        choices=countries,
        required=False,
        widget=CountrySelect,
        help_text=gettext_lazy("For numbers without a country code."),
    )
    duplicates = forms.ChoiceField(
        label=gettext_lazy("When a contact is there already"), choices=DuplicatePolicy.choices, widget=forms.RadioSelect
    )
    tags = forms.MultipleChoiceField(
        label=gettext_lazy("Tags for everybody in the file"), required=False, widget=forms.CheckboxSelectMultiple
    )
    has_header = forms.BooleanField(label=gettext_lazy("The first row holds the titles"), required=False)

    def __init__(self, *args, tags: list[Tag], **kwargs):
        super().__init__(*args, **kwargs)
        self.fields["tags"].choices = [(str(tag.pk), tag.name) for tag in tags]


def _batch(membership: Membership, batch_id: UUID) -> ImportBatch:
    try:
        return batches.import_of(workspace=membership.workspace, batch_id=batch_id)
    except NotFound as error:
        raise Http404 from error


def _tags(membership: Membership) -> list[Tag]:
    return list(Tag.objects.for_workspace(membership.workspace).order_by("position", "id"))


def _rows(request, queryset) -> tuple[list, str | None]:
    """A page of rows by their number; a cursor that is none of ours starts from the first."""
    asked = {"cursor": request.GET.get("cursor"), "limit": "50"}
    try:
        page = PageRequest.of(asked, BY_ROW, "row_number")
    except Refused:
        page = PageRequest.of({"limit": "50"}, BY_ROW, "row_number")
    return page.page(list(page.rows(queryset)))


@require_safe
@member_page()
def import_list(request, membership):
    """The imports of the workspace, newest first."""
    try:
        page = PageRequest.of({"cursor": request.GET.get("cursor"), "limit": "30"}, NEWEST, "newest")
    except Refused:
        return redirect("imports")
    found = ImportBatch.objects.for_workspace(membership.workspace).select_related("created_by")
    rows, next_cursor = page.page(list(page.rows(found)))
    return render(
        request, "crm/imports.html", {"batches": rows, "next_cursor": next_cursor, "first_page": page.key is None}
    )


@require_http_methods(["GET", "HEAD", "POST"])
@member_page()
def new_import(request, membership):
    """Upload a file; nothing is imported before it has been looked at."""
    if request.method == "POST":
        form = UploadForm(request.POST, request.FILES)
        if form.is_valid():
            with refused_at(form):
                batch, _is_new = batches.upload_file(
                    workspace=membership.workspace,
                    user=request.user,
                    actor=actors.person(request.user),
                    start=False,
                    **form.cleaned_data,
                )
                return redirect("import", batch.pk)
    else:
        form = UploadForm(initial={"id": uuid7()})
    limits = {"max_bytes": settings.MAX_IMPORT_BYTES, "megabytes": settings.MAX_IMPORT_BYTES // (1024 * 1024)}
    return render(request, "crm/new_import.html", {"form": form, "step": 1, **limits})


def _mapping_page(request, membership: Membership, batch: ImportBatch, form: OptionsForm | None = None, targets=None):
    tags = _tags(membership)
    initial = {name: getattr(batch, name) for name in ("default_country", "duplicates", "tags", "has_header")}
    chosen = targets or [column["target"] for column in batch.columns]
    columns = [{**column, "target": target} for column, target in zip(batch.columns, chosen, strict=False)]
    return render(
        request,
        "crm/import_mapping.html",
        {
            "batch": batch,
            "columns": columns,
            "targets": target_choices(membership.workspace),
            "form": form or OptionsForm(initial=initial, tags=tags),
            "step": 2,
        },
    )


@require_safe
@member_page()
def import_page(request, membership, batch_id):
    """Where an import is: its columns, its preview, its progress, its result."""
    batch = _batch(membership, batch_id)
    if batch.state == ImportState.UPLOADED or (batch.state in PENDING_STATES and "columns" in request.GET):
        return _mapping_page(request, membership, batch)
    if batch.state in OPEN_STATES:
        step = 3 if batch.state == ImportState.PREVIEWING else 4
        undo_total = 2 * batch.rows_total + 1
        return render(request, "crm/import_progress.html", {"batch": batch, "step": step, "undo_total": undo_total})
    if batch.state == ImportState.PREVIEWED:
        return _preview_page(request, membership, batch)
    return _result_page(request, membership, batch)


def _preview_page(request, membership: Membership, batch: ImportBatch):
    outcome = request.GET.get("outcome")
    found = results.preview_rows(batch)
    if outcome in RowOutcome.values:
        found = found.filter(outcome=outcome)
    rows, next_cursor = _rows(request, found)
    counts = [
        {"value": value, "label": label, "count": batch.preview.get(value, 0)} for value, label in TALLIES.items()
    ]
    return render(
        request,
        "crm/import_preview.html",
        {
            "batch": batch,
            "rows": rows,
            "next_cursor": next_cursor,
            "counts": counts,
            "outcome": outcome if outcome in RowOutcome.values else "",
            "importable": batch.preview.get("created", 0) + batch.preview.get("merged", 0),
            "step": 3,
        },
    )


def _result_page(request, membership: Membership, batch: ImportBatch):
    found = ImportRow.objects.for_workspace(membership.workspace).filter(batch=batch, outcome=RowOutcome.REFUSED)
    rows, next_cursor = _rows(request, found)
    counts = [
        {"value": value, "label": label, "count": getattr(batch, f"rows_{value}")} for value, label in TALLIES.items()
    ]
    undoable = batch.state != ImportState.UNDONE and bool(batch.rows_created or batch.rows_merged)
    return render(
        request,
        "crm/import_result.html",
        {
            "batch": batch,
            "rows": rows,
            "next_cursor": next_cursor,
            "counts": counts,
            "undoable": undoable,
            "tag_names": Tag.objects.for_workspace(membership.workspace).filter(pk__in=batch.tags),
            "step": 4,
        },
    )


@require_POST
@member_page()
def change_import(request, membership, batch_id):
    """Say what the columns are and what becomes of duplicates, and ask for the preview."""
    batch = _batch(membership, batch_id)
    form = OptionsForm(request.POST, tags=_tags(membership))
    targets = request.POST.getlist("target")
    if form.is_valid():
        with refused_at(form):
            values = dict(form.cleaned_data)
            values["tags"] = [UUID(tag) for tag in values["tags"]]
            if values["has_header"] == batch.has_header:
                values["targets"] = targets
            batches.change_import(workspace=membership.workspace, batch_id=batch_id, **values)
            if "targets" not in values:
                messages.warning(request, _("The titles are read anew. Look at the columns once more."))
                return redirect("import", batch_id)
            batches.request_preview(workspace=membership.workspace, batch_id=batch_id)
            return redirect("import", batch_id)
    return _mapping_page(request, membership, batch, form, targets)


@require_POST
@member_page()
def start_import(request, membership, batch_id):
    """Let it run."""
    with told(request):
        batches.start_import(workspace=membership.workspace, batch_id=batch_id, actor=actors.person(request.user))
    return redirect("import", batch_id)


@require_POST
@member_page()
def cancel_import(request, membership, batch_id):
    """Stop it; what it has written stays and can be undone."""
    with told(request, _("The import is cancelled.")):
        batches.cancel_import(workspace=membership.workspace, batch_id=batch_id, actor=actors.person(request.user))
    return redirect("import", batch_id)


@require_POST
@member_page()
def undo_import(request, membership, batch_id):
    """Take back what it wrote, but for what people changed since."""
    with told(request):
        batches.undo_import(workspace=membership.workspace, batch_id=batch_id, actor=actors.person(request.user))
    return redirect("import", batch_id)


@require_safe
@member_page()
def import_refusals(request, membership, batch_id):
    """The refused rows as a file, each with its reason, to mend and to upload again."""
    batch = _batch(membership, batch_id)
    name = get_valid_filename(f"{batch.file_name.rpartition('.')[0] or 'contacts'}-refused.csv")
    return StreamingHttpResponse(
        results.result_file(batch),
        content_type="text/csv; charset=utf-8",
        headers={"Content-Disposition": f'attachment; filename="{name}"'},
    )
