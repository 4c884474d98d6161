"""What would silently let messages go to people who asked for none."""

from django.core.checks import Error, Tags, register
from django.db import connections

from messaging.models import Suppression
from messaging.services.suppression.keys import key_version


@register(Tags.database)
def check_pepper(app_configs, databases=None, **kwargs) -> list[Error]:
    """Refuse a pepper under which the stored hashes recognise nobody; runs with `migrate` and `check --database`."""
    for alias in databases or ():
        if Suppression._meta.db_table not in connections[alias].introspection.table_names():
            continue
        strange = Suppression.objects.using(alias).filter(lifted_at=None).exclude(key_version=key_version())
        if strange.exists():
            return [
                Error(
                    "SUPPRESSION_PEPPER is not the one under which people were put on the do-not-contact list.",
                    hint="Set it to its former value: their numbers are not kept, and under this one nobody of them is recognised.",
                    id="messaging.E001",
                )
            ]
    return []
