from messaging.models.broadcasts import (
    Broadcast,
    BroadcastExclusion,
    BroadcastSetting,
    BroadcastState,
    HoursOf,
    LeftOut,
)
from messaging.models.content import ContentPart
from messaging.models.dispatch import DispatchAttempt, DispatchState, LatePolicy, MessageSource, QueuedMessage
from messaging.models.media import MediaFile
from messaging.models.scheduled import ScheduledMessage, ScheduleState

__all__ = [
    "Broadcast",
    "BroadcastExclusion",
    "BroadcastSetting",
    "BroadcastState",
    "ContentPart",
    "DispatchAttempt",
    "DispatchState",
    "HoursOf",
    "LatePolicy",
    "LeftOut",
    "MediaFile",
    "MessageSource",
    "QueuedMessage",
    "ScheduleState",
    "ScheduledMessage",
]
