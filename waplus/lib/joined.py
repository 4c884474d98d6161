"""One statement that brings a row with its related rows: compiled once, planned once a connection.

`select_related` over six models costs the ORM about a millisecond for each
query, and planning a join of seven tables costs PostgreSQL another one, each
more than the look-up itself. What runs on every request is therefore compiled
at its first use and prepared on each connection (`PREPARE`); the instances that
it gives are ordinary ones. A pooler in between must keep a client on its
server connection (session pooling).
"""

import hashlib
from collections.abc import Sequence
from functools import cached_property
from itertools import count
from weakref import WeakSet

from django.apps import apps
from django.db import InterfaceError, OperationalError, connection, models


class JoinedRow:
    """`SELECT <all columns of the aliases' models> FROM <source> WHERE <condition>`, answered as model instances.

    `aliases` maps an SQL alias to its model in the order of the answer; `source`
    and `condition` are constants of the calling module, with `%s` for parameters.
    """

    def __init__(self, aliases: dict[str, str], source: str, condition: str):
        self.aliases = aliases
        self.source = source
        self.condition = condition
        self._prepared_on = WeakSet()

    @cached_property
    def _models(self) -> list[tuple[type[models.Model], list[str]]]:
        found = [apps.get_model(label) for label in self.aliases.values()]
        return [(model, [field.attname for field in model._meta.concrete_fields]) for model in found]

    @cached_property
    def sql(self) -> str:
        """The statement, with `$1`, `$2` … for its parameters."""
        columns = [
            f'{alias}."{field.column}"'
            for alias, (model, _) in zip(self.aliases, self._models, strict=True)
            for field in model._meta.concrete_fields
        ]
        numbers = count(1)
        parts = self.condition.split("%s")
        condition = parts[0] + "".join(f"${next(numbers)}{part}" for part in parts[1:])
        return f"SELECT {', '.join(columns)} FROM {self.source} WHERE {condition}"

    @cached_property
    def name(self) -> str:
        """The name of the prepared statement; another statement has another one."""
        return f"joined_{hashlib.sha256(self.sql.encode()).hexdigest()[:16]}"

    def first(self, params: Sequence) -> tuple[models.Model, ...] | None:
        """The first row as one instance an alias, or None.

        As the first statement of a request it is also the look whether the
        connection still lives: if it does not, it is made anew and asked again.
        """
        if connection.in_atomic_block or connection.health_check_done:
            row = self._fetch(params)
        else:
            connection.health_check_done = True
            try:
                row = self._fetch(params)
            except (OperationalError, InterfaceError):
                connection.close()
                row = self._fetch(params)
        if row is None:
            return None
        instances, start = [], 0
        for model, names in self._models:
            instances.append(model.from_db(connection.alias, names, row[start : start + len(names)]))
            start += len(names)
        return tuple(instances)

    def _fetch(self, params: Sequence) -> tuple | None:
        with connection.cursor() as cursor:
            if connection.connection not in self._prepared_on:
                cursor.execute(f"PREPARE {self.name} AS {self.sql}")
                self._prepared_on.add(connection.connection)
            cursor.execute(f"EXECUTE {self.name} ({', '.join(['%s'] * len(params))})", params)
            return cursor.fetchone()
