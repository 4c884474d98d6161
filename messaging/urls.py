"""Addresses of messaging below /api/v1/."""

from django.urls import path

from messaging.views import broadcasts, conversations, dispatch, media, numbers, scheduled

urlpatterns = [
    path("conversations/messages/", conversations.UploadView.as_view(), name="api-conversation-upload"),
    path("scheduled-messages/", scheduled.ScheduledMessagesView.as_view(), name="api-scheduled-messages"),
    path("scheduled-messages/calendar/", scheduled.CalendarView.as_view(), name="api-scheduled-calendar"),
    path("scheduled-messages/<uuid:id>/", scheduled.ScheduledMessageView.as_view(), name="api-scheduled-message"),
    path("scheduled-messages/<uuid:id>/pause/", scheduled.PauseView.as_view(), name="api-scheduled-pause"),
    path("scheduled-messages/<uuid:id>/resume/", scheduled.ResumeView.as_view(), name="api-scheduled-resume"),
    path("scheduled-messages/<uuid:id>/skip/", scheduled.SkipView.as_view(), name="api-scheduled-skip"),
    path(
        "scheduled-messages/<uuid:id>/occurrences/",
        scheduled.OwnOccurrenceView.as_view(),
        name="api-scheduled-occurrences",
    ),
    path("dispatch/", dispatch.QueueView.as_view(), name="api-dispatch"),
    path("dispatch/claim/", dispatch.ClaimView.as_view(), name="api-dispatch-claim"),
    path("dispatch/<uuid:id>/", dispatch.QueuedMessageView.as_view(), name="api-dispatch-message"),
    path("dispatch/<uuid:id>/report/", dispatch.ReportView.as_view(), name="api-dispatch-report"),
    path("dispatch/<uuid:id>/resolve/", dispatch.ResolveView.as_view(), name="api-dispatch-resolve"),
    path("dispatch/<uuid:id>/decide/", dispatch.LateDecisionView.as_view(), name="api-dispatch-decide"),
    path("whatsapp-accounts/<uuid:id>/dispatcher/", numbers.DispatcherView.as_view(), name="api-dispatcher"),
    path("whatsapp-accounts/<uuid:id>/dispatcher/pause/", numbers.PauseView.as_view(), name="api-dispatcher-pause"),
    path("whatsapp-accounts/<uuid:id>/dispatcher/resume/", numbers.ResumeView.as_view(), name="api-dispatcher-resume"),
    path("broadcasts/", broadcasts.BroadcastsView.as_view(), name="api-broadcasts"),
    path("broadcasts/settings/", broadcasts.BroadcastSettingView.as_view(), name="api-broadcast-settings"),
    path("broadcasts/<uuid:id>/", broadcasts.BroadcastView.as_view(), name="api-broadcast"),
    path("broadcasts/<uuid:id>/duplicate/", broadcasts.BroadcastCopiesView.as_view(), name="api-broadcast-duplicate"),
    path("broadcasts/<uuid:id>/dry-run/", broadcasts.DryRunView.as_view(), name="api-broadcast-dry-run"),
    path("broadcasts/<uuid:id>/start/", broadcasts.StartView.as_view(), name="api-broadcast-start"),
    path("broadcasts/<uuid:id>/pause/", broadcasts.PauseBroadcastView.as_view(), name="api-broadcast-pause"),
    path("broadcasts/<uuid:id>/resume/", broadcasts.ResumeBroadcastView.as_view(), name="api-broadcast-resume"),
    path("broadcasts/<uuid:id>/cancel/", broadcasts.CancelBroadcastView.as_view(), name="api-broadcast-cancel"),
    path("broadcasts/<uuid:id>/unschedule/", broadcasts.UnscheduleView.as_view(), name="api-broadcast-unschedule"),
    path("broadcasts/<uuid:id>/report/", broadcasts.ReportOfBroadcastView.as_view(), name="api-broadcast-report"),
    path("broadcasts/<uuid:id>/recipients/", broadcasts.RecipientsView.as_view(), name="api-broadcast-recipients"),
    path("broadcasts/<uuid:id>/left-out/", broadcasts.LeftOutView.as_view(), name="api-broadcast-left-out"),
    path("broadcasts/<uuid:id>/export/", broadcasts.BroadcastExportView.as_view(), name="api-broadcast-export"),
    path("media/", media.FilesView.as_view(), name="api-media"),
    path("media/<uuid:id>/", media.FileView.as_view(), name="api-media-file"),
    path("media/uploads/", media.UploadsView.as_view(), name="api-media-uploads"),
    path("media/uploads/<uuid:id>/", media.UploadView.as_view(), name="api-media-upload"),
    path("media/uploads/<uuid:id>/parts/<int:number>/", media.UploadPartView.as_view(), name="api-media-part"),
    path("media/uploads/<uuid:id>/complete/", media.UploadCompleteView.as_view(), name="api-media-complete"),
]
