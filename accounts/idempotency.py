"""`Idempotency-Key`: a request that may be repeated although it is not idempotent by id."""

import hashlib
import json
import re
from datetime import timedelta
from functools import wraps

from django.db import connection, transaction
from django.utils import timezone
from rest_framework.response import Response

from accounts.models import IdempotencyRecord
from waplus.lib.encryption import decrypt, encrypt
from waplus.lib.errors import Invalid, Refused
from waplus.lib.ids import uuid7

LIFE = timedelta(days=1)
_KEY = re.compile(r"[\x21-\x7e]{8,128}")

_CLAIM = """
INSERT INTO accounts_idempotencyrecord (id, workspace_id, user_id, key, fingerprint, body, created_at)
VALUES (%s, %s, %s, %s, %s, '', now()) ON CONFLICT (workspace_id, user_id, key) DO NOTHING
"""


def _fingerprint(request) -> bytes:
    payload = json.dumps(request.data, sort_keys=True, default=str)
    return hashlib.sha256(f"{request.method} {request.path} {payload}".encode()).digest()


def idempotent(handler):
    """Decorate a view's handler: with the header, its first success is kept and answered again.

    The key is claimed in the handler's own transaction: a repeat that comes
    while the first is at work waits for it at the unique index, and a refusal
    rolls the claim back, so that the request may be tried anew.
    """

    @wraps(handler)
    def handle(view, request, *args, **kwargs):
        key = request.headers.get("Idempotency-Key")
        if key is None or request.auth is None:
            return handler(view, request, *args, **kwargs)
        if not _KEY.fullmatch(key):
            raise Invalid("Idempotency-Key", "invalid", "An idempotency key has 8 to 128 visible ASCII characters.")
        scope = {"workspace": request.auth.workspace, "user": request.auth.user, "key": key}
        with transaction.atomic():
            IdempotencyRecord.objects.filter(**scope, created_at__lt=timezone.now() - LIFE).delete()
            with connection.cursor() as cursor:
                cursor.execute(
                    _CLAIM, [uuid7(), request.auth.workspace.pk, request.auth.user.pk, key, _fingerprint(request)]
                )
                claimed = cursor.rowcount == 1
            record = IdempotencyRecord.objects.select_for_update().get(**scope)
            if not claimed:
                if bytes(record.fingerprint) != _fingerprint(request):
                    raise Refused("idempotency_conflict")
                return Response(
                    json.loads(decrypt(record.body)), status=record.status, headers={"Idempotency-Replayed": "true"}
                )
            response = handler(view, request, *args, **kwargs)
            record.status = response.status_code
            record.body = encrypt(json.dumps(response.data, default=str))
            record.save(update_fields=["status", "body"])
        return response

    return handle


def delete_old_records() -> int:
    """Drop answers that are older than a day."""
    return IdempotencyRecord.objects.filter(created_at__lt=timezone.now() - LIFE).delete()[0]
