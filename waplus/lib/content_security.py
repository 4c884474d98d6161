"""The Content-Security-Policy: by settings for pages, a fixed one for JSON, which loads nothing and is framed by nobody."""

from csp.constants import HEADER
from csp.middleware import CSPMiddleware

FOR_DATA = "default-src 'none'; frame-ancestors 'none'"


class ContentSecurityMiddleware(CSPMiddleware):
    """Spares answers of the API the building of a policy that is made for pages."""

    def process_response(self, request, response):
        if response.get("Content-Type", "").startswith(("application/json", "application/problem+json")):
            response[HEADER] = FOR_DATA
            return response
        return super().process_response(request, response)
