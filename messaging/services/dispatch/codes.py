"""Kinds of failures that an instance tells apart."""

from messaging.models import UnreachableReason

# The first say that the chat cannot be written to, now or later.
FAILURE_CODES = [*UnreachableReason.values, "account_restricted", "media_failed", "other"]
