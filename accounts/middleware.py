"""What every answer to a person carries, and the zone in which their times are shown."""

from zoneinfo import ZoneInfo

from django.utils import timezone
from django.utils.cache import patch_cache_control

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


class PersonTimeZoneMiddleware:
    """Pages show times in the person's own zone. The API always speaks UTC."""

    def __init__(self, get_response):
        self.get_response = get_response

    def __call__(self, request):
        if request.path.startswith(("/api/", "/_allauth/", "/health/")) or not request.user.is_authenticated:
            return self.get_response(request)
        zone = request.user.time_zone
        with timezone.override(ZoneInfo(zone) if zone in zone_names() else "UTC"):
            return self.get_response(request)
