"""The database of a benchmark."""

import os

import environ


def database() -> dict:
    """Connection settings of `DATABASE_URL`, which `make bench` sets to a server of its own."""
    return environ.Env.db_url_config(os.environ["DATABASE_URL"])
