"""Bring every secret at rest under the first key of `ENCRYPTION_KEYS`, so that the keys behind it can be dropped."""

from collections import Counter
from collections.abc import Callable

from allauth.mfa.models import Authenticator
from django.core.management.base import BaseCommand, CommandError
from django.db import transaction
from django.db.models import Model

from accounts.models import IdempotencyRecord
from waplus.lib.encryption import Undecryptable, decrypt, encrypt, is_current

BATCH = 500


def _renew_authenticator(row: Authenticator) -> bool:
    """The secret of an app, or the seed or the single codes of recovery codes; passkeys keep nothing secret here."""
    renewed = {}
    for name in ("secret", "seed"):
        value = row.data.get(name)
        if isinstance(value, str) and not is_current(value):
            renewed[name] = encrypt(decrypt(value))
    codes = row.data.get("migrated_codes")
    if codes and not all(map(is_current, codes)):
        renewed["migrated_codes"] = [encrypt(decrypt(code)) for code in codes]
    row.data |= renewed
    return bool(renewed)


def _renew_answer(row: IdempotencyRecord) -> bool:
    """An answer that is kept for repeats; the one of a request that is at work is empty yet."""
    if not row.body or is_current(row.body):
        return False
    row.body = encrypt(decrypt(row.body))
    return True


# What is encrypted: its name for people, its model, the field that changes, and how.
SECRETS: list[tuple[str, type[Model], str, Callable]] = [
    ("Two-factor secrets", Authenticator, "data", _renew_authenticator),
    ("Answers kept for repeats", IdempotencyRecord, "body", _renew_answer),
]


def _sweep(model: type[Model], field: str, renew: Callable) -> Counter:
    """Renew all rows of a model in batches, each one transaction in which its rows are locked."""
    counts, last = Counter(), None
    while True:
        with transaction.atomic():
            rows = model.objects.select_for_update(of=("self",), no_key=True).order_by("pk")
            batch = list((rows if last is None else rows.filter(pk__gt=last))[:BATCH])
            changed = []
            for row in batch:
                try:
                    renewed = renew(row)
                except Undecryptable:
                    counts["lost"] += 1
                else:
                    counts["renewed" if renewed else "current"] += 1
                    changed += [row] if renewed else []
            model.objects.bulk_update(changed, [field])
        if len(batch) < BATCH:
            return counts
        last = batch[-1].pk


class Command(BaseCommand):
    help = "Re-encrypts secrets under the first of ENCRYPTION_KEYS. May run at any time, while the product runs, and again."

    def handle(self, *args, **options):
        lost = 0
        for name, model, field, renew in SECRETS:
            counts = _sweep(model, field, renew)
            lost += counts["lost"]
            self.stdout.write(
                f"{name}: {counts['renewed']} re-encrypted, {counts['current']} left as they are"
                + (f", {counts['lost']} that no key opens." if counts["lost"] else ".")
            )
        if lost:
            raise CommandError("Put the keys of those secrets back into ENCRYPTION_KEYS, then run this again.")
