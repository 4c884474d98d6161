from django.apps import AppConfig


class MessagingConfig(AppConfig):
    name = "messaging"
    verbose_name = "Messaging"

    def ready(self):
        from accounts.models import Resource
        from accounts.services.plans import register_recount
        from messaging.models import ScheduledMessage, ScheduleState

        register_recount(
            Resource.SCHEDULED_MESSAGES,
            lambda workspace: (
                ScheduledMessage.objects.for_workspace(workspace).filter(state=ScheduleState.WAITING).count()
            ),
        )
