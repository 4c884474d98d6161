"""Warnings before messages cannot be sent in time, and of those that wait for a person: found by a sweep, told by mail."""

from messaging.services.warnings.mail import send_warning_mails
from messaging.services.warnings.sweep import COUNTED, HORIZON, delete_old_warnings, warn_in_time

__all__ = ["COUNTED", "HORIZON", "delete_old_warnings", "send_warning_mails", "warn_in_time"]
