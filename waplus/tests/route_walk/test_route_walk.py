"""Nobody gets into somebody else's workspace, by any route, with any method."""

import pytest
from django.db import transaction
from django.test import Client
from rest_framework.test import APIClient

from accounts import actors
from accounts.api import WorkspaceView
from accounts.models import ExtensionInstance
from accounts.services import instances, tokens
from accounts.views.instances import OwnInstancesView, with_state
from conftest import make_device, make_person
from waplus.tests.route_walk.coverage import ROUTES, route_of
from waplus.tests.route_walk.target import CANARY, build, counts, fingerprint
from waplus.tests.route_walk.walker import Persona, ask, path_of, routes, walk

pytestmark = pytest.mark.django_db


@pytest.fixture
def target(acme, alice):
    return build(acme, alice)


def bearer(token: str):
    def client() -> APIClient:
        client = APIClient()
        client.credentials(HTTP_AUTHORIZATION=f"Bearer {token}")
        return client

    return client


def logged_in(user):
    def client() -> Client:
        client = Client()
        client.force_login(user, backend="allauth.account.auth_backends.AuthenticationBackend")
        return client

    return client


@pytest.fixture
def personas(target, bob, charlie, charlie_device):
    """Everybody who should get nowhere."""
    former = make_device(bob, target.workspace)
    tokens.log_out_instance(access=tokens.check_access(former.pair.access_token))
    revoked = make_device(bob, target.workspace)
    instances.revoke_instance(user=bob, instance_id=revoked.instance.pk, actor=actors.person(bob))
    eve = make_person("Eve")
    return [
        Persona("anonymous", APIClient),
        Persona("outsider at the pages", logged_in(eve)),
        Persona("member of another workspace", bearer(charlie_device.pair.access_token), has_token=True),
        Persona("member of another workspace at the pages", logged_in(charlie)),
        Persona("logged-out token", bearer(former.pair.access_token), only_api=True),
        Persona("revoked token", bearer(revoked.pair.access_token), only_api=True),
        Persona("refresh token as access token", bearer(charlie_device.pair.refresh_token), only_api=True),
    ]


@pytest.mark.timeout(1800)  # ten thousand requests
def test_walks_every_route_without_leak(target, personas, capsys):
    names = [name for name, _ in routes()]
    report = walk(target, personas)
    with capsys.disabled():
        print(f"\n{len(names)} routes; {report.summary()}; Acme had {sum(counts(target).values())} rows")
    assert report.uncovered == []
    assert report.leaks == []
    assert report.changes == []
    assert report.wrong == []
    assert sum(report.requests.values()) == 8 * sum(persona.walks(name) for name in names for persona in personas)


def test_covers_no_route_that_is_gone():
    existing = {name for name, _ in routes()}
    assert set(ROUTES) - existing == set()


def test_finds_uncovered_route(target, personas, monkeypatch):
    monkeypatch.delitem(ROUTES, "api-contacts")
    report = walk(target, personas[:1], "api-")
    assert report.uncovered == ["api-contacts (api/v1/contacts/)"]


def test_serves_owner_on_the_same_routes(target):
    """The walk's ids and payloads are real: with them Alice gets everywhere, and sees the canary."""
    client, seen, worked = bearer(target.device.pair.access_token), 0, 0
    before = fingerprint(target)
    for name, pattern in routes():
        route = route_of(name)
        for method in route.control:
            with transaction.atomic():
                answer = ask(client(), method, path_of(pattern, route, target.ids), route, target.ids)
                changed = fingerprint(target) != before
                transaction.set_rollback(True)
            body = answer.getvalue()
            assert answer.status_code < 300, (name, method, body)
            worked += 1
            seen += method == "GET" and CANARY.encode() in body
            assert changed or method == "GET" or name in ALLOWED_UNCHANGED, (name, method)
    assert worked >= 30
    assert seen >= 14


# Creating with an id that is there already answers what is there; a search only reads.
ALLOWED_UNCHANGED = {
    *("api-contacts", "api-whatsapp-accounts", "api-imports", "api-tags", "api-stages", "api-custom-fields"),
    *("api-contact-tag", "api-default-stages", "api-bulk-actions", "api-tabs", "api-contact-search"),
    "api-broadcast-dry-run",
    *("api-auto-replies", "api-business-hours"),
    *("api-quick-replies", "api-quick-reply-folders", "api-quick-reply-folder-order", "api-quick-reply-render"),
    *("api-auto-replies", "api-business-hours", "api-auto-reply-simulate"),
}


def test_sees_leak_where_scope_is_missing(target, personas, monkeypatch):
    """Positive control: without the scope in the one place where it is, the same walk goes red."""
    monkeypatch.setattr(WorkspaceView, "get_queryset", lambda view: view.queryset.all())
    report = walk(target, [personas[2]], "api-")
    assert len(report.leaks) >= 10


def test_sees_leak_where_device_is_not_own(target, personas, monkeypatch):
    monkeypatch.setattr(
        OwnInstancesView, "get_queryset", lambda view: with_state(ExtensionInstance.objects.all(), view.request.user)
    )
    report = walk(target, [personas[2]], "api-")
    assert any("/api/v1/instances/" in leak for leak in report.leaks)
