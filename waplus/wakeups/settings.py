"""The product's settings with the one app that the token check needs: half the memory and a third of the start."""

from waplus.settings import *  # noqa: F403
from waplus.settings import DATABASES, env

INSTALLED_APPS = ["django.contrib.auth", "django.contrib.contenttypes", "accounts"]
MIDDLEWARE = []
ROOT_URLCONF = ""

# A server that vanished without a word is noticed within half a minute, and one that does not answer holds up nobody for long.
DATABASES["default"]["OPTIONS"] = {
    "connect_timeout": 5,
    "keepalives_idle": 15,
    "keepalives_interval": 5,
    "keepalives_count": 3,
    "tcp_user_timeout": 30_000,
    **DATABASES["default"].get("OPTIONS", {}),
}

# Most streams that one process holds; 0: as many as it may have descriptors, less some for everything else.
WAKE_UP_MAX_STREAMS = env.int("WAKE_UP_MAX_STREAMS", 0)
