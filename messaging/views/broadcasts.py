"""Broadcasts on the API: drafts, and what is done with them."""

from django.http import StreamingHttpResponse
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework.response import Response

from accounts.api import WorkspaceView
from accounts.idempotency import idempotent
from accounts.models import Role
from messaging.models import Broadcast, BroadcastState, DispatchState, LeftOut
from messaging.serializers.broadcasts import (
    BroadcastChangeSerializer,
    BroadcastCopySerializer,
    BroadcastRecipientSerializer,
    BroadcastReportSerializer,
    BroadcastSerializer,
    BroadcastSettingSerializer,
    DryRunSerializer,
    LeftOutPersonSerializer,
)
from messaging.services.broadcasts import drafting, recipients, running, starting
from messaging.services.broadcasts.dry_run import dry_run
from messaging.services.broadcasts.reports import broadcast_of, progress_of, report_of
from waplus.lib.api.pagination import PageRequest, Sort
from waplus.lib.api.schema import IDEMPOTENCY_PARAMETER, PAGE_PARAMETERS, page_of
from waplus.lib.errors import Invalid

_TAGS = ["broadcasts"]


def with_progress(rows: list[Broadcast]) -> list[Broadcast]:
    """Give broadcasts their progress, in one query."""
    progress = progress_of(rows)
    for row in rows:
        row.progress = progress[row.pk]
    return rows


class _BroadcastView(WorkspaceView):
    queryset = Broadcast.objects.prefetch_related("parts")
    serializer_class = BroadcastSerializer

    def answer_with(self, broadcast: Broadcast, status: int = 200) -> Response:
        """A broadcast as it stands, with its progress."""
        row = self.get_queryset().get(pk=broadcast.pk)
        return self.answer(with_progress([row])[0], status=status)

    def check_state(self, broadcast: Broadcast) -> None:
        """`check_precondition` over what is shown."""
        self.check_precondition(with_progress([broadcast])[0])


class BroadcastsView(_BroadcastView):
    """The broadcasts of the workspace, the newest first."""

    roles = {"GET": Role.MEMBER, "POST": Role.MEMBER}

    @extend_schema(
        operation_id="broadcasts_list",
        tags=_TAGS,
        parameters=[OpenApiParameter("state", str, enum=BroadcastState.values), *PAGE_PARAMETERS],
        responses={200: page_of(BroadcastSerializer)},
    )
    def get(self, request):
        queryset = self.get_queryset()
        if state := request.query_params.get("state"):
            if state not in BroadcastState.values:
                raise Invalid("state", "invalid_choice", f"One of: {', '.join(BroadcastState.values)}.")
            queryset = queryset.filter(state=state)
        page = PageRequest.of(request.query_params, self.sorts, self.default_sort)
        rows, next_cursor = page.page(list(page.rows(queryset)))
        results = self.get_serializer(with_progress(rows), many=True).data
        return Response({"results": results, "next_cursor": next_cursor})

    @extend_schema(
        operation_id="broadcasts_create",
        tags=_TAGS,
        parameters=[IDEMPOTENCY_PARAMETER],
        responses={201: BroadcastSerializer, 200: BroadcastSerializer},
    )
    @idempotent
    def post(self, request):
        """Draft one. Nothing is sent before it is started."""
        broadcast, is_new = drafting.create_broadcast(
            workspace=self.workspace, user=request.user, actor=self.actor, **self.valid()
        )
        return self.answer_with(broadcast, status=201 if is_new else 200)


class BroadcastView(_BroadcastView):
    """One broadcast. Drafts can be changed and thrown away."""

    roles = {"GET": Role.MEMBER, "PATCH": Role.MEMBER, "DELETE": Role.MEMBER}

    @extend_schema(operation_id="broadcasts_read", tags=_TAGS)
    def get(self, request, id):
        return self.answer_with(self.get_object())

    @extend_schema(operation_id="broadcasts_update", tags=_TAGS, request=BroadcastChangeSerializer)
    def patch(self, request, id):
        self.get_object()  # an unknown one is unknown, whatever else is wrong with the payload
        broadcast = drafting.update_broadcast(
            workspace=self.workspace,
            broadcast_id=id,
            user=request.user,
            actor=self.actor,
            precondition=self.check_state,
            **self.valid(BroadcastChangeSerializer, partial=True),
        )
        return self.answer_with(broadcast)

    @extend_schema(operation_id="broadcasts_delete", tags=_TAGS, responses={204: None})
    def delete(self, request, id):
        drafting.delete_broadcast(workspace=self.workspace, broadcast_id=id, actor=self.actor)
        return Response(status=204)


class BroadcastCopiesView(_BroadcastView):
    """Copy a broadcast into a new draft."""

    roles = {"POST": Role.MEMBER}

    @extend_schema(
        operation_id="broadcasts_duplicate",
        tags=_TAGS,
        request=BroadcastCopySerializer,
        responses={201: BroadcastSerializer, 200: BroadcastSerializer},
    )
    def post(self, request, id):
        payload = self.valid(BroadcastCopySerializer)
        broadcast, is_new = drafting.duplicate_broadcast(
            workspace=self.workspace,
            broadcast_id=id,
            user=request.user,
            actor=self.actor,
            name=payload.get("name", ""),
            id=payload.get("id"),
        )
        return self.answer_with(broadcast, status=201 if is_new else 200)


class DryRunView(_BroadcastView):
    """Try a start out: who would get it, who would not and why, and how it would read. Nothing is sent or kept."""

    roles = {"POST": Role.MEMBER}

    @extend_schema(operation_id="broadcasts_dry_run", tags=_TAGS, request=None, responses={200: DryRunSerializer})
    def post(self, request, id):
        found = dry_run(workspace=self.workspace, broadcast_id=id, user=request.user)
        return Response(DryRunSerializer(found).data)


class StartView(_BroadcastView):
    """Start a draft: at once, or at its time. It is `starting` until everybody is queued, and then `running`."""

    roles = {"POST": Role.MEMBER}

    @extend_schema(operation_id="broadcasts_start", tags=_TAGS, request=None)
    def post(self, request, id):
        broadcast = starting.start_broadcast(
            workspace=self.workspace,
            broadcast_id=id,
            user=request.user,
            membership=request.auth.membership,
            actor=self.actor,
        )
        return self.answer_with(broadcast)


class PauseBroadcastView(_BroadcastView):
    """Hand nothing out until it is resumed."""

    roles = {"POST": Role.MEMBER}

    @extend_schema(operation_id="broadcasts_pause", tags=_TAGS, request=None)
    def post(self, request, id):
        return self.answer_with(running.pause_broadcast(workspace=self.workspace, broadcast_id=id, actor=self.actor))


class ResumeBroadcastView(_BroadcastView):
    """Go on where it was paused."""

    roles = {"POST": Role.MEMBER}

    @extend_schema(operation_id="broadcasts_resume", tags=_TAGS, request=None)
    def post(self, request, id):
        broadcast = running.resume_broadcast(
            workspace=self.workspace, broadcast_id=id, membership=request.auth.membership, actor=self.actor
        )
        return self.answer_with(broadcast)


class CancelBroadcastView(_BroadcastView):
    """Send nothing more of it. What devices have in hand may still go."""

    roles = {"POST": Role.MEMBER}

    @extend_schema(operation_id="broadcasts_cancel", tags=_TAGS, request=None)
    def post(self, request, id):
        return self.answer_with(running.cancel_broadcast(workspace=self.workspace, broadcast_id=id, actor=self.actor))


class UnscheduleView(_BroadcastView):
    """Make a broadcast that waits for its time a draft again."""

    roles = {"POST": Role.MEMBER}

    @extend_schema(operation_id="broadcasts_unschedule", tags=_TAGS, request=None)
    def post(self, request, id):
        return self.answer_with(
            running.unschedule_broadcast(workspace=self.workspace, broadcast_id=id, actor=self.actor)
        )


class ReportOfBroadcastView(_BroadcastView):
    """What became of it, in people."""

    roles = {"GET": Role.MEMBER}

    @extend_schema(operation_id="broadcasts_report", tags=_TAGS, responses={200: BroadcastReportSerializer})
    def get(self, request, id):
        broadcast = broadcast_of(workspace=self.workspace, broadcast_id=id)
        return Response(BroadcastReportSerializer(report_of(broadcast)).data)


class _PeopleView(_BroadcastView):
    roles = {"GET": Role.MEMBER}
    sorts = {"start": Sort("id")}
    default_sort = "start"

    def people(self, id, list_them, serializer_class, **filter) -> Response:
        """A keyset page in the order of the start."""
        broadcast = broadcast_of(workspace=self.workspace, broadcast_id=id)
        page = PageRequest.of(self.request.query_params, self.sorts, self.default_sort)
        after = page.key[-1] if page.key else None
        rows = list_them(broadcast=broadcast, after=after, limit=page.limit + 1, **filter)
        next_cursor = None
        if len(rows) > page.limit:
            rows = rows[: page.limit]
            next_cursor = page.cursor_behind(rows[-1]["id"], rows[-1]["id"])
        return Response({"results": serializer_class(rows, many=True).data, "next_cursor": next_cursor})


class RecipientsView(_PeopleView):
    """Whom it went to, or is to go to; of one state if asked (`replied` is one, too)."""

    @extend_schema(
        operation_id="broadcasts_recipients",
        tags=_TAGS,
        parameters=[OpenApiParameter("state", str, enum=[*DispatchState.values, "replied"]), *PAGE_PARAMETERS],
        responses={200: page_of(BroadcastRecipientSerializer)},
    )
    def get(self, request, id):
        state = request.query_params.get("state", "")
        return self.people(id, recipients.recipients, BroadcastRecipientSerializer, state=state)


class LeftOutView(_PeopleView):
    """Who was left out at the start, and why."""

    @extend_schema(
        operation_id="broadcasts_left_out",
        tags=_TAGS,
        parameters=[OpenApiParameter("reason", str, enum=LeftOut.values), *PAGE_PARAMETERS],
        responses={200: page_of(LeftOutPersonSerializer)},
    )
    def get(self, request, id):
        reason = request.query_params.get("reason", "")
        return self.people(id, recipients.exclusions, LeftOutPersonSerializer, reason=reason)


class BroadcastExportView(_BroadcastView):
    """Everybody of it as CSV, with what became of them, sent while it is made."""

    roles = {"GET": Role.MEMBER}

    @extend_schema(
        operation_id="broadcasts_export", tags=_TAGS, responses={(200, "text/csv; charset=utf-8"): OpenApiTypes.BINARY}
    )
    def get(self, request, id):
        broadcast = broadcast_of(workspace=self.workspace, broadcast_id=id)
        return file_of(broadcast, recipients.export_recipients(broadcast=broadcast, actor=self.actor))


def file_of(broadcast: Broadcast, pieces) -> StreamingHttpResponse:
    """The table of a broadcast as a download."""
    name = f"broadcast-{(broadcast.started_at or broadcast.created_at):%Y-%m-%d}.csv"
    headers = {"Content-Disposition": f'attachment; filename="{name}"'}
    return StreamingHttpResponse(pieces, content_type="text/csv; charset=utf-8", headers=headers)


class BroadcastSettingView(WorkspaceView):
    """Who may start broadcasts."""

    roles = {"GET": Role.MEMBER, "PATCH": Role.ADMIN}
    serializer_class = BroadcastSettingSerializer

    @extend_schema(operation_id="broadcast_settings_read", tags=_TAGS)
    def get(self, request):
        return Response({"members_may_start": drafting.members_may_start(self.workspace)})

    @extend_schema(operation_id="broadcast_settings_update", tags=_TAGS)
    def patch(self, request):
        setting = drafting.set_members_may_start(workspace=self.workspace, actor=self.actor, **self.valid())
        return Response({"members_may_start": setting.members_may_start})
