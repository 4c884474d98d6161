"""Observations: whom the extension sees in WhatsApp, with the identities that it shows as one person."""

from crm.services.observations.recording import observe

__all__ = ["observe"]
