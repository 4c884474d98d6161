"""What an open extension is told, by the real process over real sockets."""

import socket
import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from datetime import timedelta

import pytest
from django.db import connection, transaction
from django.utils import timezone

from accounts.models import AccessToken, InstanceSession
from accounts.models.tokens import RevokeReason
from accounts.services import instances
from crm.tests.sync.devices import Replica
from crm.tests.sync.server_state import server_state
from waplus.tests.end_to_end.product import wait_for
from waplus.wakeups.tests.channel import LONG, PATH, change, database, running

pytestmark = pytest.mark.django_db(transaction=True)


def sign_out(device) -> None:
    """End a device's session and nothing else: no event tells of it."""
    sessions = InstanceSession.objects.filter(instance=device.instance)
    assert instances.end_sessions(sessions, RevokeReason.BY_PERSON) == 1


def test_wakes_colleague_after_change(channel, alice_device, bob_device):
    with closing(channel.listen(alice_device)) as stream:
        answer = bob_device.client.post("/api/v1/contacts/", {"name": "Dora"})
        assert answer.status_code == 201
        assert stream.event() == ("changed", {})


def test_wakes_nobody_for_other_workspace_or_for_rolled_back_change(channel, alice_device, charlie_device, acme, other):
    with closing(channel.listen(alice_device)) as alice, closing(channel.listen(charlie_device)) as charlie:
        with transaction.atomic():
            change(acme)
            transaction.set_rollback(True)
        change(other)
        assert charlie.event() == ("changed", {})
        sign_out(alice_device)
        assert alice.rest() == ["bye session_ended"]


def test_waits_until_change_can_be_read(channel, alice_device, acme):
    """A transaction that is open and has written keeps the change from readers, and so the wake-up from the client."""
    with closing(channel.listen(alice_device)) as stream, closing(database()) as held:
        with held.cursor() as cursor:
            cursor.execute("SELECT pg_current_xact_id()")
        change(acme)
        assert stream.is_silent(1)
        held.rollback()
        assert stream.event() == ("changed", {})
        change(acme)
        assert stream.event() == ("changed", {})  # control: without it nothing waits


def test_makes_one_wake_up_of_many_changes(channel, alice_device, acme):
    with closing(channel.listen(alice_device)) as stream:
        with transaction.atomic():
            for _ in range(50):
                change(acme)
        for _ in range(50):
            change(acme)
        assert stream.event() == ("changed", {})
        assert stream.event() == ("changed", {})
        sign_out(alice_device)
        assert len(stream.rest()) < 20


def test_wakes_everybody_after_lost_connection(channel, alice_device, charlie_device, acme):
    with closing(channel.listen(alice_device)) as alice, closing(channel.listen(charlie_device)) as charlie:
        cut_listener()
        assert alice.event() == ("changed", {})
        assert charlie.event() == ("changed", {})
        change(acme)
        assert alice.event() == ("changed", {})  # it listens again


def cut_listener() -> None:
    """End the connection over which the process hears of changes."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity"
            " WHERE datname = current_database() AND (query LIKE 'LISTEN%%' OR query LIKE 'SELECT pg_snapshot_%%')"
        )
        assert cursor.fetchall() == [(True,)]


def test_wakes_again_when_what_went_unheard_can_be_read(channel, alice_device, acme):
    """At the reconnection the change is committed and not yet readable: whoever pulls then finds nothing."""
    with closing(channel.listen(alice_device)) as stream, closing(database()) as held:
        with held.cursor() as cursor:
            cursor.execute("SELECT pg_current_xact_id()")
        change(acme)
        cut_listener()
        assert stream.event() == ("changed", {})
        assert stream.is_silent(1)
        held.rollback()
        assert stream.event() == ("changed", {})


def test_restarted_process_wakes_for_what_its_forerunner_heard(tmp_path, alice_device, acme):
    with closing(database()) as held:
        with held.cursor() as cursor:
            cursor.execute("SELECT pg_current_xact_id()")
        with running(tmp_path) as first, closing(first.listen(alice_device)) as stream:
            change(acme)
            first.process.kill()
            first.process.wait(LONG)
        with running(tmp_path) as second, closing(second.listen(alice_device)) as stream:
            held.rollback()
            assert stream.event() == ("changed", {})


def test_client_that_pulls_when_it_is_told_misses_nothing(channel, alice, alice_device, bob_device, acme):
    """Connecting while changes commit, over and over, with a foreign transaction that comes and goes."""
    replica, writers = Replica(alice_device.client), threading.Event()
    stopped = threading.Event()

    def write() -> None:
        try:
            for number in range(60):
                answer = bob_device.client.post("/api/v1/contacts/", {"name": f"{number}"})
                assert answer.status_code == 201
                writers.set()
        finally:
            stopped.set()
            connection.close()

    def hold() -> None:
        with closing(database()) as held:
            while not stopped.wait(0.02):
                with held.cursor() as cursor:
                    cursor.execute("SELECT pg_current_xact_id()")
                stopped.wait(0.3)
                held.rollback()

    with ThreadPoolExecutor(2) as pool:
        jobs = [pool.submit(write), pool.submit(hold)]
        writers.wait(LONG)
        while not stopped.is_set():
            with closing(channel.open(alice_device)) as stream:
                assert stream.event() == ("hello", {})
                replica.pull()
                if stream.event() == ("changed", {}):
                    replica.pull()
        with closing(channel.open(alice_device)) as stream:
            assert stream.event() == ("hello", {})
            replica.pull()
            while not stream.is_silent(2):
                assert stream.event() == ("changed", {})
                replica.pull()
        for job in jobs:
            job.result()
    assert len(replica.of("contact")) == 60
    assert replica.rows == server_state(acme, alice)


@pytest.mark.parametrize("way", ["sign out", "leave", "deactivate", "password"])
def test_ends_stream_of_ended_session(channel, alice_device, bob_device, bob, acme, way):
    with closing(channel.listen(alice_device)) as alice, closing(channel.listen(bob_device)) as stream:
        if way == "sign out":
            sign_out(bob_device)
        elif way == "leave":
            bob.memberships.all().delete()
        elif way == "deactivate":
            type(bob).objects.filter(pk=bob.pk).update(is_active=False)
        else:
            bob.set_password("another correct horse battery staple")
            bob.save()
        assert stream.rest() == ["bye session_ended"]
        change(acme)
        assert alice.event() == ("changed", {})  # others stay


def test_ends_stream_of_expired_token(channel, alice_device, bob_device, acme):
    AccessToken.objects.filter(session=bob_device.pair.session).update(expires_at=timezone.now() + timedelta(seconds=2))
    with closing(channel.listen(alice_device)) as alice, closing(channel.listen(bob_device)) as stream:
        assert stream.rest() == ["bye token_expired"]
        change(acme)
        assert alice.event() == ("changed", {})


def test_ends_former_stream_of_instance(channel, alice_device, acme):
    with closing(channel.listen(alice_device)) as first, closing(channel.listen(alice_device)) as second:
        assert first.rest() == ["bye replaced"]
        change(acme)
        assert second.event() == ("changed", {})


def test_says_goodbye_when_stopped(tmp_path, alice_device, bob_device):
    with running(tmp_path) as own, closing(own.listen(alice_device)) as alice, closing(own.listen(bob_device)) as bob:
        assert own.stop() == 0
        assert alice.rest() == bob.rest() == ["bye unavailable"]


def test_keeps_streams_while_database_is_away(channel, alice_device, acme):
    """Every connection of the process is cut, and none can be made for a while."""
    name = connection.settings_dict["NAME"]
    with closing(channel.listen(alice_device)) as stream, closing(database("postgres")) as server:
        server.autocommit = True
        with server.cursor() as cursor:
            cursor.execute(f'ALTER DATABASE "{name}" ALLOW_CONNECTIONS false')
            try:
                cursor.execute(
                    "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity WHERE datname = %s AND pid <> %s",
                    [name, connection.connection.info.backend_pid],
                )
                wait_for(lambda: channel.ask("GET", "/health/ready").status == 503, "the listener is lost", LONG)
                refused = channel.open(alice_device)
                assert (refused.status, refused.problem()["code"]) == (503, "unavailable")
                assert 3 <= int(refused.headers["retry-after"]) <= 10
                assert channel.ask("GET", "/health/live").status == 200
            finally:
                cursor.execute(f'ALTER DATABASE "{name}" ALLOW_CONNECTIONS true')
        assert stream.event() == ("changed", {})  # for whatever happened meanwhile
        change(acme)
        assert stream.event() == ("changed", {})


def test_answers_poll_at_first_change(channel, alice_device, acme):
    first = channel.open(alice_device, "?once=1")
    # Nothing is known of an earlier poll: who asks may have missed something.
    assert (first.status, first.body) == (200, b'{"event": "changed"}')
    change(acme)
    second = channel.open(alice_device, "?once=1")
    assert (second.status, second.body) == (200, b'{"event": "changed"}')


def poll_that_waits(channel, device) -> socket.socket:
    """A poll without an answer yet; what the test did before is told of by then."""
    head = f"GET {PATH}?once=1 HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {device.pair.access_token}\r\n\r\n"
    while True:
        waiting = socket.create_connection(("127.0.0.1", channel.port), 1)
        waiting.sendall(head.encode())
        try:
            waiting.recv(1 << 16)
        except TimeoutError:
            return waiting
        waiting.close()


def test_poll_that_its_client_left_counts_as_unanswered(channel, alice_device):
    poll_that_waits(channel, alice_device).close()
    again = channel.open(alice_device, "?once=1")
    assert (again.status, again.body) == (200, b'{"event": "changed"}')


def test_refuses_poll_of_ended_session(channel, alice_device):
    assert channel.open(alice_device, "?once=1").status == 200
    sign_out(alice_device)
    poll = channel.open(alice_device, "?once=1")
    assert (poll.status, poll.problem()["code"]) == (401, "session_ended")
