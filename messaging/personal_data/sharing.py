"""The data map of links to conversations."""

from dataclasses import replace

from messaging.personal_data.vocabulary import AUTHOR, METADATA
from waplus.lib.personal_data import (
    CLIENT_ID,
    TEAM_AND_STAFF,
    WORKSPACE,
    Category,
    Correct,
    Export,
    Field,
    PersonalData,
    Recipient,
    Retention,
    declare,
    technical,
)

LINK = replace(METADATA, purpose="Shows a stretch of a conversation to whoever was given the link.")
OPENING = Field(
    Category.MESSAGE_METADATA,
    "Tells the team that its link was opened, by how many, and roughly from where.",
    retention=Retention.UNTIL_EXPIRY,
    recipients=TEAM_AND_STAFF,
    correct=Correct.NEVER,
)


@declare
class ShareLinkData(PersonalData):
    model = "messaging.ShareLink"
    subjects = {"workspace": "workspace", "contact": ("contact", "chat__contact"), "person": "created_by"}
    fields = {
        "id": CLIENT_ID,
        "workspace": WORKSPACE,
        **dict.fromkeys(
            (
                *(
                    "chat",
                    "contact",
                    "message_ids",
                    "removed_ids",
                    "redact_numbers",
                    "include_media",
                    "expires_at",
                    "revoked_at",
                ),
                *("opened_count", "created_at"),
            ),
            LINK,
        ),
        **dict.fromkeys(
            ("token_hash", "password"),
            replace(
                LINK,
                category=Category.AUTHENTICATION,
                purpose="Lets in who has the link and knows its password; kept as hashes.",
                recipients=(Recipient.HOSTING,),
                export=Export.MASKED,
            ),
        ),
        "created_by": AUTHOR,
    }


@declare
class ShareOpeningData(PersonalData):
    model = "messaging.ShareOpening"
    subjects = {
        "workspace": "workspace",
        "contact": ("share__contact", "share__chat__contact"),
        "person": "share__created_by",
    }
    fields = {
        "id": technical("Names the row."),
        "workspace": WORKSPACE,
        "share": technical("Leads to the link that was opened."),
        **dict.fromkeys(("opened_at", "agent", "network"), OPENING),
    }
