"""The cast of every test: Alice owns a workspace, Bob is a member of it, Charlie is an outsider with one of his own."""

import base64
import secrets
from dataclasses import dataclass
from importlib import import_module

import pytest
from allauth.account.models import EmailAddress
from django.apps import apps
from django.core.cache import cache
from django.utils import timezone
from pytest_django.plugin import blocking_manager_key
from rest_framework.test import APIClient

from accounts import actors
from accounts.models import ExtensionInstance, Membership, Plan, Resource, Role, User, Workspace
from accounts.services import instances, plans, tokens, workspaces
from waplus.lib.ids import uuid7

PLAN_MIGRATIONS = [
    import_module("accounts.migrations.0002_plans").add_plans,
    import_module("accounts.migrations.0007_fill_media_limits").fill,
]

PASSWORD = "correct horse battery staple"


@dataclass
class Device:
    """An installed extension of a test: its instance, its secret, and after login its tokens and client."""

    instance: ExtensionInstance
    secret: str
    pair: tokens.Tokens | None = None

    @property
    def client(self) -> APIClient:
        client = APIClient()
        client.credentials(HTTP_AUTHORIZATION=f"Bearer {self.pair.access_token}")
        return client


def make_person(name: str) -> User:
    """A person with a proven address."""
    user = User.objects.create_user(email=f"{name.lower()}@example.com", password=PASSWORD, name=name)
    EmailAddress.objects.create(user=user, email=user.email, verified=True, primary=True)
    return user


def make_device(user: User | None = None, workspace: Workspace | None = None) -> Device:
    """An installed extension, logged in if a person is given."""
    secret = base64.urlsafe_b64encode(secrets.token_bytes(32)).decode().rstrip("=")
    instance, _ = instances.register_instance(
        id=uuid7(),
        secret=secret,
        installed_at=timezone.now(),
        version="2.0.0",
        browser="Chrome 140",
        operating_system="Windows 11",
        platform="Win32",
        language="pt-BR",
        time_zone="America/Sao_Paulo",
        whatsapp_web_version="2.3000.1",
    )
    device = Device(instance, secret)
    if user is not None:
        device.pair = tokens.log_in_instance(user=user, instance=instance, workspace_id=workspace and workspace.pk)
        device.instance.refresh_from_db()
    return device


def join(workspace: Workspace, user: User, role: Role = Role.MEMBER) -> Membership:
    """Put a person into a workspace."""
    plans.reserve(workspace=workspace, resource=Resource.MEMBERS)
    return Membership.objects.create(workspace=workspace, user=user, role=role)


@pytest.fixture(autouse=True)
def empty_cache():
    """Rate limits of one test are no business of the next."""
    cache.clear()


@pytest.fixture(autouse=True)
def quick_passwords(settings):
    """Argon2 costs 50 ms by design; tests make hundreds of people."""
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher", *settings.PASSWORD_HASHERS]


@pytest.fixture(autouse=True)
def private_media(settings, tmp_path):
    """Files of a test go away with it."""
    settings.MEDIA_ROOT = str(tmp_path / "media")


@pytest.fixture
def team_plan(db) -> Plan:
    return Plan.objects.get(code="team")


@pytest.fixture
def alice(db) -> User:
    return make_person("Alice")


@pytest.fixture
def bob(db) -> User:
    return make_person("Bob")


@pytest.fixture
def charlie(db) -> User:
    return make_person("Charlie")


@pytest.fixture
def acme(alice, bob, team_plan) -> Workspace:
    """Alice's workspace, on the team plan, with Bob in it."""
    workspace = workspaces.create_workspace(owner=alice, name="Acme", actor=actors.person(alice), default_country="BR")
    Workspace.objects.filter(pk=workspace.pk).update(plan=team_plan)
    workspace.refresh_from_db()
    join(workspace, bob)
    return workspace


@pytest.fixture
def other(charlie) -> Workspace:
    """Charlie's own workspace."""
    return workspaces.create_workspace(owner=charlie, name="Other", actor=actors.person(charlie))


@pytest.fixture
def alice_device(alice, acme) -> Device:
    return make_device(alice, acme)


@pytest.fixture
def bob_device(bob, acme) -> Device:
    return make_device(bob, acme)


@pytest.fixture
def charlie_device(charlie, other) -> Device:
    return make_device(charlie, other)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_teardown(item, nextitem):
    """Tests that commit empty the tables afterwards, and with them the plans that a migration made: make them again."""
    result = yield
    marker = item.get_closest_marker("django_db")
    committed = marker is not None and marker.kwargs.get("transaction")
    if nextitem is not None and (committed or {"transactional_db", "live_server"} & set(item.fixturenames)):
        with item.config.stash[blocking_manager_key].unblock():
            for fill in PLAN_MIGRATIONS:
                fill(apps, None)
    return result
