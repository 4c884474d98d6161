"""E-mails that are rows of a table, each handed to the mail server at most once, whatever is killed when.

A worker leases a row, looks again whether the message is still wanted, writes
down that it is about to hand it over, hands it over, and writes down what the
mail server said:

- killed before "sending" is written: the lease runs out and another worker
  sends it;
- killed after: nobody can know whether the server took it. It is not sent
  again and stays as "unknown".

The model has `state` (waiting, sending, delivered, failed, unknown, dropped),
`attempts` (the fence of the lease), `lease_until`, `delivered_at` and `problem`,
and an index on `lease_until` of what is waiting or being sent.
"""

import logging
import smtplib
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import islice
from uuid import UUID

from django.core.mail import EmailMessage, get_connection
from django.db import models, transaction
from django.utils import timezone

logger = logging.getLogger(__name__)

LEASE = timedelta(minutes=2)
# A sweep ends long before the worker's time limit; the next one goes on.
A_SWEEP = 200
UNKNOWN = "The worker fell silent while it handed the message to the mail server."


@dataclass(frozen=True)
class Lease:
    """A row in a worker's hands; `fence` is the attempt that the lease is for."""

    row_id: UUID
    fence: int


class MailOnce:
    """The mails of one table. Subclasses set `model` and say what a message is and until when it is of use."""

    model: type[models.Model]

    def hold(self, row_id: UUID) -> None:
        """Lock what decides whether a row's message is wanted, before the row itself is locked.

        Called in the transaction that writes down that it is sent, so that a change of mind comes either before,
        and nothing is sent, or after.
        """

    def message(self, row: models.Model, now: datetime) -> EmailMessage | None:
        """The message of a row, at the moment at which it would be sent; None where it is wanted no longer.

        Called in the same transaction, with the row locked.
        """
        raise NotImplementedError

    def note_delivered(self, row_id: UUID) -> None:
        """What else is written down with it, in the same transaction, once a row is delivered."""

    def latest(self, row: models.Model) -> datetime:
        """When it is too late to try again."""
        raise NotImplementedError

    def send_waiting(self) -> dict[str, int]:
        """Send what waits; answers how many ended how. Any number of sweeps may run at once, and each may be killed."""
        # What fell silent while it was sent will never be known.
        self.model.objects.filter(state="sending", lease_until__lte=timezone.now()).update(
            state="unknown", lease_until=None, problem=UNKNOWN
        )
        counts: dict[str, int] = {}
        for lease in islice(iter(self._lease, None), A_SWEEP):
            state = self._deliver(lease)
            counts[state] = counts.get(state, 0) + 1
        return counts

    def _mine(self, lease: Lease, *states: str) -> models.QuerySet:
        """The row, as long as nobody else has taken it over."""
        return self.model.objects.filter(pk=lease.row_id, attempts=lease.fence, state__in=states)

    @transaction.atomic
    def _lease(self) -> Lease | None:
        now = timezone.now()
        free = self.model.objects.filter(state="waiting", lease_until__lte=now).order_by("lease_until")
        row = free.select_for_update(of=("self",), skip_locked=True).first()
        if row is None:
            return None
        row.attempts, row.lease_until = row.attempts + 1, now + LEASE
        row.save(update_fields=["attempts", "lease_until"])
        return Lease(row.pk, row.attempts)

    def _deliver(self, lease: Lease) -> str:
        """Send one, on a connection of its own: a server that hung up on the one before takes none along."""
        mailer = get_connection()
        try:
            mailer.open()
        except (OSError, smtplib.SMTPException) as error:
            # Nothing was handed over for certain.
            return self._put_off(lease, f"The mail server cannot be reached: {type(error).__name__}.")
        try:
            message = self._begin_sending(lease)
            if message is None:
                return "dropped"
            try:
                mailer.send_messages([message])
            except (smtplib.SMTPRecipientsRefused, smtplib.SMTPResponseException, UnicodeError) as error:
                return self._refused(lease, error)
            except (OSError, smtplib.SMTPException) as error:
                return self._end(lease, "unknown", f"The mail server fell silent: {type(error).__name__}.")
            return self._end(lease, "delivered")
        finally:
            mailer.close()

    @transaction.atomic
    def _begin_sending(self, lease: Lease) -> EmailMessage | None:
        """The message, once it is written down that it is about to be handed over."""
        self.hold(lease.row_id)
        now = timezone.now()
        # Not waited for: who deletes it holds rows in another order.
        row = self._mine(lease, "waiting").select_for_update(of=("self",), skip_locked=True).first()
        if row is None:
            return None
        message = self.message(row, now) if self.latest(row) > now else None
        if message is None:
            self._end(lease, "dropped")
            return None
        row.state, row.lease_until = "sending", now + LEASE
        row.save(update_fields=["state", "lease_until"])
        return message

    def _refused(self, lease: Lease, error: Exception) -> str:
        """The server said no, so it has not sent it. What may pass is tried again, the rest is final."""
        if isinstance(error, smtplib.SMTPRecipientsRefused):
            code = next(iter(error.recipients.values()))[0]
        elif isinstance(error, smtplib.SMTPResponseException):
            code = error.smtp_code
        else:
            return self._end(lease, "failed", "The address or the message cannot be written for a mail server.")
        problem = f"The mail server refused it with code {code}."
        return self._put_off(lease, problem) if 400 <= code < 500 else self._end(lease, "failed", problem)

    def _put_off(self, lease: Lease, problem: str) -> str:
        """Try again later, each time after twice as long (an hour at most), until it is too late for a mail."""
        logger.warning("mail %s of %s: %s", lease.row_id, self.model._meta.label, problem)
        now = timezone.now()
        row = self._mine(lease, "waiting", "sending").first()
        if row is not None and self.latest(row) <= now:
            return self._end(lease, "failed", problem)
        pause = timedelta(minutes=min(2 ** min(lease.fence, 6), 60))
        self._mine(lease, "waiting", "sending").update(state="waiting", lease_until=now + pause, problem=problem)
        return "waiting"

    @transaction.atomic
    def _end(self, lease: Lease, state: str, problem: str = "") -> str:
        """Write down how it ended. That it was delivered is a fact, also when it comes after the lease."""
        sources = ["sending", "waiting", *(["unknown"] if state == "delivered" else [])]
        ended = self._mine(lease, *sources).update(
            state=state,
            lease_until=None,
            problem=problem,
            delivered_at=timezone.now() if state == "delivered" else None,
        )
        if ended and state == "delivered":
            self.note_delivered(lease.row_id)
        return state
