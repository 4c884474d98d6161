"""Lists of numbers for tests: uploaded by Alice, and what is known of one."""

from django.core.files.uploadedfile import SimpleUploadedFile

from messaging.models import NumberList

COUNTS = ("total", "done", "added", "known", "refused")


def list_file(content: str | bytes, name: str = "numbers.csv") -> SimpleUploadedFile:
    """A file as a browser or the extension sends it."""
    return SimpleUploadedFile(name, content.encode() if isinstance(content, str) else content)


def upload_over_http(device, content: str | bytes, **values):
    """Upload a list over the API; answers the response."""
    return device.client.post("/api/v1/suppressions/lists/", {"file": list_file(content), **values}, format="multipart")


def counts(row: NumberList) -> tuple[int, ...]:
    """Lines, lines that were read, and of these: added, known, refused."""
    row.refresh_from_db()
    return tuple(getattr(row, name) for name in COUNTS)
