"""The main job over HTTP, while everything runs, while processes are killed, and while the broker forgets everything.

One product a broker: the first test registers, logs in and imports; the others go on with the same devices.
"""

import threading
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

import pytest

from waplus.lib.ids import uuid7
from waplus.local import addresses
from waplus.tests.end_to_end.extension import Device, WhatsApp
from waplus.tests.end_to_end.product import wait_for
from waplus.tests.end_to_end.seed import PEOPLE

ADDRESS_BOOK = Path(addresses.PROJECT) / "crm" / "tests" / "data" / "google_contacts.csv"
MESSAGES = 20
PATIENCE = 40  # seconds; a new beat needs some to start, and then its first round


# A new number warms up, and keeps a distance between messages; that would take longer than a test.
NO_LIMITS = {
    **dict.fromkeys(("spacing_seconds", "jitter_seconds"), 0),
    **dict.fromkeys(("max_per_hour", "max_per_day", "max_new_per_day", "quiet_from", "quiet_until"), None),
    **dict.fromkeys(("warm_up_from", "min_reply_percent"), None),
}


@pytest.fixture(scope="module")
def devices(running) -> list[Device]:
    """Alice's and Bob's extension, installed and logged in."""
    product, _ = running
    devices = [Device(product.base_url, email) for email in PEOPLE]
    for device in devices:
        assert device.register()["id"] == device.instance_id
        assert device.log_in()["workspace"]["name"] == "Acme"
    return devices


@pytest.fixture(scope="module")
def numbers(devices) -> list[str]:
    """The ids of two WhatsApp numbers, told by one device and seen by both."""
    told = [
        devices[0].api("POST", "/whatsapp-accounts/", json={"jid": f"551191234567{last}@c.us"})["id"] for last in (1, 2)
    ]
    assert {number["id"] for number in devices[1].api("GET", "/whatsapp-accounts/")["results"]} == set(told)
    for number in told:
        devices[0].api("PATCH", f"/whatsapp-accounts/{number}/budget/", json=NO_LIMITS)
    return told


@contextmanager
def at_work(devices, numbers):
    """Both devices ask and send in threads of their own; what they meet is raised at the end."""
    whatsapp, done = WhatsApp(), threading.Event()
    with ThreadPoolExecutor(len(devices)) as pool:
        working = [pool.submit(device.work, numbers, whatsapp, done) for device in devices]
        try:
            yield whatsapp
        finally:
            done.set()
        for future in working:
            future.result()


def schedule(devices, numbers, count: int, first: float, last: float, start: int = 0) -> list[str]:
    """Schedule messages over all numbers, due evenly from `first` to `last` seconds; some share a chat."""
    ids = []
    for index in range(count):
        seconds = first + (last - first) * index / max(count - 1, 1)
        chat = f"55119000000{(start + index) // 4:02}@c.us"
        device = devices[index % len(devices)]
        ids.append(device.schedule(numbers[index % len(numbers)], chat, f"message {start + index}", seconds))
    return ids


def states(product, ids) -> list[str]:
    """Where messages are: `waiting` outside of the queue, else the queue's own word."""
    found = product.rows(
        "SELECT coalesce(q.state, s.state) FROM messaging_scheduledmessage s"
        " LEFT JOIN messaging_queuedmessage q ON q.scheduled_message_id = s.id WHERE s.id = ANY(%s::uuid[])",
        ids,
    )
    return sorted(state for (state,) in found)


def wait_until_sent(product, ids) -> None:
    try:
        wait_for(lambda: set(states(product, ids)) == {"sent"}, "all is sent", PATIENCE)
    except AssertionError as error:
        raise AssertionError(f"{error}; it stands at {states(product, ids)}\n{product.logs()}") from error


def check_sent_once(product, whatsapp, ids) -> None:
    """Each message was handed out once, sent once under its reserved id, in the order of its chat, and is told so."""
    assert states(product, ids) == ["sent"] * MESSAGES
    assert sorted(whatsapp.handed_out.values()) == [1] * MESSAGES
    assert len(whatsapp.sent) == len({message_id for _, _, message_id in whatsapp.sent}) == MESSAGES
    assert sorted(body for _, body, _ in whatsapp.sent) == sorted(f"message {index}" for index in range(MESSAGES))
    reserved = product.rows(
        "SELECT message_id FROM messaging_queuedmessage WHERE scheduled_message_id = ANY(%s::uuid[])", ids
    )
    assert {message_id for (message_id,) in reserved} == {message_id for _, _, message_id in whatsapp.sent}
    attempts = product.rows(
        "SELECT a.fence, a.outcome, count(*) FROM messaging_dispatchattempt a JOIN messaging_queuedmessage q"
        " ON q.id = a.message_id WHERE q.scheduled_message_id = ANY(%s::uuid[]) GROUP BY 1, 2",
        ids,
    )
    assert attempts == [(1, "sent", MESSAGES)]
    early = product.rows(
        "SELECT count(*) FROM messaging_dispatchattempt a JOIN messaging_queuedmessage q"
        " ON q.id = a.message_id WHERE a.claimed_at < q.due_at"
    )
    assert early == [(0,)]
    assert product.rows("SELECT used FROM accounts_usage WHERE resource = 'scheduled_messages'") == [(0,)]


def test_imports_finds_schedules_and_sends(running, devices, numbers):
    product, _ = running
    with ADDRESS_BOOK.open("rb") as stream:
        batch = devices[0].api(
            "POST",
            "/imports/",
            files={"file": (ADDRESS_BOOK.name, stream, "text/csv")},
            data={"id": str(uuid7()), "default_country": "BR"},
        )
    batch = wait_for(
        lambda: (b := devices[1].api("GET", f"/imports/{batch['id']}/"))["state"] == "finished" and b,
        "the import is finished",
        PATIENCE,
    )
    assert (batch["rows_total"], batch["rows_refused"]) == (1000, 5)
    found = devices[1].api("GET", "/contacts/", params={"q": "joao", "limit": 5})["results"]
    assert len(found) == 5
    contact = next(c for c in found if any(identity["kind"] == "phone" for identity in c["identities"]))
    with at_work(devices, numbers) as whatsapp:
        ids = schedule(devices, numbers, MESSAGES - 1, first=1, last=4)
        wall = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(time.time() + 2))
        to_contact = {
            "whatsapp_account": numbers[0],
            "recipients": [{"contact": contact["id"]}],
            "parts": [{"body": f"message {MESSAGES - 1}"}],
        }
        answer = devices[0].api(
            "POST", "/scheduled-messages/", json=to_contact | {"wall_time": wall, "time_zone": "UTC"}
        )
        ids.append(answer["id"])
        wait_until_sent(product, ids)
    check_sent_once(product, whatsapp, ids)
    phone = next(identity["value"] for identity in contact["identities"] if identity["kind"] == "phone")
    assert answer["recipients"][0]["chat_jid"] == phone.lstrip("+") + "@c.us"


def test_sends_once_although_processes_are_killed(running, devices, numbers):
    """Killed while messages are due: half of them before they could be queued, and all of the rest."""
    product, _ = running
    with at_work(devices, numbers) as whatsapp:
        ids = schedule(devices, numbers, MESSAGES // 2, first=0.5, last=2)
        product.kill("worker")
        product.kill("beat")
        late = schedule(devices, numbers, MESSAGES // 2, first=0.5, last=1.5, start=MESSAGES // 2)
        time.sleep(2)
        assert states(product, late) == ["waiting"] * (MESSAGES // 2)  # control: nobody else does their work
        product.start("worker")
        product.start("beat")
        wait_until_sent(product, ids + late)
    check_sent_once(product, whatsapp, ids + late)


def test_sends_once_although_broker_is_emptied(running, devices, numbers):
    """Every hint of these messages is lost before a worker could read it, and beat dies in between."""
    product, broker = running
    lost = 0
    with at_work(devices, numbers) as whatsapp:
        product.freeze("worker")
        try:
            ids = schedule(devices, numbers, MESSAGES, first=0.5, last=2)
            lost += broker.empty()
            product.kill("beat")
            time.sleep(2.5)
            assert states(product, ids) == ["waiting"] * MESSAGES
            lost += broker.empty()
        finally:
            product.thaw("worker")
        product.start("beat")
        for _ in range(20):
            lost += broker.empty()
            time.sleep(0.05)
        wait_until_sent(product, ids)
    assert lost >= MESSAGES - 4  # one hint a message; a frozen worker may hold a few
    check_sent_once(product, whatsapp, ids)
