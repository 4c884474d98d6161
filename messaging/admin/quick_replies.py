"""Quick replies in the admin: how many there are and how they are used, never what they say or are called."""

from django.contrib import admin
from django.utils.translation import gettext_lazy as _
from unfold.decorators import display

from messaging.models import QuickReply
from messaging.services.quick_replies.using import with_uses
from waplus.lib.admin import OfWorkspaceAdmin


@admin.register(QuickReply)
class QuickReplyAdmin(OfWorkspaceAdmin):
    hidden = ("name", "shortcut", "shortcut_key", "search_text", "contents")
    list_display = ("id", "workspace_page", "visible_to", "languages", "use_count", "updated_at")
    fields = (
        *("id", "workspace_page", "visible_to", "languages", "default_language", "use_count", "last_used"),
        *("created_at", "updated_at"),
    )
    readonly_fields = fields

    def get_queryset(self, request):
        return with_uses(super().get_queryset(request).prefetch_related("texts"))

    def get_object(self, request, object_id, from_field=None):
        """The row as staff may see it; it is never saved, so its name is taken out at once."""
        reply = super().get_object(request, object_id, from_field)
        if reply is not None:
            reply.name = str(reply.pk)
        return reply

    @display(description=_("visible to"))
    def visible_to(self, reply):
        return reply.visibility.label

    @display(description=_("languages"))
    def languages(self, reply):
        return ", ".join(sorted(text.language for text in reply.texts.all()))

    @display(description=_("used in 90 days"))
    def use_count(self, reply):
        return reply.use_count

    @display(description=_("last used"))
    def last_used(self, reply):
        return reply.last_used_at
