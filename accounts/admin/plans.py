"""Plans in the admin: their limits can be changed, for everybody who is on them."""

from django import forms
from django.contrib import admin
from django.core.validators import MinValueValidator
from django.db.models import Count
from django.utils.translation import gettext_lazy as _
from unfold.decorators import display

from accounts import actors
from accounts.models import Plan, Resource
from accounts.services import plans
from waplus.lib.admin import StaffModelAdmin

LIMITS = [*(f"max_{resource.value}" for resource in Resource), "max_media_mb"]
# Below these, a workspace could not be used at all.
LEAST = {"max_members": 1, "max_whatsapp_numbers": 1, "requests_per_minute": 30, "max_media_mb": 1}


class PlanForm(forms.ModelForm):
    class Meta:
        model = Plan
        fields = ["name", "position", "is_default", *LIMITS, "requests_per_minute"]

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        for name, least in LEAST.items():
            if name in self.fields:
                self.fields[name].validators.append(MinValueValidator(least))

    def clean_is_default(self) -> bool:
        is_default = self.cleaned_data["is_default"]
        if self.initial.get("is_default") and not is_default:
            raise forms.ValidationError(_("New workspaces need a plan: make another one the default instead."))
        return is_default

    def _get_validation_exclusions(self) -> set:
        """Only one plan is the default: the service takes that from the plan that was, so it is no error here."""
        return {*super()._get_validation_exclusions(), "is_default"}


@admin.register(Plan)
class PlanAdmin(StaffModelAdmin):
    form = PlanForm
    list_display = ("name", "on_it", "is_default", *LIMITS[:3], "requests_per_minute")
    actions = None
    ordering = ("position",)
    fieldsets = (
        (None, {"fields": ("code", "name", "position", "is_default")}),
        (_("Limits"), {"fields": (*LIMITS, "requests_per_minute")}),
    )
    readonly_fields = ("code",)

    def get_queryset(self, request):
        return super().get_queryset(request).annotate(workspace_count=Count("workspaces"))

    def has_add_permission(self, request) -> bool:
        return False

    def has_delete_permission(self, request, obj=None) -> bool:
        return False

    @display(description=_("workspaces"))
    def on_it(self, plan):
        return plan.workspace_count

    def save_model(self, request, obj, form, change):
        plans.update_plan(plan=obj, actor=actors.person(request.user), **form.cleaned_data)
