"""Kinds of failures that an instance tells apart."""

# The chat cannot be written to, now or later.
UNREACHABLE_CODES = ["not_on_whatsapp", "blocked", "left_group", "chat_gone"]
FAILURE_CODES = [*UNREACHABLE_CODES, "account_restricted", "media_failed", "other"]
