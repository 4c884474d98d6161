"""From JSON to a `Filter`, or to a refusal that names every part that is wrong."""

from uuid import UUID

from accounts.models import Membership, Workspace
from crm.filters import chat_leaves, contact_leaves, field_leaf
from crm.filters.compiled import Filter
from crm.filters.nodes import CHATS, CONTACTS, And, Node, Not, Or
from crm.filters.reading import MAX_DEPTH, MAX_LEAVES, Reading, Wrong, items, only
from crm.models import Chat, ImportBatch, Stage, Tag, WhatsAppAccount
from waplus.lib.errors import UNKNOWN_ID, FieldError, Refused

LEAVES = {
    leaf.name: leaf
    for leaf in (
        contact_leaves.Everywhere,
        contact_leaves.Tagged,
        field_leaf.Held,
        contact_leaves.Owned,
        contact_leaves.Staged,
        contact_leaves.Created,
        contact_leaves.Changed,
        contact_leaves.Numbered,
        contact_leaves.Addressed,
        contact_leaves.Imported,
        contact_leaves.OneOf,
        contact_leaves.InGroup,
        chat_leaves.Unread,
        chat_leaves.AwaitingReply,
        chat_leaves.LastMessage,
        chat_leaves.OfKind,
        chat_leaves.Archived,
        chat_leaves.OfAccount,
    )
}


def parse_filter(
    workspace: Workspace, data, target: str = CONTACTS, *, lenient: bool = False, path: str = "filter"
) -> Filter:
    """The filter that some JSON means; an empty object selects everything.

    Raises `Refused("invalid")` with the path, a code and a sentence for what is
    wrong. With `lenient` (for filters that were saved) ids of what is gone are
    no reason to refuse: they match nothing and are told of in `dead`.
    """
    if target not in (CONTACTS, CHATS):
        raise ValueError(target)
    reading = Reading(workspace, target)
    try:
        root = And(()) if data == {} or data is None else _node(data, path, 1, reading)
    except Wrong as wrong:
        raise _refusal([wrong.error]) from None
    gone = _gone(reading)
    if gone and not lenient:
        raise _refusal(gone)
    return Filter(workspace, target, root, tuple(gone), root.data())


def _refusal(errors: list[FieldError]) -> Refused:
    refusal = Refused("invalid", errors[0].detail)
    refusal.fields = errors
    return refusal


def _node(data, path: str, depth: int, reading: Reading) -> Node:
    if depth > MAX_DEPTH:
        raise Wrong(path, "too_deep", f"Conditions nest at most {MAX_DEPTH} deep.")
    name, value = only(data, path, "and", "or", "not", *LEAVES)
    path = f"{path}.{name}"
    if name == "not":
        return _not(_node(value, path, depth + 1, reading))
    if name in ("and", "or"):
        children = [_node(each, f"{path}.{index}", depth + 1, reading) for index, each in enumerate(items(value, path))]
        return _group(And if name == "and" else Or, children)
    reading.leaves += 1
    if reading.leaves > MAX_LEAVES:
        raise Wrong(path, "too_many", f"A filter has at most {MAX_LEAVES} conditions.")
    return LEAVES[name].read(value, path, reading)


def _group(kind: type[And] | type[Or], children: list[Node]) -> Node:
    """In normal form: groups of one kind within each other are one, repeats are dropped, one child stands alone."""
    flat = [inner for child in children for inner in (child.children if isinstance(child, kind) else [child])]
    once = tuple(dict.fromkeys(flat))
    return once[0] if len(once) == 1 else kind(once)


def _not(child: Node) -> Node:
    return child.child if isinstance(child, Not) else Not(child)


def _gone(reading: Reading) -> list[FieldError]:
    """Ids that name nothing in the workspace."""
    wanted: dict[str, set[UUID]] = {}
    for kind, id, _ in reading.asked:
        wanted.setdefault(kind, set()).add(id)
    known = {kind: _known(reading, kind, ids) for kind, ids in wanted.items()}
    return [FieldError(path, "does_not_exist", UNKNOWN_ID) for kind, id, path in reading.asked if id not in known[kind]]


_TABLES = {"tag": Tag, "stage": Stage, "import": ImportBatch, "whatsapp_account": WhatsAppAccount, "chat": Chat}


def _known(reading: Reading, kind: str, ids: set[UUID]) -> set[UUID]:
    if kind == "contact":
        return ids
    if kind == "field":
        return ids & set(reading.fields)
    if kind == "member":
        members = Membership.objects.for_workspace(reading.workspace).filter(user__in=ids)
        return set(members.values_list("user_id", flat=True))
    rows = _TABLES[kind].objects.for_workspace(reading.workspace).filter(pk__in=ids)
    return set(rows.values_list("pk", flat=True))
