"""The product's settings, with a broker folder and a queue of the test's own; for the processes that a test starts."""

import os
from pathlib import Path

from waplus.local import addresses
from waplus.settings import *  # noqa: F403
from waplus.settings import CELERY_BROKER_URL

CELERY_TASK_DEFAULT_QUEUE = os.environ["END_TO_END_QUEUE"]
if CELERY_BROKER_URL.startswith("filesystem:"):
    CELERY_BROKER_TRANSPORT_OPTIONS = addresses.default_broker_transport_options(
        Path(os.environ["END_TO_END_FOLDER"]) / "broker"
    )
