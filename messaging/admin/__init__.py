"""The admin of messaging: what happens to messages, never what they say or to whom."""

from messaging.admin import auto_replies, broadcasts, conversations, media, presence, queue, quick_replies, scheduled

__all__ = ["auto_replies", "broadcasts", "conversations", "media", "presence", "queue", "quick_replies", "scheduled"]
