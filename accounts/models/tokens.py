"""What an instance shows to the API: sessions of instances and their tokens, tokens as SHA-256 hashes only."""

from django.db import models
from django.utils.translation import gettext_lazy as _

from accounts.scoping import WorkspaceModel
from waplus.lib.constraints import CompositeForeignKey, ScopedForeignKey


class RevokeReason(models.TextChoices):
    """Why a session of an instance ended."""

    LOGGED_OUT = "logged_out", _("Logged out on the device")
    BY_PERSON = "by_person", _("Signed out by the person")
    REPLACED = "replaced", _("Replaced by a newer login")
    REUSED = "reused", _("A refresh token was used twice")
    CREDENTIALS_CHANGED = "credentials_changed", _("The password changed")
    EXPIRED = "expired", _("Not used for too long")
    DEACTIVATED = "deactivated", _("The account was deactivated")


class InstanceSession(WorkspaceModel):
    """One login of an instance as a member: the family of its refresh tokens.

    `auth_hash` is Django's session hash of the person at login; it no longer
    matches once the password changes, by whichever path, which ends the
    session at its next request.
    """

    membership = ScopedForeignKey("accounts.Membership", models.CASCADE, related_name="instance_sessions")
    instance = models.ForeignKey("accounts.ExtensionInstance", models.CASCADE, related_name="sessions")
    auth_hash = models.CharField(max_length=128)
    created_at = models.DateTimeField(auto_now_add=True)
    refreshed_at = models.DateTimeField()
    expires_at = models.DateTimeField(help_text=_("The end of the family, however often it is refreshed."))
    revoked_at = models.DateTimeField(null=True)
    revoked_reason = models.CharField(max_length=24, choices=RevokeReason, blank=True)

    class Meta(WorkspaceModel.Meta):
        constraints = [
            *WorkspaceModel.Meta.constraints,
            CompositeForeignKey(field="membership", name="instance_session_membership"),
            models.UniqueConstraint(
                fields=["instance"], condition=models.Q(revoked_at=None), name="instance_session_one_alive"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.instance} as {self.membership}"


class AccessToken(models.Model):
    """A short-lived bearer token."""

    token_hash = models.BinaryField(primary_key=True, max_length=32)
    session = models.ForeignKey(InstanceSession, models.CASCADE, related_name="access_tokens")
    expires_at = models.DateTimeField(db_index=True)

    def __str__(self) -> str:
        return f"access until {self.expires_at:%H:%M:%S}"


class RefreshToken(models.Model):
    """A link of the chain of refresh tokens. `rotated_at` is set when its successor was handed out."""

    token_hash = models.BinaryField(primary_key=True, max_length=32)
    session = models.ForeignKey(InstanceSession, models.CASCADE, related_name="refresh_tokens")
    created_at = models.DateTimeField(auto_now_add=True)
    expires_at = models.DateTimeField(db_index=True)
    rotated_at = models.DateTimeField(null=True)

    def __str__(self) -> str:
        return f"refresh until {self.expires_at:%Y-%m-%d}"
