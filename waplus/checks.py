"""What production must have before it may start: each refusal says what to do.

They are ordinary checks and not `--deploy` ones, so every
management command and the web process's start (`waplus.wsgi`) meet them.
"""

import re
from urllib.parse import urlsplit

from cryptography.fernet import Fernet
from django.conf import settings
from django.core.checks import Error, Tags, register

from waplus.lib.api.versions import version_key

_ORIGIN = re.compile("chrome-extension://[a-z]{32}")


def _refusal(number: int, sentence: str, hint: str) -> Error:
    return Error(sentence, hint=hint, id=f"waplus.E{number:03}")


def _is_fernet_key(key: str) -> bool:
    try:
        Fernet(key)
    except ValueError:
        return False
    return True


@register(Tags.security)
def check_environment(app_configs, **kwargs) -> list[Error]:
    """Settings that are wrong everywhere."""
    errors = []
    if settings.WAPLUS_ENV not in ("development", "test", "production"):
        errors.append(
            _refusal(1, f"WAPLUS_ENV is {settings.WAPLUS_ENV!r}.", "Set it to development, test or production.")
        )
    if version_key(settings.MINIMUM_EXTENSION_VERSION) is None:
        errors.append(_refusal(2, "MINIMUM_EXTENSION_VERSION is no version.", "Write it like 1.2.3."))
    for origin in settings.EXTENSION_ORIGINS:
        if not _ORIGIN.fullmatch(origin):
            errors.append(
                _refusal(
                    3, f"EXTENSION_ORIGINS has {origin!r}.", "Name exact origins: chrome-extension://<32 letters>."
                )
            )
    for position, key in enumerate(settings.ENCRYPTION_KEYS, 1):
        if not _is_fernet_key(key):
            errors.append(
                _refusal(
                    5,
                    f"Key {position} of ENCRYPTION_KEYS is no Fernet key.",
                    "Make one with: python -c 'from cryptography.fernet import Fernet; print(Fernet.generate_key().decode())'",
                )
            )
    media, base = urlsplit(settings.MEDIA_HOST), urlsplit(settings.BASE_URL)
    if settings.MEDIA_HOST and (
        media.scheme not in ("http", "https") or not media.hostname or media.path or media.netloc == base.netloc
    ):
        errors.append(
            _refusal(
                6,
                f"MEDIA_HOST is {settings.MEDIA_HOST!r}.",
                "Write an origin other than that of BASE_URL, such as https://files.example.com.",
            )
        )
    if settings.WEB_PROCESSES > 1 and not settings.CACHE_URL:
        errors.append(
            _refusal(
                4,
                "Several web processes have no shared cache, so rate limits would not hold.",
                "Set CACHE_URL to a Redis.",
            )
        )
    return errors


@register(Tags.security)
def check_production(app_configs, **kwargs) -> list[Error]:
    """What is convenient in development and unsafe in production."""
    if not settings.PRODUCTION:
        return []
    base, wake_ups = urlsplit(settings.BASE_URL), urlsplit(settings.WAKE_UP_URL)
    local = ("localhost", "127.0.0.1", "::1", None)
    conditions = [
        (10, settings.DEBUG, "DEBUG is on: it shows settings and data to strangers.", "Unset DEBUG."),
        (
            11,
            len(settings.SECRET_KEY) < 50,
            "SECRET_KEY is missing or short.",
            "Set it to 50 or more random characters.",
        ),
        (
            12,
            not settings.ENCRYPTION_KEYS,
            "ENCRYPTION_KEYS is missing: secrets could not be kept.",
            "Make one with: python -c 'from cryptography.fernet import Fernet; print(Fernet.generate_key().decode())'",
        ),
        (
            13,
            settings.SECRET_KEY in settings.ENCRYPTION_KEYS,
            "SECRET_KEY serves as an encryption key, too.",
            "Give ENCRYPTION_KEYS keys of its own.",
        ),
        (
            14,
            not settings.ALLOWED_HOSTS or "*" in settings.ALLOWED_HOSTS,
            "ALLOWED_HOSTS is empty or open.",
            "Name the host names that you serve.",
        ),
        (
            15,
            base.scheme != "https" or base.hostname in local,
            "BASE_URL is not a public https address.",
            "Set it to https://your.domain.",
        ),
        (
            16,
            not settings.EXTENSION_ORIGINS,
            "EXTENSION_ORIGINS is empty: the extension could not log in.",
            "Set it to chrome-extension://<id of your extension>.",
        ),
        (
            17,
            not settings.CACHE_URL,
            "CACHE_URL is missing: rate limits would count in each process apart.",
            "Set it to a Redis.",
        ),
        (
            18,
            settings.CELERY_BROKER_URL.startswith(("filesystem:", "memory:")),
            "CELERY_BROKER_URL is missing.",
            "Set it to a Redis or RabbitMQ.",
        ),
        (
            19,
            settings.EMAIL_BACKEND.rpartition(".")[0].endswith(("console", "filebased", "locmem", "dummy")),
            "EMAIL_URL sends no mail.",
            "Set it like smtp+tls://user:password@host:587.",
        ),
        (
            26,
            bool(settings.MEDIA_HOST) and not settings.MEDIA_HOST.startswith("https://"),
            "MEDIA_HOST is no https address.",
            "Set it to https://files.your.domain, or unset it.",
        ),
        (
            20,
            "localhost" in settings.DEFAULT_FROM_EMAIL,
            "DEFAULT_FROM_EMAIL is missing.",
            "Set it to an address of your domain.",
        ),
        (
            21,
            not settings.DATABASES["default"].get("PASSWORD")
            and settings.DATABASES["default"].get("HOST", "") not in ("", None)
            and not settings.DATABASES["default"]["HOST"].startswith("/"),
            "DATABASE_URL has no password.",
            "Give the database's user a password.",
        ),
        (
            22,
            not settings.SESSION_COOKIE_SECURE,
            "The identity cookie could travel without TLS.",
            "Leave SESSION_COOKIE_SECURE on.",
        ),
        (
            24,
            not settings.DATABASE_URL,
            "DATABASE_URL is missing.",
            "Set it to a PostgreSQL: postgres://user:password@host/database.",
        ),
        (
            25,
            wake_ups.scheme != "https" or wake_ups.hostname in local,
            "WAKE_UP_URL is not a public https address.",
            "Leave it out to serve it under BASE_URL, or set it to https://your.domain/api/v1/sync/events.",
        ),
        (
            26,
            len(settings.SUPPRESSION_PEPPER) < 32,
            "SUPPRESSION_PEPPER is missing or short.",
            "Set it to 32 or more random characters, once and for all: openssl rand -base64 48",
        ),
        (
            27,
            settings.SUPPRESSION_PEPPER in (settings.SECRET_KEY, *settings.ENCRYPTION_KEYS),
            "SUPPRESSION_PEPPER serves as another key, too.",
            "Give it a value of its own: the others change, it does not.",
        ),
        (23, settings.MINIMUM_AGE < 13, "MINIMUM_AGE is below 13.", "Set it to 13 or more."),
    ]
    return [_refusal(number, sentence, hint) for number, wrong, sentence, hint in conditions if wrong]
