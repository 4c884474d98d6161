from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class MessagingConfig(AppConfig):
    name = "messaging"
    verbose_name = "Messaging"

    def ready(self):
        from accounts.event_words import register_event_words
        from accounts.models import Resource
        from accounts.services.plans import register_recount
        from messaging import checks  # noqa: F401  (they register themselves)
        from messaging.models import ScheduledMessage, ScheduleState

        register_recount(
            Resource.SCHEDULED_MESSAGES,
            lambda workspace: (
                ScheduledMessage.objects.for_workspace(workspace).filter(state=ScheduleState.WAITING).count()
            ),
        )
        register_event_words(
            {
                "scheduled_message.created": _("scheduled a message"),
                "scheduled_message.updated": _("changed a scheduled message"),
                "scheduled_message.cancelled": _("cancelled a scheduled message"),
                "message.sending": _("began to send a message"),
                "message.sent": _("sent a message"),
                "message.failed": _("could not send a message"),
                "message.queued": _("gave a message back to the queue"),
                "message.skipped": _("skipped a message that was too late"),
                "message.outcome_unknown": _("lost sight of a message while it was being sent"),
                "suppression.created": _("put somebody on the do-not-contact list"),
                "suppression.imported": _("put numbers on the do-not-contact list"),
                "suppression.lifted": _("allowed messages to somebody again"),
                "opt_out_word.changed": _("changed the opt-out words"),
                "sending_budget.updated": _("changed the budget of a number"),
                "sending_budget.paused": _("let messages to new contacts rest after an error of WhatsApp"),
            },
            {
                "message": "chat",
                "scheduled_message": "clock",
                "suppression": "shield",
                "opt_out_word": "shield",
                "sending_budget": "shield",
            },
        )
