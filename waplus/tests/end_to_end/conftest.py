"""One seeded database for all to copy, and the whole product on each broker."""

import secrets

import pytest

from waplus.tests.end_to_end.brokers import BROKERS
from waplus.tests.end_to_end.product import Product, fresh_database, run_seed


@pytest.fixture(scope="session")
def seeded(tmp_path_factory):
    """The name of a migrated database with its people in it, to be copied."""
    with fresh_database() as name:
        run_seed(tmp_path_factory.mktemp("seed"), name)
        yield name


@pytest.fixture(scope="module", params=list(BROKERS))
def running(request, tmp_path_factory):
    """The product on a broker, and the broker."""
    folder = tmp_path_factory.mktemp(f"product-{request.param}")
    queue = f"waplus-end-to-end-{secrets.token_hex(4)}"
    broker = BROKERS[request.param](folder, queue)
    with fresh_database(template=request.getfixturevalue("seeded")) as database:
        product = Product(folder, database, CELERY_BROKER_URL=broker.url, END_TO_END_QUEUE=queue)
        try:
            for name in ("web", "worker", "beat"):
                product.start(name)
            product.wait_until_ready()
            yield product, broker
        finally:
            product.stop()
            broker.close()
