"""Invitations: the link reaches the invited address, serves it alone and once, and never breaks the plan's limit."""

import re
from datetime import timedelta

import pytest
from allauth.account.models import EmailAddress
from django.core import mail
from django.utils import timezone

from accounts import actors
from accounts.models import Event, Invitation, Membership, Plan, Resource, Workspace
from accounts.services import invitations, people, plans
from accounts.tests.together import assert_refused, at_once
from conftest import make_person
from waplus.lib.errors import Refused
from waplus.lib.ids import uuid7

INVITATIONS = "/api/v1/invitations/"

pytestmark = pytest.mark.django_db


def token_in(message) -> str:
    return re.search(r"/invitations/([^/\s]+)/", message.body)[1]


@pytest.fixture
def invite(alice_device, django_capture_on_commit_callbacks):
    """Invite by the API; answers the invitation's id and the token in its message."""

    def send(email="erin@example.com", **more) -> tuple[str, str]:
        with django_capture_on_commit_callbacks(execute=True):
            answer = alice_device.client.post(INVITATIONS, {"email": email, **more})
        assert answer.status_code == 201, answer.json()
        return answer.json()["id"], token_in(mail.outbox[-1])

    return send


@pytest.fixture
def erin(db):
    return make_person("Erin")


def accept(token: str, user) -> Membership:
    return invitations.accept_invitation(token=token, user=user, actor=actors.person(user))


def refused_to_accept(token: str, user) -> str:
    members, events = Membership.objects.count(), Event.objects.count()
    with pytest.raises(Refused) as refusal:
        accept(token, user)
    assert (Membership.objects.count(), Event.objects.count()) == (members, events)
    return refusal.value.code


def test_message_carries_link(invite, settings):
    _, token = invite("erin@example.com")
    message = mail.outbox[0]
    assert message.to == ["erin@example.com"]
    assert f"{settings.BASE_URL}/invitations/{token}/" in message.body
    assert "Acme" in message.subject + message.body
    assert "alice@example.com" in message.body


def test_page_behind_link_shows_and_accepts(client, invite, erin, acme):
    _, token = invite()
    client.force_login(erin)
    assert client.get(f"/invitations/{token}/").status_code == 200
    assert not Membership.objects.filter(user=erin).exists()
    assert client.post(f"/invitations/{token}/").status_code == 302
    assert Membership.objects.get(user=erin).workspace == acme
    assert client.get(f"/invitations/{token}/").status_code == 404


def test_no_message_for_invitation_that_was_rolled_back(alice, acme):
    from django.db import transaction

    with pytest.raises(ZeroDivisionError), transaction.atomic():
        invitations.invite(
            workspace=acme, email="x@example.com", role="member", inviter=alice, actor=actors.person(alice)
        )
        raise ZeroDivisionError
    assert not mail.outbox
    assert not Invitation.objects.exists()


def test_joins_with_role_of_invitation(invite, erin, acme):
    id, token = invite(role="admin")
    member = accept(token, erin)
    assert (member.workspace, member.role) == (acme, "admin")
    assert plans.used_of(workspace=acme, resource=Resource.MEMBERS) == 3
    assert not Invitation.objects.filter(pk=id).exists()
    assert Event.objects.filter(kind="membership.created", object_id=member.pk).count() == 1


def test_invitation_takes_no_place(invite, acme):
    invite()
    assert plans.used_of(workspace=acme, resource=Resource.MEMBERS) == 2


def test_serves_no_other_address(invite, erin, charlie):
    _, token = invite("erin@example.com")
    assert refused_to_accept(token, charlie) == "forbidden"
    assert accept(token, erin).user == erin


def test_serves_only_proven_address(invite, erin):
    _, token = invite("erin@example.com")
    EmailAddress.objects.filter(user=erin).update(verified=False)
    assert refused_to_accept(token, erin) == "forbidden"


def test_serves_second_proven_address_of_person(invite, erin):
    _, token = invite("erin@work.example")
    EmailAddress.objects.create(user=erin, email="erin@work.example", verified=False)
    assert refused_to_accept(token, erin) == "forbidden"
    EmailAddress.objects.filter(email="erin@work.example").update(verified=True)
    assert accept(token, erin).user == erin


@pytest.mark.parametrize("spelling", ["Erin@Example.com", " ERIN@EXAMPLE.COM "])
def test_case_of_address_does_not_matter(invite, erin, spelling):
    id, token = invite(spelling)
    assert Invitation.objects.get(pk=id).email == "erin@example.com"
    assert mail.outbox[0].to == ["erin@example.com"]
    assert accept(token, erin).user == erin


def test_link_serves_once(invite, erin):
    _, token = invite()
    accept(token, erin)
    assert refused_to_accept(token, erin) == "not_found"


def test_expired_link_serves_nobody(invite, erin):
    id, token = invite()
    Invitation.objects.filter(pk=id).update(expires_at=timezone.now())
    assert refused_to_accept(token, erin) == "not_found"
    assert invitations.find_invitation(token) is None


def test_made_up_link_serves_nobody(invite, erin):
    id, token = invite()
    for wrong in (token[:-1], token.lower(), token + "x", "", "x" * 43, id, "\x00"):
        assert refused_to_accept(wrong, erin) == "not_found"


def test_life_of_invitation_is_that_of_settings(invite, settings):
    id, _ = invite()
    left = Invitation.objects.get(pk=id).expires_at - timezone.now()
    assert abs(left - settings.INVITATION_LIFE) < timedelta(minutes=1)


def test_resending_ends_former_link(invite, alice_device, erin, django_capture_on_commit_callbacks):
    id, old = invite()
    Invitation.objects.update(expires_at=timezone.now())
    with django_capture_on_commit_callbacks(execute=True):
        assert alice_device.client.post(f"{INVITATIONS}{id}/resend/").status_code == 200
    new = token_in(mail.outbox[1])
    assert new != old
    assert refused_to_accept(old, erin) == "not_found"
    assert accept(new, erin).user == erin


def test_withdrawing_ends_link(invite, alice_device, erin):
    id, token = invite()
    assert alice_device.client.delete(f"{INVITATIONS}{id}/").status_code == 204
    assert refused_to_accept(token, erin) == "not_found"
    assert_refused(alice_device.client.delete(f"{INVITATIONS}{id}/"), "not_found")
    assert_refused(alice_device.client.post(f"{INVITATIONS}{id}/resend/"), "not_found")
    assert Event.objects.filter(kind="invitation.revoked").count() == 1


def test_inviting_twice_is_one_invitation_and_one_message(invite, alice_device, django_capture_on_commit_callbacks):
    id, _ = invite("erin@example.com")
    with django_capture_on_commit_callbacks(execute=True):
        again = alice_device.client.post(INVITATIONS, {"email": "ERIN@example.com", "role": "admin"})
    assert again.json()["id"] == id
    assert Invitation.objects.get().role == "member"
    assert len(mail.outbox) == 1


def test_inviting_after_expiry_sends_new_link(invite, erin):
    _, old = invite("erin@example.com")
    Invitation.objects.update(expires_at=timezone.now())
    _, new = invite("erin@example.com", role="admin")
    assert len(mail.outbox) == 2
    assert Invitation.objects.count() == 1
    assert refused_to_accept(old, erin) == "not_found"
    assert accept(new, erin).role == "admin"


def test_members_are_not_invited(alice_device, acme):
    assert_refused(alice_device.client.post(INVITATIONS, {"email": "BOB@example.com"}), "already_member")
    assert not Invitation.objects.exists()
    assert not mail.outbox


def test_refuses_wrong_invitations(alice_device):
    for payload, field, code in [
        ({"email": "no"}, "email", "invalid"),
        ({}, "email", "required"),
        ({"email": f"{'x' * 250}@example.com"}, "email", "max_length"),
        ({"email": "a@example.com\nBcc: b@example.com"}, "email", "invalid"),
        ({"email": "a@example.com", "role": "owner"}, "role", "invalid_choice"),
        ({"email": "a@example.com", "workspace": "x"}, "workspace", "unknown_field"),
        ({"email": "a@example.com", "token_hash": "x"}, "token_hash", "unknown_field"),
    ]:
        errors = assert_refused(alice_device.client.post(INVITATIONS, payload), "invalid")["errors"]
        assert field in [error["field"] for error in errors]
        assert code in [error["code"] for error in errors]
    assert not Invitation.objects.exists()


def test_id_of_invitation_is_made_once(invite, alice_device, charlie_device):
    id, _ = invite(id=str(uuid7()))
    taken = charlie_device.client.post(INVITATIONS, {"id": id, "email": "x@example.com"})
    assert_refused(taken, "id_taken")
    assert_refused(alice_device.client.post(INVITATIONS, {"id": id, "email": "x@example.com"}), "id_taken")
    assert Invitation.objects.get().email == "erin@example.com"


def test_invitations_of_other_workspace_are_like_missing_ones(invite, charlie_device, erin):
    id, token = invite()
    calls = [
        lambda id: charlie_device.client.get(f"{INVITATIONS}{id}/"),
        lambda id: charlie_device.client.delete(f"{INVITATIONS}{id}/"),
        lambda id: charlie_device.client.post(f"{INVITATIONS}{id}/resend/"),
    ]
    for call in calls:
        bodies = [assert_refused(call(one), "not_found") | {"request_id": ""} for one in (id, uuid7())]
        assert bodies[0] == bodies[1]
    assert charlie_device.client.get(INVITATIONS).json()["results"] == []
    assert accept(token, erin).user == erin


def test_answers_carry_no_token(invite, alice_device):
    id, token = invite()
    assert set(alice_device.client.get(f"{INVITATIONS}{id}/").json()) == {
        "id",
        "email",
        "role",
        "created_at",
        "expires_at",
    }


def test_name_of_workspace_cannot_break_message(alice_device, acme, invite):
    Workspace.objects.filter(pk=acme.pk).update(name="A\r\nBcc: evil@example.com\r\n")
    invite()
    assert "\n" not in mail.outbox[0].subject
    assert mail.outbox[0].recipients() == ["erin@example.com"]


def test_member_who_accepts_again_stays_what_they_are(invite, bob, acme):
    """Bob's second address is invited as an admin: no second membership, no second place, no other role."""
    EmailAddress.objects.create(user=bob, email="bob@work.example", verified=True)
    _, token = invite("bob@work.example", role="admin")
    assert accept(token, bob).role == "member"
    assert plans.used_of(workspace=acme, resource=Resource.MEMBERS) == 2
    assert not Invitation.objects.exists()


def test_plan_limits_members_at_accept(invite, erin, acme):
    _, token = invite()
    Plan.objects.filter(code="team").update(max_members=2)
    assert refused_to_accept(token, erin) == "plan_limit_reached"
    assert Invitation.objects.count() == 1, "the link waits for a place"
    Plan.objects.filter(code="team").update(max_members=3)
    assert accept(token, erin).user == erin


@pytest.mark.django_db(transaction=True)
def test_last_place_goes_to_exactly_one(alice, acme):
    """Acme has two members; with three places, four invited people race for the last one."""
    people_ = [make_person(f"Guest{n}") for n in range(4)]
    links = []
    for person in people_:
        invitations.invite(workspace=acme, email=person.email, role="member", inviter=alice, actor=actors.person(alice))
        links.append(token_in(mail.outbox[-1]))
    Plan.objects.filter(code="team").update(max_members=3)
    answers = at_once(*[lambda t=token, p=person: accept(t, p) for token, person in zip(links, people_, strict=True)])
    assert sum(isinstance(answer, Membership) for answer in answers) == 1
    assert [answer.code for answer in answers if isinstance(answer, Refused)] == ["plan_limit_reached"] * 3
    assert Membership.objects.filter(workspace=acme).count() == 3
    assert plans.used_of(workspace=acme, resource=Resource.MEMBERS) == 3
    assert Invitation.objects.count() == 3


@pytest.mark.django_db(transaction=True)
def test_accepting_twice_at_once_is_one_membership(alice, acme):
    erin = make_person("Erin")
    invitations.invite(workspace=acme, email=erin.email, role="member", inviter=alice, actor=actors.person(alice))
    token = token_in(mail.outbox[-1])
    answers = at_once(*[lambda: accept(token, erin)] * 4)
    assert sum(isinstance(answer, Membership) for answer in answers) == 1
    assert [answer.code for answer in answers if isinstance(answer, Refused)] == ["not_found"] * 3
    assert Membership.objects.filter(workspace=acme, user=erin).count() == 1
    assert plans.used_of(workspace=acme, resource=Resource.MEMBERS) == 3


def test_invited_newcomer_starts_in_no_workspace_of_their_own(invite, erin):
    id, _ = invite("erin@example.com")
    assert people.note_verified_address(user=erin) is None
    Invitation.objects.filter(pk=id).update(expires_at=timezone.now())
    assert people.note_verified_address(user=erin).name == "Erin’s workspace"
