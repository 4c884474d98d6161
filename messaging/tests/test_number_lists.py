"""Lists of numbers: a line each, set-based, as good as one by one, and counted to the line."""

import pytest
from django.db import connection

from accounts import actors
from accounts.models import Event
from crm.models import BulkState
from crm.tests.people import make_contact
from messaging.models import (
    ConsentRecord,
    NumberList,
    NumberListChunk,
    NumberListRefusal,
    Suppression,
    SuppressionSource,
)
from messaging.services.number_lists import uploading
from messaging.services.number_lists.reading import MAX_LINES, lines_of
from messaging.services.number_lists.runs import take_chunk
from messaging.services.number_lists.uploading import stop_list, upload_list
from messaging.services.suppression import is_suppressed, lift, suppress
from messaging.tasks import run_number_lists
from messaging.tests.number_lists import counts, list_file
from waplus.lib.errors import Invalid, Refused

LID = "157163732254124@lid"
# Ten lines: three people by five lines, one of them on the list before, and three lines without a number.
MIXED = (
    "+4915112345671\nnobody\n+4915112345672\n+4915112345671\n12\n"
    "+4915112345673\n+49 1511 2345672\n120363041234567890@g.us\n4915112345673@c.us\n+4915112345671\n"
)
NOTHING = {"numbers": 0, "chunks": 0, "suppressions": 0, "events": 0}


@pytest.fixture
def by_alice(acme, alice) -> dict:
    return {"workspace": acme, "actor": actors.person(alice)}


@pytest.fixture
def upload(by_alice):
    """Alice uploads a list, and nobody has begun with it."""
    return lambda content, **values: upload_list(**by_alice, file=list_file(content), **values)[0]


@pytest.fixture
def take(upload):
    """Alice uploads a list, and the worker takes it over."""

    def take(content, **values) -> NumberList:
        row = upload(content, **values)
        run_number_lists()
        row.refresh_from_db()
        return row

    return take


def stored() -> dict[str, int]:
    return {
        "numbers": NumberList.objects.count(),
        "chunks": NumberListChunk.objects.count(),
        "suppressions": Suppression.objects.count(),
        "events": Event.objects.filter(kind__startswith="number_list").count(),
    }


def test_take_list_of_numbers(take, acme, alice):
    ana = make_contact(acme, "+5511987654321", LID, name="Ana")
    content = (
        "name;phone\n"
        "Ana;+55 11 98765-4321\n"
        "\n"
        "4915112345678\n"
        "Otto;12;+4915112345679\n"
        "Nobody;none\n"
        "120363041234567890@g.us\n"
        '"Ana again", "(11) 8765-4321"\n'
        "157163732254999@lid\n"
    )
    row = take(content, note="from the old system")
    assert (row.state, row.file_name, counts(row)) == ("finished", "numbers.csv", (7, 7, 4, 1, 2))
    assert list(row.refusals.order_by("line").values_list("line", "code", "detail")) == [
        (6, "no_number", "There is no number."),
        (7, "invalid_jid", "This is no WhatsApp id of a person."),
    ]
    assert is_suppressed(acme, ana)
    assert is_suppressed(acme, chat_jid=LID), "all ids of the contact"
    assert is_suppressed(acme, chat_jid="4915112345678@c.us"), "programs leave the plus sign out"
    assert is_suppressed(acme, chat_jid="4915112345679@c.us")
    assert is_suppressed(acme, chat_jid="157163732254999@lid")
    leaders = Suppression.objects.filter(part_of=None)
    assert set(leaders.values_list("source", "note", "created_by")) == {("import", "from the old system", alice.pk)}
    assert Suppression.objects.count() == 5
    assert set(ConsentRecord.objects.values_list("kind", "means", "suppression")) == {
        ("withdrawn", "import", leader.pk) for leader in leaders
    }
    events = Event.objects.filter(kind__startswith="number_list").order_by("id")
    assert list(events.values_list("kind", "object_id", "count")) == [
        ("number_list.uploaded", row.pk, 7),
        ("number_list.finished", row.pk, 4),
    ]


@pytest.mark.parametrize("size", [1, 2, 3, 7, 100])
def test_count_alike_wherever_chunks_end(by_alice, upload, take, monkeypatch, size):
    suppress(**by_alice, source=SuppressionSource.PERSON, phone="+4915112345672")
    monkeypatch.setattr(uploading, "CHUNK", size)
    row = take(MIXED)
    assert counts(row) == (10, 10, 2, 5, 3)
    assert list(row.refusals.order_by("line").values_list("line", "code")) == [
        (2, "no_number"),
        (5, "invalid_phone"),
        (8, "invalid_jid"),
    ]
    assert Suppression.objects.filter(lifted_at=None).count() == 3
    assert ConsentRecord.objects.filter(means="import").count() == 2


def test_numbers_are_gone_once_they_are_taken_over(upload, monkeypatch):
    monkeypatch.setattr(uploading, "CHUNK", 4)
    row = upload(MIXED)
    assert [chunk.line_numbers for chunk in row.chunks.order_by("number")] == [[1, 2, 3, 4], [5, 6, 7, 8], [9, 10]]
    assert take_chunk(row.pk)
    assert counts(row) == (10, 4, 2, 1, 1)
    assert [chunk.line_numbers for chunk in row.chunks.order_by("number")] == [[5, 6, 7, 8], [9, 10]]
    run_number_lists()
    row.refresh_from_db()
    assert row.state == "finished" and row.finished_at is not None
    assert not NumberListChunk.objects.exists()
    assert not take_chunk(row.pk)


def test_stop_list_in_the_middle(by_alice, upload, acme, monkeypatch):
    monkeypatch.setattr(uploading, "CHUNK", 4)
    row = upload(MIXED)
    take_chunk(row.pk)
    stop_list(**by_alice, list_id=row.pk)
    run_number_lists()
    assert counts(row) == (10, 4, 2, 1, 1)
    assert row.state == "stopped" and not NumberListChunk.objects.exists()
    assert is_suppressed(acme, chat_jid="4915112345671@c.us")
    assert not is_suppressed(acme, chat_jid="4915112345673@c.us")
    assert Event.objects.get(kind="number_list.stopped").count == 2
    stop_list(**by_alice, list_id=row.pk)
    assert Event.objects.filter(kind="number_list.stopped").count() == 1


def test_planner_knows_of_the_rows_of_a_list_before_it_ends(upload, monkeypatch):
    """It would read all that the list has made for each chunk, and for each reference at commit."""
    monkeypatch.setattr(uploading, "CHUNK", 10)

    def known() -> int:
        with connection.cursor() as cursor:
            cursor.execute("SELECT reltuples FROM pg_class WHERE relname = 'messaging_suppression'")
            return cursor.fetchone()[0]

    with connection.cursor() as cursor:
        cursor.execute("ANALYZE messaging_suppression")
    assert known() == 0
    row = upload("\n".join(f"+49151123456{n:02}" for n in range(40)))
    found = []
    while take_chunk(row.pk):
        found.append(known())
    assert found == [0, 10, 10, 30]


def test_list_goes_with_its_workspace(upload, take, acme):
    take(MIXED)
    upload(MIXED)
    acme.delete()
    assert not NumberList.objects.exists()
    assert not NumberListChunk.objects.exists() and not NumberListRefusal.objects.exists()


def test_take_list_again(take):
    content = "+4915112345678\n+4915112345679"
    take(content)
    assert counts(take(content)) == (2, 2, 0, 2, 0)
    assert Suppression.objects.count() == ConsentRecord.objects.count() == 2


def test_upload_twice_with_one_id_is_one_list(by_alice, upload, hints):
    row = upload("+4915112345678")
    again, is_new = upload_list(**by_alice, file=list_file("+4915112345679"), id=row.pk)
    assert (again.pk, is_new) == (row.pk, False)
    assert stored() == {"numbers": 1, "chunks": 1, "suppressions": 0, "events": 1}


def test_list_joins_what_holds_already(by_alice, take, acme):
    first, _ = suppress(**by_alice, source=SuppressionSource.PERSON, phone="+4915112345678")
    contact = make_contact(acme, "+4915112345678", LID)
    assert counts(take(LID)) == (1, 1, 0, 1, 0)
    assert first.parts.get().contact_id == contact.pk
    lift(**by_alice, suppression_id=first.pk, evidence="signed")
    assert not is_suppressed(acme, contact)


def test_list_is_of_its_workspace(take, other):
    contact = make_contact(other, "+4915112345678")
    take("+4915112345678")
    assert not is_suppressed(other, contact)
    assert Suppression.objects.get().contact_id is None


def test_two_lists_get_on_in_turn(upload, acme):
    first, second = upload("+4915112345678\n12"), upload("+4915112345678\n+4915112345679")
    run_number_lists()
    assert counts(first) == (2, 2, 1, 0, 1)
    assert counts(second) == (2, 2, 1, 1, 0)


@pytest.mark.parametrize(
    ("content", "code"),
    [
        (b"1\n" * (MAX_LINES + 1), "too_many"),
        (b"\n \n\t\n", "empty"),
        (b"phone;name\n", "empty"),
        (b"PK\x03\x04\x14\x00\x06\x00+4915112345678\n\x00\x00", "file_unreadable"),
    ],
    ids=["too many lines", "blank lines", "a heading", "a workbook"],
)
def test_refuse_file_and_keep_nothing_of_it(by_alice, content, code):
    with pytest.raises(Refused) as refused:
        upload_list(**by_alice, file=list_file(content))
    assert [(field.field, field.code) for field in refused.value.fields] == [("file", code)]
    assert stored() == NOTHING


def test_refuse_more_lists_than_may_wait(upload, monkeypatch):
    monkeypatch.setattr(uploading, "MAX_OPEN", 1)
    upload("+4915112345678")
    with pytest.raises(Refused, match="limit_reached"):
        upload("+4915112345679")
    assert stored() == {"numbers": 1, "chunks": 1, "suppressions": 0, "events": 1}
    run_number_lists()
    upload("+4915112345679")
    assert NumberList.objects.filter(state=BulkState.WAITING).count() == 1


@pytest.mark.parametrize(
    "content",
    [
        "\ufeff+4915112345678".encode(),
        "Müller;+4915112345678\r\n".encode("cp1252"),
        "name;phone\r\nMüller;+4915112345678\r\n".encode("utf-16"),
        b"\xff\xe9\n+4915112345678\n",
    ],
    ids=["a mark", "cp1252", "utf-16", "odd bytes"],
)
def test_read_list_in_other_encodings(take, acme, content):
    take(content)
    assert is_suppressed(acme, chat_jid="4915112345678@c.us")
    assert Suppression.objects.count() == 1


def test_number_lines_as_an_editor_does():
    assert lines_of(b"phone\n\n1\r\n\r\n2\n", "") == [(3, "1"), (5, "2")]
    assert lines_of(b"1\nphone\n", "") == [(1, "1"), (2, "phone")]
    with pytest.raises(Invalid):
        lines_of(b"phone", "")
