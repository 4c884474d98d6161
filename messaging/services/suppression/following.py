"""Keeping people suppressed by all ids that they are seen under."""

from django.db import connection
from django.utils import timezone

from messaging.services.suppression.keys import hash_sql, key_version, pads

# Ids that suppressed people are known by since, so that they are recognised by those too once their contact is gone.
_FOLLOW = f"""
INSERT INTO messaging_suppression
    (id, workspace_id, key_hash, key_version, part_of_id, source, note, contact_id, created_at)
SELECT gen_random_uuid(), s.workspace_id, h.key_hash, %(version)s, s.id, s.source, '', s.contact_id, %(now)s
FROM messaging_suppression s
JOIN crm_contactidentity i ON i.workspace_id = s.workspace_id AND i.contact_id = s.contact_id
CROSS JOIN LATERAL (SELECT {hash_sql("i.match_key")} AS key_hash) h
WHERE s.lifted_at IS NULL AND s.part_of_id IS NULL AND s.contact_id IS NOT NULL AND i.observed_at >= s.created_at
  AND NOT EXISTS (
      SELECT 1 FROM messaging_suppression k
      WHERE k.workspace_id = s.workspace_id AND k.lifted_at IS NULL AND k.key_hash = h.key_hash
  )
ON CONFLICT DO NOTHING
"""


def follow_suppressed_contacts() -> int:
    """Suppress ids that suppressed contacts were seen under since; answers how many. Safe to run at any time."""
    with connection.cursor() as cursor:
        cursor.execute(_FOLLOW, {**pads(), "version": key_version(), "now": timezone.now()})
        return cursor.rowcount
