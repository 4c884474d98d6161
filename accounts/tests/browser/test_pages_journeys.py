"""What people do, from the start page to a connected device, in a real browser."""

import base64
import secrets
import time
from datetime import date

import pytest
from allauth.mfa.totp.internal.auth import format_hotp_value, hotp_value
from django.conf import settings
from django.utils import timezone
from playwright.sync_api import expect

from accounts.models import ExtensionInstance, Membership, User
from accounts.tests.browser.conftest import code_in
from conftest import PASSWORD
from waplus.lib.ids import uuid7

pytestmark = pytest.mark.django_db(transaction=True)


def totp_code(secret: str) -> str:
    return format_hotp_value(hotp_value(secret, int(time.time()) // 30))


def fill_sign_up(page, born: str, email: str = "erin@example.com") -> None:
    page.get_by_label("Your name").fill("Erin Example")
    page.get_by_label("Email").fill(email)
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_label("Date of birth").fill(born)
    page.get_by_role("button", name="Create account").click()


def play_extension(visitor) -> dict:
    """What the extension does after its person logged in: register, then exchange the identity cookie for tokens."""
    [origin] = settings.EXTENSION_ORIGINS
    secret = base64.urlsafe_b64encode(secrets.token_bytes(32)).decode().rstrip("=")
    instance_id = str(uuid7())
    registered = visitor.context.request.post(
        "/api/v1/instances/",
        headers={"Origin": origin},
        data={
            "id": instance_id,
            "secret": secret,
            "installed_at": timezone.now().isoformat(),
            "version": "2.1.0",
            "browser": "Chrome 140",
            "operating_system": "Windows 11",
            "platform": "Win32",
            "language": "en-US",
            "time_zone": "Europe/Berlin",
            "whatsapp_web_version": "2.3000.1",
        },
    )
    assert registered.status == 201, registered.text()
    exchanged = visitor.context.request.post(
        "/api/v1/auth/token/",
        headers={"Origin": origin},
        data={"instance_id": instance_id, "instance_secret": secret},
    )
    assert exchanged.status == 200, exchanged.text()
    return exchanged.json()


def test_sign_up_and_connect_device(visit, mailoutbox):
    visitor = visit(timezone_id="America/Sao_Paulo")
    page = visitor.page
    visitor.open("/")
    page.get_by_role("link", name="Start free").click()
    fill_sign_up(page, "1990-05-17")
    expect(page.get_by_role("heading", name="Check your inbox")).to_be_visible()
    page.get_by_label("Code").fill(code_in(mailoutbox[0]))
    page.get_by_role("button", name="Confirm").click()
    expect(page.get_by_role("heading", name="Hello, Erin")).to_be_visible()
    assert User.objects.get().time_zone == "America/Sao_Paulo"
    assert Membership.objects.get().role == "owner"

    page.get_by_role("link", name="Connect the extension").click()
    expect(page.get_by_text("No extension is connected yet")).to_be_visible()
    tokens = play_extension(visitor)
    page.reload()
    devices = page.get_by_role("region", name="Extensions")
    expect(devices.get_by_text("Connected", exact=True)).to_be_visible()
    expect(devices.get_by_text("2.1.0")).to_be_visible()

    bearer = {"Authorization": f"Bearer {tokens['access_token']}"}
    assert visitor.context.request.get("/api/v1/me/", headers=bearer).status == 200
    page.get_by_label("Rename Chrome 140").click()
    page.get_by_role("textbox", name="Name").fill("Shop laptop")
    page.get_by_role("button", name="Save").click()
    expect(devices.get_by_text("Shop laptop")).to_be_visible()
    expect(page.get_by_text("The name is saved.")).to_be_visible()
    assert page.url.endswith("/devices/")
    assert ExtensionInstance.objects.get().name == "Shop laptop"

    page.get_by_label("Sign out Shop laptop").click()
    page.get_by_role("button", name="Sign this device out").click()
    expect(page.get_by_text("No extension is connected yet")).to_be_visible()
    assert visitor.context.request.get("/api/v1/me/", headers=bearer).status == 401


def test_sign_up_without_javascript(visit, mailoutbox):
    visitor = visit("narrow", java_script_enabled=False)
    page = visitor.page
    visitor.open("/accounts/signup/")
    fill_sign_up(page, "1990-05-17")
    page.get_by_label("Code").fill(code_in(mailoutbox[0]))
    page.get_by_role("button", name="Confirm").click()
    expect(page.get_by_role("heading", name="Hello, Erin")).to_be_visible()
    page.get_by_role("link", name="Devices", exact=True).click()
    play_extension(visitor)
    page.reload()
    page.get_by_label("Rename Chrome 140").click()
    page.get_by_role("textbox", name="Name").fill("Old laptop")
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_text("The name is saved.")).to_be_visible()
    assert ExtensionInstance.objects.get().name == "Old laptop"


def test_sign_up_too_young(visit, mailoutbox):
    visitor = visit()
    page = visitor.page
    visitor.open("/accounts/signup/")
    fill_sign_up(page, f"{date.today().year - 10}-01-01")
    expect(page.get_by_text("We cannot open an account for you.")).to_be_visible()
    fill_sign_up(page, "1990-05-17")
    expect(page.get_by_text("We cannot open an account for you.")).to_be_visible()
    assert not User.objects.exists()
    assert mailoutbox == []


def test_set_up_two_factor(visit, alice, acme):
    visitor = visit()
    page = visitor.page
    visitor.log_in(alice, PASSWORD)
    visitor.open("/security/")
    page.get_by_role("link", name="Set up an authenticator app").click()
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Continue").click()
    box = page.get_by_alt_text("A QR code").bounding_box()
    assert box["width"] == box["height"] == 208
    page.get_by_text("No camera?").click()
    secret = page.get_by_label("Secret").input_value()
    page.get_by_label("Authenticator code").fill(totp_code(secret))
    page.get_by_role("button", name="Turn it on").click()
    expect(page.get_by_text("Save them now")).to_be_visible()
    codes = page.get_by_label("Your codes").input_value().split()
    assert len(codes) == 10
    page.get_by_label("I have saved my recovery codes").check()
    page.get_by_role("link", name="Done").click()
    expect(page.get_by_text("10 left")).to_be_visible()

    page.get_by_role("button", name="Log out").click()
    page.wait_for_url(visitor.page.url.split("/security")[0].rstrip("/") + "/")
    visitor.open("/accounts/login/")
    page.get_by_label("Email").fill(alice.email)
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Log in", exact=True).click()
    expect(page.get_by_role("heading", name="One more step")).to_be_visible()
    page.get_by_label("Code").fill(codes[0])
    page.get_by_role("button", name="Log in", exact=True).click()
    page.wait_for_url("**/home/")


def test_add_and_use_passkey(visit, alice, acme):
    """With the browser's own virtual authenticator, so that the scripts really run under the content security policy."""
    visitor = visit()
    page = visitor.page
    devtools = visitor.context.new_cdp_session(page)
    devtools.send("WebAuthn.enable")
    devtools.send(
        "WebAuthn.addVirtualAuthenticator",
        {
            "options": {
                "protocol": "ctap2",
                "transport": "internal",
                "hasResidentKey": True,
                "hasUserVerification": True,
                "isUserVerified": True,
            }
        },
    )
    visitor.log_in(alice, PASSWORD)
    visitor.open("/accounts/2fa/webauthn/add/")
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Continue").click()
    page.get_by_label("Name").fill("Laptop’s fingerprint")
    page.get_by_role("button", name="Continue").click()
    expect(page.get_by_text("Save them now")).to_be_visible()
    page.get_by_label("I have saved my recovery codes").check()
    visitor.open("/accounts/2fa/webauthn/")
    expect(page.get_by_text("Laptop’s fingerprint")).to_be_visible()
    page.get_by_role("button", name="Log out").click()
    page.get_by_role("link", name="Log in").first.click()
    page.get_by_role("button", name="Log in with a passkey").click()
    page.wait_for_url("**/home/")


def test_revoke_invitation_in_place(visit, alice, acme, mailoutbox):
    visitor = visit()
    page = visitor.page
    visitor.log_in(alice, PASSWORD)
    visitor.open("/team/")
    page.get_by_label("E-mail address").fill("erin@example.com")
    page.get_by_role("button", name="Send invitation").click()
    expect(page.get_by_text("The invitation to erin@example.com is on its way.")).to_be_visible()
    assert len(mailoutbox) == 1
    page.get_by_label("Withdraw the invitation to erin@example.com").click()
    expect(page.get_by_text("Nobody is invited at the moment.")).to_be_visible()
    expect(page.get_by_text("The invitation is withdrawn.")).to_be_visible()
    page.get_by_role("button", name="Close this message").click()
    expect(page.get_by_text("The invitation is withdrawn.")).to_be_hidden()


def test_use_part_after_session_ended(visit, alice, acme):
    """A part of a page is not swapped for a login page: the whole page goes there."""
    visitor = visit()
    page = visitor.page
    visitor.log_in(alice, PASSWORD)
    visitor.open("/team/")
    page.get_by_label("Make Bob an admin").wait_for()
    visitor.context.clear_cookies(name=settings.SESSION_COOKIE_NAME)
    page.get_by_label("Make Bob an admin").click()
    page.wait_for_url("**/accounts/login/?next=/team/")
    assert Membership.objects.get(user__name="Bob").role == "member"


def test_says_when_a_part_cannot_be_had(visit, alice, acme):
    """A part of the page that the server refuses, or that cannot be reached, leaves no silence behind."""
    visitor = visit()
    visitor.log_in(alice, PASSWORD)
    visitor.open("/team/")
    visitor.page.evaluate("void htmx.ajax('GET', '/there/is/nothing/', '#members').catch(() => null)")
    expect(visitor.page.get_by_text("That did not work. Reload the page and try again.")).to_be_visible()
    visitor.context.set_offline(True)
    visitor.page.evaluate("void htmx.ajax('GET', '/team/', '#members').catch(() => null)")
    expect(visitor.page.get_by_text("The server cannot be reached. Try again in a moment.")).to_be_visible()
    expect(visitor.page.get_by_text("That did not work.")).to_have_count(0)
    visitor.complaints.clear()  # the browser's own, of what was provoked
