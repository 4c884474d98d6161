"""Addresses of messaging outside of the API: its pages, and files behind signed links."""

from django.urls import path

from messaging.views import downloads

urlpatterns = [
    path("media/<str:signed>/", downloads.media, name="media"),
]
