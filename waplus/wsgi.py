"""The WSGI application that gunicorn serves. It runs the system checks first: unsafe settings serve nothing."""

import gc
import os

from django.core.checks import Tags, run_checks
from django.core.exceptions import ImproperlyConfigured
from django.core.wsgi import get_wsgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "waplus.settings")
application = get_wsgi_application()

if refused := [error for error in run_checks(tags=[Tags.security]) if error.is_serious()]:
    raise ImproperlyConfigured("\n".join(f"{error.msg} {error.hint}" for error in refused))

# The code and its models stay for ever: the collector need not look through them again and again.
gc.collect()
gc.freeze()
