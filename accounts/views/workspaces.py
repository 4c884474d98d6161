"""Workspaces, members, invitations, plans and events on the API."""

from uuid import UUID

from django.conf import settings
from drf_spectacular.utils import OpenApiParameter, OpenApiResponse, extend_schema
from rest_framework.response import Response

from accounts.api import WorkspaceView
from accounts.idempotency import idempotent
from accounts.models import Event, Invitation, Membership, Plan, Role
from accounts.serializers import (
    EventSerializer,
    InvitationSerializer,
    MemberSerializer,
    MeSerializer,
    OwnWorkspaceSerializer,
    PersonSerializer,
    PlanSerializer,
    RoleSerializer,
    TransferSerializer,
    WorkspaceChangeSerializer,
    WorkspaceSerializer,
)
from accounts.services import invitations, people, plans, workspaces
from waplus.lib.api.pagination import Sort, moment
from waplus.lib.api.schema import IDEMPOTENCY_PARAMETER, PAGE_PARAMETERS, page_of

NO_CONTENT = {204: OpenApiResponse()}


class MeView(WorkspaceView):
    """Who asks, in which workspace, with which role, plan and use."""

    roles = {"GET": Role.MEMBER, "PATCH": Role.MEMBER}
    serializer_class = MeSerializer

    @extend_schema(operation_id="me_read", tags=["account"])
    def get(self, request):
        return self.answer(self._me())

    @extend_schema(operation_id="me_update", tags=["account"], request=PersonSerializer)
    def patch(self, request):
        payload = self.valid(PersonSerializer, partial=True)
        people.update_profile(user=request.user, actor=self.actor, **payload)
        return self.answer(self._me())

    def _me(self) -> dict:
        access = self.request.auth
        return {
            "person": access.user,
            "workspace": access.workspace,
            "role": access.membership.role,
            "plan": access.workspace.plan,
            "usage": plans.usage_table(access.workspace),
            "instance_id": access.instance.pk,
            "minimum_version": settings.MINIMUM_EXTENSION_VERSION,
            "wake_up_url": settings.WAKE_UP_URL,
        }


class PlansView(WorkspaceView):
    """All plans, for comparison."""

    roles = {"GET": Role.MEMBER}
    serializer_class = PlanSerializer

    @extend_schema(operation_id="plans_list", tags=["account"], responses={200: PlanSerializer(many=True)})
    def get(self, request):
        return Response(PlanSerializer(Plan.objects.all()[:50], many=True).data)


class WorkspacesView(WorkspaceView):
    """The workspaces of the person who asks."""

    roles = {"GET": Role.MEMBER, "POST": Role.MEMBER}
    serializer_class = OwnWorkspaceSerializer
    sorts = {"joined": Sort("created_at", decode=moment)}
    default_sort = "joined"

    @extend_schema(
        operation_id="workspaces_list",
        tags=["team"],
        parameters=PAGE_PARAMETERS,
        responses={200: page_of(OwnWorkspaceSerializer)},
    )
    def get(self, request):
        return self.listing(Membership.objects.of_person(request.user).select_related("workspace"))

    @extend_schema(
        operation_id="workspaces_create",
        tags=["team"],
        request=WorkspaceSerializer,
        responses={201: WorkspaceSerializer},
        parameters=[IDEMPOTENCY_PARAMETER],
    )
    @idempotent
    def post(self, request):
        workspace = workspaces.create_workspace(owner=request.user, actor=self.actor, **self.valid(WorkspaceSerializer))
        return Response(WorkspaceSerializer(workspace).data, status=201)


class WorkspaceDetailView(WorkspaceView):
    """The workspace that the token works in."""

    roles = {"GET": Role.MEMBER, "PATCH": Role.ADMIN}
    serializer_class = WorkspaceSerializer

    @extend_schema(operation_id="workspace_read", tags=["team"])
    def get(self, request):
        return self.answer(self.workspace)

    @extend_schema(operation_id="workspace_update", tags=["team"], request=WorkspaceChangeSerializer)
    def patch(self, request):
        self.check_precondition(self.workspace)
        payload = self.valid(WorkspaceChangeSerializer, partial=True)
        return self.answer(workspaces.update_workspace(workspace=self.workspace, actor=self.actor, **payload))


class TransferView(WorkspaceView):
    """Hand the workspace over to another member."""

    roles = {"POST": Role.OWNER}
    serializer_class = TransferSerializer

    @extend_schema(operation_id="workspace_transfer", tags=["team"], responses={200: MemberSerializer})
    def post(self, request):
        member = workspaces.transfer_ownership(
            workspace=self.workspace, membership_id=self.valid()["member_id"], actor=self.actor
        )
        return Response(MemberSerializer(member).data)


class LeaveView(WorkspaceView):
    """Leave the workspace: this token and all one's others in it end at once."""

    roles = {"POST": Role.MEMBER}
    serializer_class = None

    @extend_schema(
        operation_id="workspace_leave",
        tags=["team"],
        request=None,
        responses=NO_CONTENT,
        parameters=[
            OpenApiParameter("heir", UUID, description="Id of the member who takes over what one looks after.")
        ],
    )
    def post(self, request):
        own = request.auth.membership
        workspaces.remove_member(
            workspace=self.workspace,
            membership_id=own.pk,
            actor=self.actor,
            remover=own,
            heir_membership_id=self.query_id("heir"),
        )
        return Response(status=204)


class MembersView(WorkspaceView):
    """Members of the workspace."""

    roles = {"GET": Role.MEMBER}
    queryset = Membership.objects.select_related("user")
    serializer_class = MemberSerializer
    sorts = {"joined": Sort("created_at", decode=moment)}
    default_sort = "joined"

    @extend_schema(
        operation_id="members_list",
        tags=["team"],
        parameters=PAGE_PARAMETERS,
        responses={200: page_of(MemberSerializer)},
    )
    def get(self, request):
        return self.listing(self.get_queryset())


class MemberView(WorkspaceView):
    """One member: change the role, remove."""

    roles = {"GET": Role.MEMBER, "PATCH": Role.ADMIN, "DELETE": Role.ADMIN}
    queryset = Membership.objects.select_related("user")
    serializer_class = MemberSerializer

    @extend_schema(operation_id="members_read", tags=["team"])
    def get(self, request, id):
        return self.answer(self.get_object())

    @extend_schema(operation_id="members_change_role", tags=["team"], request=RoleSerializer)
    def patch(self, request, id):
        role = self.valid(RoleSerializer)["role"]
        return self.answer(
            workspaces.change_role(workspace=self.workspace, membership_id=id, role=Role(role), actor=self.actor)
        )

    @extend_schema(
        operation_id="members_remove",
        tags=["team"],
        parameters=[
            OpenApiParameter("heir", UUID, description="Id of the member who takes over what this one looks after.")
        ],
        responses=NO_CONTENT,
    )
    def delete(self, request, id):
        workspaces.remove_member(
            workspace=self.workspace,
            membership_id=id,
            actor=self.actor,
            remover=request.auth.membership,
            heir_membership_id=self.query_id("heir"),
        )
        return Response(status=204)


class InvitationsView(WorkspaceView):
    """Open invitations."""

    roles = {"GET": Role.ADMIN, "POST": Role.ADMIN}
    queryset = Invitation.objects.all()
    serializer_class = InvitationSerializer

    @extend_schema(
        operation_id="invitations_list",
        tags=["team"],
        parameters=PAGE_PARAMETERS,
        responses={200: page_of(InvitationSerializer)},
    )
    def get(self, request):
        return self.listing(self.get_queryset())

    @extend_schema(
        operation_id="invitations_send",
        tags=["team"],
        responses={201: InvitationSerializer},
        parameters=[IDEMPOTENCY_PARAMETER],
    )
    @idempotent
    def post(self, request):
        invitation = invitations.invite(
            workspace=self.workspace, inviter=request.user, actor=self.actor, **self.valid()
        )
        return self.answer(invitation, status=201)


class InvitationView(WorkspaceView):
    """One open invitation: send again, withdraw."""

    roles = {"GET": Role.ADMIN, "DELETE": Role.ADMIN}
    queryset = Invitation.objects.all()
    serializer_class = InvitationSerializer

    @extend_schema(operation_id="invitations_read", tags=["team"])
    def get(self, request, id):
        return self.answer(self.get_object())

    @extend_schema(operation_id="invitations_revoke", tags=["team"], responses=NO_CONTENT)
    def delete(self, request, id):
        invitations.revoke_invitation(workspace=self.workspace, invitation_id=id, actor=self.actor)
        return Response(status=204)


class ResendInvitationView(WorkspaceView):
    """Send an invitation's message again; the former link ends."""

    roles = {"POST": Role.ADMIN}
    queryset = Invitation.objects.all()
    serializer_class = InvitationSerializer

    @extend_schema(operation_id="invitations_resend", tags=["team"], request=None, parameters=[IDEMPOTENCY_PARAMETER])
    @idempotent
    def post(self, request, id):
        return self.answer(invitations.resend_invitation(workspace=self.workspace, invitation_id=id, actor=self.actor))


class EventsView(WorkspaceView):
    """What happened in the workspace, newest first."""

    roles = {"GET": Role.ADMIN}
    serializer_class = EventSerializer
    sorts = {"newest": Sort("id", descending=True, decode=UUID)}

    @extend_schema(
        operation_id="events_list",
        tags=["account"],
        parameters=PAGE_PARAMETERS,
        responses={200: page_of(EventSerializer)},
    )
    def get(self, request):
        return self.listing(Event.objects.filter(workspace=self.workspace))
