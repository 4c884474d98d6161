"""The admin of messaging: what happens to messages, never what they say or to whom."""

from messaging.admin import (
    acks,
    auto_replies,
    broadcasts,
    budget,
    conversations,
    media,
    number_lists,
    presence,
    queue,
    quick_replies,
    scheduled,
    suppression,
)

__all__ = [
    "acks",
    "auto_replies",
    "broadcasts",
    "budget",
    "conversations",
    "media",
    "number_lists",
    "presence",
    "queue",
    "quick_replies",
    "scheduled",
    "suppression",
]
