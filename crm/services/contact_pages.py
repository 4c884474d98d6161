"""Pages of contacts as JSON, made by the database.

A salesperson's list is the request that is asked most, and a serializer's work
for it costs several times the query's. The document is the one of
`ContactSerializer`; a test holds the two together.
"""

from django.contrib.postgres.aggregates import JSONBAgg
from django.db.models import CharField, F, OuterRef, QuerySet, Subquery, Value
from django.db.models.fields.json import JSONField
from django.db.models.functions import Cast, Coalesce, JSONObject
from django.db.models.expressions import Func
from django.db.models import TextField

from crm.models import ContactIdentity


class _Moment(Func):
    """A time as the API writes it: RFC 3339 in UTC with microseconds."""

    template = """to_char(%(expressions)s AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"')"""
    output_field = CharField()


def as_documents(contacts: QuerySet) -> QuerySet:
    """Annotate contacts with `document`, the text of their JSON."""
    identities = (
        ContactIdentity.objects.filter(contact=OuterRef("pk"), workspace=OuterRef("workspace"))
        .order_by()
        .values("contact")
        .annotate(
            all=JSONBAgg(
                JSONObject(id=F("id"), kind=F("kind"), value=F("value")), order_by="id", output_field=JSONField()
            )
        )
        .values("all")
    )
    return contacts.annotate(
        document=Cast(
            JSONObject(
                id=F("id"),
                name=F("name"),
                company=F("company"),
                email=F("email"),
                identities=Coalesce(Subquery(identities), Value([], output_field=JSONField())),
                created_at=_Moment("created_at"),
                updated_at=_Moment("updated_at"),
            ),
            TextField(),
        )
    )
