"""Custom fields: made, renamed, ordered, retired and taken back; nothing that a contact has in them is lost."""

MAX_FIELDS = 200
