"""Sweeps of messaging: each may run twice, late or never without harm."""

from celery import shared_task

from messaging.services import dispatch, presence, reachability, scheduling, sharing, warnings
from messaging.services.auto_replies.chats import forget_marks
from messaging.services.auto_replies.deciding import delete_old_decisions as sweep_decisions
from messaging.services.broadcasts import running, starting
from messaging.services.conversations import deletion as conversation_deletion
from messaging.services.conversations import homes, seen, switching
from messaging.services.media import deletion
from messaging.services.number_lists import runs
from messaging.services.quick_replies import using
from messaging.services.suppression import following


@shared_task
def queue_due_messages() -> None:
    scheduling.queue_all_due()


@shared_task
def derive_due_times_of_schedules() -> None:
    scheduling.derive_due_times()
    scheduling.close_abandoned_schedules()


@shared_task
def settle_expired_leases() -> None:
    dispatch.settle_expired_leases()


@shared_task
def warn_in_time() -> None:
    warnings.warn_in_time()


@shared_task
def send_warning_mails() -> None:
    warnings.send_warning_mails()


@shared_task
def forget_old_signs() -> None:
    presence.delete_old_presences()
    reachability.forget_heard_from()
    warnings.delete_old_warnings()


@shared_task
def delete_old_decisions() -> None:
    """Decisions on automatic replies after thirty days, marks of texts after one."""
    while sweep_decisions():
        pass
    forget_marks()


@shared_task
def follow_suppressed_contacts() -> None:
    following.follow_suppressed_contacts()


@shared_task
def run_number_lists() -> None:
    runs.run_open_lists()


@shared_task
def start_broadcasts() -> None:
    starting.start_waiting_broadcasts()


@shared_task
def settle_broadcasts() -> None:
    running.settle_broadcasts()


@shared_task
def delete_unused_media() -> None:
    while deletion.delete_unused_media():
        pass


@shared_task
def delete_leftovers_of_uploads() -> None:
    deletion.delete_leftovers()


@shared_task
def forget_old_uses() -> None:
    using.forget_old_uses()


@shared_task
def delete_switched_off() -> None:
    switching.settle_orphans()
    conversation_deletion.delete_switched_off()


@shared_task
def put_conversations_right() -> None:
    homes.put_all_right()


@shared_task
def forget_seen_messages() -> None:
    seen.forget_seen()
    conversation_deletion.delete_old_stubs()


@shared_task
def delete_old_shares() -> None:
    sharing.delete_old_shares()
