"""Synchronisation on the API."""

import gzip
import json

from django.conf import settings
from django.http import HttpResponse
from drf_spectacular.utils import OpenApiParameter, extend_schema

from accounts.api import WorkspaceView
from accounts.models import Role
from crm.serializers.sync import PulledSerializer
from crm.services.sync.pulling import DEFAULT_LIMIT, MAX_LIMIT, Pulled, pull
from waplus.lib.errors import Invalid

# Below it, a compressed answer saves less time than compressing takes.
COMPRESS_FROM = 4_096
COMPRESS_LEVEL = 1


class SyncView(WorkspaceView):
    """The workspace's rows on a device: what changed since, and what the device changed."""

    roles = {"GET": Role.MEMBER}
    serializer_class = PulledSerializer

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
        return _answer(request, pull(workspace=self.workspace, user=request.user, token=token, limit=limit))


def _answer(request, pulled: Pulled) -> HttpResponse:
    """The page as the database wrote it; compressed if it is long, because devices are far away."""
    members = {"next": pulled.next, "more": pulled.more, "epoch": str(pulled.epoch)}
    if wake_up := getattr(settings, "WAKE_UP_URL", ""):
        members["wake_up"] = wake_up
    body = f'{{"changes":[{",".join(pulled.changes)}],{json.dumps(members)[1:]}'.encode()
    headers = {"Vary": "Accept-Encoding"}
    if len(body) >= COMPRESS_FROM and "gzip" in request.headers.get("Accept-Encoding", ""):
        body = gzip.compress(body, COMPRESS_LEVEL)
        headers["Content-Encoding"] = "gzip"
    return HttpResponse(body, content_type="application/json", headers={**headers, "Content-Length": str(len(body))})
