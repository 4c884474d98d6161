"""Addresses of the dispatch below /api/v1/dispatch/, what devices ask for most first."""

from django.urls import path

from messaging.views import acks, direct, dispatch, presence

urlpatterns = [
    path("claim/", dispatch.ClaimView.as_view(), name="api-dispatch-claim"),
    path("acks/", acks.AcksView.as_view(), name="api-dispatch-acks"),
    path("<uuid:id>/report/", dispatch.ReportView.as_view(), name="api-dispatch-report"),
    path("", dispatch.QueueView.as_view(), name="api-dispatch"),
    path("messages/", direct.DirectMessagesView.as_view(), name="api-dispatch-messages"),
    path("warnings/", presence.WarningsView.as_view(), name="api-dispatch-warnings"),
    path("unreachable/", presence.UnreachableChatsView.as_view(), name="api-dispatch-unreachable"),
    path("unreachable/<uuid:id>/", presence.UnreachableChatView.as_view(), name="api-unreachable-chat"),
    path("<uuid:id>/recipients/", acks.RecipientsView.as_view(), name="api-dispatch-recipients"),
    path("<uuid:id>/", direct.MessageView.as_view(), name="api-dispatch-message"),
    path("<uuid:id>/resolve/", dispatch.ResolveView.as_view(), name="api-dispatch-resolve"),
    path("<uuid:id>/decide/", dispatch.LateDecisionView.as_view(), name="api-dispatch-decide"),
]
