"""Whom a workspace must not write to (docs/suppression.md)."""

from messaging.services.suppression.acts import lift, lift_contact, suppress, suppressions_of
from messaging.services.suppression.asking import is_suppressed, suppressed_contacts_sql, suppressed_sql

__all__ = [
    "is_suppressed",
    "lift",
    "lift_contact",
    "suppress",
    "suppressed_contacts_sql",
    "suppressed_sql",
    "suppressions_of",
]
