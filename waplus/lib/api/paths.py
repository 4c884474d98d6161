"""Addresses of the API are exact: a redirect to the one with a slash would turn a POST into a GET and lose it."""

from django.middleware.common import CommonMiddleware


class PagePathsMiddleware(CommonMiddleware):
    """Adds a forgotten slash to addresses of pages only."""

    def should_redirect_with_slash(self, request):
        return not request.path.startswith(("/api/", "/_allauth/")) and super().should_redirect_with_slash(request)
