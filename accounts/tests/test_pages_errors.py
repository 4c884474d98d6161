"""Error pages, and the pages of the API's documentation."""

import pytest
from django.test import RequestFactory
from django.test.client import FakePayload
from django.urls import reverse

from waplus import error_pages
from waplus.lib.errors import CODES


def test_open_missing_page(client, db):
    response = client.get("/there/is/nothing/")
    assert response.status_code == 404
    assert "There is nothing here" in response.content.decode()


@pytest.mark.parametrize(("status", "view"), [(400, error_pages.bad_request), (403, error_pages.permission_denied)])
def test_render_error_page(client, db, status, view):
    request = RequestFactory().get("/somewhere/")
    response = view(request)
    assert response.status_code == status
    assert f">{status}</p>" in response.content.decode()


def test_render_server_error(client, alice, django_assert_num_queries):
    """Neither a session nor the database is asked: the request of a logged-in person costs no query."""
    client.force_login(alice)
    request = RequestFactory().get("/home/", headers={"Cookie": client.cookies.output(header="")})
    request.id = "request-1"
    with django_assert_num_queries(0):
        response = error_pages.server_error(request)
    assert response.status_code == 500
    assert "Something broke on our side" in response.content.decode()
    assert "request-1" in response.content.decode()


@pytest.mark.parametrize("path", ["/imports/new/", "/home/", "/there/is/nothing/"])
def test_refuse_large_body_with_page(client, db, path, settings):
    """A person gets a sentence, and the whole body is read, without which a browser would show an error of its own."""
    settings.MAX_IMPORT_BYTES = settings.MAX_BODY_BYTES = 2 * 1024 * 1024
    body = FakePayload(b"x" * (2 * 1024 * 1024 + 1))
    response = client.generic(
        "POST", path, content_type="text/csv", **{"wsgi.input": body, "CONTENT_LENGTH": len(body)}
    )
    assert response.status_code == 413
    assert response.headers["Content-Type"] == "text/html; charset=utf-8"
    assert "default-src 'none'" in response.headers["Content-Security-Policy"]
    assert "At most 2 MB can be sent here at once" in response.content.decode()
    assert f'href="{path}"' in response.content.decode()
    assert body.read() == b""


def test_render_server_error_for_program(db):
    response = error_pages.server_error(RequestFactory().get("/api/v1/me/"))
    assert response.status_code == 500
    assert response.headers["Content-Type"] == "application/problem+json"


def test_list_error_codes(client, db):
    text = client.get(reverse("api-errors")).content.decode()
    for code in CODES:
        assert f'<tr id="{code}" role="row">' in text
    assert "<code>errors</code>" in text
    assert "&lt;access token&gt;" in text


def test_open_api_docs(client, db):
    text = client.get(reverse("api-docs")).content.decode()
    assert "drf_spectacular_sidecar/swagger-ui-dist/swagger-ui-bundle.js" in text
    assert "http://" not in text.replace("http://www.w3.org", "")
    assert "<style" not in text
    script = client.get(reverse("api-docs") + "?script=")
    assert script.headers["Content-Type"].startswith("application/javascript")
    assert "SwaggerUIBundle" in script.content.decode()
