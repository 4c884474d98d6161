"""The admin of messaging: what happens to messages, never what they say or to whom."""

from messaging.admin import queue, scheduled

__all__ = ["queue", "scheduled"]
