"""Extension instances and their sessions in the admin: what support finds by the extension's UUID."""

from django.contrib import admin
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext
from unfold.decorators import action, display

from accounts import actors
from accounts.models import ExtensionInstance, InstanceSession, User, Workspace
from accounts.services import instances
from waplus.lib.admin import OfWorkspaceAdmin, ReadOnlyAdmin, ReadOnlyInline, as_uuid, page_link

SESSION_FIELDS = ("created_at", "refreshed_at", "expires_at", "revoked_at", "revoked_reason")


class SessionInline(ReadOnlyInline):
    model = InstanceSession
    fields = ("person", "workspace_page", *SESSION_FIELDS)
    readonly_fields = fields
    verbose_name_plural = _("sessions")

    def get_queryset(self, request):
        found = super().get_queryset(request).select_related("membership__user", "workspace", "instance")
        return found.defer("auth_hash").order_by("-pk")

    @display(description=_("person"))
    def person(self, session):
        return page_link(User, session.membership.user_id, session.membership.user.email)

    @display(description=_("workspace"))
    def workspace_page(self, session):
        return page_link(Workspace, session.workspace_id, session.workspace)


@admin.register(ExtensionInstance)
class ExtensionInstanceAdmin(ReadOnlyAdmin):
    list_display = ("id", "person", "version", "browser", "operating_system", "whatsapp_web_version", "seen_at")
    list_select_related = ("user",)
    search_fields = ("id",)
    search_help_text = _("Extension UUID, e-mail address or version")
    actions = ("sign_out",)
    inlines = (SessionInline,)
    links = ("user",)
    fieldsets = (
        (None, {"fields": ("id", "person", "name", "version", "installed_at", "registered_at", "seen_at")}),
        (
            _("Environment"),
            {"fields": ("browser", "operating_system", "platform", "language", "time_zone", "whatsapp_web_version")},
        ),
    )

    def get_readonly_fields(self, request, obj=None):
        return [name for _title, options in self.fieldsets for name in options["fields"]]

    def get_queryset(self, request):
        return super().get_queryset(request).defer("secret_hash")

    def find(self, queryset, term):
        if uuid := as_uuid(term):
            return queryset.filter(pk=uuid)
        return queryset.filter(user__email=term.lower()) if "@" in term else queryset.filter(version=term)

    def has_sign_out_permission(self, request) -> bool:
        return request.user.has_perm("accounts.change_extensioninstance")

    @display(description=_("person"))
    def person(self, instance):
        return page_link(User, instance.user_id, instance.user.email if instance.user else "")

    @action(description=_("Sign out of the person’s account"), permissions=["sign_out"])
    def sign_out(self, request, queryset):
        done = 0
        for instance in queryset.filter(user__isnull=False).select_related("user"):
            instances.revoke_instance(user=instance.user, instance_id=instance.pk, actor=actors.person(request.user))
            done += 1
        self.message_user(request, ngettext("%d device signed out.", "%d devices signed out.", done) % done)


class AliveFilter(admin.SimpleListFilter):
    title = _("state")
    parameter_name = "alive"

    def lookups(self, request, model_admin):
        return [("yes", _("Signed in")), ("no", _("Ended"))]

    def queryset(self, request, queryset):
        alive = Q(revoked_at=None, expires_at__gt=timezone.now())
        return {"yes": queryset.filter(alive), "no": queryset.exclude(alive)}.get(self.value(), queryset)


@admin.register(InstanceSession)
class InstanceSessionAdmin(OfWorkspaceAdmin):
    found_by = ("pk", "instance", "workspace")
    hidden = ("auth_hash", "instance__secret_hash")
    list_select_related = ("membership__user", "workspace", "instance")
    list_display = ("id", "person", "workspace_page", "device", "refreshed_at", "revoked_at", "revoked_reason")
    list_filter = (AliveFilter, "revoked_reason")
    search_fields = ("id",)
    search_help_text = _("E-mail address, or ID of a session, device or workspace")
    fields = ("id", "person", "workspace_page", "device", *SESSION_FIELDS)
    readonly_fields = fields
    links = ("workspace", "instance")

    def find(self, queryset, term):
        return super().find(queryset, term) if as_uuid(term) else queryset.filter(membership__user__email=term.lower())

    @display(description=_("person"))
    def person(self, session):
        return page_link(User, session.membership.user_id, session.membership.user.email)
