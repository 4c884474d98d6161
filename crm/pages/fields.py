"""The workspace's own fields: made, renamed, ordered, retired and taken back."""

from uuid import UUID

from django import forms
from django.contrib import messages
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_http_methods, require_POST

from accounts import actors
from accounts.models import Membership
from accounts.page_access import member_page, refused_at, told
from crm.models import Colour, CustomField, FieldKind
from crm.pages.ordering import moved
from crm.services import custom_fields
from waplus.lib.ids import uuid7

CHOICES = (FieldKind.CHOICE, FieldKind.MULTIPLE)
MAX_OPTIONS_TEXT = 20_000


class FieldForm(forms.Form):
    """A field's name. Its options are rows beside it (`sent_options`)."""

    name = forms.CharField(
        label=gettext_lazy("Name"), max_length=80, widget=forms.TextInput(attrs={"autocomplete": "off"})
    )


class NewFieldForm(FieldForm):
    """A new field. The id is made with the form, so that sending it twice makes one field."""

    id = forms.UUIDField(widget=forms.HiddenInput)
    kind = forms.ChoiceField(label=gettext_lazy("Kind"), choices=FieldKind.choices)
    options = forms.CharField(
        label=gettext_lazy("Options"),
        required=False,
        max_length=MAX_OPTIONS_TEXT,
        widget=forms.Textarea(attrs={"rows": 4}),
        help_text=gettext_lazy("One on each line."),
    )
    currency = forms.CharField(
        label=gettext_lazy("Currency"),
        required=False,
        max_length=3,
        widget=forms.TextInput(attrs={"autocomplete": "off", "placeholder": "BRL"}),
        help_text=gettext_lazy("Three letters, such as BRL or EUR."),
    )

    def values(self) -> dict:
        """What the service takes: options of choices alone, a currency of money alone."""
        values = dict(self.cleaned_data)
        kind = values["kind"]
        lines = [line.strip() for line in values.pop("options").splitlines()]
        values["options"] = [{"label": line} for line in lines if line] if kind in CHOICES else []
        values["currency"] = values["currency"].upper() if kind == FieldKind.MONEY else ""
        return values


def sent_options(post) -> list[dict]:
    """The rows of options that a form sent: an empty label takes an option out of use, an empty new row is none."""
    used = set(post.getlist("option_used"))
    rows = zip(post.getlist("option_id"), post.getlist("option_label"), post.getlist("option_colour"), strict=False)
    options = []
    for id, label, colour in rows:
        option = {"colour": colour if colour in Colour.values else Colour.GREY.value}
        if label.strip():
            option["label"] = label
        if id:
            options.append({**option, "id": id, "retired": id not in used or "label" not in option})
        elif "label" in option:
            options.append(option)
    return options


def _page(request, membership: Membership, new_form=None, refused: dict[UUID, FieldForm] | None = None):
    rows = custom_fields.fields_in_order(workspace=membership.workspace)
    for field in rows:
        form = FieldForm(initial={"name": field.name}, auto_id=f"field-{field.pk}-%s")
        field.form = (refused or {}).get(field.pk) or form
        field.has_options = field.kind in CHOICES
    return render(
        request,
        "crm/fields.html",
        {
            "fields": [field for field in rows if field.retired_at is None],
            "retired": [field for field in rows if field.retired_at is not None],
            "form": new_form or NewFieldForm(initial={"id": uuid7()}),
            "colours": Colour.choices,
        },
    )


@require_http_methods(["GET", "HEAD", "POST"])
@member_page()
def field_list(request, membership):
    """All fields; a POST makes one."""
    if request.method != "POST":
        return _page(request, membership)
    form = NewFieldForm(request.POST)
    if form.is_valid():
        with refused_at(form, options="options"):
            field, _is_new = custom_fields.create_field(
                workspace=membership.workspace, actor=actors.person(request.user), **form.values()
            )
            messages.success(request, _("The field “%(name)s” is there.") % {"name": field.name})
            return redirect("fields")
    return _page(request, membership, new_form=form)


@require_POST
@member_page()
def edit_field(request, membership, field_id):
    """Rename a field, or change its options; what contacts have in them stays."""
    form = FieldForm(request.POST, auto_id=f"field-{field_id}-%s")
    if form.is_valid():
        with refused_at(form, options="name"):
            field = custom_fields.field_of(workspace=membership.workspace, field_id=field_id)
            values = {"options": sent_options(request.POST)} if field.kind in CHOICES else {}
            custom_fields.update_field(
                workspace=membership.workspace,
                field_id=field_id,
                actor=actors.person(request.user),
                name=form.cleaned_data["name"],
                **values,
            )
            messages.success(request, _("The field is saved."))
            return redirect("fields")
    return _page(request, membership, refused={field_id: form})


@require_POST
@member_page()
def move_field(request, membership, field_id, direction):
    """Move a field one place up or down among those that are shown."""
    rows: list[CustomField] = custom_fields.fields_in_order(workspace=membership.workspace)
    ids = moved([field.pk for field in rows if field.retired_at is None], field_id, direction)
    with told(request):
        custom_fields.reorder_fields(workspace=membership.workspace, actor=actors.person(request.user), ids=ids)
    return redirect("fields")


@require_POST
@member_page()
def retire_field(request, membership, field_id):
    """Show a field no more; its values are kept."""
    with told(request, _("The field is retired. Its values are kept.")):
        custom_fields.retire_field(workspace=membership.workspace, field_id=field_id, actor=actors.person(request.user))
    return redirect("fields")


@require_POST
@member_page()
def restore_field(request, membership, field_id):
    """Show a retired field again."""
    with told(request, _("The field is back, with all its values.")):
        custom_fields.restore_field(
            workspace=membership.workspace, field_id=field_id, actor=actors.person(request.user)
        )
    return redirect("fields")


@require_POST
@member_page()
def delete_field(request, membership, field_id):
    """Delete a retired field with its values, for good."""
    with told(request, _("The field is deleted.")):
        custom_fields.delete_field(workspace=membership.workspace, field_id=field_id, actor=actors.person(request.user))
    return redirect("fields")
