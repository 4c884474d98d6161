"""What declarations of messaging have in common."""

from dataclasses import replace

from waplus.lib.personal_data import TEAM, TEAM_AND_STAFF, Category, Correct, Erase, Field, Recipient

AUTHOR = Field(
    Category.ACCOUNT,
    "Tells the team whose it is.",
    recipients=TEAM_AND_STAFF,
    correct=Correct.NEVER,
    erase=Erase.CLEARED,
)
BODY = Field(Category.MESSAGE_CONTENT, "Is the text to be sent, as the member wrote it.", recipients=TEAM)
CHAT = Field(
    Category.MESSAGE_METADATA,
    "Tells which chat the message goes to; staff see its last digits only.",
    recipients=TEAM_AND_STAFF,
)
METADATA = Field(
    Category.MESSAGE_METADATA,
    "Sends the message once, from the right number and at the right time, and tells what became of it.",
    recipients=TEAM_AND_STAFF,
    correct=Correct.NEVER,
)
WISH = replace(METADATA, correct=Correct.BY_PERSON)
DEVICE = Field(
    Category.MESSAGE_METADATA,
    "Tells which device was to send the message.",
    recipients=(Recipient.HOSTING, Recipient.STAFF),
    correct=Correct.NEVER,
    erase=Erase.CLEARED,
)
