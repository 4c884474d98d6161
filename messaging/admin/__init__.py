"""The admin of messaging: what happens to messages, never what they say or to whom."""

from messaging.admin import broadcasts, conversations, queue, quick_replies, scheduled

__all__ = ["broadcasts", "conversations", "queue", "quick_replies", "scheduled"]
