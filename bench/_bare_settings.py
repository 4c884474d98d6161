"""The product's settings with one bare view instead of its routes; without its middleware and apps, too, if `BENCH_MIDDLEWARE=none`."""

import os

from waplus.settings import *  # noqa: F403

ROOT_URLCONF = "bench._bare"
if os.environ.get("BENCH_MIDDLEWARE") == "none":
    MIDDLEWARE, INSTALLED_APPS = [], []
