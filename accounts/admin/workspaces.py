"""Workspaces in the admin: who is in them, what they use of their plan; the plan can be changed."""

from django import forms
from django.contrib import admin, messages
from django.db.models import Count, OuterRef, Q, Subquery
from django.db.models.functions import Coalesce
from django.template.defaultfilters import filesizeformat
from django.urls import reverse
from django.utils.formats import number_format
from django.utils.html import format_html, format_html_join
from django.utils.text import capfirst
from django.utils.translation import gettext_lazy as _
from unfold.decorators import display

from accounts import actors
from accounts.models import Invitation, Membership, Role, User, Workspace
from accounts.services import plans
from waplus.lib.admin import OfWorkspaceAdmin, ReadOnlyInline, StaffModelAdmin, as_uuid, page_link, related_link


class MemberInline(ReadOnlyInline):
    model = Membership
    fields = ("person", "role", "created_at")
    readonly_fields = fields
    verbose_name_plural = _("members")

    def get_queryset(self, request):
        return super().get_queryset(request).select_related("user").order_by("created_at")

    @display(description=_("person"))
    def person(self, membership):
        return page_link(User, membership.user_id, membership.user.email)


class PlanChoice(forms.ModelForm):
    class Meta:
        model = Workspace
        fields = ["plan"]
        help_texts = {
            "plan": _("A smaller plan deletes nothing: what is above its limits stays, and nothing is added.")
        }


@admin.register(Workspace)
class WorkspaceAdmin(StaffModelAdmin):
    form = PlanChoice
    list_display = ("name", "owner", "plan", "members", "default_country", "created_at")
    list_filter = ("plan",)
    list_select_related = ("plan",)
    search_fields = ("name",)
    search_help_text = _("Name, owner’s e-mail address or ID")
    actions = None
    inlines = (MemberInline,)
    fieldsets = (
        (None, {"fields": ("id", "name", "owner", "default_country", "created_at")}),
        (_("Plan"), {"fields": ("plan", "usage")}),
        (_("More of this workspace"), {"fields": ("elsewhere",)}),
    )
    readonly_fields = ("id", "name", "owner", "default_country", "created_at", "usage", "elsewhere")

    def get_queryset(self, request):
        members = Membership.objects.filter(workspace=OuterRef("pk")).order_by()
        owners = members.filter(role=Role.OWNER)
        return (
            super()
            .get_queryset(request)
            .annotate(
                owner_id=Subquery(owners.values("user")[:1]),
                owner_email=Subquery(owners.values("user__email")[:1]),
                member_count=Coalesce(Subquery(members.values("workspace").annotate(n=Count("pk")).values("n")), 0),
            )
        )

    def find(self, queryset, term):
        if uuid := as_uuid(term):
            return queryset.filter(pk=uuid)
        owned = Membership.objects.filter(user__email=term.lower(), role=Role.OWNER).values("workspace")
        return queryset.filter(Q(pk__in=owned) if "@" in term else Q(name__istartswith=term))

    def has_add_permission(self, request) -> bool:
        return False

    def has_delete_permission(self, request, obj=None) -> bool:
        return False

    @display(description=_("owner"))
    def owner(self, workspace):
        return page_link(User, workspace.owner_id, workspace.owner_email)

    @display(description=_("members"))
    def members(self, workspace):
        return workspace.member_count

    @display(description=_("used of the plan"))
    def usage(self, workspace):
        # The form may have put another plan on the row at hand.
        workspace = Workspace.objects.select_related("plan").get(pk=workspace.pk)
        rows = format_html_join(
            "",
            '<tr class="{}"><td>{}</td><td>{} / {}</td></tr>',
            (
                (
                    "above" if row["used"] > row["limit"] else "",
                    row["label"],
                    *(
                        filesizeformat(row[name]) if row["bytes"] else number_format(row[name], force_grouping=True)
                        for name in ("used", "limit")
                    ),
                )
                for row in plans.usage_table(workspace)
            ),
        )
        return format_html('<table class="figures">{}</table>', rows)

    @display(description=_("lists"))
    def elsewhere(self, workspace):
        """Every list of the admin that can be narrowed to a workspace."""
        links = [
            (
                reverse(f"admin:{model._meta.app_label}_{model._meta.model_name}_changelist"),
                workspace.pk,
                capfirst(model._meta.verbose_name_plural),
            )
            for model, model_admin in self.admin_site._registry.items()
            if "workspace" in getattr(model_admin, "links", ())
        ]
        return format_html_join(" · ", '<a class="row-link" href="{}?workspace__id__exact={}">{}</a>', links)

    def save_model(self, request, obj, form, change):
        above = plans.change_plan(workspace=obj, plan=form.cleaned_data["plan"], actor=actors.person(request.user))
        for row in above:
            self.message_user(
                request,
                _("%(what)s: %(used)s in use, %(limit)s allowed.")
                % {"what": row["label"], "used": row["used"], "limit": row["limit"]},
                messages.WARNING,
            )


@admin.register(Invitation)
class InvitationAdmin(OfWorkspaceAdmin):
    hidden = ("token_hash",)
    list_display = ("email", "workspace_page", "role", "inviter", "created_at", "expires_at")
    list_filter = ("role",)
    list_select_related = ("workspace", "invited_by")
    search_fields = ("email",)
    search_help_text = _("E-mail address or workspace ID")
    fields = ("id", "email", "workspace_page", "role", "inviter", "created_at", "expires_at")
    readonly_fields = fields

    def find(self, queryset, term):
        return super().find(queryset, term) if as_uuid(term) else queryset.filter(email=term.lower())

    @display(description=_("invited by"))
    def inviter(self, invitation):
        return related_link(invitation, "invited_by")
