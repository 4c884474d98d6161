"""Models of libraries in the admin: periodic tasks in our dress; what is unstyled or shows secrets goes away."""

from importlib import import_module

from allauth.account.models import EmailAddress
from allauth.mfa.models import Authenticator
from allauth.usersessions.models import UserSession
from django.contrib import admin
from django.contrib.auth.models import Group
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext
from django_celery_beat.models import ClockedSchedule, CrontabSchedule, IntervalSchedule, PeriodicTask, SolarSchedule
from unfold.decorators import action, display

from accounts import actors
from waplus import periodic_tasks
from waplus.lib.admin import EMPTY, ReadOnlyAdmin

# Loaded first, so that what they register can be taken back; `accounts.admin` registers addresses and groups anew.
for library in ("allauth.account", "allauth.mfa", "allauth.usersessions", "django.contrib.auth", "django_celery_beat"):
    import_module(f"{library}.admin")
for model in (
    *(Authenticator, EmailAddress, Group, UserSession),
    *(ClockedSchedule, CrontabSchedule, IntervalSchedule, PeriodicTask, SolarSchedule),
):
    admin.site.unregister(model)


@admin.register(PeriodicTask)
class PeriodicTaskAdmin(ReadOnlyAdmin):
    """The program's own schedule (`waplus.celery`): what runs and how often is code, so only pausing is left to staff."""

    list_display = ("name", "task", "schedule_text", "enabled", "last_run_at", "total_run_count")
    list_filter = ("enabled",)
    list_select_related = ("interval", "crontab", "solar", "clocked")
    ordering = ("name",)
    actions = ("resume", "pause", "start")
    fields = (
        "name",
        "task",
        "schedule_text",
        "enabled",
        "last_run_at",
        "total_run_count",
        "expire_seconds",
        "description",
    )
    readonly_fields = fields

    def has_run_permission(self, request) -> bool:
        return request.user.has_perm("django_celery_beat.change_periodictask")

    @display(description=_("schedule"))
    def schedule_text(self, task):
        return task.scheduler or EMPTY

    @action(description=_("Resume"), permissions=["run"])
    def resume(self, request, queryset):
        self._say(request, periodic_tasks.switch(tasks=queryset, enabled=True, actor=actors.person(request.user)))

    @action(description=_("Pause"), permissions=["run"])
    def pause(self, request, queryset):
        self._say(request, periodic_tasks.switch(tasks=queryset, enabled=False, actor=actors.person(request.user)))

    @action(description=_("Start now"), permissions=["run"])
    def start(self, request, queryset):
        self._say(request, periodic_tasks.start(tasks=queryset, actor=actors.person(request.user)))

    def _say(self, request, count: int) -> None:
        self.message_user(request, ngettext("%d task.", "%d tasks.", count) % count)
