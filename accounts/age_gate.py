"""The age gate at sign-up: judge a birth date, keep only that a browser was turned away."""

from datetime import date

from allauth.core import context
from django.conf import settings
from django.core import signing
from django.core.exceptions import ValidationError
from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

COOKIE = "waplus_visit"
LIFE = 24 * 3600
_SALT = "accounts.age_gate"


def age_on(born: date, day: date) -> int:
    """Full years between a birth date and a day; who is born on 29 February has the birthday on 1 March otherwise."""
    return day.year - born.year - ((day.month, day.day) < (born.month, born.day))


class AgeGate:
    """The gate for one request. A browser is known by a signed cookie, a client without cookies by its address."""

    def __init__(self, request: HttpRequest):
        self.request = request

    @classmethod
    def current(cls) -> "AgeGate":
        return cls(context.request)

    def judge(self, born: date) -> None:
        """Raise the same plain refusal for one who is too young and for one who tries again with another date."""
        today = timezone.now().date()
        if born > today or born.year < 1900:
            raise ValidationError(_("Enter the date on which you were born."), code="invalid")
        if self._was_refused() or age_on(born, today) < settings.MINIMUM_AGE:
            self.request.age_refused = True
            raise ValidationError(_("We cannot open an account for you."), code="age_not_accepted")

    def _was_refused(self) -> bool:
        try:
            signing.loads(self.request.COOKIES.get(COOKIE, ""), salt=_SALT, max_age=LIFE)
        except signing.BadSignature:
            return False
        return True


class AgeGateMiddleware:
    """Leaves the mark in a browser that was turned away. It says so and nothing else: no date, no person."""

    def __init__(self, get_response):
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        response = self.get_response(request)
        if getattr(request, "age_refused", False):
            response.set_cookie(
                COOKIE,
                signing.dumps(1, salt=_SALT),
                max_age=LIFE,
                httponly=True,
                secure=settings.SESSION_COOKIE_SECURE,
                samesite="Lax",
            )
        return response
