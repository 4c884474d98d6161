"""What claims ask of each message, as SQL over a row of the queue."""


def is_new_sql(alias: str = "q") -> str:
    """SQL that is true of a row whose recipient this number has no message with, in either direction.

    What CRM knows of the number's chats decides, by the chat itself and by its
    contact; the later parts of a message whose first part has gone are no new
    contact of their own. Groups are none either.
    """
    of_number = (
        "SELECT 1 FROM crm_chat k WHERE k.workspace_id = {q}.workspace_id"
        " AND k.whatsapp_account_id = {q}.whatsapp_account_id"
        " AND (k.last_message_at IS NOT NULL OR k.last_inbound_at IS NOT NULL OR k.last_outbound_at IS NOT NULL)"
    )
    return (
        "(right({q}.chat_jid, 5) <> '@g.us'"
        f" AND NOT EXISTS ({of_number} AND k.jid = {{q}}.chat_jid)"
        f" AND NOT EXISTS ({of_number} AND k.contact_id = {{q}}.contact_id)"
        " AND NOT EXISTS (SELECT 1 FROM messaging_queuedmessage k WHERE k.origin_id = {q}.origin_id"
        " AND k.occurrence_at = {q}.occurrence_at AND k.chat_jid = {q}.chat_jid AND k.position < {q}.position"
        " AND k.sending_at IS NOT NULL))"
    ).format(q=alias)


def quiet_until_sql(alias: str = "q", *, quiet: str = "%(quiet)s") -> str:
    """SQL of when the quiet hours end that hold a row back; NULL where none do.

    `quiet` is the place of `BudgetNow.quiet_param`. They concern broadcasts, and
    scheduled messages to new contacts.
    """
    until = f"({quiet}::jsonb ->> {alias}.recipient_zone)::timestamptz"
    return (
        f"CASE WHEN {quiet}::jsonb = '{{}}'::jsonb OR {alias}.source NOT IN ('broadcast', 'scheduled') THEN NULL"
        f" WHEN {alias}.source = 'broadcast' OR {is_new_sql(alias)} THEN {until} END"
    )
