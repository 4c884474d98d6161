"""Answers kept for a day, so that a request may be repeated."""

from django.db import models

from accounts.scoping import WorkspaceModel


class IdempotencyRecord(WorkspaceModel):
    """The first answer to a key: one row a workspace, person and key. The answer is encrypted at rest."""

    user = models.ForeignKey("accounts.User", models.CASCADE, related_name="+")
    key = models.CharField(max_length=128)
    fingerprint = models.BinaryField(max_length=32)
    status = models.PositiveSmallIntegerField(null=True)
    body = models.TextField(blank=True)
    created_at = models.DateTimeField(auto_now_add=True, db_index=True)

    class Meta(WorkspaceModel.Meta):
        constraints = [
            *WorkspaceModel.Meta.constraints,
            models.UniqueConstraint(fields=["workspace", "user", "key"], name="idempotency_once"),
        ]

    def __str__(self) -> str:
        return self.key
