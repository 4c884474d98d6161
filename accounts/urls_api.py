"""Addresses of accounts below /api/v1/."""

from django.urls import path

from accounts.views import instances, tokens, workspaces

urlpatterns = [
    path("auth/token/", tokens.ExchangeView.as_view(), name="api-token"),
    path("auth/token/refresh/", tokens.RefreshView.as_view(), name="api-token-refresh"),
    path("auth/workspace/", tokens.SwitchView.as_view(), name="api-token-switch"),
    path("auth/logout/", tokens.LogoutView.as_view(), name="api-logout"),
    path("instances/", instances.InstancesView.as_view(), name="api-instances"),
    path("instances/this/", instances.ThisInstanceView.as_view(), name="api-instance-this"),
    path("instances/<uuid:id>/", instances.InstanceView.as_view(), name="api-instance"),
    path("me/", workspaces.MeView.as_view(), name="api-me"),
    path("plans/", workspaces.PlansView.as_view(), name="api-plans"),
    path("workspaces/", workspaces.WorkspacesView.as_view(), name="api-workspaces"),
    path("workspace/", workspaces.WorkspaceDetailView.as_view(), name="api-workspace"),
    path("workspace/transfer/", workspaces.TransferView.as_view(), name="api-workspace-transfer"),
    path("workspace/leave/", workspaces.LeaveView.as_view(), name="api-workspace-leave"),
    path("members/", workspaces.MembersView.as_view(), name="api-members"),
    path("members/<uuid:id>/", workspaces.MemberView.as_view(), name="api-member"),
    path("invitations/", workspaces.InvitationsView.as_view(), name="api-invitations"),
    path("invitations/<uuid:id>/", workspaces.InvitationView.as_view(), name="api-invitation"),
    path("invitations/<uuid:id>/resend/", workspaces.ResendInvitationView.as_view(), name="api-invitation-resend"),
    path("events/", workspaces.EventsView.as_view(), name="api-events"),
]
