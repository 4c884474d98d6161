"""What extensions observe, on the API."""

from drf_spectacular.utils import extend_schema
from rest_framework.response import Response

from accounts.api import WorkspaceView
from accounts.models import Role
from crm.models import Contact
from crm.serializers.observations import ObservationOutcomesSerializer, ObservationsSerializer
from crm.services.observations import observe


class ObservationsView(WorkspaceView):
    """Submit whom WhatsApp shows, one person or up to 500; submitting the same again changes nothing."""

    roles = {"POST": Role.MEMBER}
    queryset = Contact.objects.alive()
    serializer_class = ObservationsSerializer

    @extend_schema(
        operation_id="observations_submit", tags=["observations"], responses={200: ObservationOutcomesSerializer}
    )
    def post(self, request):
        outcomes = observe(workspace=self.workspace, actor=self.actor, **self.valid())
        return Response(ObservationOutcomesSerializer({"results": outcomes}).data)
