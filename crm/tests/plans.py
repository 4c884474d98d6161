"""How PostgreSQL goes about a search."""

from django.db import connection, transaction

from crm.search.scans import FORBIDDING


def plans_of(captured) -> list[str]:
    """The plans of the searches among some captured queries, made as they were: with what they forbid."""
    plans = []
    for query in captured.captured_queries:
        _, forbidding, statement = query["sql"].rpartition(FORBIDDING)
        if forbidding:
            with transaction.atomic(), connection.cursor() as cursor:
                cursor.execute(f"{forbidding}EXPLAIN {statement}")
                plans.append("\n".join(row[0] for row in cursor.fetchall()))
    assert plans
    return plans
