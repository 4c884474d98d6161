"""What devices may change while they are offline, each through the service that the API uses for it.

`registry` holds what all handlers have in common; the other modules are named
after the nouns that they change. `ONLINE_ONLY` names what is left to requests
of its own, because it reaches into many rows or is reported in bulk.
"""

from crm.services.sync.handlers import contacts, fields, notes, reminders, tabs, vocabulary, whatsapp
from crm.services.sync.handlers.registry import ONLINE_ONLY, pushable

__all__ = ["ONLINE_ONLY", "contacts", "fields", "notes", "pushable", "reminders", "tabs", "vocabulary", "whatsapp"]
