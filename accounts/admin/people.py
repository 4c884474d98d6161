"""People in the admin: found, looked at, shut out and let in; and what rights staff have."""

from allauth.account.models import EmailAddress
from allauth.mfa.models import Authenticator
from django import forms
from django.contrib import admin, messages
from django.contrib.auth.models import Group, Permission
from django.db.models import Exists, OuterRef, Prefetch, Q
from django.utils.html import format_html_join
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext
from unfold.decorators import action, display
from unfold.widgets import UnfoldAdminCheckboxSelectMultipleWidget

from accounts import actors
from accounts.models import ExtensionInstance, Membership, User, Workspace
from accounts.services import people, staff
from waplus.lib.admin import EMPTY, ReadOnlyAdmin, ReadOnlyInline, StaffModelAdmin, as_uuid, page_link

SECOND_FACTORS = [Authenticator.Type.TOTP, Authenticator.Type.WEBAUTHN]


class TwoFactorFilter(admin.SimpleListFilter):
    title = _("two-factor")
    parameter_name = "two_factor"

    def lookups(self, request, model_admin):
        return [("yes", _("Set up")), ("no", _("Not set up"))]

    def queryset(self, request, queryset):
        return {"yes": queryset.filter(two_factor=True), "no": queryset.filter(two_factor=False)}.get(
            self.value(), queryset
        )


class MembershipOfPersonInline(ReadOnlyInline):
    model = Membership
    fields = ("workspace_page", "role", "created_at")
    readonly_fields = fields
    verbose_name_plural = _("workspaces")

    def get_queryset(self, request):
        return super().get_queryset(request).select_related("workspace", "user").order_by("-created_at")

    @display(description=_("workspace"))
    def workspace_page(self, membership):
        return page_link(Workspace, membership.workspace_id, membership.workspace)


class InstanceOfPersonInline(ReadOnlyInline):
    model = ExtensionInstance
    fields = ("page", "browser", "operating_system", "version", "seen_at")
    readonly_fields = fields
    verbose_name_plural = _("devices")

    def get_queryset(self, request):
        return super().get_queryset(request).order_by("-seen_at")

    @display(description=_("device"))
    def page(self, instance):
        return page_link(ExtensionInstance, instance.pk, instance)


class AccessForm(forms.ModelForm):
    """What may be changed of a person here: whether they are staff, and with which rights."""

    class Meta:
        model = User
        fields = ["is_staff", "groups"]
        widgets = {"groups": UnfoldAdminCheckboxSelectMultipleWidget}
        help_texts = {"groups": _("Each group gives its rights in this admin.")}


@admin.register(User)
class PersonAdmin(StaffModelAdmin):
    form = AccessForm
    list_display = (
        "email",
        "name",
        "verified",
        "two_factor",
        "is_active",
        "in_workspaces",
        "staff_label",
        "created_at",
    )
    list_filter = ("is_active", "is_staff", TwoFactorFilter)
    search_fields = ("email",)
    search_help_text = _("E-mail address, name or account ID")
    actions = ("deactivate", "reactivate")
    inlines = (MembershipOfPersonInline, InstanceOfPersonInline)
    fieldsets = (
        (None, {"fields": ("id", "email", "name", "verified", "two_factor", "is_active")}),
        (_("Language and time"), {"fields": ("language", "time_zone", "reminders_by_email", "warnings_by_email")}),
        (_("History"), {"fields": ("created_at", "last_login")}),
        (_("Staff"), {"fields": ("is_staff", "is_superuser", "groups")}),
    )
    readonly_fields = (
        "id",
        "email",
        "name",
        "verified",
        "two_factor",
        "is_active",
        "language",
        "time_zone",
        "reminders_by_email",
        "warnings_by_email",
        "created_at",
        "last_login",
        "is_superuser",
    )

    def get_queryset(self, request):
        of_person = {"user": OuterRef("pk")}
        memberships = Membership.objects.select_related("workspace").order_by("created_at")
        return (
            super()
            .get_queryset(request)
            .annotate(
                verified=Exists(EmailAddress.objects.filter(**of_person, verified=True)),
                two_factor=Exists(Authenticator.objects.filter(**of_person, type__in=SECOND_FACTORS)),
            )
            .prefetch_related(Prefetch("memberships", memberships))
        )

    def find(self, queryset, term):
        if uuid := as_uuid(term):
            return queryset.filter(pk=uuid)
        address = term.lower()
        by_address = Q(email__startswith=address) | Q(pk__in=EmailAddress.objects.filter(email=address).values("user"))
        return queryset.filter(by_address if "@" in term else by_address | Q(name__icontains=term))

    def has_add_permission(self, request) -> bool:
        return False

    def has_delete_permission(self, request, obj=None) -> bool:
        return False

    def has_change_permission(self, request, obj=None) -> bool:
        """Who is staff is decided by those with every right, and never about oneself."""
        return request.user.is_superuser and obj != request.user

    def has_switch_permission(self, request) -> bool:
        return request.user.has_perm("accounts.change_user")

    @display(description=_("verified"), boolean=True)
    def verified(self, user):
        return user.verified

    @display(description=_("two-factor"), boolean=True)
    def two_factor(self, user):
        return user.two_factor

    @display(description=_("staff"), label=True)
    def staff_label(self, user):
        return _("Staff") if user.is_staff else ""

    @display(description=_("workspaces"))
    def in_workspaces(self, user):
        links = [page_link(Workspace, row.workspace_id, row.workspace) for row in user.memberships.all()]
        more = [f"+{len(links) - 3}"] if len(links) > 3 else []
        return format_html_join(", ", "{}", ((link,) for link in [*links[:3], *more])) if links else EMPTY

    def save_model(self, request, obj, form, change):
        staff.change_access(
            user=obj,
            actor=actors.person(request.user),
            is_staff=form.cleaned_data["is_staff"],
            groups=form.cleaned_data["groups"],
        )

    @action(description=_("Deactivate: end all access"), permissions=["switch"])
    def deactivate(self, request, queryset):
        self._switch(request, queryset.filter(is_active=True), people.deactivate)

    @action(description=_("Reactivate"), permissions=["switch"])
    def reactivate(self, request, queryset):
        self._switch(request, queryset.filter(is_active=False), people.reactivate)

    def _switch(self, request, queryset, service):
        done = 0
        for user in queryset:
            if user == request.user or (user.is_staff and not request.user.is_superuser):
                self.message_user(
                    request, _("%s is yourself or a colleague and stays as is.") % user.email, messages.WARNING
                )
                continue
            service(user=user, actor=actors.person(request.user))
            self.log_change(request, user, service.__name__)
            done += 1
        self.message_user(request, ngettext("%d person changed.", "%d people changed.", done) % done)


@admin.register(EmailAddress)
class EmailAddressAdmin(ReadOnlyAdmin):
    list_display = ("email", "person", "verified", "primary")
    list_filter = ("verified", "primary")
    search_fields = ("email",)
    search_help_text = _("E-mail address")
    fields = ("email", "person", "verified", "primary")
    readonly_fields = fields
    list_select_related = ("user",)
    links = ("user",)

    def find(self, queryset, term):
        return queryset.filter(email__startswith=term.lower())

    @display(description=_("person"))
    def person(self, address):
        return page_link(User, address.user_id, address.user)


class GroupForm(forms.ModelForm):
    """Rights that mean something here: on models that the admin shows."""

    class Meta:
        model = Group
        fields = ["name", "permissions"]
        widgets = {"permissions": UnfoldAdminCheckboxSelectMultipleWidget}

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        self.fields["permissions"].queryset = meaningful_permissions()
        self.fields["permissions"].label_from_instance = lambda permission: permission.name


def meaningful_permissions():
    """Looking at every model of the admin, and the few changes that it offers; staff's own rights are not given away."""
    looking = Q()
    for model in admin.site._registry:
        if model is not Group:
            looking |= Q(content_type__app_label=model._meta.app_label, codename=f"view_{model._meta.model_name}")
    changing = Q(
        content_type__app_label__in=["accounts", "django_celery_beat"],
        codename__in=[
            "change_user",
            "change_workspace",
            "change_plan",
            "change_extensioninstance",
            "change_periodictask",
        ],
    )
    return Permission.objects.filter(looking | changing).select_related("content_type")


@admin.register(Group)
class GroupAdmin(StaffModelAdmin):
    form = GroupForm
    list_display = ("name",)
    search_fields = ("name",)
    actions = None
    fields = ("name", "permissions")

    def find(self, queryset, term):
        return queryset.filter(name__icontains=term)

    def has_add_permission(self, request) -> bool:
        return request.user.is_superuser

    def has_change_permission(self, request, obj=None) -> bool:
        return request.user.is_superuser

    def has_delete_permission(self, request, obj=None) -> bool:
        return request.user.is_superuser

    def save_model(self, request, obj, form, change):
        staff.save_group(group=obj, actor=actors.person(request.user), **form.cleaned_data)

    def delete_model(self, request, obj):
        staff.delete_group(group=obj, actor=actors.person(request.user))
