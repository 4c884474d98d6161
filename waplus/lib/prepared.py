"""Statements that run on every request: written once, planned once a connection.

The ORM compiles a query anew each time, and PostgreSQL plans it anew; for a
join of seven tables by a key, each of the two costs more than the look-up
itself. What few requests consist of is therefore a constant of its module and
prepared (`PREPARE`) at its first use on each connection. A pooler in between
must keep a client on its server connection (session pooling).
"""

import hashlib
from collections.abc import Sequence
from functools import cached_property
from itertools import count
from weakref import WeakSet

from django.apps import apps
from django.db import DEFAULT_DB_ALIAS, InterfaceError, OperationalError, connections, models
from django.db.backends.base.base import BaseDatabaseWrapper


class PreparedStatement:
    """A constant statement with `%s` for its parameters, or `$1`, `$2` … where one stands at several places.

    PostgreSQL plans it anew each time if it takes a plan for the very parameters
    to be so much better that planning pays. `planned_once` forbids that: where a
    statement has many parts that find next to nothing, it is planned for longer
    than it runs.
    """

    def __init__(self, sql: str, *, planned_once: bool = False):
        self._sql = sql
        self._planned_once = planned_once
        self._prepared_on = WeakSet()

    @cached_property
    def sql(self) -> str:
        """The statement as it is prepared, with `$1`, `$2` … for its parameters."""
        numbers = count(1)
        first, *others = self._sql.split("%s")
        return first + "".join(f"${next(numbers)}{part}" for part in others)

    @cached_property
    def name(self) -> str:
        """The name that it is prepared under; another statement has another one."""
        return f"waplus_{hashlib.sha256(self.sql.encode()).hexdigest()[:16]}"

    def fetch(self, params: Sequence) -> list[tuple]:
        """All rows.

        As the first statement of a request it is also the look whether the
        connection still lives: if it does not, it is made anew and asked again.
        """
        opened = connections[DEFAULT_DB_ALIAS]
        if opened.in_atomic_block or opened.health_check_done:
            return self._fetch(opened, params)
        opened.health_check_done = True
        try:
            return self._fetch(opened, params)
        except (OperationalError, InterfaceError):
            opened.close()
            return self._fetch(opened, params)

    def _fetch(self, opened: BaseDatabaseWrapper, params: Sequence) -> list[tuple]:
        with opened.cursor() as cursor:
            if opened.connection not in self._prepared_on:
                cursor.execute(f"PREPARE {self.name} AS {self.sql}")
                self._prepared_on.add(opened.connection)
            given = f"({', '.join(['%s'] * len(params))})" if params else ""
            cursor.execute(f"{self._mode(opened)}EXECUTE {self.name} {given}", params)
            return cursor.fetchall()

    def _mode(self, opened: BaseDatabaseWrapper) -> str:
        """What is sent in front. Statements sent as one are a transaction; within a longer one it would outlast this one."""
        if not self._planned_once or opened.in_atomic_block:
            return ""
        return "SET LOCAL plan_cache_mode = force_generic_plan; "


class JoinedRow:
    """A row with its related rows: `SELECT <all columns of the aliases' models> FROM <source> WHERE <condition>`.

    `aliases` maps an SQL alias to its model; `source` and `condition` are
    constants of the calling module, and so are `beside`: more columns, which
    come as plain values, of a statement that is then planned once.
    """

    def __init__(self, aliases: dict[str, str], source: str, condition: str, beside: str = ""):
        self.aliases = aliases
        self.source = source
        self.condition = condition
        self.beside = beside

    @cached_property
    def _models(self) -> dict[str, tuple[type[models.Model], list[str], slice]]:
        found, start = {}, 0
        for alias, label in self.aliases.items():
            model = apps.get_model(label)
            names = [field.attname for field in model._meta.concrete_fields]
            found[alias] = model, names, slice(start, start + len(names))
            start += len(names)
        return found

    @cached_property
    def statement(self) -> PreparedStatement:
        columns = [
            f'{alias}."{field.column}"'
            for alias, (model, _, _) in self._models.items()
            for field in model._meta.concrete_fields
        ]
        if self.beside:
            columns.append(self.beside)
        sql = f"SELECT {', '.join(columns)} FROM {self.source} WHERE {self.condition}"
        return PreparedStatement(sql, planned_once=bool(self.beside))

    def first(self, params: Sequence) -> "Joined | None":
        """The first row, or None."""
        rows = self.statement.fetch(params)
        return Joined(self, rows[0]) if rows else None


class Joined:
    """A row of a `JoinedRow`: ordinary instances by alias, made when they are asked for."""

    def __init__(self, joined: JoinedRow, row: tuple):
        self._joined = joined
        self._row = row
        self._made: dict[str, models.Model] = {}

    @property
    def beside(self) -> tuple:
        """The values that stand beside the rows."""
        return self._row[max(columns.stop for _, _, columns in self._joined._models.values()) :]

    def __getitem__(self, alias: str) -> models.Model:
        if alias not in self._made:
            model, names, columns = self._joined._models[alias]
            self._made[alias] = model.from_db(DEFAULT_DB_ALIAS, names, self._row[columns])
        return self._made[alias]
