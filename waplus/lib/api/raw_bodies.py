"""Bodies that are a file: whatever type they claim, they are written to the disk as they come."""

import tempfile

from django.core.files import File
from django.utils.datastructures import MultiValueDict
from django.utils.http import parse_header_parameters
from rest_framework.parsers import BaseParser

_CHUNK = 256 * 1024


class RawBodyParser(BaseParser):
    """Gives the body as `file`, beside the parameters of the query.

    Its name is that of the query, else `filename` of Content-Disposition.
    """

    media_type = "*/*"

    def parse(self, stream, media_type=None, parser_context=None):
        spooled = tempfile.TemporaryFile()  # noqa: SIM115  (closed with the request)
        file = File(spooled, name="file")
        request = parser_context["request"]
        # Django closes the files of a request at its end, and looks for them here.
        request._request._files = MultiValueDict({"file": [file]})
        while chunk := stream.read(_CHUNK):
            spooled.write(chunk)
        spooled.seek(0)
        _, named = parse_header_parameters(request.headers.get("Content-Disposition", ""))
        name = named.get("filename", "")
        return {"name": name[:255], **request.query_params.dict(), "file": file}
