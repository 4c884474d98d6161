"""Taking over a list of numbers, from another system or from people who wrote elsewhere."""

import re
from dataclasses import dataclass, field
from uuid import UUID

from django.db import connection, transaction
from django.utils import timezone

from accounts.actors import Actor
from accounts.models import Workspace
from accounts.services.events import record_event
from messaging.models import SuppressionSource
from messaging.services.suppression.acts import SUPPRESSIONS
from messaging.services.suppression.keys import hash_sql, key_version, keys_of_jid, pads
from waplus.lib.errors import Invalid
from waplus.lib.ids import uuid7
from waplus.lib.locks import take_turns
from waplus.lib.phones import InvalidPhone, match_key
from waplus.lib.plain_phones import read_phone

MAX_LINES = 100_000
# As many refused lines are told one by one.
MAX_TOLD = 1_000
_CELLS = re.compile(r"[,;\t|]")
_LONGEST = 1_000


@dataclass(frozen=True)
class RefusedLine:
    """A line that is no number: where it stands, from 1, and why. What it says is not repeated."""

    line: int
    code: str
    detail: str


@dataclass
class Taken:
    """What became of a list: people who are new on it, people who were on it already, lines that are no numbers."""

    added: int = 0
    known: int = 0
    refused: int = 0
    refusals: list[RefusedLine] = field(default_factory=list)


# A person is the contact that holds the number, or else the number. All ids of each are hashed; who has a living one
# already joins it.
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
    FROM hashed h JOIN messaging_suppression s
      ON s.workspace_id = %(workspace)s AND s.lifted_at IS NULL AND s.key_hash = h.key_hash
    GROUP BY h.person
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
SELECT (SELECT count(*) FROM firsts), (SELECT count(*) FROM known)
"""


def read_numbers(workspace: Workspace, content: bytes) -> tuple[list[str], Taken]:
    """The match keys of the numbers or WhatsApp ids in a list, one a line, and what is wrong with other lines.

    A line may have several cells, as in CSV: the first that is a number counts.
    A first line without a digit is a heading. Refuses more than 100,000 lines.
    """
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError:
        text = content.decode("cp1252", errors="replace")
    lines = text.splitlines()
    if len(lines) > MAX_LINES:
        raise Invalid("file", "too_many", f"A list has at most {MAX_LINES:,} lines: send it in parts.")
    keys, taken = [], Taken()
    for number, line in enumerate(lines, 1):
        if not line.strip() or (number == 1 and not any(character.isdigit() for character in line)):
            continue
        key, why = _key_of(line[:_LONGEST], workspace.default_country or None)
        if key:
            keys.append(key)
            continue
        taken.refused += 1
        if len(taken.refusals) < MAX_TOLD:
            taken.refusals.append(RefusedLine(number, "invalid_phone", why))
    return keys, taken


def _key_of(line: str, region: str | None) -> tuple[str, str]:
    why = ""
    for written in _CELLS.split(line):
        cell = written.strip(" \"'")
        if "@" in cell:
            found = keys_of_jid(cell)
            if found:
                return found[0], ""
            why = why or "This is no WhatsApp id of a person."
        elif any(character.isdigit() for character in cell):
            try:
                return match_key(_digits(cell, region)), ""
            except InvalidPhone as error:
                why = why or str(error)
    return "", why or "There is no number."


def _digits(cell: str, region: str | None) -> str:
    """A number of the workspace's country, or one with its country's code; programs leave the plus sign out."""
    try:
        return read_phone(cell, region)
    except InvalidPhone:
        if not cell.isdecimal():
            raise
        return read_phone(f"+{cell}")


@transaction.atomic
def suppress_list(*, workspace: Workspace, actor: Actor, content: bytes, note: str = "") -> Taken:
    """Write no more to anybody on a list of numbers. Taking it again changes nothing."""
    keys, taken = read_numbers(workspace, content)
    if not keys:
        return taken
    take_turns(SUPPRESSIONS, workspace.pk)
    ids: list[UUID] = [uuid7() for _ in keys]
    with connection.cursor() as cursor:
        cursor.execute(
            _TAKE,
            {
                **pads(),
                "ids": ids,
                "keys": keys,
                "workspace": workspace.pk,
                "version": key_version(),
                "source": SuppressionSource.IMPORT,
                "note": note,
                "user": actor.user_id,
                "now": timezone.now(),
            },
        )
        taken.added, taken.known = cursor.fetchone()
    if taken.added:
        record_event(kind="suppression.imported", actor=actor, workspace=workspace, count=taken.added)
    return taken


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
