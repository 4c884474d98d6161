"""Synchronisation on the API."""

import gzip
import json
from dataclasses import asdict

from django.conf import settings
from django.http import HttpResponse
from drf_spectacular.utils import OpenApiParameter, extend_schema

from accounts.api import WorkspaceView
from accounts.models import Role
from accounts.services.tokens import Glance
from crm.serializers.sync import PulledSerializer, PushOutcomesSerializer, PushSerializer, read_values
from crm.services.sync.pulling import DEFAULT_LIMIT, MAX_LIMIT, glance_for, pull
from crm.services.sync.pushing import Outcome, push
from waplus.lib.errors import Invalid

# Below it, a compressed answer saves less time than compressing takes.
COMPRESS_FROM = 4_096
COMPRESS_LEVEL = 1


class SyncView(WorkspaceView):
    """The workspace's rows on a device: what changed since, and what the device changed."""

    roles = {"GET": Role.MEMBER, "POST": Role.MEMBER}
    serializer_class = PulledSerializer

    def glance(self, request) -> Glance | None:
        """Whether anything changed behind the token of a pull."""
        return glance_for(request.query_params.get("token", "")) if request.method == "GET" else None

    @extend_schema(
        operation_id="sync_pull",
        tags=["synchronisation"],
        parameters=[
            OpenApiParameter("token", str, description="`next` of the page before. Without it a first pull begins."),
            OpenApiParameter(
                "limit", int, description=f"Changes a page, 1 to {MAX_LIMIT}; {DEFAULT_LIMIT} without it."
            ),
        ],
        responses={200: PulledSerializer},
    )
    def get(self, request):
        try:
            limit = int(request.query_params.get("limit") or DEFAULT_LIMIT)
        except ValueError:
            limit = 0
        if not 1 <= limit <= MAX_LIMIT:
            raise Invalid("limit", "invalid", f"A page has 1 to {MAX_LIMIT} changes.")
        token = request.query_params.get("token", "")
        seen = request.auth.seen
        pulled = pull(workspace=self.workspace, user=request.user, token=token, limit=limit, seen=seen)
        members = {"next": pulled.next, "more": pulled.more, "epoch": str(pulled.epoch)}
        if wake_up := getattr(settings, "WAKE_UP_URL", ""):
            members["wake_up"] = wake_up
        return _answer(request, f'{{"changes":[{",".join(pulled.changes)}],{json.dumps(members)[1:]}')

    @extend_schema(
        operation_id="sync_push",
        tags=["synchronisation"],
        request=PushSerializer,
        responses={200: PushOutcomesSerializer},
    )
    def post(self, request):
        context = self.get_serializer_context()
        outcomes = push(
            membership=request.auth.membership,
            actor=self.actor,
            changes=self.valid(PushSerializer)["changes"],
            read=lambda kind, op, values: read_values(kind, op, values, context),
        )
        return _answer(request, f'{{"results":[{",".join(map(_outcome, outcomes))}]}}')


def _outcome(outcome: Outcome) -> str:
    members = {
        "change_id": outcome.change_id,
        "status": outcome.status,
        "kind": outcome.kind,
        "id": outcome.row_id if outcome.current else None,
        "code": outcome.code,
        "detail": outcome.detail,
        "fields": [asdict(error) for error in outcome.fields],
        "extra": outcome.extra,
    }
    return f'{json.dumps(members)[:-1]},"current":{outcome.current or "null"}}}'


def _answer(request, text: str) -> HttpResponse:
    """JSON as the database wrote it; compressed if it is long, because devices are far away."""
    body = text.encode()
    headers = {"Vary": "Accept-Encoding"}
    if len(body) >= COMPRESS_FROM and "gzip" in request.headers.get("Accept-Encoding", ""):
        body = gzip.compress(body, COMPRESS_LEVEL)
        headers["Content-Encoding"] = "gzip"
    return HttpResponse(body, content_type="application/json", headers={**headers, "Content-Length": str(len(body))})
