"""Synced conversations: taking messages in, switching on and off, deleting, searching, and what is still missing."""
