from messaging.models.broadcasts import Broadcast, BroadcastState
from messaging.models.content import ContentPart
from messaging.models.dispatch import DispatchAttempt, DispatchState, LatePolicy, MessageSource, QueuedMessage
from messaging.models.media import MediaFile
from messaging.models.scheduled import ScheduledMessage, ScheduleState

__all__ = [
    "Broadcast",
    "BroadcastState",
    "ContentPart",
    "DispatchAttempt",
    "DispatchState",
    "LatePolicy",
    "MediaFile",
    "MessageSource",
    "QueuedMessage",
    "ScheduleState",
    "ScheduledMessage",
]
