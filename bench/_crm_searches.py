"""What is searched for, and the statement that somebody who knows the answer's size would write for it by hand.

By hand means: for this very term, along the index that is quickest for it. A
rank that is rare is looked up by its own index and sorted, a frequent one is
read in order until the page is full; the ranks stand behind one another, so
that nothing of the later ones is read once the page is full.
"""

import json
from dataclasses import dataclass, field

LOOK, WALK = "look", "walk"
PAGE = 51
LAST = "ffffffff-ffff-ffff-ffff-ffffffffffff"
ALIVE = "c.deleted_at IS NULL AND c.merged_into_id IS NULL"
CONTACTS = f"SELECT c.id FROM crm_contact c WHERE c.workspace_id = %(w)s AND {ALIVE} AND "
BY_NAME = f"ORDER BY c.sort_name, c.id LIMIT {PAGE}"
# A contact that is known by its id, whatever the planner thinks of it.
CONTACT = (
    f"LATERAL (SELECT * FROM crm_contact c WHERE c.workspace_id = %(w)s AND c.id = named.id AND {ALIVE} OFFSET 0) c"
)


@dataclass(frozen=True)
class Case:
    """One list that is asked for: the request's parameters, and a select of the same ids in the same order."""

    title: str
    params: dict
    by_hand: str
    values: dict = field(default_factory=dict)

    def statement(self, document: str) -> str:
        """The whole page by hand: ids and documents."""
        return (
            f"WITH page AS MATERIALIZED (SELECT id, row_number() OVER () AS nth FROM ({self.by_hand}) found LIMIT {PAGE}) "
            f"SELECT page.id, {document} FROM page JOIN crm_contact "
            "ON crm_contact.workspace_id = %(w)s AND crm_contact.id = page.id ORDER BY nth"
        )


def has(table: str, where: str) -> str:
    """Whether a contact has such a row in a table, which is called `x`."""
    return f"EXISTS (SELECT FROM {table} x WHERE x.workspace_id = c.workspace_id AND x.contact_id = c.id AND {where} OFFSET 0)"


def walked(where: str) -> str:
    """Contacts by name, read in order: fenced, or the planner may fetch and sort all that match."""
    inner = f"SELECT * FROM crm_contact c WHERE c.workspace_id = %(w)s AND {ALIVE} ORDER BY c.sort_name, c.id OFFSET 0"
    return f"SELECT c.id FROM ({inner}) c WHERE {where} LIMIT {PAGE}"


def looked_up(ids: str, rest: str = "true", order: str = BY_NAME) -> str:
    """Contacts by name, of those that an index names."""
    return f"SELECT c.id FROM (SELECT DISTINCT id FROM ({ids}) ids OFFSET 0) named, {CONTACT} WHERE {rest} {order}"


def newest(where: str) -> str:
    """Contacts, the newest first, read in order."""
    inner = (
        f"SELECT * FROM crm_contact c WHERE (c.workspace_id, c.id) <= (%(w)s, '{LAST}') AND c.workspace_id >= %(w)s "
        "ORDER BY c.workspace_id DESC, c.id DESC OFFSET 0"
    )
    return f"SELECT c.id FROM ({inner}) c WHERE {ALIVE} AND {where} LIMIT {PAGE}"


class Words:
    """The ranks of a query, each as SQL over `c`. `tags` are the ids of the tags whose name has the word at the same place."""

    def __init__(self, *words: str, begin: str = "", key: str = "", tags: dict[int, list] | None = None):
        self.words, self.tags = words, tags or {}
        self.number = key or (words[0] if len(words) == 1 and words[0].isdecimal() else "")
        begin = begin or " ".join(words)
        self.values = {"begin": begin, "end": f"{begin}\U0010ffff", "key": self.number}
        for i, word in enumerate(words):
            self.values |= {f"p{i}": f"% {word}%" if len(word) < 3 else f"%{word}%", f"b{i}": f"{word}%"}
            self.values[f"t{i}"] = self.tags.get(i, [])

    @property
    def first(self) -> str:
        if self.number:
            return has("crm_contactidentity", "x.match_key = %(key)s")
        return "(c.sort_name >= %(begin)s AND c.sort_name <= %(end)s)"

    def own_of(self, i: int) -> str:
        worn = f" OR {has('crm_contacttag', f'x.tag_id = ANY(%(t{i})s::uuid[])')}" if i in self.tags else ""
        return f"(c.search_text LIKE %(p{i})s{worn})"

    def value_of(self, i: int) -> str:
        start = f" OR x.text LIKE %(b{i})s" if len(self.words[i]) < 3 else ""
        return f"x.text <> '' AND (x.text LIKE %(p{i})s{start})"

    def note_of(self, i: int) -> str:
        return f"x.deleted_at IS NULL AND x.search_text LIKE %(p{i})s"

    def every(self, *places: str) -> str:
        """Every word stands in one of some places."""
        each = {
            "own": self.own_of,
            "field": lambda i: has("crm_fieldvalue", self.value_of(i)),
            "note": lambda i: has("crm_note", self.note_of(i)),
        }
        return " AND ".join(f"({' OR '.join(each[place](i) for place in places)})" for i in range(len(self.words)))

    def texts(self, i: int | None = None) -> str:
        """A look-up of those whose own text has every word, or one of them."""
        which = range(len(self.words)) if i is None else [i]
        return CONTACTS + " AND ".join(f"c.search_text LIKE %(p{n})s" for n in which)

    def wearers(self, i: int) -> str:
        return f"SELECT x.contact_id AS id FROM crm_contacttag x WHERE x.workspace_id = %(w)s AND x.tag_id = ANY(%(t{i})s::uuid[])"

    def holders(self, i: int) -> str:
        return f"SELECT x.contact_id AS id FROM crm_fieldvalue x WHERE x.workspace_id = %(w)s AND {self.value_of(i)}"

    def noters(self, i: int) -> str:
        return f"SELECT x.contact_id AS id FROM crm_note x WHERE x.workspace_id = %(w)s AND {self.note_of(i)}"


def ranked(
    q: str, words: Words, own: str = LOOK, fields="", notes="", also: str = "true", ids: str = "", **params
) -> Case:
    """A query by rank. `fields` and `notes` are how that rank is read and by which word; what is left out the page does not come to.

    `also` is what a filter says of `c`; `ids` look up the own rank instead of the words.
    """
    if words.number:
        known = "SELECT i.contact_id AS id FROM crm_contactidentity i WHERE i.workspace_id = %(w)s AND i.holds_key AND i.match_key = %(key)s"
        ranks = [looked_up(known, also, f"ORDER BY c.id DESC LIMIT {PAGE}")]
    else:
        ranks = [f"{CONTACTS} {words.first} AND {also} {BY_NAME}"]
    rest = f"{words.every('own')} AND NOT {words.first} AND {also}"
    if own == WALK:
        ranks.append(newest(rest))
    elif own == LOOK:
        plain = [i for i in range(len(words.words)) if i not in words.tags]
        found = ids or (
            words.texts()
            if not words.tags
            else words.texts(plain[0])
            if plain
            else f"{words.texts(0)} UNION {words.wearers(0)}"
        )
        ranks.append(looked_up(found, rest, f"ORDER BY c.id DESC LIMIT {PAGE}"))
    rest = f"{words.every('own', 'field')} AND NOT ({words.every('own')}) AND NOT {words.first} AND {also}"
    if fields:
        ranks.append(_beside(*fields, "crm_fieldvalue", words.holders, words.value_of, rest))
    rest = f"{words.every('own', 'field', 'note')} AND NOT ({words.every('own', 'field')}) AND NOT {words.first} AND {also}"
    if notes:
        ranks.append(_beside(*notes, "crm_note", words.noters, words.note_of, rest))
    title = " ".join([q, *(f"{name}={value}" for name, value in params.items())])
    return Case(title, {"q": q, **params}, " UNION ALL ".join(f"({rank})" for rank in ranks), words.values)


def _beside(how: str, i: int, table: str, ids, where, rest: str) -> str:
    """Contacts that have the word in a row beside them, the newest first."""
    if how == LOOK:
        return looked_up(ids(i), rest, f"ORDER BY c.id DESC LIMIT {PAGE}")
    return (
        "SELECT c.id FROM (SELECT DISTINCT ON (x.workspace_id, x.contact_id) x.contact_id AS id "
        f"FROM {table} x WHERE (x.workspace_id, x.contact_id) <= (%(w)s, '{LAST}') AND x.workspace_id >= %(w)s AND {where(i)} "
        f"ORDER BY x.workspace_id DESC, x.contact_id DESC) named, {CONTACT} WHERE {rest} LIMIT {PAGE}"
    )


def filtered(tree: dict, by_hand: str, values: dict, title: str, **params) -> Case:
    """A filter, by name."""
    return Case(title, {"filter": json.dumps(tree), **params}, by_hand, values)
