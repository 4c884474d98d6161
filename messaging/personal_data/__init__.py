"""The data map of messaging, by noun: importing a module declares its models."""

from messaging.personal_data import broadcasts, content, media, queue

__all__ = ["broadcasts", "content", "media", "queue"]
