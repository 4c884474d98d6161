"""Addresses of the self-service pages."""

from django.urls import path

from accounts.pages import activity, devices, home, invitations, landing, plan, profile, security, team, workspaces

urlpatterns = [
    path("", landing.landing, name="landing"),
    path("home/", home.home, name="home"),
    path("devices/", devices.devices, name="devices"),
    path("devices/<uuid:instance_id>/rename/", devices.rename_device, name="rename-device"),
    path("devices/<uuid:instance_id>/sign-out/", devices.sign_out_device, name="sign-out-device"),
    path("devices/browsers/<int:session_id>/sign-out/", devices.sign_out_browser, name="sign-out-browser"),
    path("devices/browsers/sign-out-others/", devices.sign_out_other_browsers, name="sign-out-other-browsers"),
    path("team/", team.team, name="team"),
    path("team/leave/", team.leave, name="leave-workspace"),
    path("team/members/<uuid:membership_id>/role/", team.change_role, name="change-role"),
    path("team/members/<uuid:membership_id>/remove/", team.remove_member, name="remove-member"),
    path("team/members/<uuid:membership_id>/transfer/", team.transfer, name="transfer-ownership"),
    path("team/invitations/<uuid:invitation_id>/resend/", team.resend_invitation, name="resend-invitation"),
    path("team/invitations/<uuid:invitation_id>/revoke/", team.revoke_invitation, name="revoke-invitation"),
    path("invitations/<str:token>/", invitations.invitation, name="invitation"),
    path("workspaces/switch/", workspaces.switch, name="switch-workspace"),
    path("workspaces/new/", workspaces.new, name="new-workspace"),
    path("workspaces/settings/", workspaces.settings, name="workspace-settings"),
    path("plan/", plan.plan, name="plan"),
    path("security/", security.security, name="security"),
    path("profile/", profile.profile, name="profile"),
    path("activity/", activity.activity, name="activity"),
]
