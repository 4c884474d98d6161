"""Addresses of messaging outside of the API: its pages, and files behind signed links."""

from django.urls import path

from messaging.pages import scheduled
from messaging.views import downloads

urlpatterns = [
    path("media/<str:signed>/", downloads.media, name="media"),
    path("messages/scheduled/", scheduled.scheduled_calendar, name="scheduled"),
    path("messages/scheduled/new/", scheduled.new_scheduled, name="new-scheduled"),
    path("messages/scheduled/recipients/", scheduled.find_recipients, name="find-recipients"),
    path("messages/scheduled/<uuid:message_id>/", scheduled.scheduled_message, name="scheduled-message"),
    path("messages/scheduled/<uuid:message_id>/cancel/", scheduled.cancel_scheduled, name="cancel-scheduled"),
    path("messages/scheduled/<uuid:message_id>/pause/", scheduled.pause_scheduled, name="pause-scheduled"),
    path("messages/scheduled/<uuid:message_id>/resume/", scheduled.resume_scheduled, name="resume-scheduled"),
    path("messages/scheduled/<uuid:message_id>/skip/", scheduled.skip_scheduled, name="skip-scheduled"),
]
