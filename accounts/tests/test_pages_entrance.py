"""Sign-up, login and what allauth shows and mails, in our words."""

import re
from datetime import date

import pytest
from allauth.account.models import EmailAddress
from allauth.mfa.totp.internal.auth import TOTP, generate_totp_secret
from django.test import Client
from django.urls import reverse

from accounts import actors
from accounts.models import Membership, Role, User
from accounts.services import invitations
from conftest import PASSWORD

ADULT = {
    "name": "Erin",
    "email": "erin@example.com",
    "password1": PASSWORD,
    "birth_date": "1990-05-17",
    "time_zone": "America/Sao_Paulo",
    "website": "",
}


def code_in(message) -> str:
    return re.search(r"^    (\S+)$", message.body, re.MULTILINE)[1]


def test_sign_up(client, db, mailoutbox):
    response = client.post(reverse("account_signup"), ADULT)
    assert response.url == reverse("account_email_verification_sent")
    [message] = mailoutbox
    assert message.subject == "Welcome to WAPlus CRM: your code"
    assert message.body.startswith("Hello,\n\nwelcome to WAPlus CRM!")
    assert "testserver" not in message.body
    assert "Check your inbox" in client.get(response.url).content.decode()
    response = client.post(response.url, {"code": code_in(message)})
    assert response.url == reverse("home")
    person = User.objects.get(email="erin@example.com")
    assert (person.name, person.time_zone, person.language) == ("Erin", "America/Sao_Paulo", "en")
    assert Membership.objects.get(user=person).role == Role.OWNER


def test_sign_up_in_another_language(client, db):
    client.post(reverse("account_signup"), ADULT, headers={"Accept-Language": "es"})
    assert User.objects.get().language == "es"


def test_sign_up_too_young(client, db, mailoutbox):
    young = {**ADULT, "birth_date": f"{date.today().year - 10}-01-01"}
    response = client.post(reverse("account_signup"), young)
    assert "We cannot open an account for you." in response.content.decode()
    response = client.post(reverse("account_signup"), ADULT)
    assert "We cannot open an account for you." in response.content.decode()
    assert not User.objects.exists()
    assert mailoutbox == []


def test_sign_up_as_robot(client, db, mailoutbox):
    client.post(reverse("account_signup"), {**ADULT, "website": "https://spam.example.com"})
    assert not User.objects.exists()
    assert mailoutbox == []


def test_sign_up_again(client, alice, mailoutbox):
    response = client.post(reverse("account_signup"), {**ADULT, "email": alice.email})
    assert response.url == reverse("account_email_verification_sent")
    assert [message.subject for message in mailoutbox] == ["You already have a WAPlus CRM account"]
    assert User.objects.count() == 1


@pytest.mark.parametrize("field", ["email", "password1", "birth_date"])
def test_sign_up_bad_input(client, db, field):
    response = client.post(reverse("account_signup"), {**ADULT, field: ""})
    text = response.content.decode()
    assert list(response.context["form"].errors) == [field]
    assert f'id="id_{field}_error"' in text
    assert 'aria-invalid="true"' in text
    assert not User.objects.exists()


def test_sign_up_from_invitation(client, alice, acme, mailoutbox, django_capture_on_commit_callbacks):
    with django_capture_on_commit_callbacks(execute=True):
        invitations.invite(
            workspace=acme, email="erin@example.com", role=Role.MEMBER, inviter=alice, actor=actors.person(alice)
        )
    link = re.search(r"/invitations/\S+", mailoutbox[0].body)[0]
    signup = re.search(r'href="(/accounts/signup/[^"]+)"', client.get(link).content.decode())[1].replace("&amp;", "&")
    text = client.get(signup).content.decode()
    assert 'value="erin@example.com"' in text
    response = client.post(signup, {**ADULT, "next": link})
    response = client.post(response.url, {"code": code_in(mailoutbox[1])})
    assert response.url == link
    assert client.post(link).url == reverse("home")
    assert [row.workspace.name for row in Membership.objects.filter(user__email="erin@example.com")] == ["Acme"]


def test_log_in(client, alice):
    response = client.post(reverse("account_login"), {"login": "Alice@Example.com", "password": PASSWORD})
    assert response.url == reverse("home")


def test_log_in_wrong_password(client, alice):
    response = client.post(reverse("account_login"), {"login": alice.email, "password": "wrong"})
    assert response.status_code == 200
    assert 'role="alert"' in response.content.decode()
    assert client.get(reverse("home")).status_code == 302


def test_log_in_with_two_factor(client, alice, acme):
    TOTP.activate(alice, generate_totp_secret())
    response = client.post(reverse("account_login"), {"login": alice.email, "password": PASSWORD})
    assert response.url == reverse("mfa_authenticate")
    assert "One more step" in client.get(response.url).content.decode()
    assert client.get(reverse("home")).status_code == 302


def test_reset_password(client, alice, acme, mailoutbox):
    response = client.post(reverse("account_reset_password"), {"email": alice.email}, follow=True)
    assert "Check your inbox" in response.content.decode()
    [message] = mailoutbox
    assert message.subject == "Choose a new password for WAPlus CRM"
    link = re.search(r"http://testserver(\S+)", message.body)[1]
    form = client.get(link, follow=True)
    response = client.post(
        form.request["PATH_INFO"], {"password1": "a new long secret", "password2": "a new long secret"}
    )
    alice.refresh_from_db()
    assert alice.check_password("a new long secret")
    assert mailoutbox[1].subject == "Your password was reset"
    gone = Client().get(link, follow=True).content.decode()
    assert "This link no longer works" in gone


def test_reset_password_of_nobody(client, db, mailoutbox):
    response = client.post(reverse("account_reset_password"), {"email": "nobody@example.com"}, follow=True)
    assert "Check your inbox" in response.content.decode()
    assert mailoutbox == []


def test_change_email(client, alice, acme, mailoutbox):
    client.post(reverse("account_login"), {"login": alice.email, "password": PASSWORD})
    response = client.post(reverse("account_email"), {"email": "new@example.com", "action_add": ""})
    assert response.url == reverse("account_email_verification_sent")
    assert mailoutbox[0].to == ["new@example.com"]
    assert mailoutbox[0].subject == "Your code for WAPlus CRM"
    client.post(response.url, {"code": code_in(mailoutbox[0])})
    assert EmailAddress.objects.get(user=alice, primary=True).email == "new@example.com"


MANAGE = [
    "account_email",
    "account_change_password",
    "account_logout",
    "account_reauthenticate",
    "mfa_index",
    "mfa_activate_totp",
    "mfa_add_webauthn",
    "mfa_list_webauthn",
    "usersessions_list",
]
ENTRANCE = [
    "account_login",
    "account_signup",
    "account_reset_password",
    "account_reset_password_done",
    "account_reset_password_from_key_done",
    "account_inactive",
]


@pytest.mark.parametrize("name", ENTRANCE)
def test_open_entrance_page(client, db, name):
    text = client.get(reverse(name)).content.decode()
    assert 'class="entrance"' in text
    assert " style=" not in text
    assert "Menu:" not in text


@pytest.mark.parametrize("name", MANAGE)
def test_open_account_page(client, alice, acme, name):
    client.post(reverse("account_login"), {"login": alice.email, "password": PASSWORD})
    client.post(reverse("account_reauthenticate"), {"password": PASSWORD})
    response = client.get(reverse(name))
    text = response.content.decode()
    assert response.status_code == 200
    assert '<link rel="stylesheet" href="/static/css/tokens.css">' in text
    assert " style=" not in text
    for opening in re.findall(r"<script[^>]*>", text):
        assert "src=" in opening or 'type="application/json"' in opening


def test_open_recovery_codes(client, alice, acme):
    TOTP.activate(alice, generate_totp_secret())
    client.force_login(alice)
    client.post(reverse("account_reauthenticate"), {"password": PASSWORD})
    assert client.get(reverse("mfa_generate_recovery_codes")).status_code == 200
    response = client.post(reverse("mfa_generate_recovery_codes"), follow=True)
    assert "Save them now" in response.content.decode()
    assert response.content.decode().count("I have saved my recovery codes") == 1
    again = client.get(reverse("mfa_view_recovery_codes")).content.decode()
    assert "10 of 10 codes are left." in again
    assert 'recovery_codes" rows' not in again
