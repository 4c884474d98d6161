"""What several declarations of the CRM have in common."""

from dataclasses import replace

from waplus.lib.personal_data import TEAM, Category, Correct, Erase, Field, technical

CONTACT = Field(Category.WHATSAPP_CONTACT, "Lets members recognise and reach their contact.", recipients=TEAM)
RECORD = Field(Category.WHATSAPP_CONTACT, "Is what members keep about their contacts.", recipients=TEAM)
OF_CONTACT = replace(CONTACT, purpose="Tells which contact it belongs to.", correct=Correct.NEVER)
WHEN = replace(RECORD, purpose="Tells when it was made or changed.", correct=Correct.NEVER)
AUTHOR = Field(
    Category.ACCOUNT,
    "Tells which member did it.",
    recipients=TEAM,
    correct=Correct.NEVER,
    erase=Erase.CLEARED,
)
STAMP = {"changed_xid": technical("Lets devices pull what changed, in the order in which it was committed.")}


def versions(*columns: str) -> dict[str, Field]:
    """Stamp and versions of a synced row whose `columns` are versioned."""
    return {
        **STAMP,
        "version": technical("Counts the changes of the row, so that two devices do not overwrite each other."),
        "field_versions": technical("Tells at which version each column changed last.", json_keys=columns),
    }
