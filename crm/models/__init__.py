from crm.models.avatars import Avatar
from crm.models.bulk import BulkAction, BulkChunk, BulkKind, BulkState, ContactsOfEvent
from crm.models.chats import Chat, ChatKind, GroupMember
from crm.models.colours import Colour
from crm.models.contacts import Contact
from crm.models.custom_fields import CustomField, FieldKind, FieldValue
from crm.models.identities import ContactIdentity, IdentityKind, IdentitySource
from crm.models.imports import DuplicatePolicy, ImportBatch, ImportRow, ImportState, RowOutcome, StagedRow
from crm.models.merges import Merge, MergeMove, MergeSuggestion, SuggestionReason, SuggestionScan
from crm.models.notes import Note, NoteEdit
from crm.models.reminders import DeliveryChannel, DeliveryState, Reminder, ReminderDelivery, ReminderState
from crm.models.stages import Stage, StageOutcome
from crm.models.sync import PushedChange, SyncEpoch, SyncFloor, Tombstone
from crm.models.tabs import Tab, TabCount, TabTarget
from crm.models.tags import ContactTag, Tag
from crm.models.whatsapp_accounts import WhatsAppAccount

__all__ = [
    "Avatar",
    "BulkAction",
    "BulkChunk",
    "BulkKind",
    "BulkState",
    "Chat",
    "ChatKind",
    "Colour",
    "Contact",
    "ContactIdentity",
    "ContactTag",
    "ContactsOfEvent",
    "CustomField",
    "DeliveryChannel",
    "DeliveryState",
    "DuplicatePolicy",
    "FieldKind",
    "FieldValue",
    "GroupMember",
    "IdentityKind",
    "IdentitySource",
    "ImportBatch",
    "ImportRow",
    "ImportState",
    "Merge",
    "MergeMove",
    "MergeSuggestion",
    "Note",
    "NoteEdit",
    "PushedChange",
    "Reminder",
    "ReminderDelivery",
    "ReminderState",
    "RowOutcome",
    "Stage",
    "StageOutcome",
    "StagedRow",
    "SuggestionReason",
    "SuggestionScan",
    "SyncEpoch",
    "SyncFloor",
    "Tab",
    "TabCount",
    "TabTarget",
    "Tag",
    "Tombstone",
    "WhatsAppAccount",
]
