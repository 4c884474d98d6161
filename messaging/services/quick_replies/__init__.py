"""Quick replies: kept in folders, found by shortcut, checked when saved, rendered for a contact."""
