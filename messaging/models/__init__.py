from messaging.models.dispatch import DispatchAttempt, DispatchState, QueuedMessage
from messaging.models.scheduled import ScheduledMessage, ScheduleState

__all__ = ["DispatchAttempt", "DispatchState", "QueuedMessage", "ScheduleState", "ScheduledMessage"]
