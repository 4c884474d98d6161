"""The data map of messaging, by noun: importing a module declares its models."""

from messaging.personal_data import auto_replies, broadcasts, budget, content, media, queue, suppression

__all__ = ["auto_replies", "broadcasts", "budget", "content", "media", "queue", "suppression"]
