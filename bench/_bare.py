"""The raw limit of a list: Django without middleware, one view, the same SQL by hand, the same bytes.

Served by the same web server with the same number of processes and threads.
The statement and its parameters come from the environment, captured from the
product's own request.
"""

import json
import os

import django
from django.conf import settings
from django.core.handlers.wsgi import WSGIHandler
from django.db import connection
from django.http import HttpResponse
from django.urls import path

from bench import _environment

STATEMENT = os.environ["BENCH_STATEMENT"]
NEXT_CURSOR = json.dumps(json.loads(os.environ["BENCH_NEXT_CURSOR"]))
LIMIT = 50


def contacts(request) -> HttpResponse:
    """The page, from the cursor to the bytes."""
    with connection.cursor() as cursor:
        cursor.execute(STATEMENT)
        rows = cursor.fetchall()
    documents = ",".join(row[0] for row in rows[:LIMIT])
    body = f'{{"results":[{documents}],"next_cursor":{NEXT_CURSOR}}}'.encode()
    return HttpResponse(body, content_type="application/json", headers={"Content-Length": str(len(body))})


urlpatterns = [path("api/v1/contacts/", contacts)]

settings.configure(
    ALLOWED_HOSTS=["127.0.0.1"],
    DATABASES={"default": {**_environment.database(), "CONN_MAX_AGE": 60}},
    ROOT_URLCONF=__name__,
    SECRET_KEY="bench",
    USE_TZ=True,
)
django.setup()
application = WSGIHandler()
