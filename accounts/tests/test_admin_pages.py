"""Every page of the admin opens, shows no secret, costs a fixed number of queries and survives odd input."""

import re

import pytest
from django.contrib import admin
from django.contrib.auth.models import Permission
from django.core.cache import cache
from django.db import connection
from django.test.utils import CaptureQueriesContext

from accounts.models import AccessToken, IdempotencyRecord, RefreshToken
from accounts.tests.admin_cast import confirm, make_staff, plant
from crm.models import Contact, ContactIdentity, ImportRow

pytestmark = pytest.mark.django_db

MODELS = [
    "account.emailaddress",
    "accounts.event",
    "accounts.extensioninstance",
    "accounts.instancesession",
    "accounts.invitation",
    "accounts.plan",
    "accounts.user",
    "accounts.workspace",
    "auth.group",
    "crm.importbatch",
    "crm.whatsappaccount",
    "django_celery_beat.periodictask",
    "messaging.autoreplydecision",
    "messaging.broadcast",
    "messaging.consentrecord",
    "messaging.conversationrule",
    "messaging.conversationsync",
    "messaging.dispatchwarning",
    "messaging.mediafile",
    "messaging.messageack",
    "messaging.numberlist",
    "messaging.numberpresence",
    "messaging.optoutword",
    "messaging.queuedmessage",
    "messaging.quickreply",
    "messaging.scheduledmessage",
    "messaging.sendingbudget",
    "messaging.sharelink",
    "messaging.suppression",
    "messaging.unreachablechat",
]
SEARCHES = [
    "",
    "owner0@example.com",
    "Workspace",
    "4915120000000",
    "2.0.0",
    "person.verified",
    "{pk}",
    "%",
    "_",
    "'\"\\",
    "💬",
    "x" * 5000,
]
ODD = ["\0", "a\0b", "\x1f", "../..", "00000000-0000-0000-0000-00000000000g", "-1", "9" * 40, "null", "٣"]


def address(label: str) -> str:
    return f"/admin/{label.replace('.', '/')}/"


def registered(label: str):
    return next(model for model in admin.site._registry if model._meta.label_lower == label)


@pytest.fixture
def staff(client):
    user = make_staff()
    confirm(client, user)
    return client


def test_the_admin_has_these_lists_and_no_others():
    assert sorted(model._meta.label_lower for model in admin.site._registry) == sorted(MODELS)
    assert not {AccessToken, RefreshToken, IdempotencyRecord, Contact, ContactIdentity, ImportRow} & set(
        admin.site._registry
    )


def test_the_overview(staff):
    plant()
    text = staff.get("/admin/").content.decode()
    assert "WAPlus CRM" in text and "Failed imports" in text


@pytest.mark.parametrize("label", MODELS)
def test_pages_open_and_show_no_secret(staff, label):
    canaries = plant()
    row = registered(label)._base_manager.order_by("pk").last()
    pages = [staff.get(address(label), {"q": search.format(pk=row.pk)} if search else {}) for search in SEARCHES]
    pages += [staff.get(f"{address(label)}{row.pk}/change/"), staff.get(f"{address(label)}{row.pk}/history/")]
    for page in pages:
        assert page.status_code == 200, page.request
        text = page.content.decode()
        assert [canary for canary in canaries.texts if canary in text] == []
        assert not re.search(r"<style|<script(?![^>]* src=)|\son\w+=\"|javascript:", text)


def test_the_canaries_are_really_there():
    """Positive control: what no page may show is in the rows that the pages show."""
    canaries = plant()
    from messaging.models import ContentPart, QueuedMessage

    assert ContentPart.objects.get(scheduled_message__isnull=False).body == canaries.body in canaries.texts
    assert QueuedMessage.objects.get().body == canaries.queued_body in canaries.texts
    assert Contact.objects.get().name == canaries.contact in canaries.texts
    assert len(canaries.texts) > 15 and all(canaries.texts)


@pytest.mark.parametrize("label", MODELS)
def test_lists_find_their_rows(staff, label):
    """The exact id finds one row wherever a list can be searched."""
    plant()
    row = registered(label)._base_manager.order_by("pk").last()
    if label not in (
        "accounts.plan",
        "account.emailaddress",
        "auth.group",
        "django_celery_beat.periodictask",
        "accounts.event",
    ):
        response = staff.get(address(label), {"q": str(row.pk)})
        assert [found.pk for found in response.context["cl"].result_list] == [row.pk]


def found(client, label, term):
    return [str(row) for row in client.get(address(label), {"q": term}).context["cl"].result_list]


def test_what_support_looks_for(staff):
    canaries = plant()
    assert found(staff, "accounts.user", "OWNER0@") == ["Owner 0"]
    assert found(staff, "accounts.user", "wner 0") == ["Owner 0"]
    assert found(staff, "accounts.workspace", "owner0@example.com") == ["Workspace 0"]
    assert found(staff, "accounts.workspace", "works") == ["Workspace 0"]
    assert found(staff, "account.emailaddress", "owner0") == ["owner0@example.com"]
    assert len(found(staff, "crm.whatsappaccount", f"+{canaries.number}")) == 1
    assert len(found(staff, "crm.whatsappaccount", canaries.number)) == 1
    assert found(staff, "crm.whatsappaccount", canaries.number[:-1]) == []
    assert len(found(staff, "messaging.queuedmessage", "3EB00000000000000000")) == 1
    assert found(staff, "accounts.extensioninstance", "owner0@example.com") == ["Chrome"]


@pytest.mark.parametrize("label", MODELS)
def test_queries_do_not_grow_with_rows(staff, label):
    def count():
        cache.clear()
        with CaptureQueriesContext(connection) as queries:
            assert staff.get(address(label)).status_code == 200
        return len(queries)

    plant(0)
    staff.get(address(label))
    few = count()
    for n in range(1, 6):
        plant(n)
    assert count() == few


@pytest.mark.parametrize("label", MODELS)
def test_odd_input_is_refused_and_breaks_nothing(staff, label):
    plant()
    for text in ODD:
        for page in (
            staff.get(address(label), {"q": text}),
            staff.get(address(label), {"p": text, "o": text, "kind": text}),
            staff.get(address(label), {"happened_at__year": text}),
            staff.get(f"{address(label)}{text}/change/"),
            staff.post(address(label), {"action": "deactivate", "_selected_action": [text]}),
        ):
            assert page.status_code < 500
    for field in registered(label)._meta.fields:
        for lookup in ("", "__exact", "__gte", "__id__exact"):
            assert staff.get(address(label), {f"{field.name}{lookup}": "odd"}).status_code < 500


@pytest.mark.parametrize(
    ("label", "lookup"),
    [
        ("messaging.scheduledmessage", "body__startswith"),
        ("messaging.queuedmessage", "chat_jid__startswith"),
        ("messaging.suppression", "key_hash"),
        ("messaging.suppression", "contact__id__exact"),
        ("messaging.consentrecord", "word__startswith"),
        ("messaging.messageack", "participant__startswith"),
        ("messaging.scheduledmessage", "contact__name__startswith"),
        ("accounts.user", "password__startswith"),
        ("accounts.extensioninstance", "user__password__startswith"),
        ("accounts.invitation", "token_hash"),
        ("accounts.instancesession", "auth_hash__startswith"),
        ("accounts.instancesession", "instance__secret_hash"),
        ("crm.whatsappaccount", "jid__contains"),
        ("account.emailaddress", "user__password__startswith"),
    ],
)
def test_hidden_values_cannot_be_guessed_by_the_address_bar(staff, label, lookup):
    assert staff.get(address(label), {lookup: "c"}).status_code == 400


def test_other_pages_narrow_a_list_to_a_workspace(staff):
    plant(0)
    plant(1)
    from accounts.models import Workspace

    workspace = Workspace.objects.get(name="Workspace 1")
    text = staff.get(f"/admin/accounts/workspace/{workspace.pk}/change/").content.decode()
    links = re.findall(r'href="(/admin/[^"]+\?workspace__id__exact=[^"]+)"', text)
    assert len(links) == 22
    for link in links:
        rows = staff.get(link).context["cl"].result_list
        assert len(rows) > 0
        assert {row.workspace_id for row in rows} == {workspace.pk}


def test_numbers_are_masked(staff):
    plant()
    assert "+49 151 ••• 78" in staff.get("/admin/crm/whatsappaccount/").content.decode()
    assert "+55 119 ••• 34" in staff.get("/admin/messaging/queuedmessage/").content.decode()
    assert "+55 119 ••• 34" in staff.get("/admin/messaging/messageack/").content.decode()
    assert "+49 151 ••• 78" in staff.get("/admin/messaging/consentrecord/").content.decode()
    assert "+49 151 ••• 78" in staff.get("/admin/messaging/sendingbudget/").content.decode()
    [schedule] = registered("messaging.scheduledmessage")._base_manager.all()
    page = staff.get(f"/admin/messaging/scheduledmessage/{schedule.pk}/change/").content.decode()
    assert "+55 119 ••• 34" in page
    assert "5511987651234" not in page


def test_the_workspace_page_counts_what_it_does_not_show(staff):
    plant()
    from accounts.models import Workspace

    text = staff.get(f"/admin/accounts/workspace/{Workspace.objects.get().pk}/change/").content.decode()
    assert "7 / 1,000" in text


def test_filters_events_by_kind(staff):
    plant()
    response = staff.get("/admin/accounts/event/", {"kind": "workspace.created"})
    assert {event.kind for event in response.context["cl"].result_list} == {"workspace.created"}


@pytest.mark.parametrize(
    ("page", "parameter", "numbers"),
    [("accounts/user", "two_factor", [2, 0]), ("accounts/instancesession", "alive", [1, 0])],
)
def test_filters(staff, page, parameter, numbers):
    plant()
    lists = [staff.get(f"/admin/{page}/", {parameter: value}).context["cl"] for value in ("yes", "no")]
    assert [one.result_count for one in lists] == numbers


def test_search_of_the_theme_survives_odd_pages(staff):
    for page in ("1", "0", "99", "x", "-1"):
        assert staff.get("/admin/search/", {"s": "people", "page": page}).status_code in (200, 404)


@pytest.mark.parametrize("label", MODELS)
def test_staff_without_rights_see_nothing(client, label):
    confirm(client, make_staff("nora", superuser=False))
    plant()
    assert client.get(address(label)).status_code == 403
    overview = client.get("/admin/").content.decode()
    assert address(label) not in overview


def test_staff_with_one_right_see_one_list(client):
    nora = make_staff("nora", superuser=False)
    nora.user_permissions.add(Permission.objects.get(codename="view_user"))
    confirm(client, nora)
    plant()
    overview = client.get("/admin/").content.decode()
    assert "/admin/accounts/user/" in overview and "/admin/accounts/workspace/" not in overview
    assert client.get("/admin/accounts/user/").status_code == 200
    assert client.get("/admin/accounts/workspace/").status_code == 403


@pytest.mark.parametrize("label", MODELS)
def test_nothing_is_made_or_deleted_where_that_is_nonsense(staff, label):
    plant()
    row = registered(label)._base_manager.order_by("pk").last()
    if label != "auth.group":
        assert staff.get(f"{address(label)}add/").status_code == 403
        assert staff.post(f"{address(label)}{row.pk}/delete/", {"post": "yes"}).status_code == 403
    staff.post(address(label), {"action": "delete_selected", "_selected_action": [str(row.pk)], "post": "yes"})
    assert registered(label)._base_manager.filter(pk=row.pk).exists()


@pytest.mark.parametrize(
    "label",
    [label for label in MODELS if label not in ("accounts.plan", "accounts.user", "accounts.workspace", "auth.group")],
)
def test_what_is_read_only_takes_no_post(staff, label):
    plant()
    row = registered(label)._base_manager.order_by("pk").last()
    before = registered(label)._base_manager.filter(pk=row.pk).values().get()
    response = staff.post(f"{address(label)}{row.pk}/change/", {"name": "changed", "kind": "changed", "state": "sent"})
    assert response.status_code == 403
    assert registered(label)._base_manager.filter(pk=row.pk).values().get() == before
