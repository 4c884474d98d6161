"""The brokers that the product runs on, and how each is emptied behind its back."""

import os
from pathlib import Path
from urllib.parse import urlsplit

import amqp
import pytest
import redis


def real_part(variable: str) -> str:
    """The address of a server that the test needs. Where all real parts are demanded, its absence is a failure."""
    url = os.environ.get(variable, "")
    if not url:
        (pytest.fail if os.environ.get("WAPLUS_REQUIRE_REAL_PARTS") else pytest.skip)(f"{variable} is not set")
    return url


class FolderBroker:
    name = "folder"
    url = ""

    def __init__(self, folder: Path, queue: str):
        self.messages = folder / "broker" / "messages"

    def empty(self) -> int:
        """Throw everything away; answers how many messages there were."""
        gone = 0
        for path in self.messages.glob("*.msg"):
            path.unlink(missing_ok=True)
            gone += 1
        return gone

    def close(self) -> None:
        """Leave nothing behind; the folder goes with the test's."""


class RedisBroker:
    name = "redis"

    def __init__(self, folder: Path, queue: str):
        self.url = real_part("TEST_REDIS_URL")
        self.queue = queue
        self.client = redis.Redis.from_url(self.url)

    def empty(self) -> int:
        """All keys go, those too in which the queues' names and the unacknowledged messages are kept."""
        gone = self.client.llen(self.queue)
        self.client.flushdb()
        return gone

    def close(self) -> None:
        self.client.delete(self.queue, f"_kombu.binding.{self.queue}")
        self.client.close()


class RabbitBroker:
    name = "rabbitmq"

    def __init__(self, folder: Path, queue: str):
        self.url = real_part("TEST_RABBITMQ_URL")
        self.queue = queue

    def _channel(self):
        parts = urlsplit(self.url)
        connection = amqp.Connection(
            host=f"{parts.hostname}:{parts.port or 5672}",
            userid=parts.username or "guest",
            password=parts.password or "guest",
            virtual_host=parts.path[1:] or "/",
        )
        connection.connect()
        return connection, connection.channel()

    def empty(self) -> int:
        connection, channel = self._channel()
        with connection:
            return channel.queue_purge(self.queue)

    def close(self) -> None:
        connection, channel = self._channel()
        with connection:
            channel.queue_delete(self.queue)
            channel.exchange_delete(self.queue)


BROKERS = {broker.name: broker for broker in (FolderBroker, RedisBroker, RabbitBroker)}
