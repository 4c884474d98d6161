"""Times in documents that PostgreSQL makes, as SQL: RFC 3339 in UTC; null stays null."""


def moment(column: str) -> str:
    """A time, always with microseconds, as documents have it that devices keep."""
    return f"""to_char({column} AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"')"""


def short_moment(column: str) -> str:
    """A time as serializers write it: without microseconds where there are none."""
    return f"replace({moment(column)}, '.000000', '')"
