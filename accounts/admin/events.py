"""Events in the admin: what happened, to look at and never to change."""

from django.contrib import admin
from django.db.models import OuterRef, Q, Subquery
from django.utils.translation import gettext_lazy as _
from unfold.decorators import display

from accounts.models import Event, ExtensionInstance, User, Workspace
from waplus.lib.admin import EMPTY, ReadOnlyAdmin, as_uuid, page_link

RECENT = 5_000


class KindFilter(admin.SimpleListFilter):
    """The kinds that occur among the newest events: all kinds of a long table would take a scan of it."""

    title = _("kind")
    parameter_name = "kind"

    def lookups(self, request, model_admin):
        recent = Event.objects.order_by("-pk").values("pk")[:RECENT]
        kinds = Event.objects.filter(pk__in=recent).order_by("kind").values_list("kind", flat=True).distinct()
        return [(kind, kind) for kind in kinds]

    def queryset(self, request, queryset):
        return queryset.filter(kind=self.value()) if self.value() else queryset


@admin.register(Event)
class EventAdmin(ReadOnlyAdmin):
    list_display = ("happened_at", "kind", "actor", "workspace_page", "changed_fields", "count", "object_id")
    list_filter = (KindFilter, "actor_kind")
    list_select_related = ("workspace",)
    search_fields = ("object_id",)
    search_help_text = _("Any ID, a kind or a request ID")
    fields = (
        "happened_at",
        "kind",
        "actor_kind",
        "actor",
        "device",
        "workspace_page",
        "object_type",
        "object_id",
        "changed_fields",
        "count",
        "request_id",
    )
    readonly_fields = fields
    links = ("workspace",)

    def get_queryset(self, request):
        person = User.objects.filter(pk=OuterRef("actor_user_id")).values("email")[:1]
        return super().get_queryset(request).annotate(actor_email=Subquery(person))

    def find(self, queryset, term):
        if uuid := as_uuid(term):
            return queryset.filter(
                Q(object_id=uuid)
                | Q(actor_user_id=uuid)
                | Q(actor_instance_id=uuid)
                | Q(workspace=uuid)
                | Q(request_id=term)
            )
        return queryset.filter(Q(kind=term) | Q(request_id=term))

    @display(description=_("actor"))
    def actor(self, event):
        if event.actor_user_id is None:
            return event.get_actor_kind_display()
        return page_link(User, event.actor_user_id, event.actor_email) if event.actor_email else event.actor_user_id

    @display(description=_("device"))
    def device(self, event):
        return page_link(ExtensionInstance, event.actor_instance_id, event.actor_instance_id)

    @display(description=_("workspace"))
    def workspace_page(self, event):
        return page_link(Workspace, event.workspace_id, event.workspace)

    @display(description=_("changed fields"))
    def changed_fields(self, event):
        return ", ".join(event.changed) or EMPTY
