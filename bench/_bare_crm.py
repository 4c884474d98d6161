"""The raw limit of creating a contact: a view that only inserts, by hand, beside the product's routes.

No authentication, no validation, no serializer; the contact's row and that of
its number, in one transaction.
"""

import json
import os
from datetime import UTC, datetime

from django.db import connection, transaction
from django.http import JsonResponse
from django.urls import path
from django.views.decorators.csrf import csrf_exempt

from waplus.lib.ids import uuid7
from waplus.urls import urlpatterns as product

WORKSPACE = os.environ["BENCH_WORKSPACE"]

_CONTACT = """
INSERT INTO crm_contact
    (id, workspace_id, name, profile_name, company, email, sort_name, search_text, created_at, updated_at)
VALUES (%s, %s, %s, '', '', '', %s, %s, %s, %s)
"""
_IDENTITY = """
INSERT INTO crm_contactidentity
    (id, workspace_id, contact_id, kind, value, match_key, holds_key, source, observed_at)
VALUES (%s, %s, %s, 'phone', %s, %s, true, 'person', %s)
"""


@csrf_exempt
def create(request) -> JsonResponse:
    """Insert what came."""
    sent = json.loads(request.body)
    id, name, now = sent["id"], sent["name"], datetime.now(UTC)
    digits = "".join(filter(str.isdigit, sent["identities"][0]["value"]))
    folded = name.lower()
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(_CONTACT, [id, WORKSPACE, name, folded, f" {folded} {digits}", now, now])
        cursor.execute(_IDENTITY, [uuid7(), WORKSPACE, id, f"+{digits}", digits, now])
    return JsonResponse({"id": id, "name": name}, status=201)


urlpatterns = [path("api/v1/bench/contacts/", create), *product]
