"""A stranger at the API of messaging: whatever is sent, nothing breaks, nothing is half written, nothing of others is touched."""

import collections
import json
import logging
from collections.abc import Iterator

import pytest
from django.core.cache import cache
from django.core.files.base import ContentFile
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import DatabaseError, connection, transaction
from django.test.client import BOUNDARY, MULTIPART_CONTENT, encode_multipart

from accounts import actors
from accounts.models import Event
from accounts.tests.together import at_once
from crm.models import Chat, ImportBatch, Tab, Tag, WhatsAppAccount
from crm.tests.people import make_contact
from messaging.models import (
    AutoReplyRule,
    Broadcast,
    BusinessHours,
    ConversationMessage,
    ConversationRule,
    MediaFile,
    MediaUpload,
    QueuedMessage,
    QuickReply,
    QuickReplyFolder,
    QuickReplyUse,
    ScheduledMessage,
    ShareLink,
    Suppression,
)
from messaging.services.quick_replies.changes import create_reply
from messaging.tests.attacks import FILES, HUGE, NO_BODIES, OUT_OF_ORDER, WRITES, at, places, put, spoilt
from waplus.lib.ids import uuid7
from waplus.tests.route_walk.coverage import fill
from waplus.tests.route_walk.target import Target, build, fingerprint, writes

pytestmark = pytest.mark.django_db

SECRET = "foreign7d"
UPLOADS = {
    "media/": {"id": "{fresh}", "name": "x"},
    "quick-replies/import/": {},
    "suppressions/lists/": {"id": "{fresh}", "note": "y"},
}
KINDS = ("text/plain", "application/x-www-form-urlencoded", "multipart/form-data", "application/octet-stream")
# A report of many items answers each by itself, and says there what is unknown.
BY_ITEM = ("POST dispatch/acks/ ", "POST conversations/messages/ ")
# A rule that is only tried sends nothing: its texts are read and its files are not.
NOT_READ = "POST auto-replies/simulate/ took the media of others at rule.parts.0.media"


@pytest.fixture(autouse=True)
def quiet(monkeypatch):
    """Thousands of requests in a minute, each of which may be logged as broken."""
    monkeypatch.setattr("accounts.throttles.PlanThrottle.limit", lambda throttle, request: 10**9)
    logging.disable(logging.CRITICAL)
    yield
    logging.disable(logging.NOTSET)


@pytest.fixture
def target(acme, alice) -> Target:
    return build(acme, alice)


def send(target: Target, method: str, path: str, raw: bytes, kind: str = "application/json", **headers):
    cache.clear()
    client = target.device.client
    client.raise_request_exception = False
    return client.generic(method, f"/api/v1/{path.format(**target.ids)}", raw, kind, headers=headers)


class Watch:
    """Sends requests, each of which is taken back, and notes what is wrong with the answers."""

    def __init__(self, *targets: Target):
        self.target, *_ = self.targets = targets
        self.before = [fingerprint(each) for each in targets]
        self.wrong: list[str] = []
        self.statuses: list[int] = []

    def try_out(self, what: str, method: str, path: str, raw: bytes, kind: str = "application/json") -> int:
        with transaction.atomic():
            written = writes()
            answer = send(self.target, method, path, raw, kind)
            status = answer.status_code
            told = f"{method} {path} with {what} answered {status}"
            if status >= 500:
                self.wrong.append(told)
            if SECRET in answer.content.decode():
                self.wrong.append(f"{told} and showed what is not theirs")
            if (broken := self._broken()) and status < 500:
                self.wrong.append(f"{told}, and broke at the commit: {broken}")
            elif not broken and writes() != written:
                self.wrong += [f"{told} and changed {table}" for table in self._changed(status)]
            transaction.set_rollback(True)
        self.statuses.append(status)
        return status

    def _broken(self) -> str:
        """What the database would say at the commit."""
        try:
            with transaction.atomic(), connection.cursor() as cursor:
                cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
        except DatabaseError as error:
            return str(error)
        return ""

    def _changed(self, status: int) -> Iterator[str]:
        """Tables of others that were changed, and after a refusal one's own."""
        for index, (each, before) in enumerate(zip(self.targets, self.before, strict=True)):
            if index or status >= 400:
                now = fingerprint(each)
                yield from (table for table in now if now[table] != before[table])


def test_right_bodies_are_right(target):
    """Or nothing is said about those that are spoilt."""
    watch = Watch(target)
    for method, path, body in WRITES:
        status = watch.try_out("what is right", method, path, json.dumps(fill(body, target.ids)).encode())
        assert status < 300, (method, path)
    assert watch.wrong == [], "\n".join(watch.wrong)


def test_spoilt_values_are_refused_or_taken_whole(target):
    watch, seen = Watch(target), set()
    for method, path, body in WRITES:
        for what, wrong in spoilt(fill(body, target.ids), seen):
            watch.try_out(what, method, path, json.dumps(wrong).encode())
    assert watch.wrong == [], "\n".join(watch.wrong)
    assert len(watch.statuses) > 600
    assert watch.statuses.count(400) > len(watch.statuses) / 2


def test_what_is_no_body_is_refused(target):
    watch = Watch(target)
    for index, (method, path, _) in enumerate(WRITES):
        for raw in NO_BODIES[index % 4 :: 4]:
            watch.try_out(repr(raw[:20]), method, path, raw)
        for kind in (
            "text/plain",
            "application/x-www-form-urlencoded",
            "multipart/form-data",
            "application/octet-stream",
        ):
            watch.try_out(kind, method, path, b"a=1", kind)
    for method, path, _ in WRITES[::8]:
        watch.try_out("five megabytes", method, path, HUGE)
    assert watch.wrong == [], "\n".join(watch.wrong)
    assert {400, 413, 415} <= set(watch.statuses)


def test_files_that_are_none_are_refused_or_told_of(target):
    """Whatever a file holds, it is read to its end or refused, and a refusal keeps nothing of it."""
    watch = Watch(target)
    for path, given in UPLOADS.items():
        for name, content in FILES:
            data = fill(given, target.ids) | {"file": SimpleUploadedFile(name, content)}
            watch.try_out(f"{name} {content[:20]!r}", "POST", path, encode_multipart(BOUNDARY, data), MULTIPART_CONTENT)
        for data in ({}, {"file": "text"}, {"file": ""}, {"id": "x", "file": SimpleUploadedFile("a.csv", b"a")}):
            watch.try_out(f"{data}", "POST", path, encode_multipart(BOUNDARY, data), MULTIPART_CONTENT)
    for part in (b"", b"x" * 70_000_00):
        watch.try_out("a part", "PUT", "media/uploads/{upload}/parts/1/", part, "application/octet-stream")
    assert watch.wrong == [], "\n".join(watch.wrong)
    assert {200, 201, 202, 400, 422} <= set(watch.statuses), collections.Counter(watch.statuses)
    assert 404 not in watch.statuses


@pytest.fixture
def foreign(other, charlie, charlie_device) -> Target:
    """What Charlie has, by the names of what Alice has."""
    who = {"workspace": other, "actor": actors.person(charlie)}
    account = WhatsAppAccount.objects.create(workspace=other, jid="5511911117777@c.us", name=SECRET)
    contact = make_contact(other, "5511987657777@c.us", name=SECRET)
    group = Chat.objects.create(
        workspace=other, whatsapp_account=account, jid="120363047777777777@g.us", kind="group", search_text=SECRET
    )
    moment = contact.created_at
    message = ConversationMessage.objects.create(
        workspace=other,
        chat=group,
        seen_in=group.pk,
        message_id="3EB0C7",
        from_me=False,
        type="chat",
        sent_at=moment,
        synced_at=moment,
        has_content=True,
        text=SECRET,
    )
    media = MediaFile(workspace=other, sha256=bytes(32), media_type="text/plain", name=SECRET, size=10)
    media.file.save("file", ContentFile(SECRET.encode()), save=False)
    media.save(force_insert=True)
    texts = [{"language": "en", "parts": [{"body": SECRET}]}]
    rows = {
        "account": account,
        "contact": contact,
        "group": group,
        "message": message,
        "media": media,
        "user": charlie,
        "instance": charlie_device.instance,
        "tag": Tag.objects.create(workspace=other, name=SECRET, folded=SECRET),
        "tab": Tab.objects.create(workspace=other, name=SECRET, owner=charlie, shared=True),
        "import": ImportBatch.objects.create(workspace=other, file_name=SECRET, state="finished", created_by=charlie),
        "hours": BusinessHours.objects.create(workspace=other, name=SECRET, time_zone="UTC"),
        "auto_reply": AutoReplyRule.objects.create(workspace=other, name=SECRET),
        "reply_folder": QuickReplyFolder.objects.create(workspace=other, name=SECRET, folded=SECRET),
        "quick_reply": create_reply(**who, user=charlie, name=SECRET, texts=texts)[0],
    }
    ids = {name: row.pk for name, row in rows.items()} | {"reserved": "3EB0FFFFFFFFFFFFFFFFFF"}
    return Target(other, charlie, charlie_device, ids)


def test_ids_of_others_are_unknown_in_every_place(target, foreign):
    """However deep an id stands, somebody else's is refused and theirs is untouched."""
    watch, tried, taken = Watch(target, foreign), 0, []
    for method, path, template in WRITES:
        body = fill(template, target.ids)
        for place in places(template):
            name = at(template, place)
            if not (isinstance(name, str) and name.startswith("{") and name.endswith("}") and name != "{fresh}"):
                continue
            wrong = put(body, place, str(foreign.ids[name[1:-1]]))
            what = f"the {name[1:-1]} of others at {'.'.join(map(str, place))}"
            status, tried = watch.try_out(what, method, path, json.dumps(wrong).encode()), tried + 1
            taken += [f"{method} {path} took {what}"] * (status < 300)
    assert watch.wrong == [], "\n".join(watch.wrong)
    assert tried > 60
    assert [each for each in taken if not each.startswith(BY_ITEM) and each != NOT_READ] == []


def test_ids_that_others_have_made_are_taken(target, foreign, charlie):
    """Whoever makes a row with the id of somebody else's learns that it is taken, and nothing else."""
    of_path = {
        "auto-replies/": foreign.ids["auto_reply"],
        "business-hours/": foreign.ids["hours"],
        "quick-replies/": foreign.ids["quick_reply"],
        "quick-reply-folders/": foreign.ids["reply_folder"],
        "broadcasts/": Broadcast.objects.create(
            workspace=foreign.workspace, whatsapp_account_id=foreign.ids["account"], name=SECRET
        ).pk,
    }
    watch, tried = Watch(target, foreign), 0
    for method, path, body in WRITES:
        if path in of_path and "id" in body:
            raw = json.dumps(fill(body, target.ids) | {"id": str(of_path[path])}).encode()
            assert watch.try_out("the id of others", method, path, raw) == 409, path
            tried += 1
    assert (watch.wrong, tried) == ([], len(of_path))


def test_what_comes_out_of_order_is_refused(target):
    """Or, where it has happened already, is answered again; no state is left behind that cannot be."""
    watch = Watch(target)
    for method, path, body, expected in OUT_OF_ORDER:
        status = watch.try_out(f"out of order {body}", method, path, json.dumps(fill(body, target.ids)).encode())
        if status != expected:
            watch.wrong.append(f"{method} {path} with {body} answered {status}, not {expected}")
    assert watch.wrong == [], "\n".join(watch.wrong)


# --- Twins ----------------------------------------------------------------------------------------

MADE = {
    "auto-replies/": AutoReplyRule,
    "business-hours/": BusinessHours,
    "broadcasts/": Broadcast,
    "broadcasts/{draft_broadcast}/duplicate/": Broadcast,
    "conversations/rules/": ConversationRule,
    "dispatch/messages/": QueuedMessage,
    "media/uploads/": MediaUpload,
    "quick-replies/": QuickReply,
    "quick-reply-folders/": QuickReplyFolder,
    "quick-replies/{quick_reply}/used/": QuickReplyUse,
    "scheduled-messages/": ScheduledMessage,
    "scheduled-messages/{series}/occurrences/": ScheduledMessage,
    "shares/": ShareLink,
    "suppressions/": Suppression,
}
BY_KEY = ("broadcasts/", "dispatch/messages/", "scheduled-messages/")


@pytest.mark.django_db(transaction=True)
def test_twins_with_one_id_make_one(target):
    """The same request twice at once, as after a time-out: what is made is made once, and both are told of it."""
    wrong, tried = [], set()
    for method, path, body in WRITES:
        if method != "POST" or path not in MADE or "id" not in body:
            continue
        id = str(uuid7())
        raw = json.dumps(fill(body, target.ids) | {"id": id}).encode()
        events = Event.objects.count()
        answers = at_once(*[lambda path=path, raw=raw: send(target, "POST", path, raw)] * 2)
        # What is sent at once is told of by its parts.
        told = sorted((answer.status_code, answer.json().get("id", id)) for answer in answers)
        made = (
            MADE[path].objects.filter(origin_id=id)
            if path == "dispatch/messages/"
            else MADE[path].objects.filter(pk=id)
        )
        if told != [(200, id), (201, id)] or made.count() != 1:
            wrong.append(f"{path}: {told}, {made.count()} made")
        kinds = list(Event.objects.order_by("pk").values_list("kind", "object_id")[events:])
        if len(kinds) != len(set(kinds)):
            wrong.append(f"{path}: told twice, {kinds}")
        tried.add(path)
    assert wrong == [], "\n".join(wrong)
    assert tried == set(MADE)


@pytest.mark.django_db(transaction=True)
def test_twins_with_one_idempotency_key_make_one(target):
    """Without an id, the header says that the two are one."""
    for method, path, body in WRITES:
        if method != "POST" or path not in BY_KEY:
            continue
        given = {name: value for name, value in fill(body, target.ids).items() if name != "id"}
        raw, key, before = json.dumps(given).encode(), f"twin-{uuid7()}", MADE[path].objects.count()
        answers = at_once(
            *[lambda path=path, raw=raw, key=key: send(target, "POST", path, raw, **{"Idempotency-Key": key})] * 2
        )
        assert [answer.status_code for answer in answers] == [201, 201], path
        assert answers[0].json() == answers[1].json()
        assert MADE[path].objects.count() == before + 1, path
