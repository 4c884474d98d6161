"""Only JSON is served, whatever `Accept` says: a client that gets JSON can read its error, too."""

from rest_framework.negotiation import BaseContentNegotiation


class JsonNegotiation(BaseContentNegotiation):
    """Take the first parser that fits and the only renderer."""

    def select_parser(self, request, parsers):
        content_type = request.content_type.partition(";")[0].strip().lower()
        return next((parser for parser in parsers if parser.media_type in (content_type, "*/*")), None)

    def select_renderer(self, request, renderers, format_suffix=None):
        return renderers[0], renderers[0].media_type
