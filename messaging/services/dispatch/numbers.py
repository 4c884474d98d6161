"""The lease on a WhatsApp number: held by the instance that asks, handed over when it dies or a person chooses another."""

from datetime import datetime
from uuid import UUID

from django.db import DEFAULT_DB_ALIAS, transaction
from django.utils import timezone

from accounts.actors import Actor
from accounts.models import ExtensionInstance, InstanceSession, User, Workspace
from accounts.services.events import record_event
from crm.services.whatsapp_accounts import account_of
from messaging.models import DispatchAttempt, Dispatcher, DispatchState, QueuedMessage
from messaging.services.dispatch.attempts import attempt_under_way
from messaging.services.dispatch.moves import LEASE
from waplus.lib.errors import Invalid, Refused
from waplus.lib.prepared import PreparedStatement

_COLUMNS = [field.attname for field in Dispatcher._meta.concrete_fields]
_LOCKED = PreparedStatement(
    f"SELECT {', '.join(_COLUMNS)} FROM messaging_dispatcher"  # noqa: S608
    " WHERE workspace_id = %s AND whatsapp_account_id = %s FOR NO KEY UPDATE"
)
_OF_CLAIMS = ["instance_id", "epoch", "lease_until", "held_since", "chosen_by_id", "last_claim_id", "next_send_at"]


def save_claim_sql(first: int = 1) -> str:
    """SQL of what `save_claim` does with the parameters of `claim_params` from `$first` on: for a statement that does more."""
    columns = ", ".join(f"{name} = ${place}" for place, name in enumerate(_OF_CLAIMS, first + 1))
    return f"UPDATE messaging_dispatcher SET {columns} WHERE id = ${first} RETURNING 1"  # noqa: S608


_CLAIMED = PreparedStatement(save_claim_sql())


def dispatcher_of(*, workspace: Workspace, account_id: UUID) -> Dispatcher:
    """The row of a number's lease, made with the number's first use. An unknown number is `not_found`."""
    rows = Dispatcher.objects.for_workspace(workspace).filter(whatsapp_account=account_id)
    found = rows.select_related("instance").first()
    if found is None:
        _make(workspace, account_id)
        return rows.select_related("instance").get()
    return found


def locked_dispatcher(*, workspace: Workspace, account_id: UUID) -> Dispatcher:
    """The same row, locked: claims, hand-overs and "sending" of a number take turns on it."""
    found = _LOCKED.fetch([workspace.pk, account_id])
    if not found:
        _make(workspace, account_id)
        found = _LOCKED.fetch([workspace.pk, account_id])
    return Dispatcher.from_db(DEFAULT_DB_ALIAS, _COLUMNS, found[0])


def _make(workspace: Workspace, account_id: UUID) -> None:
    account_of(workspace=workspace, account_id=account_id)
    row = Dispatcher(workspace=workspace, whatsapp_account_id=account_id)
    Dispatcher.objects.bulk_create([row], ignore_conflicts=True)


def save_claim(dispatcher: Dispatcher) -> None:
    """Write what a claim has changed."""
    _CLAIMED.fetch(claim_params(dispatcher))


def claim_params(dispatcher: Dispatcher) -> list:
    """The parameters of `save_claim_sql`."""
    return [dispatcher.pk, *(getattr(dispatcher, name) for name in _OF_CLAIMS)]


def hold_number(dispatcher: Dispatcher, instance: ExtensionInstance, now: datetime) -> bool:
    """Give the lease to an instance that asks, or renew its own; False while another one holds it. The row is locked."""
    if dispatcher.instance_id == instance.pk:
        dispatcher.lease_until = now + LEASE
        return True
    if dispatcher.instance_id is not None and dispatcher.lease_until is not None and dispatcher.lease_until > now:
        return False
    _hand_to(dispatcher, instance, now)
    return True


def _hand_to(dispatcher: Dispatcher, instance: ExtensionInstance | None, now: datetime) -> None:
    dispatcher.instance = instance
    dispatcher.epoch += 1
    dispatcher.lease_until = dispatcher.held_since = None
    if instance is not None:
        dispatcher.lease_until, dispatcher.held_since = now + LEASE, now
    dispatcher.chosen_by = None
    dispatcher.last_claim_id = None


@transaction.atomic
def choose_dispatcher(
    *, workspace: Workspace, account_id: UUID, instance_id: UUID, user: User, actor: Actor
) -> Dispatcher:
    """Let another instance send from a number, at once.

    What the one before had not begun to send goes back to the queue; what it
    is sending stays its own. It must be a device with which somebody of the
    workspace can work now; every other one is unknown.
    """
    now = timezone.now()
    session = (
        InstanceSession.objects.filter(
            instance=instance_id, membership__workspace=workspace, revoked_at=None, expires_at__gt=now
        )
        .select_related("instance")
        .first()
    )
    if session is None:
        raise Invalid("instance", "does_not_exist", "No device with this id can work in the workspace now.")
    dispatcher = locked_dispatcher(workspace=workspace, account_id=account_id)
    if dispatcher.instance_id != session.instance_id:
        _take_back(dispatcher, now)
        _hand_to(dispatcher, session.instance, now)
        dispatcher.chosen_by = user
        dispatcher.save()
        record_event(kind="dispatcher.chosen", actor=actor, workspace=workspace, obj=dispatcher, changed=["instance"])
    return dispatcher


@transaction.atomic
def give_up_number(*, workspace: Workspace, account_id: UUID, instance: ExtensionInstance, actor: Actor) -> Dispatcher:
    """An instance that can send no more (logged out, closing) lets the number go; only the holder can."""
    dispatcher = locked_dispatcher(workspace=workspace, account_id=account_id)
    if dispatcher.instance_id != instance.pk:
        raise Refused("number_taken", "This instance does not hold the number.")
    now = timezone.now()
    _take_back(dispatcher, now)
    _hand_to(dispatcher, None, now)
    dispatcher.save()
    record_event(kind="dispatcher.given_up", actor=actor, workspace=workspace, obj=dispatcher, changed=["instance"])
    return dispatcher


def _take_back(dispatcher: Dispatcher, now: datetime) -> None:
    """Queue again what the holder was handed and has not begun to send."""
    rows = QueuedMessage.objects.filter(
        whatsapp_account=dispatcher.whatsapp_account_id, instance=dispatcher.instance_id, state=DispatchState.LEASED
    )
    handed = list(rows.order_by("pk").select_for_update())
    attempts = [attempt_under_way(row) for row in handed]
    for attempt in attempts:
        attempt.outcome, attempt.ended_at = "handed_over", now
    DispatchAttempt.objects.bulk_create(attempts)
    QueuedMessage.objects.filter(pk__in=[row.pk for row in handed]).update(state=DispatchState.QUEUED, lease_until=None)


@transaction.atomic
def pause_number(*, workspace: Workspace, account_id: UUID, user: User, actor: Actor) -> Dispatcher:
    """Hand out nothing more of a number until somebody resumes it."""
    return _switch(workspace, account_id, user, actor, paused=True)


@transaction.atomic
def resume_number(*, workspace: Workspace, account_id: UUID, user: User, actor: Actor) -> Dispatcher:
    """Hand out again; what became too late meanwhile is treated as each message says."""
    return _switch(workspace, account_id, user, actor, paused=False)


def _switch(workspace: Workspace, account_id: UUID, user: User, actor: Actor, *, paused: bool) -> Dispatcher:
    dispatcher = locked_dispatcher(workspace=workspace, account_id=account_id)
    if (dispatcher.paused_at is not None) != paused:
        dispatcher.paused_at = timezone.now() if paused else None
        dispatcher.paused_by = user if paused else None
        dispatcher.save(update_fields=["paused_at", "paused_by"])
        kind = "dispatcher.paused" if paused else "dispatcher.resumed"
        record_event(kind=kind, actor=actor, workspace=workspace, obj=dispatcher, changed=["paused_at"])
    return dispatcher
