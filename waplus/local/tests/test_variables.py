import re

import pytest

from waplus.local import addresses

READERS = ["waplus/settings.py", "waplus/storage.py", "waplus/wakeups/settings.py"]
PATTERN = re.compile(r"(?<![a-z_])(?:env|environ|environment|_secret)(?:\.[a-z_]+)?\(\s*[\"']([A-Z][A-Z0-9_]+)[\"']")


def read_names() -> set[str]:
    """The names that the settings and the supervisor ask the environment for."""
    paths = [addresses.PROJECT / path for path in READERS] + sorted(
        (addresses.PROJECT / "waplus" / "local").glob("*.py")
    )
    names = {name for path in paths for name in PATTERN.findall(path.read_text())}
    return names - {"NO_COLOR", "DJANGO_SETTINGS_MODULE", "TEST_DATABASE_URL", "PYTHONUNBUFFERED", "PATH"}


def test_finds_names():
    assert {"SECRET_KEY", "DATABASE_URL", "WEB_THREADS", "STORAGE_BUCKET", "PORT"} <= read_names()


@pytest.mark.parametrize("path", [".env.example", "docs/deploying.md"])
def test_describes_every_variable(path):
    text = (addresses.PROJECT / path).read_text()
    assert [name for name in sorted(read_names()) if not re.search(rf"\b{name}\b", text)] == []


def test_describes_no_other_variable():
    described = set(re.findall(r"^#?([A-Z_]+)=", (addresses.PROJECT / ".env.example").read_text(), re.MULTILINE))
    assert described - read_names() == {"POSTGRES_PASSWORD", "REDIS_PASSWORD"}
