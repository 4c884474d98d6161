"""How many requests: by plan and instance for those with a token, by address for the rest.

Fixed windows of a minute in the shared cache: one increment a request. A burst
at the seam of two windows may see twice the rate for a moment, which the
limits allow for.
"""

import time

from django.core.cache import cache
from rest_framework.throttling import BaseThrottle

WINDOW = 60


class WindowThrottle(BaseThrottle):
    """Counts requests of `identity()` in the present minute against `limit()`."""

    def identity(self, request) -> str:
        raise TypeError("a throttle names whom it counts")

    def limit(self, request) -> int:
        raise TypeError("a throttle names its limit")

    def allow_request(self, request, view) -> bool:
        self.now = time.time()
        key = f"throttle:{self.identity(request)}:{int(self.now // WINDOW)}"
        try:
            count = cache.incr(key)
        except ValueError:
            # `add` lets one of two racing requests win; the other one counts on.
            count = 1 if cache.add(key, 1, WINDOW * 2) else cache.incr(key)
        return count <= self.limit(request)

    def wait(self) -> float:
        return WINDOW - self.now % WINDOW


class AddressThrottle(WindowThrottle):
    """Requests without a token, by network address; subclasses set their own `scope` and `rate` (a minute)."""

    scope = "anonymous"
    rate = 60

    def identity(self, request) -> str:
        return f"{self.scope}:{self.get_ident(request)}"

    def limit(self, request) -> int:
        return self.rate


class PlanThrottle(WindowThrottle):
    """Requests with a token, by instance and at the rate of the workspace's plan; others by address."""

    def identity(self, request) -> str:
        return f"instance:{request.auth.instance.pk}" if request.auth else f"anonymous:{self.get_ident(request)}"

    def limit(self, request) -> int:
        return request.auth.workspace.plan.requests_per_minute if request.auth else AddressThrottle.rate


class TokenThrottle(AddressThrottle):
    """Exchange and refresh: tight, because this is where guessing would happen."""

    scope = "token"
    rate = 30


class RegistrationThrottle(AddressThrottle):
    """Registration of instances, by address."""

    scope = "registration"
    rate = 20
