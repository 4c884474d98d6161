"""The walk: every route, every method, as everybody who should get nowhere."""

import re
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from django.core.cache import cache
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import transaction
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver
from rest_framework.test import APIClient

from waplus.tests.route_walk.coverage import QUERY, Kind, Route, fill, route_of
from waplus.tests.route_walk.target import Target, fingerprint, writes

METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE")


def routes() -> Iterator[tuple[str, str]]:
    """Every route of the URL configuration as (name with namespaces, pattern)."""
    yield from _routes(get_resolver(), "", "")


def _routes(resolver: URLResolver, prefix: str, namespace: str) -> Iterator[tuple[str, str]]:
    for entry in resolver.url_patterns:
        pattern = prefix + str(entry.pattern)
        if isinstance(entry, URLPattern):
            yield namespace + (entry.name or f"<{pattern}>"), pattern
        else:
            yield from _routes(entry, pattern, namespace + (f"{entry.namespace}:" if entry.namespace else ""))


def path_of(pattern: str, route: Route, ids: dict) -> str:
    """A path of a route, its parameters filled with Acme's ids."""

    def value(found: re.Match) -> str:
        converter, _, name = found[1].rpartition(":")
        if name in route.params:
            return fill(route.params[name], ids)
        return "1" if converter == "int" else str(ids["contact"])

    path = re.sub(r"<([^>]+)>", value, pattern.replace("(?P<uidb36>[0-9A-Za-z]+)", "1").replace("(?P<key>.+)", "key"))
    path = re.sub(r"\(\?P<url>\.\*\)", "nowhere", path)
    return "/" + path.replace("^", "").replace("$", "").replace("\\Z", "")


@dataclass(frozen=True)
class Persona:
    """Somebody who has no business in Acme, and how they show themselves.

    `only_api`: somebody with a token that no longer works, who elsewhere is anonymous.
    """

    name: str
    client: Callable[[], Client]
    has_token: bool = False
    only_api: bool = False

    def walks(self, name: str) -> bool:
        return name.startswith("api-") or not self.only_api


@dataclass
class Report:
    """What the walk found."""

    requests: Counter = field(default_factory=Counter)
    statuses: Counter = field(default_factory=Counter)
    leaks: list[str] = field(default_factory=list)
    changes: list[str] = field(default_factory=list)
    wrong: list[str] = field(default_factory=list)
    uncovered: list[str] = field(default_factory=list)

    def summary(self) -> str:
        by_persona = ", ".join(f"{name} {count}" for name, count in self.requests.items())
        by_status = ", ".join(f"{status}: {count}" for status, count in sorted(self.statuses.items()))
        return (
            f"route walk: {sum(self.requests.values())} requests ({by_persona}); answers {by_status}; "
            f"{len(self.leaks)} leaks, {len(self.changes)} changes, {len(self.wrong)} wrong answers"
        )


def ask(client: Client, method: str, path: str, route: Route, ids: dict):
    """One request with Acme's ids in path, query and payload."""
    cache.clear()
    query = "&".join(f"{key}={fill(value, ids)}" for key, value in QUERY.items())
    url = f"{path}?{query}"
    if method in ("GET", "HEAD", "OPTIONS", "TRACE"):
        return client.generic(method, url)
    payload = fill(route.payload, ids)
    if route.kind in (Kind.SESSION, Kind.STAFF) or not isinstance(client, APIClient):
        payload["workspace"] = str(ids["workspace"])
        return client.post(url, payload) if method == "POST" else client.generic(method, url)
    if route.multipart:
        file = SimpleUploadedFile("c.csv", b"First Name,Phone 1 - Value\nA,+4915112345670\n", "text/csv")
        return getattr(client, method.lower())(url, {**payload, "file": file}, format="multipart")
    return getattr(client, method.lower())(url, payload, format="json")


def walk(target: Target, personas: list[Persona], prefix: str = "") -> Report:
    """Walk every route (whose name begins with `prefix`) as everybody.

    Each request is rolled back, so that none profits from the one before.
    """
    report = Report()
    secrets = [secret.encode() for secret in target.secrets()]
    before = fingerprint(target)
    for name, pattern in routes():
        if not name.startswith(prefix):
            continue
        route = route_of(name)
        if route is None:
            report.uncovered.append(f"{name} ({pattern})")
            continue
        path = path_of(pattern, route, target.ids)
        for persona in (persona for persona in personas if persona.walks(name)):
            for method in METHODS:
                _try(report, target, secrets, before, persona, method, path, route)
    return report


def _try(report, target, secrets, before, persona: Persona, method: str, path: str, route: Route) -> None:
    client = persona.client()
    client.raise_request_exception = False
    with transaction.atomic():
        written = writes()
        answer = ask(client, method, path, route, target.ids)
        now = fingerprint(target) if writes() != written else before
        changed = [table for table, value in now.items() if value != before[table]]
        transaction.set_rollback(True)
    what = f"{persona.name}: {method} {path} answered {answer.status_code}"
    report.requests[persona.name] += 1
    report.statuses[answer.status_code] += 1
    if changed:
        report.changes.append(f"{what} and changed {', '.join(changed)}")
    if answer.status_code >= 500:
        report.wrong.append(what)
    body = answer.getvalue() if not answer.streaming else b"".join(answer.streaming_content)
    echoed = [part.encode() for part in (path, answer.get("Location", "")) if part]
    for part in echoed:
        body = body.replace(part, b"")
    leaked = [secret.decode() for secret in secrets if secret in body.replace(QUERY["q"].encode(), b"", 0)]
    if route.shown_by_secret:
        leaked = []
    if leaked and not _only_echo(body, leaked, target):
        report.leaks.append(f"{what} and showed {', '.join(leaked)}")
    _judge_status(report, what, persona, method, answer.status_code, route)


def _only_echo(body: bytes, leaked: list[str], target: Target) -> bool:
    """Whether all that was seen is the caller's own input repeated: ids stand in a query string, the canary as its `q`."""
    text = body.decode(errors="replace")
    for key, value in QUERY.items():
        text = text.replace(f"{key}={fill(value, target.ids)}", "").replace(f"{key}%3D{fill(value, target.ids)}", "")
    # A search box shows what was searched for, and a page may say that it found nothing of it.
    for mark in ('value="{}"', "“{}”"):
        text = text.replace(mark.format(QUERY["q"]), "")
    # A form that is shown again keeps the id that it was sent with.
    for secret in leaked:
        text = text.replace(f'name="id" value="{secret}"', "")
    return not any(secret in text for secret in leaked)


def _judge_status(report: Report, what: str, persona: Persona, method: str, status: int, route: Route) -> None:
    if method in ("OPTIONS", "TRACE"):
        return
    if route.kind is Kind.TOKEN and not persona.has_token and status not in (401, 405, 406):
        report.wrong.append(f"{what}, not 401")
    with_ids = any(value.startswith("{") for value in route.params.values())
    if with_ids and route.kind is Kind.TOKEN and persona.has_token and status not in (404, 403, 405):
        report.wrong.append(f"{what}, not 404")
    if route.kind is Kind.STAFF and status == 200:
        report.wrong.append(f"{what}, not a refusal")
    if route.kind is Kind.SESSION and persona.name == "anonymous" and status == 200:
        report.wrong.append(f"{what}, not a way to the login")
