"""Suppressing many at once: one statement over the match keys of numbers and ids, as good as one by one."""

from collections.abc import Sequence
from uuid import UUID

from django.db import connection
from django.utils import timezone

from accounts.models import Workspace
from messaging.models import SuppressionSource
from messaging.services.suppression.acts import SUPPRESSIONS
from messaging.services.suppression.keys import hash_sql, key_version, pads
from waplus.lib.ids import uuid7
from waplus.lib.locks import take_turns

# A person is the contact that holds the number, or else the number. All ids of each are hashed; who has a living one
# already joins it. LIMIT keeps that a question per hash: while a list is taken over, statistics know nothing of the rows
# that it made, and the planner would read all of them for every chunk.
_TAKE = f"""
WITH named AS (
    SELECT DISTINCT ON (key) id, key FROM unnest(%(ids)s::uuid[], %(keys)s::text[]) AS t(id, key) ORDER BY key, id
), owned AS (
    SELECT n.id, n.key, h.contact_id, coalesce(h.contact_id::text, n.key) AS person
    FROM named n LEFT JOIN crm_contactidentity h
      ON h.workspace_id = %(workspace)s AND h.match_key = n.key AND h.holds_key
), people AS MATERIALIZED (
    SELECT DISTINCT ON (person) person, id, contact_id FROM owned ORDER BY person, id
), hashed AS MATERIALIZED (
    SELECT DISTINCT ON (key_hash) person, contact_id, key_hash FROM (
        SELECT person, contact_id, {hash_sql("key")} AS key_hash FROM owned
        UNION ALL
        SELECT p.person, p.contact_id, {hash_sql("i.match_key")}
        FROM people p JOIN crm_contactidentity i ON i.workspace_id = %(workspace)s AND i.contact_id = p.contact_id
    ) every ORDER BY key_hash, person
), known AS MATERIALIZED (
    SELECT h.person, min(coalesce(s.part_of_id, s.id)::text)::uuid AS leader
    FROM hashed h CROSS JOIN LATERAL (
        SELECT k.id, k.part_of_id FROM messaging_suppression k
        WHERE k.workspace_id = %(workspace)s AND k.lifted_at IS NULL AND k.key_hash = h.key_hash LIMIT 1
    ) s GROUP BY h.person
), firsts AS (
    SELECT DISTINCT ON (h.person) p.id, h.person, h.contact_id, h.key_hash
    FROM hashed h JOIN people p USING (person)
    WHERE NOT EXISTS (SELECT 1 FROM known k WHERE k.person = h.person) ORDER BY h.person, h.key_hash
), led AS (
    INSERT INTO messaging_suppression
        (id, workspace_id, key_hash, key_version, source, note, contact_id, created_by_id, created_at)
    SELECT id, %(workspace)s, key_hash, %(version)s, %(source)s, %(note)s, contact_id, %(user)s, %(now)s FROM firsts
    RETURNING id, contact_id
), told AS (
    INSERT INTO messaging_consentrecord
        (id, workspace_id, kind, means, word, evidence, suppression_id, contact_id, recorded_by_id, recorded_at)
    SELECT gen_random_uuid(), %(workspace)s, 'withdrawn', 'import', '', %(note)s, id, contact_id, %(user)s, %(now)s
    FROM led
), parts AS (
    INSERT INTO messaging_suppression
        (id, workspace_id, key_hash, key_version, part_of_id, source, note, contact_id, created_by_id, created_at)
    SELECT gen_random_uuid(), %(workspace)s, h.key_hash, %(version)s, coalesce(k.leader, l.id), %(source)s, '',
           h.contact_id, %(user)s, %(now)s
    FROM hashed h LEFT JOIN known k USING (person) LEFT JOIN firsts l USING (person)
    WHERE h.key_hash IS DISTINCT FROM l.key_hash
    ON CONFLICT DO NOTHING
)
SELECT count(*) FROM firsts
"""


def suppress_keys(*, workspace: Workspace, keys: Sequence[str], note: str, user_id: UUID | None) -> int:
    """Write no more to whoever is known by a match key; answers how many people are new on the do-not-contact list.

    The caller's transaction holds the turn of the workspace's suppressions from here on.
    """
    if not keys:
        return 0
    take_turns(SUPPRESSIONS, workspace.pk)
    with connection.cursor() as cursor:
        cursor.execute(
            _TAKE,
            {
                **pads(),
                "ids": [uuid7() for _ in keys],
                "keys": list(keys),
                "workspace": workspace.pk,
                "version": key_version(),
                "source": SuppressionSource.IMPORT,
                "note": note,
                "user": user_id,
                "now": timezone.now(),
            },
        )
        return cursor.fetchone()[0]


def tell_planner_of(rows: int) -> None:
    """See to it that statistics know of rows that were just made, if they know of less than half as many.

    A table that PostgreSQL takes for small is read through, for every reference
    that is checked at commit, too; and autovacuum looks but once a minute.
    """
    with connection.cursor() as cursor:
        cursor.execute("SELECT 2 * reltuples < %s FROM pg_class WHERE oid = 'messaging_suppression'::regclass", [rows])
        if cursor.fetchone()[0]:
            cursor.execute("ANALYZE (SKIP_LOCKED) messaging_suppression")
