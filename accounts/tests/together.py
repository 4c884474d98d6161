"""What several test modules need: doing things at one moment, and reading refusals."""

import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

from django.db import connection

from waplus.lib.errors import CODES

PROBLEM = "application/problem+json"
# Nothing takes as long; who waits longer waits for ever.
WAIT = 60


def at_once(*jobs: Callable) -> list:
    """Run jobs at the same moment, each in a thread with a connection of its own; an exception is its job's answer."""
    start = threading.Barrier(len(jobs))

    def run(job):
        try:
            connection.ensure_connection()
            start.wait(timeout=20)
            return job()
        except Exception as error:
            return error
        finally:
            connection.close()

    with ThreadPoolExecutor(len(jobs)) as pool:
        return list(pool.map(run, jobs))


def meet_behind(monkeypatch, owner, name: str, first: Callable, second: Callable) -> list:
    """Run two jobs that meet for certain; answers what they return.

    The second one begins when the first has called a function, and the first
    goes on from there when the second waits for its locks, or has ended.
    """
    original = getattr(owner, name)
    ready, reached, ended = threading.Event(), threading.Event(), threading.Event()
    leader, waiter, met = [], [], []

    def is_waiting() -> bool:
        with connection.cursor() as cursor:
            cursor.execute("SELECT cardinality(pg_blocking_pids(%s)) > 0", waiter)
            return cursor.fetchone()[0]

    def stopping(*args, **kwargs):
        result = original(*args, **kwargs)
        if leader == [threading.get_ident()] and not met:
            met.append(True)
            reached.set()
            while not ended.wait(0.005) and not is_waiting():
                pass
        return result

    def lead():
        leader.append(threading.get_ident())
        assert ready.wait(WAIT)
        try:
            return first()
        finally:
            reached.set()

    def follow():
        try:
            with connection.cursor() as cursor:
                cursor.execute("SELECT pg_backend_pid()")
                waiter.extend(cursor.fetchone())
            ready.set()
            assert reached.wait(WAIT)
            return second()
        finally:
            ended.set()

    with monkeypatch.context() as patched:
        patched.setattr(owner, name, stopping)
        answers = at_once(lead, follow)
    assert met, answers
    return answers


def linger(monkeypatch, owner, name: str) -> None:
    """Let everybody who called a function stay a while before going on, so that those who race really meet there."""
    original = getattr(owner, name)

    def lingering(*args, **kwargs):
        result = original(*args, **kwargs)
        time.sleep(0.03)
        return result

    monkeypatch.setattr(owner, name, lingering)


def assert_refused(answer, code: str, detail: str = "") -> dict:
    """The answer is a problem document of this code, with everything that one has."""
    body = answer.json()
    assert body["code"] == code, body
    assert answer.status_code == body["status"] == CODES[code].status
    assert answer["Content-Type"] == PROBLEM
    assert body["title"] == CODES[code].title
    assert body["type"].endswith(f"/api/v1/errors/#{code}")
    assert body["detail"]
    assert body["request_id"] == answer["X-Request-Id"]
    if detail:
        assert detail in body["detail"]
    return body
