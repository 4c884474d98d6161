"""A database of benchmarks: one workspace with a million contacts among a thousand workspaces with three.

Made once a database, by statements over whole sets; `BENCH_CONTACTS` (1,000,000)
is the size of the large workspace, the others have twice as many between them.
The large secondary indexes are dropped for the load and made again from the
definitions that the migrations gave them. Triggers and foreign-key checks rest
meanwhile, so the role must be a superuser, as that of `make bench` is.

What contacts are listed and found by is computed in SQL from folded words, and
compared for a sample with what the product computes.
"""

import io
import os
import time
from dataclasses import dataclass
from functools import cache

from bench import _crm_names as names
from waplus.lib.text import UNSPACED

WORKSPACES = 1_000
NAME = "Bench: the large one"
PASSWORD = "correct horse battery staple"
TABLES = (
    *("crm_contact", "crm_contactidentity", "crm_tag", "crm_contacttag", "crm_note", "crm_customfield"),
    *("crm_fieldvalue", "crm_stage", "crm_chat", "crm_whatsappaccount"),
)


@dataclass(frozen=True)
class BenchData:
    """The large workspace, its owner, and an access token of the owner's extension."""

    workspace: object
    user: object
    token: str
    contacts: int

    @property
    def headers(self) -> dict[str, str]:
        """Of a request in the owner's name."""
        return {"Authorization": f"Bearer {self.token}"}


def setup() -> None:
    """Django as the benchmarks use it."""
    import django

    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "waplus.settings")
    os.environ["WAPLUS_ENV"] = "development"
    os.environ["LOG_LEVEL"] = "WARNING"
    django.setup()


@cache
def prepare() -> BenchData:
    """The data, made if this database has none yet, and somebody logged in to it."""
    setup()
    from django.core.management import call_command

    from accounts.models import Membership, Role, Workspace

    call_command("migrate", verbosity=0)
    workspace = Workspace.objects.filter(name=NAME).first()
    if workspace is None:
        began = time.monotonic()
        workspace = _make()
        print(f"made the data in {time.monotonic() - began:.0f} s", flush=True)
    user = Membership.objects.get(workspace=workspace, role=Role.OWNER).user
    return BenchData(workspace, user, log_in(user, workspace), contacts_wanted())


def contacts_wanted() -> int:
    return int(os.environ.get("BENCH_CONTACTS", "1000000"))


def log_in(user, workspace) -> str:
    """An access token of a new extension instance of a person."""
    from django.utils import timezone

    from accounts.services import instances, tokens
    from waplus.lib.ids import uuid7

    instance, _ = instances.register_instance(
        id=uuid7(), secret="s" * 43, installed_at=timezone.now(), version="2.0.0", time_zone="UTC"
    )
    return tokens.log_in_instance(user=user, instance=instance, workspace_id=workspace.pk).access_token


def found(workspace, query: str) -> list:
    """The ids of the first contacts that a search finds, as its list would."""
    from crm.services.contact_pages import contact_ids_page

    return contact_ids_page(workspace=workspace, viewer=None, query=query, limit=50)[0]


def _make():
    from django.db import connection, transaction

    indexes = _secondary_indexes()
    with connection.cursor() as cursor:
        cursor.execute("SET maintenance_work_mem = '1GB'; SET work_mem = '256MB'")
        with transaction.atomic():
            large = _large_workspace()
            cursor.execute("SET LOCAL session_replication_role = 'replica'")
            for name in indexes:
                cursor.execute(f'DROP INDEX "{name}"')
            _copy_words(cursor)
            for title, statement in _statements(large):
                _timed(title, cursor, statement)
            for name, definition in indexes.items():
                _timed(f"index {name}", cursor, definition)
        for table in TABLES:
            cursor.execute(f"VACUUM (ANALYZE) {table}")
        cursor.execute("ANALYZE; RESET maintenance_work_mem; RESET work_mem")
    if _secondary_indexes() != indexes:
        raise RuntimeError("the indexes are not what the migrations made")
    _check_sample()
    return large


def _timed(title: str, cursor, statement: str) -> None:
    began = time.monotonic()
    cursor.execute(statement)
    if os.environ.get("BENCH_VERBOSE"):
        print(f"  {title:<40} {time.monotonic() - began:6.1f} s {cursor.rowcount:>9}", flush=True)


def _large_workspace():
    """The large workspace on a plan without limits, with an owner and three members."""
    from accounts import actors
    from accounts.models import Membership, Plan, User
    from accounts.services import plans, workspaces

    plan = Plan.objects.get(code="business")
    plan.requests_per_minute = 100_000_000
    plan.max_contacts = 100_000_000
    plan.save()
    owner = User.objects.create_user("bench-owner@example.com", PASSWORD, name="Bench Owner")
    workspace = workspaces.create_workspace(owner=owner, name=NAME, actor=actors.person(owner), default_country="BR")
    plans.change_plan(workspace=workspace, plan=plan, actor=actors.SYSTEM)
    workspace.refresh_from_db()
    for index in range(3):
        member = User.objects.create_user(f"bench-member-{index}@example.com", PASSWORD, name=f"Member {index}")
        Membership.objects.create(workspace=workspace, user=member)
    return workspace


def _secondary_indexes() -> dict[str, str]:
    """The indexes of the large tables that no constraint needs, with what makes them."""
    from django.db import connection

    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT c.relname, pg_get_indexdef(i.indexrelid) FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid "
            "WHERE i.indrelid = ANY(%s::regclass[]) "
            "AND NOT EXISTS (SELECT FROM pg_constraint k WHERE k.conindid = i.indexrelid) ORDER BY 1",
            [list(TABLES)],
        )
        return dict(cursor.fetchall())


def _copy_words(cursor) -> None:
    """The words that people are made of, folded by the product, as temporary tables with their rank in use."""
    from waplus.lib.text import fold

    for table, columns in (
        ("given", "script text, rank int"),
        ("family", "script text, rank int"),
        ("word", "kind text, rank int"),
    ):
        cursor.execute(f"CREATE TEMP TABLE bench_{table} ({columns}, text text, folded text) ON COMMIT DROP")
    for table, rows in (
        ("given", [(script, rank, text) for script in names.SCRIPTS for rank, text in enumerate(names.given_names(script), 1)]),
        ("family", [(script, rank, text) for script in names.SCRIPTS for rank, text in enumerate(names.family_names(script), 1)]),
        (
            "word",
            [
                *(("company", rank, f"{text} {rank}") for rank, text in enumerate(names.COMPANIES * 300, 1)),
                *(("city", rank, text) for rank, text in enumerate(names.CITIES, 1)),
                *(("note", rank, text) for rank, text in enumerate(names.NOTE_WORDS, 1)),
            ],
        ),
    ):  # fmt: skip
        lines = "".join(f"{kind}\t{rank}\t{text}\t{fold(text)}\n" for kind, rank, text in rows)
        cursor.copy_expert(f"COPY bench_{table} FROM STDIN", io.StringIO(lines))
        cursor.execute(
            f"CREATE INDEX ON bench_{table} ({'kind' if table == 'word' else 'script'}, rank); ANALYZE bench_{table}"
        )


def _chance(seed: int, of: str = "n") -> str:
    """SQL: a number in [0, 1) that depends on a row's number alone."""
    return f"((hashint8extended({of}, {seed}) & 2147483647) / 2147483648.0::float8)"


def _zipf(seed: int, count: str) -> str:
    """SQL: a rank in 1 … count, each half as likely as the one of half its number."""
    return f"least({count}, floor(exp(ln({count}::float8 + 1) * {_chance(seed)}))::int)"


def _id(of: str, salt: str = "") -> str:
    """SQL: a UUIDv7 that sorts by a row's number."""
    digest = f"md5('{salt}' || ({of})::text)"
    return f"(lpad(to_hex(1640995200000 + ({of}) * 20), 12, '0') || '7' || substr({digest}, 1, 3) || '8' || substr({digest}, 4, 15))::uuid"


# A country's numbers: share, prefix, places of the running part; Brazil and Mexico are spelled in two ways.
_COUNTRIES = """(VALUES
    (0, 0.50, '55119', 8), (1, 0.65, '521', 10), (2, 0.75, '4915', 9), (3, 0.85, '44', 10), (4, 0.92, '1', 10),
    (5, 0.96, '7', 10), (6, 1.01, '9665', 8)) country(number, upto, prefix, places)"""


# What `waplus.lib.text.searchable` puts behind texts of scripts without spaces.
_PAIRS = f"""
CREATE FUNCTION pg_temp.bench_pairs(t text) RETURNS text LANGUAGE plpgsql IMMUTABLE AS $pairs$
BEGIN
  IF t !~ '[{UNSPACED}]' THEN RETURN ''; END IF;
  RETURN ' ' || (
    SELECT string_agg(' ' || pair, '' ORDER BY first) FROM (
      SELECT substr(run[1], i, 2) AS pair, min(place * 1000 + i) AS first
      FROM regexp_matches(t, '[{UNSPACED}]+', 'g') WITH ORDINALITY AS r (run, place), generate_series(1, length(run[1])) i
      GROUP BY 1
    ) pairs
  );
END $pairs$
"""


def _statements(large) -> list[tuple[str, str]]:
    """What makes the rows, in order."""
    return [("pairs", _PAIRS), *_people(large), *_vocabulary(), *_belongings()]


def _people(large) -> list[tuple[str, str]]:
    size = contacts_wanted()
    shares, cases = 0.0, []
    for script, (share, *_rest) in names.SCRIPTS.items():
        shares += share
        cases.append(f"WHEN s < {shares:.4f} THEN '{script}'")
    script = f"CASE {' '.join(cases)} ELSE 'latin' END"
    joiner = " ".join(f"WHEN '{script}' THEN '{value[3]}'" for script, value in names.SCRIPTS.items())
    counts = " ".join(f"WHEN '{script}' THEN {len(names.family_names(script))}" for script in names.SCRIPTS)
    givens = " ".join(f"WHEN '{script}' THEN {len(names.given_names(script))}" for script in names.SCRIPTS)
    return [
        (
            "workspaces",
            f"""
            INSERT INTO accounts_workspace (id, name, plan_id, default_country, created_at)
            SELECT {_id("n", "workspace")}, 'Bench ' || n, '{large.plan_id}', 'BR', now() FROM generate_series(2, {WORKSPACES}) n;
            CREATE TEMP TABLE bench_workspace ON COMMIT DROP AS
            SELECT row_number() OVER (ORDER BY id <> '{large.pk}', id) AS number, id, id = '{large.pk}' AS is_large
            FROM accounts_workspace WHERE name LIKE 'Bench%';
            CREATE UNIQUE INDEX ON bench_workspace (number)
            """,
        ),
        (
            "people",
            f"""
            CREATE TEMP TABLE bench_people ON COMMIT DROP AS
            WITH drawn AS (
                SELECT n, CASE WHEN n <= {size} THEN 1 ELSE 2 + (n - {size} - 1) * {WORKSPACES - 1} / ({2 * size}) END AS number,
                       {script} AS script
                FROM (SELECT n, {_chance(1)} AS s FROM generate_series(1::bigint, {3 * size}) n) numbered
            ), ranked AS (
                SELECT *, {_zipf(2, f"(CASE script {givens} END)")} AS g, {_zipf(3, f"(CASE script {counts} END)")} AS f,
                       {_zipf(4, str(len(names.COMPANIES) * 300))} AS c, {_chance(5)} AS luck, {_chance(6)} AS where_from
                FROM drawn
            ), placed AS (
                SELECT r.*, country.prefix || lpad(((n * 7919) % (10 ^ country.places)::bigint)::text, country.places, '0') AS digits
                FROM ranked r
                JOIN LATERAL (SELECT * FROM {_COUNTRIES} WHERE r.where_from < upto ORDER BY upto LIMIT 1) country ON true
            )
            SELECT p.n, w.id AS workspace_id, w.is_large, {_id("p.n")} AS id,
                   CASE p.script {joiner} END AS joiner, given.text AS given, given.folded AS folded_given,
                   family.text AS family, family.folded AS folded_family,
                   -- One in a thousand bears a word that nobody else has.
                   CASE WHEN p.n % 1000 = 7 THEN ' q' || substr(md5(p.n::text), 1, 7) ELSE '' END AS own_word,
                   CASE WHEN luck < 0.3 THEN company.text ELSE '' END AS company,
                   CASE WHEN luck < 0.3 THEN company.folded ELSE '' END AS folded_company,
                   CASE WHEN luck BETWEEN 0.2 AND 0.6 THEN 'person' || p.n || '@example.com' ELSE '' END AS email,
                   CASE WHEN luck BETWEEN 0.5 AND 0.8 THEN given.text ELSE '' END AS profile_name,
                   CASE WHEN luck BETWEEN 0.5 AND 0.8 THEN given.folded ELSE '' END AS folded_profile,
                   CASE WHEN luck < 0.93 THEN digits ELSE '' END AS digits, luck
            FROM placed p
            JOIN bench_workspace w ON w.number = p.number
            JOIN bench_given given ON given.script = p.script AND given.rank = p.g
            JOIN bench_family family ON family.script = p.script AND family.rank = p.f
            JOIN bench_word company ON company.kind = 'company' AND company.rank = p.c
            """,
        ),
        ("people in order", "CREATE UNIQUE INDEX ON bench_people (n); ANALYZE bench_people"),
    ]


# Both spellings of a number, the one that is kept first; and its match key.
_SPELLED = """CASE WHEN digits = '' THEN ''
    WHEN digits ~ '^55119[6-9]' THEN ' ' || digits || ' 5511' || substr(digits, 6)
    WHEN digits LIKE '521%' THEN ' ' || digits || ' 52' || substr(digits, 4)
    ELSE ' ' || digits END"""
_KEY = """CASE WHEN digits ~ '^55119[6-9]' THEN '5511' || substr(digits, 6)
    WHEN digits LIKE '521%' THEN '52' || substr(digits, 4) ELSE digits END"""
_MEMBERS = "(SELECT array_agg(user_id ORDER BY user_id) FROM accounts_membership m WHERE m.workspace_id = w.id)"


def _vocabulary() -> list[tuple[str, str]]:
    def salted(of: str, salt: str) -> str:
        return _id(f"w.number * 1000 + {of}", salt)

    options = ", ".join(
        f"jsonb_build_object('id', 'option{number}', 'label', '{label}', 'colour', 'blue')"
        for number, label in enumerate(("Retail", "Wholesale", "Public", "Other"), 1)
    )
    return [
        (
            "tags",
            f"""
            INSERT INTO crm_tag (id, workspace_id, name, folded, colour, position, created_at)
            SELECT {salted("n", "tag")}, w.id, 'Tag ' || n, 'tag ' || n, 'blue', n, now()
            FROM bench_workspace w, generate_series(1, 30) n WHERE w.is_large OR n <= 3
            """,
        ),
        (
            "stages",
            f"""
            INSERT INTO crm_stage (id, workspace_id, name, folded, colour, position, outcome, created_at)
            SELECT {salted("n", "stage")}, w.id, 'Stage ' || n, 'stage ' || n, 'green', n, 'open', now()
            FROM bench_workspace w, generate_series(1, 5) n WHERE w.is_large OR n <= 2
            """,
        ),
        (
            "fields",
            f"""
            INSERT INTO crm_customfield (id, workspace_id, name, folded, kind, options, currency, position, created_at)
            SELECT {salted("n", "field")}, w.id, f.name, lower(f.name), f.kind,
                   CASE WHEN f.kind = 'choice' THEN jsonb_build_array({options}) ELSE '[]' END, '', n, now()
            FROM bench_workspace w, (VALUES (1, 'Segment', 'choice'), (2, 'Revenue', 'number'),
                (3, 'Since', 'date'), (4, 'City', 'text')) f(n, name, kind)
            """,
        ),
        (
            "number of WhatsApp",
            f"""
            INSERT INTO crm_whatsappaccount (id, workspace_id, jid, lid, name, created_at)
            SELECT {salted("1", "account")}, w.id, '5511900000000@c.us', '', 'Sales', now() FROM bench_workspace w WHERE w.is_large
            """,
        ),
        (
            "contacts",
            f"""
            INSERT INTO crm_contact (id, workspace_id, name, profile_name, company, email, sort_name, search_text,
                owner_id, stage_id, created_at, updated_at)
            SELECT p.id, p.workspace_id, given || joiner || family || own_word, profile_name, company, email,
                   left(folded_given || joiner || folded_family || own_word, 300),
                   ' ' || folded_given || joiner || folded_family || own_word
                       || CASE WHEN folded_profile <> '' THEN ' ' || folded_profile ELSE '' END
                       || CASE WHEN folded_company <> '' THEN ' ' || folded_company ELSE '' END
                       || CASE WHEN email <> '' THEN ' ' || email ELSE '' END || {_SPELLED} || pg_temp.bench_pairs(
                       folded_given || joiner || folded_family || ' ' || folded_profile || ' ' || folded_company),
                   CASE WHEN p.is_large AND p.n % 7 < 3 THEN {_MEMBERS}[(1 + p.n % 4)::int] END,
                   CASE WHEN p.n % 5 < 2 THEN s.id END,
                   '2024-01-01'::timestamptz + p.n % 1000003 * interval '1 minute',
                   '2025-11-01'::timestamptz + hashint8extended(p.n, 9) % 525600 * interval '1 minute'
            FROM bench_people p
            JOIN bench_workspace w ON w.id = p.workspace_id
            LEFT JOIN crm_stage s ON s.workspace_id = p.workspace_id AND s.position = 1 + p.n % (CASE WHEN p.is_large THEN 5 ELSE 2 END)
            ORDER BY p.n
            """.replace(_MEMBERS, "w.members").replace("bench_workspace w ON", f"(SELECT w.*, {_MEMBERS} AS members FROM bench_workspace w) w ON"),
        ),
    ]  # fmt: skip


def _belongings() -> list[tuple[str, str]]:
    """Identities, tags, notes, field values, chats."""
    return [
        (
            "identities",
            f"""
            INSERT INTO crm_contactidentity (id, workspace_id, contact_id, kind, value, match_key, holds_key, source, observed_at)
            SELECT {_id("n", "phone")}, workspace_id, id, 'phone', '+' || digits, {_KEY}, true, 'import', now()
            FROM bench_people WHERE digits <> '' ORDER BY n;
            INSERT INTO crm_contactidentity (id, workspace_id, contact_id, kind, value, match_key, holds_key, source, observed_at)
            SELECT {_id("n", "lid")}, workspace_id, id, 'lid', 100000000000000 + n || '@lid', 'lid:' || 100000000000000 + n,
                   true, 'extension', now()
            FROM bench_people WHERE luck >= 0.9 OR n % 10 = 0 ORDER BY n
            """,
        ),
        (
            "tags of contacts",
            f"""
            INSERT INTO crm_contacttag (id, workspace_id, contact_id, tag_id, added_at)
            SELECT {_id("p.n * 2 + k - 1", "tagged")}, p.workspace_id, p.id, t.id, now()
            FROM (SELECT *, {_zipf(7, "(CASE WHEN is_large THEN 29 ELSE 2 END)")} AS drawn FROM bench_people
                  WHERE is_large AND n % 10 < 4 OR n % 10 = 0) p
            CROSS JOIN generate_series(1, 2) k
            JOIN crm_tag t ON t.workspace_id = p.workspace_id AND t.position = CASE WHEN k = 1 THEN p.drawn ELSE p.drawn + 1 END
            ORDER BY p.n
            """,
        ),
        (
            "notes",
            f"""
            INSERT INTO crm_note (id, workspace_id, contact_id, text, search_text, pinned, created_at)
            SELECT {_id("p.n", "note")}, p.workspace_id, p.id, string_agg(w.text, ' ' ORDER BY k), ' ' || string_agg(w.folded, ' ' ORDER BY k), false, now()
            FROM bench_people p CROSS JOIN generate_series(1, 8) k
            JOIN bench_word w ON w.kind = 'note' AND w.rank = 1 + (hashint8extended(p.n, k) & 1023) % {len(names.NOTE_WORDS)}
            WHERE p.is_large AND p.n % 10 = 3 OR p.n % 50 = 3 GROUP BY p.n, p.workspace_id, p.id
            """,
        ),
        (
            "field values",
            f"""
            INSERT INTO crm_fieldvalue (id, workspace_id, contact_id, field_id, value, text, number)
            SELECT {_id("p.n * 4 + f.position", "value")}, p.workspace_id, p.id, f.id,
                   CASE f.kind WHEN 'choice' THEN to_jsonb('option' || o) WHEN 'number' THEN to_jsonb(amount::text)
                       WHEN 'date' THEN to_jsonb(('2020-01-01'::date + days)::text) ELSE to_jsonb(city.text) END,
                   CASE f.kind WHEN 'choice' THEN (ARRAY['retail', 'wholesale', 'public', 'other'])[o]
                       WHEN 'text' THEN city.folded ELSE '' END,
                   CASE f.kind WHEN 'number' THEN amount WHEN 'date' THEN '2020-01-01'::date - '1970-01-01'::date + days END
            FROM (SELECT *, 1 + (n % 4)::int AS o, (hashint8extended(n, 11) & 1048575)::int % 100000 AS amount,
                         (n % 2000)::int AS days
                  FROM bench_people WHERE is_large AND n % 5 = 1 OR n % 50 = 1) p
            JOIN crm_customfield f ON f.workspace_id = p.workspace_id
            JOIN bench_word city ON city.kind = 'city' AND city.rank = 1 + p.n % {len(names.CITIES)}
            ORDER BY p.n, f.position
            """,
        ),
        (
            "chats",
            f"""
            INSERT INTO crm_chat (id, workspace_id, whatsapp_account_id, jid, kind, name, description, contact_id, unread_count,
                last_message_at, last_inbound_at, last_outbound_at, awaiting_reply, archived, pinned, search_text, created_at)
            SELECT {_id("p.n", "chat")}, p.workspace_id, a.id, p.digits || '@c.us', 'person', p.given, '', p.id,
                   CASE WHEN p.n % 50 = 2 THEN 3 ELSE 0 END, at, at, at - interval '1 hour', p.n % 25 = 2, p.n % 100 = 2, false,
                   ' ' || p.folded_given, now()
            FROM (SELECT *, '2026-11-01'::timestamptz - (hashint8extended(n, 13) & 1048575) * interval '1 minute' AS at
                  FROM bench_people WHERE is_large AND n % 5 = 2 AND digits <> '') p
            JOIN crm_whatsappaccount a ON a.workspace_id = p.workspace_id ORDER BY p.n
            """,
        ),
        (
            "usage",
            """
            INSERT INTO accounts_usage (id, workspace_id, resource, period, used)
            SELECT gen_random_uuid(), workspace_id, 'contacts', NULL, count(*) FROM bench_people GROUP BY workspace_id
            ON CONFLICT (workspace_id, resource, period) DO UPDATE SET used = excluded.used
            """,
        ),
    ]  # fmt: skip


def _check_sample() -> None:
    """Compare what SQL computed with what the product would have, for some hundred contacts of all workspaces."""
    from crm.models import Contact
    from crm.models.contacts import numbers_of, search_text_of, sort_name_of
    from waplus.lib.phones import match_key

    share = min(100.0, 100_000 / (3 * contacts_wanted()))
    sample = f"id IN (SELECT id FROM crm_contact TABLESAMPLE BERNOULLI ({share}) REPEATABLE (1))"
    for contact in Contact.objects.extra(where=[sample]).prefetch_related("identities"):
        texts = {name: getattr(contact, name) for name in ("name", "profile_name", "company", "email")}
        identities = sorted(contact.identities.all(), key=lambda row: row.id)
        numbers = numbers_of((row.kind, row.value) for row in identities)
        expected = sort_name_of(**texts, numbers=numbers), search_text_of(**texts, numbers=numbers)
        if (contact.sort_name, contact.search_text) != expected:
            raise RuntimeError(f"{contact.search_text!r} should be {expected[1]!r}")
        for row in identities:
            key = match_key(row.value[1:]) if row.kind == "phone" else f"lid:{row.value.partition('@')[0]}"
            if row.match_key != key:
                raise RuntimeError(f"{row.match_key} should be {key}")
