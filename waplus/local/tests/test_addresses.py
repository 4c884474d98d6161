import os
import stat
import subprocess
import sys

import pytest
from kombu import Connection, Queue

from waplus.local import addresses
from waplus.local.broker import Transport


@pytest.fixture
def local(tmp_path, monkeypatch):
    monkeypatch.setattr(addresses, "LOCAL", tmp_path / "local")
    monkeypatch.setattr(addresses, "CLUSTER", tmp_path / "local" / "postgres")
    return tmp_path / "local"


def test_gives_refusing_url_without_cluster(local):
    assert addresses.default_database_url() == "postgres://waplus@127.0.0.1:9/waplus"
    assert not local.exists()


def test_gives_url_of_cluster(local):
    addresses.make_directory(addresses.CLUSTER)
    (addresses.CLUSTER / "port").write_text("5544\n")
    (addresses.CLUSTER / "password").write_text("secret\n")
    assert addresses.default_database_url() == "postgres://waplus:secret@127.0.0.1:5544/waplus"


def test_makes_secret_once(local):
    secret = addresses.development_secret("SECRET_KEY")
    assert len(secret) == 44
    assert addresses.development_secret("SECRET_KEY") == secret
    assert addresses.development_secret("ENCRYPTION_KEY") != secret
    assert stat.S_IMODE((local / "secrets" / "SECRET_KEY").stat().st_mode) == 0o600
    assert stat.S_IMODE((local / "secrets").stat().st_mode) == 0o700
    assert sorted(path.name for path in (local / "secrets").iterdir()) == ["ENCRYPTION_KEY", "SECRET_KEY"]


@pytest.mark.parametrize("name", ["", "../key", "a/b", "a b"])
def test_refuses_name_of_secret(local, name):
    with pytest.raises(ValueError, match="cannot name a secret"):
        addresses.development_secret(name)


def test_closes_private_file_that_was_open(tmp_path):
    path = tmp_path / "password"
    path.write_text("old")
    path.chmod(0o644)
    addresses.write_private(path, "new")
    assert (path.read_text(), stat.S_IMODE(path.stat().st_mode)) == ("new", 0o600)


def test_imports_without_django_settings():
    code = "import waplus.local.__main__; from django.conf import settings; raise SystemExit(settings.configured)"
    environment = {name: value for name, value in os.environ.items() if name != "DJANGO_SETTINGS_MODULE"}
    assert subprocess.run([sys.executable, "-c", code], cwd=addresses.PROJECT, env=environment).returncode == 0


@pytest.fixture
def connection(tmp_path):
    options = addresses.default_broker_transport_options(tmp_path / "broker")
    with Connection(addresses.default_broker_url(), transport_options=options) as connection:
        yield connection


def test_carries_message_through_the_folder(connection, tmp_path):
    assert isinstance(connection.transport, Transport)
    queue = Queue("celery", routing_key="celery")
    received = []
    connection.Producer().publish({"n": 1}, routing_key="celery", declare=[queue])
    with connection.Consumer([queue], callbacks=[lambda body, message: (received.append(body), message.ack())]):
        connection.drain_events(timeout=5)
    assert received == [{"n": 1}]
    left = [path.name for path in (tmp_path / "broker").rglob("*") if path.is_file()]
    assert [name for name in left if ".msg" in name] == []


def test_does_not_take_unfinished_message(connection, tmp_path):
    queue = Queue("celery", routing_key="celery")
    connection.Producer().publish({"n": 1}, routing_key="celery", declare=[queue])
    messages = tmp_path / "broker" / "messages"
    (message,) = messages.iterdir()
    message.rename(messages / f".unfinished.{message.name}")
    with connection.Consumer([queue], callbacks=[lambda *_: pytest.fail("taken")]), pytest.raises(TimeoutError):
        connection.drain_events(timeout=0.01)


def test_keeps_bindings_of_two_queues(connection, tmp_path):
    channel = connection.default_channel
    for name in ("one", "two"):
        channel._queue_bind("news", name, "", name)
    assert sorted(row.queue for row in channel.get_table("news")) == ["one", "two"]
    assert [path.name for path in (tmp_path / "broker" / "control").iterdir()] == ["news.exchange"]
