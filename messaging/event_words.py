"""Events of messaging as people read them, and their icons."""

from django.utils.translation import gettext_lazy as _

WORDS = {
    "scheduled_message.created": _("scheduled a message"),
    "scheduled_message.updated": _("changed a scheduled message"),
    "scheduled_message.cancelled": _("cancelled a scheduled message"),
    "message.sending": _("began to send a message"),
    "message.sent": _("sent a message"),
    "message.failed": _("could not send a message"),
    "message.queued": _("gave a message back to the queue"),
    "message.skipped": _("skipped a message"),
    "message.late": _("found a message too late and asks what to do"),
    "message.outcome_unknown": _("lost sight of a message while it was being sent"),
    "dispatcher.chosen": _("chose which device sends from a number"),
    "dispatcher.given_up": _("stopped sending from a number on a device"),
    "dispatcher.paused": _("paused sending from a number"),
    "dispatcher.resumed": _("resumed sending from a number"),
    "suppression.created": _("put somebody on the do-not-contact list"),
    "suppression.imported": _("put numbers on the do-not-contact list"),
    "suppression.lifted": _("allowed messages to somebody again"),
    "opt_out_word.changed": _("changed the opt-out words"),
    "sending_budget.updated": _("changed the budget of a number"),
    "sending_budget.paused": _("let messages to new contacts rest after an error of WhatsApp"),
    "media.uploaded": _("uploaded a file"),
    "media.deleted": _("deleted a file"),
}
ICONS = {
    "media": "file",
    "message": "chat",
    "scheduled_message": "clock",
    "dispatcher": "devices",
    "suppression": "shield",
    "opt_out_word": "shield",
    "sending_budget": "shield",
}
