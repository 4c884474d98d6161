"""The dispatch queue on the API."""

import json

from django.http import HttpResponse
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework.response import Response
from rest_framework.utils import encoders

from accounts.api import WorkspaceView
from accounts.models import Role
from messaging.models import DispatchState, QueuedMessage
from messaging.serializers.dispatch import (
    ClaimAnswerSerializer,
    ClaimSerializer,
    LateDecisionSerializer,
    QueuedMessageSerializer,
    ReportedMessageSerializer,
    ReportSerializer,
    ResolutionSerializer,
)
from messaging.services import dispatch
from waplus.lib.api.pagination import Sort, moment
from waplus.lib.api.schema import PAGE_PARAMETERS, page_of
from waplus.lib.errors import UNKNOWN_ID, Invalid, NotFound


class QueueView(WorkspaceView):
    """The queue: what waits, what is being sent, what became of it; newest first."""

    roles = {"GET": Role.MEMBER}
    queryset = QueuedMessage.objects.all()
    serializer_class = QueuedMessageSerializer
    sorts = {"-due_at": Sort("due_at", descending=True, decode=moment)}
    default_sort = "-due_at"

    @extend_schema(
        operation_id="dispatch_list",
        tags=["dispatch"],
        parameters=[OpenApiParameter("state", str, enum=DispatchState.values), *PAGE_PARAMETERS],
        responses={200: page_of(QueuedMessageSerializer)},
    )
    def get(self, request):
        queryset = self.get_queryset()
        if state := request.query_params.get("state"):
            if state not in DispatchState.values:
                raise Invalid("state", "invalid_choice", f"One of: {', '.join(DispatchState.values)}.")
            queryset = queryset.filter(state=state)
        return self.listing(queryset)


class QueuedMessageView(WorkspaceView):
    """One message of the queue."""

    roles = {"GET": Role.MEMBER}
    queryset = QueuedMessage.objects.all()
    serializer_class = QueuedMessageSerializer

    @extend_schema(operation_id="dispatch_read", tags=["dispatch"])
    def get(self, request, id):
        return self.answer(self.get_object())


class ClaimView(WorkspaceView):
    """Ask for messages to send now. Each comes with a lease of 60 seconds and a fencing number."""

    roles = {"POST": Role.MEMBER}
    serializer_class = ClaimSerializer

    @extend_schema(operation_id="dispatch_claim", tags=["dispatch"], responses={200: ClaimAnswerSerializer})
    def post(self, request):
        payload = self.valid()
        try:
            claim = dispatch.claim_messages(
                workspace=self.workspace,
                account_id=payload["whatsapp_account"],
                instance=request.auth.instance,
                claim_id=payload["claim_id"],
                limit=payload["limit"],
            )
        except NotFound:
            raise Invalid("whatsapp_account", "does_not_exist", UNKNOWN_ID) from None
        return HttpResponse(_claim_answer(claim), content_type="application/json")


def _claim_answer(claim: dispatch.Claim) -> str:
    """`ClaimAnswerSerializer`, written out: the messages come as JSON from the database, around them stands the number."""
    number = claim.dispatcher
    around = {
        "lease": {
            "is_yours": claim.is_holder,
            "instance": number.instance_id,
            "epoch": number.epoch,
            "until": number.lease_until,
        },
        "server_time": claim.now,
        "hold": claim.hold,
        "next_claim_ms": claim.next_claim_ms,
    }
    head = json.dumps(around, cls=encoders.JSONEncoder)
    return f'{head[:-1]}, "messages": {claim.messages}, "reconcile": {claim.reconcile}}}'


class ReportView(WorkspaceView):
    """Report on a message: `sending` before, `sent` or `failed` after; `released` gives it back; `not_sent` if it was not."""

    roles = {"POST": Role.MEMBER}
    queryset = QueuedMessage.objects.all()
    serializer_class = ReportSerializer

    @extend_schema(operation_id="dispatch_report", tags=["dispatch"], responses={200: ReportedMessageSerializer})
    def post(self, request, id):
        message = dispatch.report_message(
            workspace=self.workspace, message_id=id, instance=request.auth.instance, actor=self.actor, **self.valid()
        )
        return Response(ReportedMessageSerializer(message).data)


class ResolveView(WorkspaceView):
    """Decide a message of unknown outcome whose device does not come back, after a look into the chat."""

    roles = {"POST": Role.MEMBER}
    queryset = QueuedMessage.objects.all()
    serializer_class = ResolutionSerializer

    @extend_schema(operation_id="dispatch_resolve", tags=["dispatch"], responses={200: QueuedMessageSerializer})
    def post(self, request, id):
        message = dispatch.resolve_message(workspace=self.workspace, message_id=id, actor=self.actor, **self.valid())
        return Response(QueuedMessageSerializer(message).data)


class LateDecisionView(WorkspaceView):
    """Decide about a message that is too late and asks."""

    roles = {"POST": Role.MEMBER}
    queryset = QueuedMessage.objects.all()
    serializer_class = LateDecisionSerializer

    @extend_schema(operation_id="dispatch_decide", tags=["dispatch"], responses={200: QueuedMessageSerializer})
    def post(self, request, id):
        message = dispatch.decide_late(workspace=self.workspace, message_id=id, actor=self.actor, **self.valid())
        return Response(QueuedMessageSerializer(message).data)
