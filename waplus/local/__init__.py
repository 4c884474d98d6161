"""The embedded default: PostgreSQL, web, worker and beat from one command, with nothing installed but Python."""
