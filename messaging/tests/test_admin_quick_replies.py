"""Quick replies in the admin: that there are some, never what they say."""

import pytest

from accounts.tests.admin_cast import confirm, make_staff
from messaging.models import QuickReply
from messaging.tests.test_quick_replies import make, say

pytestmark = pytest.mark.django_db


@pytest.fixture
def staff(client):
    return confirm(client, make_staff())


def test_show_staff_no_text_and_no_name(staff, alice_device, acme):
    make(alice_device, name="canaryname", shortcut="canarykey", texts=[say("en", "canarytext")])
    reply = QuickReply.objects.get()
    pages = [f"/admin/messaging/quickreply/?q={acme.pk}", f"/admin/messaging/quickreply/{reply.pk}/change/"]
    for page in pages:
        answer = staff.get(page, follow=True)
        assert answer.status_code == 200
        assert str(reply.pk) in answer.content.decode()
        assert "canary" not in answer.content.decode()
    assert staff.get(f"/admin/messaging/quickreply/{reply.pk}/delete/").status_code == 403
