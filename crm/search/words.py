"""Words of a query, and where each of them is looked for.

Texts are folded and stand behind one space (`waplus.lib.text.searchable`), so
that `LIKE '% ab%'` finds the words that begin with `ab`, one letter included,
by trigrams that know where a word begins. Three letters and more are found
anywhere.
"""

from dataclasses import dataclass
from uuid import UUID

from django.db import connection

from accounts.models import Workspace
from crm.filters.sql import FALSE, Driver, Sql, all_of, any_of, beginning, beside, containing, union, wearing
from crm.models.contacts import search_words

MAX_QUERY = 200


@dataclass(frozen=True)
class Word:
    """A folded word of a query, with the tags whose name has it."""

    text: str
    tags: tuple[UUID, ...] = ()

    @property
    def starts(self) -> bool:
        """Whether it is found where a word begins only: too short for an index to find it anywhere."""
        return len(self.text) < 3

    @property
    def is_number(self) -> bool:
        return self.text.isdecimal()

    def in_text(self, column: str) -> Sql:
        """Whether a text that stands behind a space has the word."""
        return Sql(f"{column} LIKE %s", (containing(f" {self.text}" if self.starts else self.text),))

    def in_value(self, alias: str) -> Sql:
        """Whether a custom field's text, which stands behind no space, has the word."""
        if not self.starts:
            return Sql(f"{alias}.text <> '' AND {alias}.text LIKE %s", (containing(self.text),))
        patterns = beginning(self.text), containing(f" {self.text}")
        return Sql(f"{alias}.text <> '' AND ({alias}.text LIKE %s OR {alias}.text LIKE %s)", patterns)


def words_of(workspace: Workspace, text: str) -> list[Word]:
    """The words of a query in a workspace; a query that looks like a number is one word of digits."""
    texts = list(dict.fromkeys(search_words(text)))
    if not texts:
        return []
    patterns = [containing(f" {each}" if len(each) < 3 else each) for each in texts]
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT id, ' ' || folded FROM crm_tag WHERE workspace_id = %s AND ' ' || folded LIKE ANY(%s)",
            [workspace.pk, patterns],
        )
        tags = cursor.fetchall()
    return [
        Word(each, tuple(id for id, folded in tags if (f" {each}" if len(each) < 3 else each) in folded))
        for each in texts
    ]


@dataclass(frozen=True)
class Places:
    """Where the words of a query stand: conditions on rows of `crm_contact`, and the ids of those that one of them finds."""

    workspace_id: UUID
    words: list[Word]

    def own(self, word: Word) -> Sql:
        """In the contact's own text, or in the name of one of its tags."""
        worn = Sql("worn.tag_id = ANY(%s)", (list(word.tags),))
        tagged = beside("crm_contacttag", "worn", worn) if word.tags else FALSE
        return any_of([word.in_text("crm_contact.search_text"), tagged])

    def own_of(self, words: list[Word]) -> Sql:
        """In the contact's own text or tags, all of some words.

        Words that fewer tags have are looked for first, one in the other: the
        planner would begin with the frequent one, which it expects to find sooner.
        """
        *rest, last = sorted(words, key=lambda word: len(word.tags))
        test = self.own(last)
        for word in reversed(rest):
            test = "CASE WHEN " + self.own(word) + " THEN " + test + " ELSE false END"
        return test

    def fields(self, word: Word) -> Sql:
        """In a custom field."""
        return beside("crm_fieldvalue", "held", word.in_value("held"))

    def notes(self, word: Word) -> Sql:
        """In a note."""
        test = all_of([Sql("written.deleted_at IS NULL"), word.in_text("written.search_text")])
        return beside("crm_note", "written", test)

    def owning(self, words: list[Word]) -> Sql:
        """Ids of contacts whose own text has all of some words."""
        texts = all_of([word.in_text("crm_contact.search_text") for word in words])
        return (
            Sql(
                "SELECT crm_contact.id FROM crm_contact WHERE crm_contact.workspace_id = %s "
                "AND crm_contact.deleted_at IS NULL AND crm_contact.merged_into_id IS NULL AND ",
                (self.workspace_id,),
            )
            + texts
        )

    def holding(self, *words: Word) -> Sql:
        """Ids of contacts that have one of some words in a custom field."""
        return (
            Sql(
                "SELECT held.contact_id AS id FROM crm_fieldvalue held WHERE held.workspace_id = %s AND (",
                (self.workspace_id,),
            )
            + any_of(word.in_value("held") for word in words)
            + ")"
        )

    def noted(self, *words: Word) -> Sql:
        """Ids of contacts that have one of some words in a note."""
        return (
            Sql(
                "SELECT written.contact_id AS id FROM crm_note written "
                "WHERE written.workspace_id = %s AND written.deleted_at IS NULL AND (",
                (self.workspace_id,),
            )
            + any_of(word.in_text("written.search_text") for word in words)
            + ")"
        )

    def anywhere(self) -> Sql:
        """Whether every word stands somewhere: what `q` means in a filter."""
        return all_of(any_of([self.own(word), self.fields(word), self.notes(word)]) for word in self.words)

    def owners(self, word: Word) -> list[Sql]:
        """Selects of the contacts that have the word in their own text or tags."""
        return [self.owning([word]), *([wearing(self.workspace_id, word.tags)] if word.tags else [])]

    def drivers(self) -> list[Driver]:
        """For each word, the longest first, a select of all contacts that have it anywhere."""
        longest = sorted(self.words, key=lambda word: -len(word.text))
        return [
            Driver(
                3,
                union([*self.owners(word), self.holding(word), self.noted(word)]),
                stops=False,
                sample=self.own(word),
                is_exact=len(longest) == 1,
            )
            for word in longest
        ]
