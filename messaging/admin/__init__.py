"""The admin of messaging: what happens to messages, never what they say or to whom."""

from messaging.admin import conversations, queue, quick_replies, scheduled

__all__ = ["conversations", "queue", "quick_replies", "scheduled"]
