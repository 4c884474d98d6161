"""What has an end goes when it is reached, and nothing else goes."""

from datetime import timedelta

import pytest
from allauth.usersessions.models import UserSession
from django.contrib.sessions.models import Session
from django.utils import timezone

from accounts import actors
from accounts.models import AccessToken, ExtensionInstance, InstanceSession, Invitation, RefreshToken
from accounts.services.expiry import delete_expired
from accounts.services.invitations import invite
from conftest import PASSWORD, make_device

pytestmark = pytest.mark.django_db


def test_deletes_what_expired(alice, acme, alice_device, bob_device, client):
    client.post("/accounts/login/", {"login": "bob@example.com", "password": PASSWORD})
    for email in ("old@example.com", "new@example.com"):
        invite(workspace=acme, email=email, role="member", inviter=alice, actor=actors.person(alice))
    forgotten, fresh = make_device(), make_device()
    past = timezone.now() - timedelta(days=400)
    Session.objects.update(expire_date=past)
    Invitation.objects.filter(email="old@example.com").update(expires_at=past)
    ExtensionInstance.objects.filter(pk__in=[forgotten.instance.pk, bob_device.instance.pk]).update(seen_at=past)
    AccessToken.objects.filter(session__instance=alice_device.instance).update(expires_at=past)
    RefreshToken.objects.filter(session__instance=alice_device.instance).update(expires_at=past)
    InstanceSession.objects.filter(instance=alice_device.instance).update(expires_at=past)
    assert UserSession.objects.count() == 1
    assert delete_expired() == {
        "tokens": 3,
        "answers": 0,
        "sessions": 1,
        "browsers": 1,
        "invitations": 1,
        "instances": 1,
    }
    assert Invitation.objects.get().email == "new@example.com"
    assert set(ExtensionInstance.objects.values_list("pk", flat=True)) == {
        alice_device.instance.pk,
        bob_device.instance.pk,
        fresh.instance.pk,
    }
    assert InstanceSession.objects.get().instance == bob_device.instance
    assert sum(delete_expired().values()) == 0
