"""The stages of a workspace's pipeline."""

from uuid import UUID

from django import forms
from django.contrib import messages
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext
from django.views.decorators.http import require_http_methods, require_POST

from accounts import actors
from accounts.models import Membership
from accounts.page_access import member_page, refused_at, told
from crm.models import StageOutcome
from crm.pages.colours import ColourField
from crm.pages.ordering import moved
from crm.services import stages
from crm.services.wearers import count_standing
from waplus.lib.ids import uuid7


class StageForm(forms.Form):
    """A stage's name, colour, and what it means for the deal."""

    name = forms.CharField(
        label=gettext_lazy("Name"), max_length=80, widget=forms.TextInput(attrs={"autocomplete": "off"})
    )
    outcome = forms.ChoiceField(
        label=gettext_lazy("Outcome"), choices=StageOutcome.choices, required=False, initial=StageOutcome.OPEN
    )
    colour = ColourField()

    def clean_outcome(self) -> str:
        return self.cleaned_data["outcome"] or StageOutcome.OPEN


class NewStageForm(StageForm):
    """A new stage. The id is made with the form, so that sending it twice makes one stage."""

    id = forms.UUIDField(widget=forms.HiddenInput)


class DeleteStageForm(forms.Form):
    """Where the contacts of the stage go."""

    into = forms.UUIDField(required=False)


def _page(request, membership: Membership, new_form=None, refused: dict[UUID, StageForm] | None = None):
    rows = stages.stages_in_order(workspace=membership.workspace)
    standing = count_standing(workspace=membership.workspace, stage_ids=[stage.pk for stage in rows])
    for stage in rows:
        stage.standing = standing[stage.pk]
        initial = {"name": stage.name, "colour": stage.colour, "outcome": stage.outcome}
        stage.form = (refused or {}).get(stage.pk) or StageForm(initial=initial, auto_id=f"stage-{stage.pk}-%s")
    form = new_form or NewStageForm(initial={"id": uuid7()})
    return render(request, "crm/stages.html", {"stages": rows, "form": form})


@require_http_methods(["GET", "HEAD", "POST"])
@member_page()
def stage_list(request, membership):
    """All stages; a POST makes one."""
    if request.method != "POST":
        return _page(request, membership)
    form = NewStageForm(request.POST)
    if form.is_valid():
        with refused_at(form):
            stage, _is_new = stages.create_stage(
                workspace=membership.workspace, actor=actors.person(request.user), **form.cleaned_data
            )
            messages.success(request, _("The stage “%(name)s” is there.") % {"name": stage.name})
            return redirect("stages")
    return _page(request, membership, new_form=form)


@require_POST
@member_page()
def begin_pipeline(request, membership):
    """Make the usual stages where there are none."""
    with told(request, _("The pipeline is there. Rename the stages as you like.")):
        stages.create_default_stages(workspace=membership.workspace, actor=actors.person(request.user))
    return redirect("stages")


@require_POST
@member_page()
def edit_stage(request, membership, stage_id):
    """Change a stage."""
    form = StageForm(request.POST, auto_id=f"stage-{stage_id}-%s")
    if form.is_valid():
        with refused_at(form):
            stages.update_stage(
                workspace=membership.workspace,
                stage_id=stage_id,
                actor=actors.person(request.user),
                **form.cleaned_data,
            )
            messages.success(request, _("The stage is saved."))
            return redirect("stages")
    return _page(request, membership, refused={stage_id: form})


@require_POST
@member_page()
def move_stage(request, membership, stage_id, direction):
    """Move a stage one place up or down."""
    order = [stage.pk for stage in stages.stages_in_order(workspace=membership.workspace)]
    ids = moved(order, stage_id, direction)
    with told(request):
        stages.reorder_stages(workspace=membership.workspace, actor=actors.person(request.user), ids=ids)
    return redirect("stages")


@require_POST
@member_page()
def delete_stage(request, membership, stage_id):
    """Delete a stage; its contacts go to another one or to none."""
    form = DeleteStageForm(request.POST)
    into = form.cleaned_data["into"] if form.is_valid() else None
    with told(request):
        count = stages.delete_stage(
            workspace=membership.workspace, stage_id=stage_id, actor=actors.person(request.user), into=into
        )
        sentence = ngettext(
            "The stage is deleted. %(count)s contact stood at it.",
            "The stage is deleted. %(count)s contacts stood at it.",
            count,
        )
        messages.success(request, sentence % {"count": count})
    return redirect("stages")
