"""What every answer to a person carries, and the zone and language in which pages speak to them."""

from zoneinfo import ZoneInfo

from django.conf import settings
from django.middleware.locale import LocaleMiddleware
from django.utils import timezone, translation
from django.utils.cache import patch_cache_control

from waplus.lib.audience import is_program
from waplus.lib.walltime import zone_names


class PrivateResponsesMiddleware:
    """No shared cache may keep what was made for somebody: every answer but static files and health."""

    def __init__(self, get_response):
        self.get_response = get_response

    def __call__(self, request):
        response = self.get_response(request)
        if "Cache-Control" not in response:
            patch_cache_control(response, private=True, no_store=True)
        return response


class PageLanguageMiddleware(LocaleMiddleware):
    """Pages and the headless login speak the browser's language; the API speaks one, for its codes are for programs."""

    def process_request(self, request):
        if not request.path.startswith("/api/"):
            super().process_request(request)

    def process_response(self, request, response):
        return response if request.path.startswith("/api/") else super().process_response(request, response)


class PersonTimeZoneMiddleware:
    """Pages show times in the person's own zone and speak their language. The API always speaks UTC."""

    def __init__(self, get_response):
        self.get_response = get_response

    def __call__(self, request):
        if is_program(request) or not request.user.is_authenticated:
            return self.get_response(request)
        zone, language = request.user.time_zone, request.user.language
        if language not in dict(settings.LANGUAGES):
            language = settings.LANGUAGE_CODE
        with timezone.override(ZoneInfo(zone) if zone in zone_names() else "UTC"), translation.override(language):
            request.LANGUAGE_CODE = language
            response = self.get_response(request)
        response.headers.setdefault("Content-Language", language)
        return response
