"""Production refuses to start on unsafe settings, and says what to do."""

import os
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest
from cryptography.fernet import Fernet
from django.conf import settings as real_settings
from django.core.checks import Tags, run_checks

from waplus import checks
from waplus.checks import check_environment, check_production

ROOT = Path(real_settings.BASE_DIR)
ORIGIN = "chrome-extension://" + "a" * 32
FERNET = Fernet.generate_key().decode()

# Everything that production needs, as an administrator would write it.
SAFE = {
    "WAPLUS_ENV": "production",
    "SECRET_KEY": "s" * 60,
    "ENCRYPTION_KEYS": FERNET,
    "SUPPRESSION_PEPPER": "p" * 48,
    "ALLOWED_HOSTS": "crm.example.com",
    "BASE_URL": "https://crm.example.com",
    "EXTENSION_ORIGINS": ORIGIN,
    "CACHE_URL": "redis://cache.internal:6379/0",
    "CELERY_BROKER_URL": "redis://broker.internal:6379/0",
    "DATABASE_URL": "postgres://waplus:secret@db.internal:5432/waplus",
    "EMAIL_URL": "smtp+tls://user:password@mail.example.com:587",
    "DEFAULT_FROM_EMAIL": "WAPlus CRM <no-reply@crm.example.com>",
    "WEB_PROCESSES": "4",
}


@pytest.fixture
def production(monkeypatch) -> SimpleNamespace:
    """Settings that production accepts, to make one of them bad."""
    accepted = SimpleNamespace(
        WAPLUS_ENV="production",
        PRODUCTION=True,
        DEBUG=False,
        SECRET_KEY=SAFE["SECRET_KEY"],
        ENCRYPTION_KEYS=[FERNET],
        SUPPRESSION_PEPPER=SAFE["SUPPRESSION_PEPPER"],
        ALLOWED_HOSTS=["crm.example.com"],
        BASE_URL=SAFE["BASE_URL"],
        WAKE_UP_URL="https://wake.example.com/api/v1/sync/events",
        EXTENSION_ORIGINS=[ORIGIN],
        MEDIA_HOST="https://files.example.com",
        MINIMUM_EXTENSION_VERSION="1.0.0",
        CACHE_URL=SAFE["CACHE_URL"],
        WEB_PROCESSES=4,
        CELERY_BROKER_URL=SAFE["CELERY_BROKER_URL"],
        EMAIL_BACKEND="django.core.mail.backends.smtp.EmailBackend",
        DEFAULT_FROM_EMAIL=SAFE["DEFAULT_FROM_EMAIL"],
        DATABASE_URL=SAFE["DATABASE_URL"],
        DATABASES={"default": {"HOST": "db.internal", "PASSWORD": "secret"}},
        SESSION_COOKIE_SECURE=True,
        MINIMUM_AGE=16,
    )
    monkeypatch.setattr(checks, "settings", accepted)
    return accepted


def refusals() -> list[str]:
    return [error.id for error in check_production(None)]


def test_accepts_safe_production(production):
    assert refusals() == []
    assert check_environment(None) == []


UNSAFE = [
    ("waplus.E010", {"DEBUG": True}, "DEBUG"),
    ("waplus.E011", {"SECRET_KEY": ""}, "SECRET_KEY"),
    ("waplus.E011", {"SECRET_KEY": "s" * 49}, "SECRET_KEY"),
    ("waplus.E012", {"ENCRYPTION_KEYS": []}, "ENCRYPTION_KEYS"),
    ("waplus.E013", {"ENCRYPTION_KEYS": [SAFE["SECRET_KEY"]]}, "SECRET_KEY"),
    ("waplus.E026", {"SUPPRESSION_PEPPER": "p" * 31}, "SUPPRESSION_PEPPER"),
    ("waplus.E027", {"SUPPRESSION_PEPPER": SAFE["SECRET_KEY"]}, "SUPPRESSION_PEPPER"),
    ("waplus.E027", {"SUPPRESSION_PEPPER": FERNET}, "SUPPRESSION_PEPPER"),
    ("waplus.E014", {"ALLOWED_HOSTS": []}, "ALLOWED_HOSTS"),
    ("waplus.E014", {"ALLOWED_HOSTS": ["crm.example.com", "*"]}, "ALLOWED_HOSTS"),
    ("waplus.E015", {"BASE_URL": "http://crm.example.com"}, "BASE_URL"),
    ("waplus.E015", {"BASE_URL": "https://localhost:8000"}, "BASE_URL"),
    ("waplus.E015", {"BASE_URL": "https://127.0.0.1"}, "BASE_URL"),
    ("waplus.E015", {"BASE_URL": "https://"}, "BASE_URL"),
    ("waplus.E016", {"EXTENSION_ORIGINS": []}, "EXTENSION_ORIGINS"),
    ("waplus.E017", {"CACHE_URL": ""}, "CACHE_URL"),
    ("waplus.E018", {"CELERY_BROKER_URL": "filesystem://"}, "CELERY_BROKER_URL"),
    ("waplus.E018", {"CELERY_BROKER_URL": "memory://"}, "CELERY_BROKER_URL"),
    ("waplus.E019", {"EMAIL_BACKEND": "django.core.mail.backends.console.EmailBackend"}, "EMAIL_URL"),
    ("waplus.E019", {"EMAIL_BACKEND": "django.core.mail.backends.filebased.EmailBackend"}, "EMAIL_URL"),
    ("waplus.E020", {"DEFAULT_FROM_EMAIL": "WAPlus CRM <no-reply@localhost>"}, "DEFAULT_FROM_EMAIL"),
    ("waplus.E021", {"DATABASES": {"default": {"HOST": "db.internal", "PASSWORD": ""}}}, "DATABASE_URL"),
    ("waplus.E022", {"SESSION_COOKIE_SECURE": False}, "identity cookie"),
    ("waplus.E023", {"MINIMUM_AGE": 12}, "MINIMUM_AGE"),
    ("waplus.E024", {"DATABASE_URL": ""}, "DATABASE_URL"),
    ("waplus.E025", {"WAKE_UP_URL": "http://crm.example.com/api/v1/sync/events"}, "WAKE_UP_URL"),
    ("waplus.E025", {"WAKE_UP_URL": "https://localhost/api/v1/sync/events"}, "WAKE_UP_URL"),
    ("waplus.E026", {"MEDIA_HOST": "http://files.example.com"}, "MEDIA_HOST"),
]


def test_refuses_each_unsafe_setting_with_a_sentence(production):
    for id, change, named in UNSAFE:
        kept = {name: getattr(production, name) for name in change}
        for name, value in change.items():
            setattr(production, name, value)
        errors = check_production(None)
        assert (change, [error.id for error in errors]) == (change, [id])
        assert named in errors[0].msg
        assert errors[0].msg.endswith(".")
        assert errors[0].hint
        assert errors[0].is_serious()
        for name, value in kept.items():
            setattr(production, name, value)
    assert refusals() == []


def test_every_refusal_is_tested(production):
    """Whoever adds a condition adds its line above."""
    source = (ROOT / "waplus" / "checks.py").read_text()
    conditions = {
        f"waplus.E0{number}" for number in range(10, 40) if f"({number}," in source.replace("\n            ", "")
    }
    assert conditions == {id for id, _, _ in UNSAFE}


def test_database_on_a_socket_needs_no_password(production):
    for host in ("", "/var/run/postgresql"):
        production.DATABASES = {"default": {"HOST": host, "PASSWORD": ""}}
        assert refusals() == []


def test_development_may_be_convenient(settings):
    settings.PRODUCTION = False
    settings.SECRET_KEY = ""
    settings.ALLOWED_HOSTS = ["*"]
    assert refusals() == []


WRONG_EVERYWHERE = [
    ("waplus.E001", {"WAPLUS_ENV": "prod"}),
    ("waplus.E002", {"MINIMUM_EXTENSION_VERSION": "one"}),
    ("waplus.E003", {"EXTENSION_ORIGINS": ["*"]}),
    ("waplus.E003", {"EXTENSION_ORIGINS": ["chrome-extension://*"]}),
    ("waplus.E003", {"EXTENSION_ORIGINS": [ORIGIN + "/"]}),
    ("waplus.E003", {"EXTENSION_ORIGINS": ["https://" + "a" * 32]}),
    ("waplus.E003", {"EXTENSION_ORIGINS": ["chrome-extension://evil/" + "a" * 32]}),
    ("waplus.E004", {"WEB_PROCESSES": 2, "CACHE_URL": ""}),
    ("waplus.E005", {"ENCRYPTION_KEYS": [FERNET, "no key"]}),
    ("waplus.E005", {"ENCRYPTION_KEYS": ["schlüssel"]}),
]


def test_refuses_what_is_wrong_everywhere(settings):
    assert check_environment(None) == []
    for id, change in WRONG_EVERYWHERE:
        kept = {name: getattr(settings, name) for name in change}
        for name, value in change.items():
            setattr(settings, name, value)
        assert (change, [error.id for error in check_environment(None)]) == (change, [id])
        for name, value in kept.items():
            setattr(settings, name, value)


def test_no_refusal_tells_a_secret(production):
    production.SECRET_KEY = "canary-short"
    production.ENCRYPTION_KEYS = ["canary-of-a-key"]
    errors = [*check_production(None), *check_environment(None)]
    assert {error.id for error in errors} == {"waplus.E011", "waplus.E005"}
    assert "canary" not in " ".join(f"{error.msg} {error.hint}" for error in errors)


def test_checks_are_among_those_of_every_command(settings):
    settings.WAPLUS_ENV = "prod"
    assert "waplus.E001" in [error.id for error in run_checks(tags=[Tags.security])]


# --- The real thing -------------------------------------------------------------------------------


def run(*arguments: str, **variables: str) -> subprocess.CompletedProcess:
    """Python in the environment of an installation: only what is given, and the way to Python itself."""
    kept = {name: os.environ[name] for name in ("PATH", "HOME", "LANG") if name in os.environ}
    return subprocess.run(
        [sys.executable, *arguments], cwd=ROOT, env={**kept, **variables}, capture_output=True, text=True, timeout=120
    )


NAMED = [
    "SECRET_KEY",
    "ENCRYPTION_KEYS",
    "SUPPRESSION_PEPPER",
    "ALLOWED_HOSTS",
    "BASE_URL",
    "EXTENSION_ORIGINS",
    "CACHE_URL",
    "CELERY_BROKER_URL",
    "EMAIL_URL",
    "DEFAULT_FROM_EMAIL",
]


def test_bare_production_does_not_start():
    answer = run("manage.py", "check", WAPLUS_ENV="production")
    assert answer.returncode != 0
    assert [name for name in NAMED if name not in answer.stderr] == []


def test_safe_production_starts():
    answer = run("manage.py", "check", **SAFE)
    assert answer.returncode == 0, answer.stderr
    assert "System check identified no issues" in answer.stdout + answer.stderr


def test_web_process_refuses_unsafe_settings_and_takes_safe_ones():
    load = "from waplus.wsgi import application; print(type(application).__name__)"
    unsafe = run("-c", load, **{**SAFE, "DEBUG": "on", "BASE_URL": "http://crm.example.com"})
    assert unsafe.returncode != 0
    assert "ImproperlyConfigured" in unsafe.stderr
    assert "DEBUG is on" in unsafe.stderr
    assert "BASE_URL is not a public https address. Set it to https://your.domain." in unsafe.stderr
    safe = run("-c", load, **SAFE)
    assert (safe.returncode, safe.stdout.strip()) == (0, "WSGIHandler"), safe.stderr


def test_cookies_and_transport_are_strict_in_production():
    look = (
        "import django; django.setup(); from django.conf import settings as s; "
        "print(s.SESSION_COOKIE_SECURE, s.CSRF_COOKIE_SECURE, s.SECURE_SSL_REDIRECT, s.SECURE_HSTS_SECONDS, "
        "s.SESSION_COOKIE_NAME, s.SESSION_COOKIE_HTTPONLY, s.SESSION_COOKIE_SAMESITE, s.DEBUG, s.CORS_ALLOWED_ORIGINS)"
    )
    answer = run("-c", look, DJANGO_SETTINGS_MODULE="waplus.settings", **SAFE)
    assert answer.stdout.strip() == f"True True True 31536000 waplus_identity True Lax False ['{ORIGIN}']", (
        answer.stderr
    )
