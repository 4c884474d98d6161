"""Stamps and tombstones by triggers; what contacts are listed and found by, for those that are there already."""

from django.db import migrations

from waplus.lib.change_stamps import StampChanges
from waplus.lib.text import fold

BATCH = 2000


def list_contacts(apps, schema_editor):
    contacts = apps.get_model("crm", "Contact").objects
    batch = []
    for contact in contacts.only("id", "name", "company", "email", "search_text").iterator(BATCH):
        contact.sort_name = next(filter(None, map(fold, (contact.name, contact.company, contact.email))), "")[:300]
        contact.search_text = f" {contact.search_text.strip()}"
        batch.append(contact)
        if len(batch) == BATCH:
            contacts.bulk_update(batch, ["sort_name", "search_text"])
            batch = []
    contacts.bulk_update(batch, ["sort_name", "search_text"])


class Migration(migrations.Migration):
    dependencies = [("crm", "0002_records")]

    operations = [
        migrations.RunPython(list_contacts, migrations.RunPython.noop),
        StampChanges("crm_whatsappaccount", "whatsapp_account", ["lid", "name"]),
        StampChanges("crm_stage", "stage", ["name", "colour", "position", "outcome"]),
        StampChanges(
            "crm_contact",
            "contact",
            ["name", "profile_name", "company", "email", "owner_id", "stage_id", "avatar_id", "deleted_at"],
        ),
        StampChanges("crm_contactidentity", "contact_identity"),
        StampChanges("crm_tag", "tag", ["name", "colour", "position"]),
        StampChanges("crm_contacttag", "contact_tag"),
        StampChanges("crm_note", "note", ["text", "pinned", "deleted_at"]),
        StampChanges("crm_customfield", "custom_field", ["name", "options", "currency", "position", "retired_at"]),
        StampChanges("crm_fieldvalue", "field_value", ["value"]),
        StampChanges("crm_tab", "tab", ["name", "filter", "sort", "position", "shared"]),
        StampChanges(
            "crm_chat",
            "chat",
            [
                *("name", "description", "contact_id", "avatar_id", "unread_count", "archived", "pinned"),
                *("last_inbound_at", "last_outbound_at", "awaiting_reply"),
            ],
        ),
        StampChanges("crm_groupmember", "group_member", ["name", "contact_id", "is_admin"]),
        StampChanges(
            "crm_reminder",
            "reminder",
            [
                *("text", "wall_time", "time_zone", "rrule", "occurrence_wall", "due_at", "snoozed_until"),
                *("state", "assignee_id", "contact_id", "chat_id"),
            ],
        ),
    ]
