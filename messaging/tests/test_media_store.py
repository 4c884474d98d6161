"""The life of a file on an S3 server: the same as on the disk, but for where its links lead to."""

import environ
import pytest
import requests
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.test import Client
from moto.server import ThreadedMotoServer

from messaging.models import MediaFile
from messaging.services.media.deletion import delete_leftovers
from messaging.services.media.links import file_url, thumbnail_url
from messaging.tests.files import pdf, picture
from messaging.tests.test_media import begin, complete, part, pieces, sent
from messaging.tests.test_media_links import body, path
from waplus.lib.ids import uuid7
from waplus.storage import object_storage

pytestmark = pytest.mark.django_db


@pytest.fixture(scope="module")
def server():
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    yield f"http://{host}:{port}"
    server.stop()


@pytest.fixture
def bucket(server, settings, monkeypatch, clock):
    """An empty bucket as the place of all files, set up as an administrator would."""
    clock.now = clock.now.now(clock.now.tzinfo)  # links of the store are signed by the machine's own clock
    for name, value in {
        "STORAGE_ENDPOINT_URL": server,
        "STORAGE_ACCESS_KEY": "key",
        "STORAGE_SECRET_KEY": "secret",
        "STORAGE_ADDRESSING": "path",
        "AWS_DEFAULT_REGION": "us-east-1",
    }.items():
        monkeypatch.setenv(name, value)
    name = f"files-{uuid7().hex}"
    settings.STORAGES = {**settings.STORAGES, "default": object_storage(environ.Env(), name)}
    bucket = default_storage.connection.create_bucket(Bucket=name)
    return bucket


def keys(bucket) -> set[str]:
    return {one.key for one in bucket.objects.all()}


def test_file_is_uploaded_linked_loaded_in_parts_and_deleted(
    alice_device, acme, bucket, django_capture_on_commit_callbacks
):
    data = pdf(b"0123456789" * 1000)
    media = sent(alice_device, data, "Grüße.pdf")
    assert keys(bucket) == {media.file.name}
    answer = Client().get(path(file_url(media)))
    assert (answer.status_code, answer["Cache-Control"]) == (302, "private, no-store")
    loaded = requests.get(answer["Location"], timeout=10)  # noqa: TID251
    assert (loaded.status_code, loaded.content) == (200, data)
    assert loaded.headers["Content-Disposition"] == "attachment; filename*=utf-8''Gr%C3%BC%C3%9Fe.pdf"
    assert loaded.headers["Content-Type"] == "application/pdf"
    stretch = requests.get(answer["Location"], headers={"Range": "bytes=10-19"}, timeout=10)  # noqa: TID251
    assert (stretch.status_code, stretch.content) == (206, data[10:20])
    with django_capture_on_commit_callbacks(execute=True):
        assert alice_device.client.delete(f"/api/v1/media/{media.pk}/").status_code == 204
    assert keys(bucket) == set()


def test_thumbnail_comes_from_us(alice_device, acme, bucket):
    media = sent(alice_device, picture(size=(900, 900)))
    assert keys(bucket) == {media.file.name, media.thumbnail.name}
    answer = Client().get(path(thumbnail_url(media)))
    assert (answer.status_code, answer["Content-Type"]) == (200, "image/webp")
    assert body(answer)[8:12] == b"WEBP"


def test_file_is_put_together_from_parts(alice_device, acme, bucket, django_capture_on_commit_callbacks):
    data = pdf(bytes(range(256)) * 5000)
    id = begin(alice_device, data).json()["id"]
    with django_capture_on_commit_callbacks(execute=True):
        for number, piece in reversed(pieces(data).items()):
            assert part(alice_device, id, number, piece).status_code == 201
        assert part(alice_device, id, 1, pieces(data)[1]).status_code == 200
    assert len(keys(bucket)) == 2
    with django_capture_on_commit_callbacks(execute=True):
        assert complete(alice_device, id).status_code == 201
    assert keys(bucket) == {MediaFile.objects.get().file.name}
    with MediaFile.objects.get().file.open("rb") as file:
        assert file.read() == data


def test_leftovers_of_the_store_are_found(alice_device, acme, bucket, clock):
    media = sent(alice_device, pdf())
    stray = f"media/{acme.pk}/{uuid7()}"
    default_storage.save(stray, ContentFile(b"x"))
    assert delete_leftovers() == 0
    clock.advance(25 * 3600)
    assert delete_leftovers() == 1
    assert keys(bucket) == {media.file.name}
