"""What several test modules need: doing things at one moment, and reading refusals."""

import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

from django.db import connection

from waplus.lib.errors import CODES

PROBLEM = "application/problem+json"


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
