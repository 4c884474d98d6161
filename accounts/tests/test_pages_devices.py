"""The devices page: extensions and browsers of one's own."""

from datetime import timedelta

import pytest
from allauth.usersessions.models import UserSession
from django.conf import settings
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from accounts.models import InstanceSession
from accounts.templatetags.pages import browser_name
from conftest import PASSWORD

FIREFOX = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"


def log_in(user, **extra) -> Client:
    """A browser of a person, by the login page."""
    client = Client(**extra)
    response = client.post(reverse("account_login"), {"login": user.email, "password": PASSWORD})
    assert response.url == reverse("home")
    return client


def states(client) -> dict:
    return {device.pk: bool(device.living) for device in client.get(reverse("devices")).context["devices"]}


def test_list_devices_empty(client, alice, acme):
    client.force_login(alice)
    assert "No extension is connected yet" in client.get(reverse("devices")).content.decode()


def test_list_devices(client, alice, alice_device, bob_device):
    client.force_login(alice)
    response = client.get(reverse("devices"))
    assert states(client) == {alice_device.instance.pk: True}
    text = response.content.decode()
    assert "Chrome 140" in text
    assert "Windows 11" in text
    assert "Connected" in text
    assert "Acme" in text


@pytest.mark.parametrize("end", ["revoked", "expired", "silent", "password"])
def test_list_device_with_ended_session(client, alice, alice_device, end):
    session = InstanceSession.objects.get()
    now = timezone.now()
    if end == "revoked":
        session.revoked_at = now
    elif end == "expired":
        session.expires_at = now
    elif end == "silent":
        session.refreshed_at = now - settings.REFRESH_TOKEN_IDLE_LIFE
    else:
        alice.set_password("another correct horse")
        alice.save()
    session.save()
    client.force_login(alice)
    assert states(client) == {alice_device.instance.pk: False}


def test_rename_device(client, alice, alice_device):
    client.force_login(alice)
    client.post(reverse("rename-device", args=[alice_device.instance.pk]), {"name": " Shop laptop "})
    alice_device.instance.refresh_from_db()
    assert alice_device.instance.name == "Shop laptop"


def test_rename_device_too_long(client, alice, alice_device):
    client.force_login(alice)
    response = client.post(reverse("rename-device", args=[alice_device.instance.pk]), {"name": "x" * 61}, follow=True)
    assert "A name has 60 characters at most." in response.content.decode()
    alice_device.instance.refresh_from_db()
    assert alice_device.instance.name == ""


def test_rename_device_escapes(client, alice, alice_device):
    client.force_login(alice)
    name = "<script>alert(1)</script>"
    response = client.post(reverse("rename-device", args=[alice_device.instance.pk]), {"name": name}, follow=True)
    assert name not in response.content.decode()
    assert "&lt;script&gt;" in response.content.decode()


def test_sign_out_device(client, alice, alice_device):
    client.force_login(alice)
    client.post(reverse("sign-out-device", args=[alice_device.instance.pk]))
    assert states(client) == {}
    assert alice_device.client.get("/api/v1/me/").status_code == 401


@pytest.mark.parametrize("name", ["rename-device", "sign-out-device"])
def test_change_device_of_other(client, charlie, alice_device, name):
    client.force_login(charlie)
    assert client.post(reverse(name, args=[alice_device.instance.pk]), {"name": "Mine"}).status_code == 404
    alice_device.instance.refresh_from_db()
    assert alice_device.instance.name == ""
    assert alice_device.client.get("/api/v1/me/").status_code == 200


def test_list_browsers(alice, acme):
    log_in(alice, HTTP_USER_AGENT=FIREFOX)
    here = log_in(alice)
    text = here.get(reverse("devices")).content.decode()
    assert "Firefox 140 on Linux" in text
    assert text.count("This one") == 1


def test_sign_out_browser(alice, acme):
    there = log_in(alice, HTTP_USER_AGENT=FIREFOX)
    here = log_in(alice)
    session = UserSession.objects.get(user_agent=FIREFOX)
    assert here.post(reverse("sign-out-browser", args=[session.pk])).url == reverse("devices")
    assert there.get(reverse("devices")).status_code == 302
    assert here.get(reverse("devices")).status_code == 200


def test_sign_out_browser_of_other(alice, charlie, acme):
    there = log_in(alice)
    here = log_in(charlie)
    session = UserSession.objects.get(user=alice)
    assert here.post(reverse("sign-out-browser", args=[session.pk])).status_code == 404
    assert there.get(reverse("devices")).status_code == 200


def test_sign_out_own_browser(alice, acme):
    here = log_in(alice)
    assert here.post(reverse("sign-out-browser", args=[UserSession.objects.get().pk])).status_code == 404
    assert here.get(reverse("devices")).status_code == 200


def test_sign_out_other_browsers(alice, charlie, acme):
    there, elsewhere, here = log_in(alice), log_in(charlie), log_in(alice)
    here.post(reverse("sign-out-other-browsers"))
    assert there.get(reverse("devices")).status_code == 302
    assert elsewhere.get(reverse("devices")).status_code == 200
    assert here.get(reverse("devices")).status_code == 200


@pytest.mark.parametrize(
    ("user_agent", "name"),
    [
        (FIREFOX, "Firefox 140 on Linux"),
        (
            "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 Chrome/140.0 Safari/537.36 Edg/140.0",
            "Edge 140 on Windows",
        ),
        (
            "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/537.36 Chrome/139.0 Safari/537.36",
            "Chrome 139 on macOS",
        ),
        (
            "Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) AppleWebKit/605.1 Version/18.0 Mobile/15E148 Safari/604.1",
            "Safari 18 on iPhone",
        ),
        (
            "Mozilla/5.0 (Linux; Android 15) AppleWebKit/537.36 Chrome/138.0 Mobile Safari/537.36",
            "Chrome 138 on Android",
        ),
        ("curl/8.0", "Unknown browser"),
        ("", "Unknown browser"),
    ],
)
def test_name_browser(user_agent, name):
    assert browser_name(user_agent) == name


def test_list_devices_seen_long_ago(client, alice, alice_device):
    alice_device.instance.seen_at = timezone.now() - timedelta(days=3)
    alice_device.instance.save()
    client.force_login(alice)
    assert "3 days ago" in client.get(reverse("devices")).content.decode().replace("\xa0", " ")
