"""Loaded by pytest before the settings: tests run in an environment of their own."""

import os

os.environ["WAPLUS_ENV"] = "test"
os.environ.pop("CACHE_URL", None)
