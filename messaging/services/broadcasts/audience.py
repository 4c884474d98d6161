"""Whom a broadcast is meant for: several sources united, without those of others.

A source is an object with exactly one member: `filter` (the language of
filters), `tab` (an id), `tags` (ids; who wears one of them), `contacts` (ids),
`import` (an id; whom its file added or changed).
"""

from uuid import UUID

from accounts.models import User, Workspace
from crm.filters import Filter, parse_filter
from crm.filters.sql import Sql
from crm.models import BulkKind, Contact, ImportBatch, TabTarget, Tag
from crm.services.bulk.sets import matching
from crm.services.tabs import filter_of, visible_tabs
from waplus.lib.errors import UNKNOWN_ID, Invalid, Refused

MAX_SOURCES = 20
MAX_CONTACTS = 10_000
MAX_TAGS = 200
SOURCES = ("filter", "tab", "tags", "contacts", "import")
GONE = "Something that its audience speaks of was deleted meanwhile. Look at the audience."


def checked_audience(*, workspace: Workspace, user: User | None, audience) -> dict:
    """An audience in its normal form. Raises `Invalid` with the path of what is wrong; foreign ids are unknown ones."""
    if not isinstance(audience, dict) or set(audience) - {"include", "exclude"}:
        raise Invalid("audience", "invalid", "This has to be an object with `include` and `exclude`.")
    checked = {}
    for part in ("include", "exclude"):
        sources = audience.get(part, [])
        if not isinstance(sources, list):
            raise Invalid(f"audience.{part}", "invalid", "This has to be a list of sources.")
        if len(sources) > MAX_SOURCES:
            raise Invalid(f"audience.{part}", "too_many", f"At most {MAX_SOURCES} sources can stand here.")
        checked[part] = [
            _source(workspace, user, source, f"audience.{part}.{index}") for index, source in enumerate(sources)
        ]
    return checked


def _source(workspace: Workspace, user: User | None, source, path: str) -> dict:
    if not isinstance(source, dict) or len(source) != 1 or not set(source) <= set(SOURCES):
        raise Invalid(path, "invalid", f"Exactly one of these has to stand here: {', '.join(SOURCES)}.")
    [(kind, value)] = source.items()
    path = f"{path}.{kind}"
    if kind == "filter":
        return {kind: parse_filter(workspace, value, path=path).data}
    if kind == "tab":
        tab_id = _id(value, path)
        if user is None or not visible_tabs(workspace=workspace, user=user).filter(pk=tab_id).exists():
            raise Invalid(path, "does_not_exist", UNKNOWN_ID)
        return {kind: str(tab_id)}
    if kind == "import":
        batch_id = _id(value, path)
        if not ImportBatch.objects.for_workspace(workspace).filter(pk=batch_id).exists():
            raise Invalid(path, "does_not_exist", UNKNOWN_ID)
        return {kind: str(batch_id)}
    return {kind: _ids(workspace, value, path, Tag if kind == "tags" else Contact)}


def _id(value, path: str) -> UUID:
    try:
        return value if isinstance(value, UUID) else UUID(value if isinstance(value, str) else "")
    except ValueError:
        raise Invalid(path, "invalid", "This is no id.") from None


def _ids(workspace: Workspace, values, path: str, model: type[Tag] | type[Contact]) -> list[str]:
    most = MAX_TAGS if model is Tag else MAX_CONTACTS
    if not isinstance(values, list) or not values:
        raise Invalid(path, "invalid", "This has to be a list with something in it.")
    if len(values) > most:
        raise Invalid(path, "too_many", f"At most {most:,} can stand here.")
    ids = [_id(value, f"{path}.{index}") for index, value in enumerate(values)]
    known = set(model.objects.for_workspace(workspace).filter(pk__in=ids).values_list("pk", flat=True))
    for index, id in enumerate(ids):
        if id not in known:
            raise Invalid(f"{path}.{index}", "does_not_exist", UNKNOWN_ID)
    return sorted(map(str, known))


def is_empty(audience: dict) -> bool:
    """Whether nobody is meant."""
    return not audience.get("include")


def people_sql(*, workspace: Workspace, viewer: User | None, audience: dict) -> Sql:
    """A select of `place` (from 1, in the order of ids), `contact_id` and `times` (how often the sources name it).

    Whoever was merged into somebody is that somebody. Contacts in the bin are
    among those that a list of ids or an import names: they are told of. Raises
    `Refused` if something of it is gone.
    """
    found = _named(workspace, viewer, audience.get("include", []), "found", "settled")
    hidden = _named(workspace, viewer, audience.get("exclude", []), "unwanted", "hidden")
    return (
        "WITH RECURSIVE "
        + found
        + ", "
        + hidden
        + " SELECT row_number() OVER (ORDER BY id)::int AS place, id AS contact_id, count(*)::int AS times FROM settled"
        " WHERE next IS NULL AND NOT EXISTS (SELECT FROM hidden h WHERE h.next IS NULL AND h.id = settled.id) GROUP BY id"
    )


def _named(workspace: Workspace, viewer: User | None, sources: list[dict], raw: str, name: str) -> Sql:
    """Parts of a WITH: `name (id, next)`, where rows without `next` are the people that sources name, with repeats."""
    selects = [_select(workspace, viewer, source) for source in sources]
    if not selects:
        return Sql(f"{name} (id, next) AS (SELECT NULL::uuid, NULL::uuid WHERE false)")
    united = Sql(
        " UNION ALL ".join(f"(SELECT id FROM ({each.text}) one)" for each in selects),
        tuple(param for each in selects for param in each.params),
    )
    if not any(set(source) & {"contacts", "import"} for source in sources):
        return f"{name} (id, next) AS MATERIALIZED (SELECT id, NULL::uuid FROM (" + united + ") living)"
    return (
        f"{raw} (id) AS MATERIALIZED ("
        + united
        + f"), {name} (id, next) AS (SELECT c.id, c.merged_into_id FROM {raw} JOIN crm_contact c ON c.id = {raw}.id"
        f" UNION ALL SELECT c.id, c.merged_into_id FROM {name} JOIN crm_contact c ON c.id = {name}.next)"
    )


def _select(workspace: Workspace, viewer: User | None, source: dict) -> Sql:
    [(kind, value)] = source.items()
    if kind == "contacts":
        return Sql("SELECT id FROM crm_contact WHERE workspace_id = %s AND id = ANY(%s::uuid[])", (workspace.pk, value))
    if kind == "import":
        return Sql(
            "SELECT DISTINCT contact_id AS id FROM crm_importrow"
            " WHERE workspace_id = %s AND batch_id = %s AND contact_id IS NOT NULL",
            (workspace.pk, value),
        )
    found = _filter(workspace, viewer, kind, value)
    if found.dead:
        raise Refused("wrong_state", GONE)
    if found.target == TabTarget.CONTACTS:
        return matching(found, viewer, BulkKind.ADD_TAGS)
    # A tab over chats means whom the chats are with.
    return (
        Sql(
            "SELECT DISTINCT crm_chat.contact_id AS id FROM crm_chat JOIN crm_contact living"
            " ON living.id = crm_chat.contact_id AND living.deleted_at IS NULL AND living.merged_into_id IS NULL"
            " WHERE crm_chat.workspace_id = %s AND crm_chat.kind = 'person' AND (",
            (workspace.pk,),
        )
        + found.condition(viewer)
        + ")"
    )


def _filter(workspace: Workspace, viewer: User | None, kind: str, value) -> Filter:
    if kind == "filter":
        return parse_filter(workspace, value, lenient=True)
    if kind == "tags":
        return parse_filter(workspace, {"tag": {"any": value}}, lenient=True)
    tab = viewer and visible_tabs(workspace=workspace, user=viewer).filter(pk=value).first()
    if tab is None:
        raise Refused("wrong_state", GONE)
    return filter_of(tab)
