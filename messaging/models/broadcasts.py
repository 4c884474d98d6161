"""Messages to many, from one number."""

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from accounts.scoping import WorkspaceModel
from crm.models import Contact, WhatsAppAccount
from waplus.lib.constraints import CompositeForeignKey, ScopedForeignKey
from waplus.lib.fields import WallClockField
from waplus.lib.walltime import validate_zone

EVERY_DAY = (1, 2, 3, 4, 5, 6, 7)


class BroadcastState(models.TextChoices):
    """Where a broadcast is. Who may move it where is drawn in docs/broadcasts.md."""

    DRAFT = "draft", _("Draft")
    SCHEDULED = "scheduled", _("Waiting for its time")
    STARTING = "starting", _("Being started")
    RUNNING = "running", _("Running")
    PAUSED = "paused", _("Paused")
    DONE = "done", _("Done")
    CANCELLED = "cancelled", _("Cancelled")


class HoursOf(models.TextChoices):
    """Whose clock the allowed hours are read from."""

    RECIPIENT = "recipient", _("The recipient’s local time, where it is known")
    SENDER = "sender", _("Our local time")


class LeftOut(models.TextChoices):
    """Why somebody of the audience gets nothing. The first that holds is the one that is told."""

    IN_BIN = "in_bin", _("In the bin")
    NO_IDENTITY = "no_identity", _("No number and no WhatsApp ID")
    UNREACHABLE = "unreachable", _("Not reachable in WhatsApp")
    OPTED_OUT = "opted_out", _("Does not want to be contacted")
    MISSING_VARIABLE = "missing_variable", _("Something that the text names is missing")
    DUPLICATE = "duplicate", _("The same chat as somebody else’s")
    OVER_PLAN = "over_plan", _("Beyond what the plan allows this month")
    NO_TIME = "no_time", _("No time left before the end")


def every_day() -> list[int]:
    return list(EVERY_DAY)


class Broadcast(WorkspaceModel):
    """A message to an audience. What is handed out are its places in the queue, while it is running.

    `audience` is `{"include": [source, …], "exclude": [source, …]}`; a source is
    an object with exactly one of `filter`, `tab`, `tags`, `contacts`, `import`.
    Walls and hours are local to `time_zone`; `starts_at` and `ends_at` are the
    moments that follow from them. Days are ISO weekdays, 1 is Monday; hours
    without an end reach to midnight.
    """

    whatsapp_account = ScopedForeignKey(WhatsAppAccount, models.CASCADE, related_name="+")
    name = models.CharField(_("name"), max_length=100)
    audience = models.JSONField(_("audience"), default=dict, blank=True)
    time_zone = models.CharField(_("time zone"), max_length=64, default="UTC", validators=[validate_zone])
    start_wall = WallClockField(_("start"), null=True)
    starts_at = models.DateTimeField(null=True)
    end_wall = WallClockField(_("end"), null=True)
    ends_at = models.DateTimeField(null=True)
    hours_days = ArrayField(models.PositiveSmallIntegerField(), verbose_name=_("days"), default=every_day)
    hours_from = models.TimeField(_("from"), null=True)
    hours_to = models.TimeField(_("until"), null=True)
    hours_of = models.CharField(_("whose time"), max_length=9, choices=HoursOf, default=HoursOf.RECIPIENT)
    rate_per_hour = models.PositiveIntegerField(_("people an hour"), null=True)
    reply_days = models.PositiveSmallIntegerField(
        _("days"), default=7, help_text=_("For how long what people write back counts as an answer.")
    )
    allow_partial = models.BooleanField(
        _("send to as many as the plan allows"),
        default=False,
        help_text=_("Without it, a broadcast to more people than the plan allows does not start."),
    )
    state = models.CharField(_("state"), max_length=10, choices=BroadcastState, default=BroadcastState.DRAFT)
    problem = models.CharField(_("problem"), max_length=300, blank=True, help_text=_("Why it did not start."))
    attempts = models.PositiveSmallIntegerField(
        default=0, help_text=_("Starts that were tried since it was asked for.")
    )
    recipients = models.PositiveIntegerField(_("recipients"), default=0, help_text=_("Who was queued at the start."))
    left_out = models.JSONField(
        default=dict, blank=True, help_text=_("How many were left out at the start, by reason.")
    )
    zones = ArrayField(
        models.CharField(max_length=64), default=list, blank=True, help_text=_("Time zones of its recipients.")
    )
    started_at = models.DateTimeField(_("started"), null=True)
    started_by = models.ForeignKey("accounts.User", models.SET_NULL, null=True, related_name="+")
    finished_at = models.DateTimeField(_("finished"), null=True, help_text=_("Nothing of it is left to be settled."))
    created_by = models.ForeignKey("accounts.User", models.SET_NULL, null=True, related_name="+")
    created_at = models.DateTimeField(_("created"), auto_now_add=True)
    updated_at = models.DateTimeField(_("changed"), auto_now=True)

    class Meta(WorkspaceModel.Meta):
        constraints = [
            *WorkspaceModel.Meta.constraints,
            CompositeForeignKey(field="whatsapp_account", name="broadcast_account"),
        ]
        indexes = [
            models.Index(fields=["whatsapp_account"], condition=Q(state="running"), name="broadcast_running"),
            models.Index(fields=["workspace", "-id"], name="broadcast_list"),
            models.Index(
                fields=["state", "starts_at"], condition=Q(finished_at=None) & ~Q(state="draft"), name="broadcast_to_do"
            ),
        ]

    def __str__(self) -> str:
        """Without its name, which staff do not see."""
        return f"broadcast {self.pk}"

    @property
    def has_hours(self) -> bool:
        """Whether there are hours or days at which it may not be sent."""
        return self.hours_from is not None or self.hours_to is not None or set(self.hours_days) != set(EVERY_DAY)


class BroadcastExclusion(WorkspaceModel):
    """Somebody of the audience who gets nothing, and why, as it was decided at the start."""

    broadcast = ScopedForeignKey(Broadcast, models.CASCADE, related_name="exclusions", db_index=False)
    contact = ScopedForeignKey(Contact, models.CASCADE, related_name="+", db_index=False)
    reason = models.CharField(_("reason"), max_length=20, choices=LeftOut)
    detail = models.CharField(_("detail"), max_length=100, blank=True, help_text=_("Such as the variable's name."))

    class Meta(WorkspaceModel.Meta):
        # Nothing points here, so the scoped id of other tenant rows would be an index for nobody.
        constraints = [
            CompositeForeignKey(field="broadcast", name="broadcast_exclusion_broadcast"),
            CompositeForeignKey(field="contact", name="broadcast_exclusion_contact"),
            models.UniqueConstraint(fields=["broadcast", "contact"], name="broadcast_exclusion_once"),
        ]
        indexes = [
            models.Index(fields=["broadcast", "reason", "id"], name="broadcast_exclusion_list"),
            models.Index(fields=["workspace", "contact"], name="broadcast_exclusion_of"),
        ]

    def __str__(self) -> str:
        return self.reason


class BroadcastSetting(WorkspaceModel):
    """What a workspace decided on broadcasts; without a row, what stands here by default."""

    members_may_start = models.BooleanField(
        _("members may start broadcasts"),
        default=False,
        help_text=_("Without it they draft and try out, and an admin or the owner starts."),
    )

    class Meta(WorkspaceModel.Meta):
        constraints = [models.UniqueConstraint(fields=["workspace"], name="broadcast_setting_once")]

    def __str__(self) -> str:
        return "members may start" if self.members_may_start else "admins start"
