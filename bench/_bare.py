"""The raw limit of a list: a bare Django view, the same SQL by hand, the same bytes.

Served by the same web server with the same number of processes and threads;
the statement comes from the product through the environment.
"""

import os

from django.core.wsgi import get_wsgi_application
from django.db import connection
from django.http import HttpResponse
from django.urls import path

os.environ["DJANGO_SETTINGS_MODULE"] = "bench._bare_settings"
STATEMENT = os.environ["BENCH_STATEMENT"]
NEXT_CURSOR = os.environ["BENCH_NEXT_CURSOR"]
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
application = get_wsgi_application()
