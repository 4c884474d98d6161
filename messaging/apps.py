from django.apps import AppConfig
from django.contrib.humanize.templatetags.humanize import intcomma
from django.utils.translation import ngettext


class MessagingConfig(AppConfig):
    name = "messaging"
    verbose_name = "Messaging"

    def ready(self):
        from django.db.models import Sum

        from accounts.event_words import register_event_words
        from accounts.models import Resource
        from accounts.services.departures import register_departure
        from accounts.services.plans import register_recount
        from crm.services.merging import register_joining
        from messaging import checks  # noqa: F401  (they register themselves)
        from messaging.event_words import ICONS, WORDS
        from messaging.models import MediaFile, ScheduledRecipient
        from messaging.models.scheduled import COUNTED
        from messaging.services import timeline
        from messaging.services.auto_replies.deciding import decide_on_messages, reads_text
        from messaging.services.auto_replies.merges import keep_silence
        from messaging.services.broadcasts.replies import note_replies
        from messaging.services.dispatch import take_sight_of_own_messages
        from messaging.services.observed import register_need, register_observer
        from messaging.services.quick_replies import synced
        from messaging.services.quick_replies.changes import count_private, delete_private_replies
        from messaging.services.reachability import clear_at_inbound
        from messaging.services.suppression import words

        register_recount(
            Resource.SCHEDULED_MESSAGES,
            lambda workspace: ScheduledRecipient.objects.for_workspace(workspace).filter(state__in=COUNTED).count(),
        )
        register_recount(
            Resource.MEDIA_BYTES,
            lambda workspace: MediaFile.objects.for_workspace(workspace).aggregate(total=Sum("size"))["total"] or 0,
        )
        register_event_words(WORDS, ICONS)
        timeline.register()
        register_observer("dispatch", take_sight_of_own_messages, order=10)
        register_observer("reachability", clear_at_inbound, order=15)
        register_observer("opt_out", words.observe, order=20)
        register_observer("broadcasts", note_replies, order=30)
        register_observer("auto replies", decide_on_messages, order=40)
        register_need("opt_out", words.needs_text)
        register_need("auto replies", reads_text)
        register_joining("auto replies", keep_silence)
        synced.register()
        register_departure(
            "quick replies",
            delete_private_replies,
            count=count_private,
            words=lambda count: (
                ngettext(
                    "%(count)s private quick reply, which is deleted",
                    "%(count)s private quick replies, which are deleted",
                    count,
                )
                % {"count": intcomma(count)}
            ),
        )
