"""The raw limit of an empty pull: the same request, authenticated and counted like every other, that asks the database for nothing more."""

from django.http import HttpResponse
from django.urls import path

from accounts.api import WorkspaceView
from accounts.models import Role
from crm.models import Contact
from waplus.urls import urlpatterns as product

BODY = b'{"changes":[],"next":"' + b"A" * 110 + b'","more":false,"epoch":"' + b"0" * 36 + b'"}'


class NothingView(WorkspaceView):
    """Says who asks, and nothing else."""

    roles = {"GET": Role.MEMBER}
    queryset = Contact.objects.all()

    def get(self, request):
        return HttpResponse(BODY, content_type="application/json", headers={"Content-Length": str(len(BODY))})


urlpatterns = [path("api/v1/bench/nothing/", NothingView.as_view()), *product]
