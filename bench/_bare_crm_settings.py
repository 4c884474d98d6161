"""The product's settings with one bare view beside its routes."""

from waplus.settings import *  # noqa: F403

ROOT_URLCONF = "bench._bare_crm"
