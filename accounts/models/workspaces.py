"""Workspaces, who is in them, and who is invited."""

from django.db import models
from django.db.models.functions import Lower
from django.utils.translation import gettext_lazy as _

from accounts.scoping import WorkspaceModel, WorkspaceQuerySet
from waplus.lib.ids import uuid7


class Role(models.TextChoices):
    """What a member may do: each role may do all that the ones below it may."""

    OWNER = "owner", _("Owner")
    ADMIN = "admin", _("Admin")
    MEMBER = "member", _("Member")

    @property
    def rank(self) -> int:
        return {"owner": 3, "admin": 2, "member": 1}[self.value]


# Ownership is not given by a role but by a transfer.
ASSIGNABLE_ROLES = [(role.value, role.label) for role in (Role.ADMIN, Role.MEMBER)]


class Workspace(models.Model):
    """A team's own room: nothing in it is visible from another one."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    name = models.CharField(_("name"), max_length=100)
    plan = models.ForeignKey("accounts.Plan", models.PROTECT, related_name="workspaces")
    default_country = models.CharField(
        _("default country"),
        max_length=2,
        blank=True,
        help_text=_("ISO 3166 code for phone numbers that carry no country code."),
    )
    created_at = models.DateTimeField(_("created"), auto_now_add=True)

    def __str__(self) -> str:
        return self.name


class MembershipQuerySet(WorkspaceQuerySet):
    def of_person(self, user):
        return self.filter(user=user, user__is_active=True)


class Membership(WorkspaceModel):
    """A person in a workspace. The row's end cuts all access at once: sessions of instances hang on it."""

    user = models.ForeignKey("accounts.User", models.CASCADE, related_name="memberships")
    role = models.CharField(_("role"), max_length=10, choices=Role, default=Role.MEMBER)
    created_at = models.DateTimeField(_("joined"), auto_now_add=True)
    last_chosen_at = models.DateTimeField(null=True, help_text=_("When the person last switched to this workspace."))

    objects = MembershipQuerySet.as_manager()

    class Meta(WorkspaceModel.Meta):
        constraints = [
            *WorkspaceModel.Meta.constraints,
            models.UniqueConstraint(fields=["workspace", "user"], name="membership_once"),
            models.UniqueConstraint(
                fields=["workspace"], condition=models.Q(role="owner"), name="membership_one_owner"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.user} ({self.get_role_display()})"

    def may(self, role: Role) -> bool:
        """Whether this member's role includes `role`."""
        return Role(self.role).rank >= Role(role).rank


class Invitation(WorkspaceModel):
    """An open invitation by e-mail. The token in the message is stored as a hash; accepting or revoking deletes the row."""

    email = models.EmailField(_("e-mail address"))
    role = models.CharField(_("role"), max_length=10, choices=ASSIGNABLE_ROLES)
    token_hash = models.BinaryField(max_length=32, unique=True, editable=False)
    invited_by = models.ForeignKey("accounts.User", models.SET_NULL, null=True, related_name="+")
    created_at = models.DateTimeField(_("sent"), auto_now_add=True)
    expires_at = models.DateTimeField(_("expires"))

    class Meta(WorkspaceModel.Meta):
        constraints = [
            *WorkspaceModel.Meta.constraints,
            models.UniqueConstraint("workspace", Lower("email"), name="invitation_once"),
        ]

    def __str__(self) -> str:
        return self.email


class Departure(WorkspaceModel):
    """A membership has ended, and what the person looked after still has to be handed over: to `heir`, or to nobody.

    The row goes when that is done (`accounts.services.departures`).
    """

    user = models.ForeignKey("accounts.User", models.CASCADE, related_name="+")
    heir = models.ForeignKey("accounts.User", models.SET_NULL, null=True, related_name="+")
    noted_at = models.DateTimeField(_("left"), auto_now_add=True)

    class Meta(WorkspaceModel.Meta):
        constraints = [models.UniqueConstraint(fields=["workspace", "user"], name="departure_once")]

    def __str__(self) -> str:
        return str(self.user)
