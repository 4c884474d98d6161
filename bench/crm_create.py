"""Contacts created a second over HTTP by two clients, as a share of a hand-written view that only inserts.

Each client sends a new id, a name and a number, again and again, over one
connection. The bare view stands in the same project under the same server and
inserts the contact and its number by hand (`bench._bare_crm`). Measured in
turn; what was made is taken away afterwards.
"""

import itertools
import json
import statistics
from collections.abc import Iterator

from bench import _crm_data
from bench import _crm_names as names
from bench._figures import figure
from bench._leftovers import taken_away
from bench._load import Connection, rate, request_bytes, served

GOAL = 0.4
ROUNDS, SECONDS, CLIENTS = 7, 4.0, 2


def run() -> None:
    """Prepare, compare, measure, print."""
    data = _crm_data.prepare()
    settings = {"DJANGO_SETTINGS_MODULE": "bench._bare_crm_settings", "BENCH_WORKSPACE": str(data.workspace.pk)}
    numbers = itertools.count()
    with taken_away(data.workspace), served("waplus.wsgi:application", settings) as port:
        ways = [
            _requests("/api/v1/contacts/", data.headers, numbers),
            _requests("/api/v1/bench/contacts/", {}, numbers),
        ]
        for requests in ways:
            _check(data.workspace, Connection(port).ask(next(requests)))
            rate(port, requests, 1, CLIENTS)
        rounds = [[rate(port, requests, SECONDS, CLIENTS) for requests in ways] for _ in range(ROUNDS)]
    print(
        f"creating beside {data.contacts:,} contacts, {CLIENTS} clients; requests/s, {ROUNDS} rounds of {SECONDS:.0f} s"
    )
    print(f"{'round':<8} {'product':>10} {'bare view':>10} {'ratio':>6}")
    for number, (ours, raw) in enumerate(rounds, 1):
        print(f"{number:<8} {ours:>10.0f} {raw:>10.0f} {ours / raw:>6.2f}")
    figure("crm_create", statistics.median(ours / raw for ours, raw in rounds), GOAL)


def _requests(path: str, headers: dict[str, str], numbers: Iterator[int]) -> Iterator[bytes]:
    """Requests with people whom nobody has; several threads may take them."""
    given, family = names.given_names("latin"), names.family_names("latin")

    def request(number: int) -> bytes:
        return request_bytes(path, headers, _body(number, given, family))

    return map(request, numbers)


def _body(number: int, given: list[str], family: list[str]) -> bytes:
    from waplus.lib.ids import uuid7

    return json.dumps(
        {
            "id": str(uuid7()),
            "name": f"{given[number % len(given)]} {family[number * 7 % len(family)]}",
            "identities": [{"kind": "phone", "value": f"+49 176 {90_000_000 + number}"}],
        }
    ).encode()


def _check(workspace, body: bytes) -> None:
    """Whether an answer tells of a contact that is there with its number and is found by it."""
    from crm.models import Contact

    contact = Contact.objects.for_workspace(workspace).alive().get(pk=json.loads(body)["id"])
    identity = contact.identities.get()
    if _crm_data.found(workspace, identity.value) != [contact.pk]:
        raise RuntimeError(f"{contact} is not found by {identity}")
