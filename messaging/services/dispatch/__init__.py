"""Dispatch: one queue over everything that sends, handed out under leases with fencing numbers.

The protocol is drawn in docs/dispatch.md. What must never happen is a second
send: a message whose instance said "sending" and fell silent is never handed
out again by itself; its outcome is unknown until that instance has looked into
the chat for the reserved message id.
"""

from messaging.services.dispatch.attempts import attempts_of
from messaging.services.dispatch.claiming import MAX_CLAIM, Claim, claim_messages
from messaging.services.dispatch.facts import confirm_sent, take_sight_of_own_messages
from messaging.services.dispatch.numbers import (
    choose_dispatcher,
    dispatcher_of,
    give_up_number,
    pause_number,
    resume_number,
)
from messaging.services.dispatch.reporting import REPORTS, report_message, send_within_ms
from messaging.services.dispatch.settling import (
    TOO_LATE,
    UNKNOWN,
    decide_late,
    resolve_message,
    settle_expired_leases,
)
from messaging.services.dispatch.verdicts import IN_BIN

__all__ = [
    "IN_BIN",
    "MAX_CLAIM",
    "REPORTS",
    "TOO_LATE",
    "UNKNOWN",
    "Claim",
    "attempts_of",
    "choose_dispatcher",
    "claim_messages",
    "confirm_sent",
    "decide_late",
    "dispatcher_of",
    "give_up_number",
    "pause_number",
    "report_message",
    "resolve_message",
    "resume_number",
    "send_within_ms",
    "settle_expired_leases",
    "take_sight_of_own_messages",
]
