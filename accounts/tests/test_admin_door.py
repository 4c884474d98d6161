"""Who gets into the admin, and through which door."""

import pytest
from allauth.mfa.models import Authenticator
from allauth.mfa.totp.internal.auth import format_hotp_value, hotp_value, yield_hotp_counters_from_time
from allauth.mfa.utils import decrypt
from django.urls import reverse

from accounts.tests.admin_cast import confirm, make_staff
from waplus.admin_site import Standing, standing_of

INDEX = "/admin/"
PAGES = [
    INDEX,
    "/admin/accounts/user/",
    "/admin/jsi18n/",
    "/admin/search/?s=x",
    "/admin/no-such-page/",
    "/admin/accounts/",
]

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize("page", PAGES)
def test_strangers_are_sent_to_the_login_of_the_product(client, page):
    response = client.get(page)
    assert response.status_code == 302
    assert response["Location"].startswith(f"{reverse('account_login')}?next=%2Fadmin%2F")


@pytest.mark.parametrize("page", PAGES)
def test_for_ordinary_people_there_is_no_admin(client, alice, page):
    confirm(client, alice)
    assert client.get(page).status_code == 404


def test_ordinary_people_learn_nothing_from_the_old_login_address(client, alice):
    client.force_login(alice)
    assert client.get("/admin/login/").status_code == 404


@pytest.mark.parametrize("page", PAGES)
def test_staff_without_a_second_factor_are_sent_to_set_it_up(client, page):
    client.force_login(make_staff(two_factor=False))
    response = client.get(page)
    assert response.status_code == 403
    assert reverse("mfa_index") in response.content.decode()


def test_a_recovery_code_alone_is_no_second_factor(client):
    staff = make_staff(two_factor=False)
    Authenticator.objects.create(user=staff, type="recovery_codes", data={"seed": "x", "used_mask": 0})
    confirm(client, staff, kind="recovery_codes")
    assert client.get(INDEX).status_code == 403


@pytest.mark.parametrize("page", PAGES)
def test_staff_whose_session_showed_no_second_factor_are_asked_for_it(client, page):
    client.force_login(make_staff())
    response = client.get(page)
    assert response.status_code == 302
    assert response["Location"].startswith(reverse("mfa_reauthenticate"))


def test_a_password_is_not_taken_for_a_second_factor(client):
    confirm(client, make_staff(), method="password")
    assert client.get(INDEX).status_code == 302


def test_a_second_factor_of_somebody_else_does_not_count(client, alice):
    staff = make_staff()
    confirm(client, alice)
    session = client.session
    records = session["account_authentication_methods"], session["account_authentication_methods_user"]
    client.force_login(staff)
    session = client.session
    session["account_authentication_methods"], session["account_authentication_methods_user"] = records
    session.save()
    assert client.get(INDEX).status_code == 302


def test_a_second_factor_of_long_ago_is_asked_for_again(client, settings):
    staff = make_staff()
    confirm(client, staff, age=settings.ADMIN_CONFIRMATION_LIFE.total_seconds() - 60)
    assert client.get(INDEX).status_code == 200
    confirm(client, staff, age=settings.ADMIN_CONFIRMATION_LIFE.total_seconds() + 60)
    assert client.get(INDEX).status_code == 302


def test_staff_with_a_passkey_only_are_asked_for_the_passkey(client):
    staff = make_staff(two_factor=False)
    Authenticator.objects.create(user=staff, type="webauthn", data={"name": "Key", "credential": {}})
    client.force_login(staff)
    assert client.get(INDEX)["Location"].startswith(reverse("mfa_reauthenticate_webauthn"))


def test_deactivated_staff_are_out_at_once(client):
    staff = make_staff()
    confirm(client, staff)
    assert client.get(INDEX).status_code == 200
    staff.is_active = False
    staff.save()
    assert client.get(INDEX)["Location"].startswith(reverse("account_login"))


def test_who_is_no_longer_staff_is_out_at_once(client):
    staff = make_staff()
    confirm(client, staff)
    staff.is_staff = False
    staff.save()
    assert client.get(INDEX).status_code == 404


def test_the_old_login_form_is_gone(client):
    """Django's own form would take passwords without limit and without a second factor."""
    staff = make_staff(two_factor=False)
    credentials = {"username": staff.email, "password": "correct horse battery staple", "next": INDEX}
    response = client.post("/admin/login/", credentials)
    assert response["Location"].startswith(reverse("account_login"))
    assert "_auth_user_id" not in client.session


def test_the_login_address_leads_nowhere_else(client):
    confirm(client, make_staff())
    assert client.get("/admin/login/?next=https://evil.example/")["Location"] == INDEX
    assert client.get("/admin/login/?next=/admin/accounts/user/")["Location"] == "/admin/accounts/user/"


def test_passwords_are_changed_at_the_product(client):
    confirm(client, make_staff())
    assert client.get("/admin/password_change/")["Location"] == reverse("account_change_password")
    assert client.post("/admin/password_change/", {"new_password1": "x"})["Location"] == reverse(
        "account_change_password"
    )


def test_logging_out_takes_a_post(client):
    confirm(client, make_staff())
    client.get("/admin/logout/")
    assert "_auth_user_id" in client.session
    client.post("/admin/logout/")
    assert "_auth_user_id" not in client.session


def code_of(user) -> str:
    secret = decrypt(Authenticator.objects.get(user=user, type="totp").data["secret"])
    return format_hotp_value(hotp_value(secret, next(yield_hotp_counters_from_time())))


def test_the_whole_way_in(client):
    """Anonymous, password, code, admin: what allauth writes down is what the door looks for."""
    staff = make_staff()
    login = client.get(INDEX)["Location"]
    response = client.post(login, {"login": staff.email, "password": "correct horse battery staple"})
    assert response["Location"].startswith(reverse("mfa_authenticate"))
    assert client.get(INDEX)["Location"].startswith(reverse("account_login"))
    response = client.post(response["Location"], {"code": code_of(staff)}, follow=True)
    assert response.redirect_chain[-1][0] == INDEX
    assert response.status_code == 200


def test_asking_again_lets_staff_in_and_does_not_loop(client):
    staff = make_staff()
    confirm(client, staff, age=24 * 3600)
    again = client.get(INDEX)["Location"]
    response = client.post(again, {"code": code_of(staff)})
    assert response["Location"] == INDEX
    assert client.get(INDEX).status_code == 200


def test_standing_costs_one_query(client, rf, django_assert_num_queries):
    staff = make_staff()
    confirm(client, staff)
    request = rf.get(INDEX)
    request.user, request.session = staff, client.session
    request.session["account_authentication_methods"]
    with django_assert_num_queries(1):
        assert standing_of(request) is Standing.ADMITTED


def test_the_policy_is_relaxed_for_the_pages_of_the_admin_only(client):
    staff = make_staff(two_factor=False)
    client.force_login(staff)
    assert "unsafe" not in client.get(INDEX)["Content-Security-Policy"]
    confirm(client, make_staff("sid"))
    policy = dict(part.split(" ", 1) for part in client.get(INDEX)["Content-Security-Policy"].split("; "))
    assert "'unsafe-inline'" not in policy["script-src"] and "'unsafe-inline'" not in policy["style-src"]
    assert policy["style-src-attr"] == "'unsafe-inline'"
    assert "unsafe" not in client.get("/health/live")["Content-Security-Policy"]
