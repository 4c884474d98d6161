"""Acknowledgements: what WhatsApp tells of a message after (or before) its instance reported it as sent."""

from messaging.services.acks.recording import AckOutcome, record_acks
from messaging.services.acks.reports import SCHEMES

__all__ = ["SCHEMES", "AckOutcome", "record_acks"]
