"""The admin of messaging: what happens to messages, never what they say or to whom."""

from messaging.admin import queue, quick_replies, scheduled

__all__ = ["queue", "quick_replies", "scheduled"]
