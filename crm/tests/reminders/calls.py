"""Requests of reminders in one line each, and what is stored."""

from accounts.models import Event
from crm.models import Reminder, ReminderDelivery

REMINDERS = "/api/v1/reminders/"


def post(device, **values):
    """Ask for a reminder at one o'clock in UTC today (an hour from noon); values replace those."""
    payload = {"text": "Call Ana", "wall_time": "2026-06-01T13:00:00", "time_zone": "UTC", **values}
    return device.client.post(REMINDERS, {name: value for name, value in payload.items() if value is not ...})


def created(device, **values) -> dict:
    answer = post(device, **values)
    assert answer.status_code == 201, answer.json()
    return answer.json()


def path_of(reminder) -> str:
    return f"{REMINDERS}{reminder['id']}/"


def read(device, reminder) -> dict:
    answer = device.client.get(path_of(reminder))
    assert answer.status_code == 200, answer.json()
    return answer.json()


def edit(device, reminder, **values):
    return device.client.patch(path_of(reminder), values)


def act(device, reminder, what: str, **values):
    """Snooze, done, reopen or deliver."""
    return device.client.post(f"{path_of(reminder)}{what}/", values)


def ids(device, **query) -> list[str]:
    """The ids that a list answers, in order."""
    answer = device.client.get(REMINDERS, query)
    assert answer.status_code == 200, answer.json()
    return [row["id"] for row in answer.json()["results"]]


def problem(answer) -> tuple:
    """Status and code of a refusal, and field and code of each field that is wrong."""
    body = answer.json()
    return (answer.status_code, body["code"], *((error["field"], error["code"]) for error in body.get("errors", [])))


def stored() -> list:
    """Everything that there is of reminders, to see that a refusal changed nothing."""
    return [
        *Reminder.objects.order_by("id").values_list(),
        *ReminderDelivery.objects.order_by("id").values_list(),
        Event.objects.filter(kind__startswith="reminder.").count(),
    ]


def story(reminder) -> list[tuple[str, list[str]]]:
    """The events of a reminder with the names of what changed."""
    return list(Event.objects.filter(object_id=reminder["id"]).order_by("id").values_list("kind", "changed"))
