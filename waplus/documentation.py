"""The API's documentation: the page over the schema, and what each error code means."""

from django.shortcuts import render
from django.views.decorators.http import require_safe
from drf_spectacular.views import SpectacularSwaggerSplitView

from waplus.lib.errors import CODES


class ApiDocumentationView(SpectacularSwaggerSplitView):
    """Swagger UI from our own static files; its script is a separate resource, as the CSP demands."""

    url_name = "api-schema"
    template_name = "api_docs.html"


@require_safe
def error_codes(request):
    """Every stable code, with its status and what to do about it."""
    codes = [
        {"code": code, "status": known.status, "title": known.title, "advice": known.advice}
        for code, known in CODES.items()
    ]
    return render(request, "api_errors.html", {"codes": codes})
