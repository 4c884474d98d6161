"""Merging contacts, and undoing it to the row (docs/adr/0019-merges.md).

Whatever points to a contact is found in the registry of models, so that no
table of any app can be forgotten. A row moves to the contact that stays unless
its twin is there already (the same tag, a value in the same field); then it
waits at the one that went. Each move is journalled.

Contacts are locked before everything else and in the order of their ids, then
the plan's usage, then the rows: two merges that cross each other take turns.
"""

from collections.abc import Callable
from uuid import UUID

from django.apps import apps
from django.db import connection, transaction
from django.db.models import Field, UniqueConstraint
from django.utils import timezone

from accounts.actors import Actor
from accounts.models import Resource, Workspace
from accounts.services import plans
from accounts.services.events import record_event
from crm.models import Chat, Contact, ContactIdentity, Merge, MergeSuggestion, SuggestionReason
from crm.services.contacts import DERIVED, derive_search
from crm.services.identities import jids_of
from waplus.lib.constraints import ScopedForeignKey
from waplus.lib.errors import Invalid, NotFound, Refused
from waplus.lib.ids import uuid7
from waplus.lib.locks import take_turns

# Who merges takes turns on it, and waits for those who hang rows on thousands of contacts without locking each.
MERGES = "crm_merge"
# Own columns that the contact that stays takes over where it has nothing.
COLUMNS = ("name", "profile_name", "company", "email", "owner_id", "stage_id", "avatar_id")
# References that tell of the contacts themselves and not of what they have.
STAYING = frozenset(
    {
        *("crm.contact.merged_into", "crm.merge.kept", "crm.merge.absorbed"),
        *("crm.mergesuggestion.one", "crm.mergesuggestion.other"),
    }
)

_joining: dict[str, Callable[[Merge], None]] = {}


def register_joining(name: str, join: Callable[[Merge], None]) -> None:
    """Let rows of the contact that stays learn from their twins that wait at the other; apps add theirs at start.

    `join(merge)` is called within the merge, after rows have moved, and changes
    rows of the kept contact alone. Undoing the merge does not undo it.
    """
    _joining[name] = join


def hanging_fields() -> list[Field]:
    """Every column of every app that hangs a row on a contact and moves with it, in a fixed order."""
    fields = [
        field
        for model in apps.get_models()
        for field in model._meta.local_fields
        if isinstance(field, ScopedForeignKey) and field.related_model is Contact
    ]
    return sorted((field for field in fields if name_of(field) not in STAYING), key=name_of)


def name_of(field: Field) -> str:
    """`app.model.field`."""
    return f"{field.model._meta.label_lower}.{field.name}"


def _twin(field: Field, holder: str) -> str:
    """SQL: another row `k` of the same table, at the contact `holder`, with which row `t` could not live there."""
    twins = []
    for constraint in field.model._meta.constraints:
        if isinstance(constraint, UniqueConstraint) and field.name in constraint.fields:
            others = [name for name in constraint.fields if name not in ("workspace", field.name)]
            columns = [field.model._meta.get_field(name).column for name in others]
            twins.append(" AND ".join(f"k.{column} = t.{column}" for column in columns))
    if not twins:
        return "FALSE"
    return (
        f"EXISTS (SELECT 1 FROM {field.model._meta.db_table} k WHERE k.workspace_id = t.workspace_id"
        f" AND k.{field.column} = {holder} AND ({' OR '.join(f'({twin})' for twin in twins)}))"
    )


def _move_rows(merge: Merge) -> None:
    """Move what hangs on the absorbed contact and has no twin at the kept one, and journal it."""
    with connection.cursor() as cursor:
        for field in hanging_fields():
            table, column = field.model._meta.db_table, field.column
            cursor.execute(
                f"""
                WITH moving AS (
                    SELECT id FROM {table} t
                    WHERE workspace_id = %(workspace)s AND {column} = %(absorbed)s AND NOT {_twin(field, "%(kept)s")}
                    ORDER BY id FOR NO KEY UPDATE
                ), moved AS (
                    UPDATE {table} t SET {column} = %(kept)s FROM moving WHERE t.id = moving.id RETURNING t.id
                )
                INSERT INTO crm_mergemove (id, workspace_id, merge_id, model, "column", row_id)
                SELECT gen_random_uuid(), %(workspace)s, %(merge)s, %(model)s, %(column)s, id FROM moved
                ON CONFLICT DO NOTHING
                """,
                _params(merge, field),
            )
        cursor.execute(_LET_KEYS_GO, _sides(merge))
    for join in _joining.values():
        join(merge)


def _move_rows_back(merge: Merge) -> None:
    """Give the absorbed contact back what was taken and still hangs on the kept one."""
    with connection.cursor() as cursor:
        for field in hanging_fields():
            table, column = field.model._meta.db_table, field.column
            cursor.execute(
                f"""
                WITH moving AS (
                    SELECT t.id FROM {table} t JOIN crm_mergemove m ON m.row_id = t.id
                    WHERE m.merge_id = %(merge)s AND m.model = %(model)s AND m."column" = %(column)s
                      AND t.workspace_id = %(workspace)s AND t.{column} = %(kept)s
                      AND NOT {_twin(field, "%(absorbed)s")}
                    ORDER BY t.id FOR NO KEY UPDATE OF t
                )
                UPDATE {table} t SET {column} = %(absorbed)s FROM moving WHERE t.id = moving.id
                """,
                _params(merge, field),
            )


def _sides(merge: Merge) -> dict:
    return {"workspace": merge.workspace_id, "kept": merge.kept_id, "absorbed": merge.absorbed_id}


def _params(merge: Merge, field: Field) -> dict:
    return {**_sides(merge), "merge": merge.pk, "model": field.model._meta.label_lower, "column": field.name}


# A contact that is seen no more holds no key: here that of an identity which has a twin at the contact that stays.
_LET_KEYS_GO = """
UPDATE crm_contactidentity SET holds_key = FALSE
WHERE workspace_id = %(workspace)s AND contact_id = %(absorbed)s AND holds_key
"""
_TAKE_KEYS_BACK = """
UPDATE crm_contactidentity SET holds_key = TRUE WHERE id IN (
    SELECT DISTINCT ON (t.match_key) t.id FROM crm_contactidentity t
    WHERE t.workspace_id = %(workspace)s AND t.contact_id = %(absorbed)s AND NOT EXISTS (
        SELECT 1 FROM crm_contactidentity k
        WHERE k.workspace_id = t.workspace_id AND k.match_key = t.match_key AND k.holds_key
    ) ORDER BY t.match_key, t.id
)
"""
# Spellings of a number that came later belong where the number goes back to.
_KEEP_NUMBERS_TOGETHER = """
UPDATE crm_contactidentity t SET contact_id = %(absorbed)s
WHERE t.workspace_id = %(workspace)s AND t.contact_id = %(kept)s AND t.match_key IN (
    SELECT match_key FROM crm_contactidentity WHERE workspace_id = %(workspace)s AND contact_id = %(absorbed)s
)
"""


def _fill(kept: Contact, absorbed: Contact, columns=COLUMNS) -> tuple[dict, dict]:
    """Fill what is empty at the contact that stays; answers what it was and what it became, by column."""
    before, after = {}, {}
    for column in columns:
        value = getattr(absorbed, column)
        if not getattr(kept, column) and value:
            before[column], after[column] = _plain(getattr(kept, column)), _plain(value)
            setattr(kept, column, value)
    return before, after


def _plain(value):
    """A value of a column as the journal keeps it."""
    return str(value) if isinstance(value, UUID) else value


def _save(contact: Contact, changed=()) -> None:
    derive_search(contact)
    contact.updated_at = timezone.now()
    contact.save(update_fields=[*changed, *DERIVED, "updated_at"])


def _locked(workspace: Workspace, *ids: UUID) -> dict[UUID, Contact]:
    """Contacts by id, locked in the order of their ids. A lock that lets others point to them is enough."""
    contacts = Contact.objects.for_workspace(workspace).filter(pk__in=ids).order_by("pk")
    return {contact.pk: contact for contact in contacts.select_for_update(no_key=True)}


def _is_alive(contact: Contact | None) -> bool:
    return contact is not None and contact.deleted_at is None and contact.merged_into_id is None


@transaction.atomic
def merge_contacts(
    *, workspace: Workspace, actor: Actor, kept_id: UUID, absorbed_id: UUID, id: UUID | None = None
) -> tuple[Merge, bool]:
    """Let one contact go into another, and whether that is new: a repeat answers the merge that is there.

    Both must be alive. What hangs on the absorbed one moves, its own columns
    fill what is empty, it is seen no more and its place in the plan is free.
    """
    if kept_id == absorbed_id:
        raise Invalid("other", "same_contact", "A contact cannot be merged with itself.")
    take_turns(MERGES, workspace.pk)
    contacts = _locked(workspace, kept_id, absorbed_id)
    kept, absorbed = contacts.get(kept_id), contacts.get(absorbed_id)
    if _is_alive(kept) and absorbed is not None and absorbed.merged_into_id == kept_id:
        return Merge.objects.for_workspace(workspace).get(kept=kept, absorbed=absorbed, undone_at=None), False
    if not (_is_alive(kept) and _is_alive(absorbed)):
        raise NotFound
    if id is not None and Merge.objects.filter(pk=id).exists():
        raise Refused("id_taken", field="id")
    plans.release(workspace=workspace, resource=Resource.CONTACTS)
    merge = Merge(id=id or uuid7(), workspace=workspace, kept=kept, absorbed=absorbed, merged_by_id=actor.user_id)
    merge.before, merge.after = _fill(kept, absorbed)
    merge.save(force_insert=True)
    absorbed.merged_into = kept
    absorbed.updated_at = timezone.now()
    absorbed.save(update_fields=["merged_into", "updated_at"])
    _move_rows(merge)
    _save(kept, merge.after)
    record_event(kind="contact.merged", actor=actor, workspace=workspace, obj=kept, changed=merge.after)
    return merge, True


@transaction.atomic
def undo_merge(*, workspace: Workspace, actor: Actor, merge_id: UUID) -> Merge:
    """Make two contacts of one again; undoing again changes nothing.

    Rows that the merge took go back if they are still there, columns if they
    still hold what the merge put into them; whatever was changed since stays.
    A later merge of the same contact is treated as if this one had never been:
    what it had left behind as a twin follows now.
    """
    merge = Merge.objects.for_workspace(workspace).filter(pk=merge_id).first()
    if merge is None:
        raise NotFound
    contacts = _locked(workspace, merge.kept_id, merge.absorbed_id)
    merge.refresh_from_db()
    if merge.undone_at is not None:
        return merge
    kept, absorbed = contacts[merge.kept_id], contacts[merge.absorbed_id]
    _refuse_unless_undoable(workspace, kept)
    plans.reserve(workspace=workspace, resource=Resource.CONTACTS)
    reset = [column for column, value in merge.after.items() if _plain(getattr(kept, column)) == value]
    for column in reset:
        setattr(kept, column, merge.before[column])
    merge.undone_at = timezone.now()
    merge.save(update_fields=["undone_at"])
    absorbed.merged_into = None
    _move_rows_back(merge)
    _follow_numbers(merge)
    for later in Merge.objects.for_workspace(workspace).filter(kept=kept, undone_at=None).order_by("pk"):
        _move_rows(later)
        before, after = _fill(kept, Contact.objects.get(pk=later.absorbed_id), reset)
        if after:
            later.before, later.after = {**later.before, **before}, {**later.after, **after}
            later.save(update_fields=["before", "after"])
    _save(kept, reset)
    _save(absorbed, ["merged_into"])
    _say_they_are_two(merge)
    record_event(kind="contact.unmerged", actor=actor, workspace=workspace, obj=kept, changed=reset)
    return merge


def _refuse_unless_undoable(workspace: Workspace, kept: Contact) -> None:
    if kept.merged_into_id is not None:
        later = Merge.objects.for_workspace(workspace).get(absorbed=kept, undone_at=None)
        raise Refused(
            "wrong_state",
            "The contact that stayed was merged into another one since: undo that merge first.",
            extra={"merge_id": str(later.pk)},
        )
    if kept.deleted_at is not None:
        raise Refused("wrong_state", "The contact that stayed is in the bin: restore it first.")


def _follow_numbers(merge: Merge) -> None:
    """Keep all spellings of a number at one contact, and give chats opened since the merge to whose number they show."""
    with connection.cursor() as cursor:
        cursor.execute(_KEEP_NUMBERS_TOGETHER, _sides(merge))
        cursor.execute(_TAKE_KEYS_BACK, _sides(merge))
    keys = ContactIdentity.objects.filter(contact_id=merge.absorbed_id).values_list("match_key", flat=True)
    jids = [jid for key in keys for jid in jids_of(key)]
    chats = Chat.objects.for_workspace(merge.workspace_id).filter(
        contact_id=merge.kept_id, jid__in=jids, created_at__gt=merge.merged_at
    )
    chats.update(contact_id=merge.absorbed_id)


def _say_they_are_two(merge: Merge) -> None:
    """Whoever undid a merge has said that these are two people: they are suggested no more."""
    one, other = sorted((merge.kept_id, merge.absorbed_id))
    MergeSuggestion.objects.update_or_create(
        workspace_id=merge.workspace_id,
        one_id=one,
        other_id=other,
        defaults={"dismissed_at": timezone.now()},
        create_defaults={"reason": SuggestionReason.SAME_PERSON, "dismissed_at": timezone.now()},
    )
