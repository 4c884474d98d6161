from messaging.models.acks import MessageAck
from messaging.models.auto_replies import (
    AutoReplyAnswer,
    AutoReplyChat,
    AutoReplyDecision,
    AutoReplyRule,
    AutoReplySetting,
    BusinessHours,
    Verdict,
)
from messaging.models.broadcasts import (
    Broadcast,
    BroadcastExclusion,
    BroadcastSetting,
    BroadcastState,
    HoursOf,
    LeftOut,
)
from messaging.models.budget import HeldBy, SendingBudget
from messaging.models.content import ContentPart
from messaging.models.conversations import (
    ConversationMessage,
    ConversationRule,
    ConversationSync,
    Deleting,
    MessageReaction,
    RuleKind,
    SeenMessage,
)
from messaging.models.dispatch import DispatchAttempt, DispatchState, LatePolicy, MessageSource, QueuedMessage
from messaging.models.dispatchers import Dispatcher
from messaging.models.media import MediaFile, MediaPart, MediaUpload
from messaging.models.number_lists import NumberList, NumberListChunk, NumberListRefusal
from messaging.models.presence import DispatchWarning, NumberPresence, WarningKind, WarningMail, WarningMailState
from messaging.models.quick_replies import QuickReply, QuickReplyFolder, QuickReplyText, QuickReplyUse, Visibility
from messaging.models.reachability import UnreachableChat, UnreachableReason
from messaging.models.scheduled import (
    RecipientState,
    ScheduleClock,
    ScheduledMessage,
    ScheduledRecipient,
    ScheduleState,
)
from messaging.models.sharing import ShareLink, ShareOpening
from messaging.models.suppression import (
    ConsentKind,
    ConsentMeans,
    ConsentRecord,
    OptOutWord,
    Suppression,
    SuppressionSource,
    WordKind,
)

__all__ = [
    "AutoReplyAnswer",
    "AutoReplyChat",
    "AutoReplyDecision",
    "AutoReplyRule",
    "AutoReplySetting",
    "Broadcast",
    "BroadcastExclusion",
    "BroadcastSetting",
    "BroadcastState",
    "BusinessHours",
    "ConsentKind",
    "ConsentMeans",
    "ConsentRecord",
    "ContentPart",
    "ConversationMessage",
    "ConversationRule",
    "ConversationSync",
    "Deleting",
    "DispatchAttempt",
    "DispatchState",
    "DispatchWarning",
    "Dispatcher",
    "HeldBy",
    "HoursOf",
    "LatePolicy",
    "LeftOut",
    "MediaFile",
    "MediaPart",
    "MediaUpload",
    "MessageAck",
    "MessageReaction",
    "MessageSource",
    "NumberList",
    "NumberListChunk",
    "NumberListRefusal",
    "NumberPresence",
    "OptOutWord",
    "QueuedMessage",
    "QuickReply",
    "QuickReplyFolder",
    "QuickReplyText",
    "QuickReplyUse",
    "RecipientState",
    "RuleKind",
    "ScheduleClock",
    "ScheduleState",
    "ScheduledMessage",
    "ScheduledRecipient",
    "SeenMessage",
    "SendingBudget",
    "ShareLink",
    "ShareOpening",
    "Suppression",
    "SuppressionSource",
    "UnreachableChat",
    "UnreachableReason",
    "Verdict",
    "Visibility",
    "WarningKind",
    "WarningMail",
    "WarningMailState",
    "WordKind",
]
