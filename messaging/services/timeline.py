"""What messaging tells in the timeline of a contact: that a message was scheduled, and that one was sent."""

from django.utils.translation import gettext_lazy as _

from crm.services.timeline.registry import register_timeline_source

# As much of a text as a timeline shows.
EXCERPT = 300

_SCHEDULED = f"""
SELECT s.created_at AS at, r.id, 'message.scheduled' AS kind, s.created_by_id AS actor, jsonb_build_object('text', (
    SELECT left(p.body, {EXCERPT}) FROM messaging_contentpart p
    WHERE p.scheduled_message_id = s.id AND p.workspace_id = s.workspace_id ORDER BY p.position LIMIT 1
)) AS detail
FROM messaging_scheduledrecipient r
JOIN messaging_scheduledmessage s ON s.id = r.scheduled_message_id AND s.workspace_id = r.workspace_id
WHERE r.workspace_id = person.workspace_id AND r.contact_id = person.id
"""
_SENT = f"""
SELECT q.sent_at AS at, q.id, 'message.sent' AS kind, q.created_by_id AS actor,
       jsonb_build_object('text', left(q.body, {EXCERPT})) AS detail
FROM messaging_queuedmessage q
WHERE q.workspace_id = person.workspace_id AND q.contact_id = person.id AND q.sent_at IS NOT NULL
"""


def register() -> None:
    """Add both sources."""
    register_timeline_source(
        "message.scheduled",
        kinds=["message.scheduled"],
        sql=_SCHEDULED,
        sentences={"message.scheduled": _("%(who)s scheduled a message")},
        icon="clock",
    )
    register_timeline_source(
        "message.sent",
        kinds=["message.sent"],
        sql=_SENT,
        sentences={"message.sent": _("%(who)s sent a message")},
        icon="chat",
    )
