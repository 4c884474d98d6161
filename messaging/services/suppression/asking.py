"""Whether somebody must not be written to, for one person and for sets of them.

A person is suppressed if any of their ids is: those that the contact has now,
the one that the chat has, and those of the contact that the chat's id belongs to.
"""

from uuid import UUID

from django.db import connection

from accounts.models import Workspace
from crm.models import Contact
from messaging.services.suppression.keys import NAMED_PADS, hash_sql, jid_keys_sql, pads

_ANY = "EXISTS (SELECT 1 FROM messaging_suppression a WHERE a.workspace_id = {workspace} AND a.lifted_at IS NULL)"
# OFFSET 0 keeps it a question per contact. Left to itself the planner hashes all identities of the workspace, which is no
# faster for a hundred thousand contacts of as many, and takes as long for a hundred of a million.
_OF_CONTACT = (
    "EXISTS (SELECT 1 FROM crm_contactidentity i JOIN messaging_suppression s ON s.workspace_id = i.workspace_id"
    " AND s.lifted_at IS NULL AND s.key_hash = {hash} WHERE i.workspace_id = {workspace}"
    " AND i.contact_id = {contact}{others} OFFSET 0)"
)
_OF_CHAT = (
    "EXISTS (SELECT 1 FROM messaging_suppression s WHERE s.workspace_id = {workspace} AND s.lifted_at IS NULL"
    " AND s.key_hash IN ({hashes}))"
)
_OF_ITS_CONTACT = (
    "EXISTS (SELECT 1 FROM crm_contactidentity h JOIN crm_contactidentity i ON i.workspace_id = h.workspace_id"
    " AND i.contact_id = h.contact_id JOIN messaging_suppression s ON s.workspace_id = i.workspace_id"
    " AND s.lifted_at IS NULL AND s.key_hash = {hash} WHERE h.workspace_id = {workspace}"
    " AND h.holds_key AND h.match_key IN ({keys}) AND h.contact_id IS DISTINCT FROM {contact})"
)


def suppressed_sql(
    alias_queue: str = "q", *, workspace: str = "", pads_at: tuple[str, str] = NAMED_PADS
) -> tuple[str, dict[str, bytes]]:
    """SQL, and its named parameters, that is true of a row with workspace_id, contact_id, chat_jid (canonical) if it must not go.

    `workspace` is an SQL expression (a parameter of the caller's) in place of
    the row's own column: then a workspace without suppressions is asked once in
    the statement and not once a row. `pads_at` is where the two parameters stand
    if not by name: `("$4", "$5")` for the values of the dictionary, in its order.
    """
    workspace = workspace or f"{alias_queue}.workspace_id"
    keys, key = jid_keys_sql(f"{alias_queue}.chat_jid"), hash_sql("i.match_key", pads_at)
    of_chat = _OF_CHAT.format(workspace=workspace, hashes=", ".join(hash_sql(each, pads_at) for each in keys))
    # Its ids are mostly those of the chat, which were looked up already: hashing costs more than telling that.
    others = "".join(f" AND i.match_key IS DISTINCT FROM {each}" for each in keys)
    of_contact = _OF_CONTACT.format(workspace=workspace, contact=f"{alias_queue}.contact_id", hash=key, others=others)
    of_its_contact = _OF_ITS_CONTACT.format(
        workspace=workspace, keys=", ".join(keys), hash=key, contact=f"{alias_queue}.contact_id"
    )
    return f"({_ANY.format(workspace=workspace)} AND ({of_chat} OR {of_contact} OR {of_its_contact}))", pads()


def suppressed_contacts_sql(
    alias_contact: str = "c", *, workspace: str = "", pads_at: tuple[str, str] = NAMED_PADS
) -> tuple[str, dict[str, bytes]]:
    """The same over rows of crm_contact."""
    workspace = workspace or f"{alias_contact}.workspace_id"
    of_contact = _OF_CONTACT.format(
        workspace=workspace, contact=f"{alias_contact}.id", hash=hash_sql("i.match_key", pads_at), others=""
    )
    return f"({_ANY.format(workspace=workspace)} AND {of_contact})", pads()


def is_suppressed(workspace: Workspace, contact: Contact | UUID | None = None, chat_jid: str = "") -> bool:
    """Whether a contact, or who stands behind a chat, must not be written to."""
    sql, params = suppressed_sql("q", workspace="%(workspace)s::uuid")
    contact_id = contact.pk if isinstance(contact, Contact) else contact
    with connection.cursor() as cursor:
        cursor.execute(
            f"SELECT {sql} FROM (SELECT %(contact)s::uuid AS contact_id, %(jid)s::text AS chat_jid) q",
            {**params, "workspace": workspace.pk, "contact": contact_id, "jid": chat_jid},
        )
        return cursor.fetchone()[0]
