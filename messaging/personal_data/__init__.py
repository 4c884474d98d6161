"""The data map of messaging, by noun: importing a module declares its models."""

from messaging.personal_data import (
    acks,
    auto_replies,
    broadcasts,
    budget,
    content,
    conversations,
    media,
    number_lists,
    presence,
    queue,
    quick_replies,
    reachability,
    scheduled,
    sharing,
    suppression,
)

__all__ = [
    "acks",
    "auto_replies",
    "broadcasts",
    "budget",
    "content",
    "conversations",
    "media",
    "number_lists",
    "presence",
    "queue",
    "quick_replies",
    "reachability",
    "scheduled",
    "sharing",
    "suppression",
]
