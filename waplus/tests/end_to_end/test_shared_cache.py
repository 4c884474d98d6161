"""Rate limits over several web processes, counted in one cache."""

import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor

import pytest
import requests

from waplus.tests.end_to_end.brokers import real_part
from waplus.tests.end_to_end.extension import Device
from waplus.tests.end_to_end.product import Product, fresh_database
from waplus.tests.end_to_end.seed import PEOPLE

LIMIT = 40
REQUESTS = 100
PROCESSES = 2


@pytest.fixture(params=["shared", "apart"])
def web(request, tmp_path, seeded):
    """Two web processes whose caches are one Redis, and as a control two with a cache each."""
    cache_url = real_part("TEST_REDIS_URL") if request.param == "shared" else ""
    environment = {"CACHE_URL": cache_url, "WEB_PROCESSES": str(PROCESSES)} if cache_url else {}
    with fresh_database(template=seeded) as database:
        product = Product(tmp_path, database, **environment)
        try:
            product.rows("UPDATE accounts_plan SET requests_per_minute = %s", LIMIT)
            product.start("web", f"--workers={PROCESSES}")
            product.wait_until_ready()
            yield product, request.param
        finally:
            product.stop()


def test_counts_requests_across_processes(web):
    """Of a burst in one minute exactly the plan's number is answered; with a cache each it would be more."""
    product, caches = web
    device = Device(product.base_url, PEOPLE[0])
    device.register()
    left = 60 - time.time() % 60
    if left < 8:
        time.sleep(left)  # the window is a minute of the clock
    me = device.log_in()
    assert me["plan"]["name"] == "Business"
    headers = {"Authorization": device.http.headers["Authorization"], "X-Client-Version": "2.0.0"}

    def ask(_index: int) -> requests.Response:
        # A connection each, so that the requests spread over the processes.
        with requests.Session() as session:
            session.trust_env = False
            return session.get(f"{product.base_url}/api/v1/me/", headers=headers, timeout=30)

    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(ask, range(REQUESTS - 1)))
    counts = Counter(answer.status_code for answer in answers)
    counts[200] += 1  # the look at `me` right after the login
    if caches == "shared":
        assert counts == {200: LIMIT, 429: REQUESTS - LIMIT}
    else:
        assert LIMIT < counts[200] <= PROCESSES * LIMIT
    refused = [answer for answer in answers if answer.status_code == 429]
    assert {answer.json()["code"] for answer in refused} == {"rate_limited"}
    assert all(1 <= int(answer.headers["Retry-After"]) <= 60 for answer in refused)
