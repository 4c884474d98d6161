"""A file goes with its last use, and nothing that a crash left stays behind."""

import os
import threading
import time
from datetime import timedelta

import pytest
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.db import connection, transaction
from django.utils import timezone

from accounts.models import Event, Resource
from accounts.services import plans
from messaging.models import ContentPart, MediaFile, MediaPart, MediaUpload, QueuedMessage
from messaging.services.media import deletion
from messaging.services.media.attach import files_for_use, media_for_use
from messaging.services.media.deletion import delete_leftovers, delete_unused_media, uses_of_files, with_uses
from messaging.tests.files import pdf, picture
from messaging.tests.test_media import begin, carry, part, sent, stored, used
from waplus.lib.errors import Invalid
from waplus.lib.ids import uuid7

pytestmark = pytest.mark.django_db
really_at_once = pytest.mark.django_db(transaction=True)


def test_every_reference_to_files_is_a_use():
    assert {(ContentPart, "media"), (QueuedMessage, "media")} <= set(uses_of_files())
    assert all(model not in (MediaUpload, MediaPart) for model, _ in uses_of_files())


def test_file_goes_with_its_last_use(alice_device, acme, clock, django_capture_on_commit_callbacks):
    carried, idle = sent(alice_device, picture()), sent(alice_device, pdf())
    first, second = carry(acme, carried), carry(acme, carried)
    assert {one.pk: one.uses for one in with_uses(MediaFile.objects.all())} == {carried.pk: 2, idle.pk: 0}
    with django_capture_on_commit_callbacks(execute=True):
        assert delete_unused_media() == 0  # nobody has had a day to use the second one
        clock.advance(25 * 3600)
        assert delete_unused_media() == 1
    assert set(MediaFile.objects.values_list("pk", flat=True)) == {carried.pk}
    assert stored() == {carried.file.name, carried.thumbnail.name}
    assert used(acme) == carried.size
    first.delete()
    assert delete_unused_media() == 0
    second.delete()
    with django_capture_on_commit_callbacks(execute=True):
        assert delete_unused_media() == 1
    assert not MediaFile.objects.exists() and not stored() and not used(acme)
    assert Event.objects.filter(kind="media.deleted", actor_kind="system").count() == 2
    assert plans.recount(acme, Resource.MEDIA_BYTES) == {}


def test_using_a_file_that_is_not_there_is_refused(acme, other, charlie_device):
    foreign = sent(charlie_device, pdf())
    for unknown in (foreign.pk, uuid7()):
        with transaction.atomic(), pytest.raises(Invalid) as refusal:
            media_for_use(acme, unknown, field="parts.0.media")
        assert [(one.field, one.code) for one in refusal.value.fields] == [("parts.0.media", "does_not_exist")]
    with transaction.atomic():
        assert media_for_use(other, foreign.pk) == foreign
        assert files_for_use(other, []) == {}


@really_at_once
def test_sweep_spares_a_file_that_is_just_being_used(alice_device, acme, clock):
    media = sent(alice_device, pdf())
    clock.advance(25 * 3600)
    is_held, swept = threading.Event(), threading.Event()

    def use():
        try:
            with transaction.atomic():
                media_for_use(acme, media.pk)
                is_held.set()
                assert swept.wait(20)
                carry(acme, media)
        finally:
            connection.close()

    user = threading.Thread(target=use)
    user.start()
    assert is_held.wait(20)
    assert delete_unused_media() == 0
    swept.set()
    user.join()
    assert delete_unused_media() == 0
    assert ContentPart.objects.get().media == media


@really_at_once
def test_use_that_comes_after_the_sweep_finds_nothing(alice_device, acme, clock, monkeypatch):
    media = sent(alice_device, pdf())
    clock.advance(25 * 3600)
    is_locked = threading.Event()
    original = deletion._delete

    def slowly(*args):
        is_locked.set()
        time.sleep(0.3)
        original(*args)

    monkeypatch.setattr(deletion, "_delete", slowly)

    def sweep():
        try:
            delete_unused_media()
        finally:
            connection.close()

    sweeper = threading.Thread(target=sweep)
    sweeper.start()
    assert is_locked.wait(20)
    with transaction.atomic(), pytest.raises(Invalid):
        media_for_use(acme, media.pk)
    sweeper.join()
    assert not MediaFile.objects.exists() and not stored()


@really_at_once
def test_sweep_looks_again_behind_the_lock(alice_device, acme, clock, monkeypatch):
    """Somebody used the file between the look and the lock."""
    media = sent(alice_device, pdf())
    clock.advance(25 * 3600)
    original = deletion._used
    calls = []

    def used_then_carried():
        condition = original()
        calls.append(1)
        return condition

    monkeypatch.setattr(deletion, "_used", used_then_carried)
    with transaction.atomic():
        ids = list(MediaFile.objects.select_for_update().values_list("pk", flat=True))
        assert ids == [media.pk]
    carry(acme, media)
    assert delete_unused_media() == 0 and calls
    assert MediaFile.objects.exists()


def age(name: str, hours: float = 30) -> None:
    """Let a stored file be so old by the clock of the test."""
    moment = (timezone.now() - timedelta(hours=hours)).timestamp()
    os.utime(default_storage.path(name), (moment, moment))


def test_files_without_a_row_are_found(alice_device, acme):
    """A crash between the storage and the database: before the row, or after it was deleted."""
    kept = sent(alice_device, picture())
    upload_id = begin(alice_device, pdf()).json()["id"]
    part(alice_device, upload_id, 1, pdf())
    lost = [f"media/{acme.pk}/{uuid7()}", f"media/{acme.pk}/{uuid7()}.webp", f"uploads/{acme.pk}/{uuid7()}"]
    doubled, young = f"media/{acme.pk}/{kept.pk}-01020304", f"media/{acme.pk}/{uuid7()}"
    for name in (*lost, doubled, young):
        default_storage.save(name, ContentFile(b"x"))
    before = stored()
    for name in before:
        age(name, hours=1 if name == young else 30)
    assert delete_leftovers() == 4
    assert stored() == before - {*lost, doubled}
    assert {kept.file.name, kept.thumbnail.name, young} <= stored()


def test_leftovers_are_none_where_nothing_was_stored():
    assert delete_leftovers() == 0


def test_abandoned_and_completed_uploads_go_after_a_day(alice_device, acme, clock, django_capture_on_commit_callbacks):
    old = begin(alice_device, pdf()).json()["id"]
    part(alice_device, old, 1, pdf())
    done = begin(alice_device, pdf(b"other")).json()["id"]
    part(alice_device, done, 1, pdf(b"other"))
    with django_capture_on_commit_callbacks(execute=True):
        alice_device.client.post(f"/api/v1/media/uploads/{done}/complete/")
    clock.advance(13 * 3600)
    alive = begin(alice_device, pdf()).json()["id"]
    part(alice_device, alive, 1, pdf())
    with django_capture_on_commit_callbacks(execute=True):
        clock.advance(12 * 3600)
        assert delete_leftovers() == 2
    assert [str(pk) for pk in MediaUpload.objects.values_list("pk", flat=True)] == [alive]
    assert MediaPart.objects.count() == 1
    # The file that an upload became is no leftover.
    assert MediaFile.objects.get().pk.hex == done.replace("-", "")
    assert len(stored()) == 2


def test_event_of_a_deletion_names_the_file_alone(alice_device, acme):
    media = sent(alice_device, pdf(), "secret plan.pdf")
    MediaFile.objects.update(wanted_at=timezone.now() - timedelta(days=2))
    delete_unused_media()
    event = Event.objects.get(kind="media.deleted")
    assert (event.object_id, event.workspace_id, event.changed) == (media.pk, acme.pk, [])
