"""Every address of the product."""

from django.contrib import admin
from django.urls import include, path
from drf_spectacular.views import SpectacularAPIView

from waplus import health
from waplus.documentation import ApiDocumentationView, error_codes
from waplus.error_pages import not_found

handler400 = "waplus.error_pages.bad_request"
handler403 = "waplus.error_pages.permission_denied"
handler404 = "waplus.error_pages.not_found"
handler500 = "waplus.error_pages.server_error"

urlpatterns = [
    path("health/live", health.live, name="health-live"),
    path("health/ready", health.ready, name="health-ready"),
    path("api/v1/schema/", SpectacularAPIView.as_view(throttle_classes=[]), name="api-schema"),
    path("api/v1/docs/", ApiDocumentationView.as_view(throttle_classes=[]), name="api-docs"),
    path("api/v1/errors/", error_codes, name="api-errors"),
    # Routes are tried one after the other: what devices ask for all day comes first.
    path("api/v1/dispatch/", include("messaging.urls_dispatch")),
    path("api/v1/", include("crm.urls")),
    path("api/v1/", include("accounts.urls_api")),
    path("api/v1/", include("messaging.urls")),
    # We know people by e-mail; allauth's routes for phones break without the rest of that feature.
    path("_allauth/app/v1/account/phone", not_found, name="no-phones"),
    path("_allauth/app/v1/auth/phone/<path:rest>", not_found, name="no-phone-login"),
    path("_allauth/", include("allauth.headless.urls")),
    path("accounts/", include("allauth.urls")),
    path("admin/", admin.site.urls),
    path("", include("accounts.urls_pages")),
    path("", include("crm.urls_pages")),
    path("", include("messaging.urls_pages")),
]
