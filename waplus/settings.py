"""Settings: read once from the environment, checked at boot (`waplus/checks.py`).

Every variable is described in `.env.example`. In development everything has a
default, so that `make run` needs none; in production (`WAPLUS_ENV=production`)
the system checks refuse what would be unsafe and say what to do instead.
"""

from datetime import timedelta
from pathlib import Path
from urllib.parse import urlsplit

import environ
from csp.constants import NONCE, NONE, SELF
from django.urls import reverse_lazy
from django.utils.translation import gettext_lazy as _

from waplus.local import addresses

BASE_DIR = Path(__file__).resolve().parent.parent
env = environ.Env()

VERSION = "0.1.0"
WAPLUS_ENV = env.str("WAPLUS_ENV", "development")
PRODUCTION = WAPLUS_ENV == "production"
DEBUG = env.bool("DEBUG", False)


def _secret(name: str) -> str:
    """A secret of the environment; in development one that is made once and kept under `.local/`."""
    return env.str(name, "") or ("" if PRODUCTION else addresses.development_secret(name))


# Django stops at an empty key; our checks refuse this one together with everything else that is missing.
SECRET_KEY = _secret("SECRET_KEY") or "missing"
SECRET_KEY_FALLBACKS = env.list("SECRET_KEY_FALLBACKS", default=[])
BASE_URL = env.str("BASE_URL", "http://localhost:8000").rstrip("/")
ALLOWED_HOSTS = env.list(
    "ALLOWED_HOSTS", default=[] if PRODUCTION else ["localhost", "127.0.0.1", "[::1]", "testserver"]
)
# Where files that people uploaded are loaded from, when that is not BASE_URL: an origin that serves nothing else.
MEDIA_HOST = env.str("MEDIA_HOST", "").rstrip("/")
if MEDIA_HOST:
    ALLOWED_HOSTS.append(urlsplit(MEDIA_HOST).hostname or "")
EXTENSION_ORIGINS = env.list(
    "EXTENSION_ORIGINS", default=[] if PRODUCTION else ["chrome-extension://waplusdevelopmentextensionaaaaaa"]
)
MINIMUM_EXTENSION_VERSION = env.str("MINIMUM_EXTENSION_VERSION", "1.0.0")
MINIMUM_AGE = env.int("MINIMUM_AGE", 16)

INSTALLED_APPS = [
    "waplus",
    "unfold.apps.BasicAppConfig",
    "waplus.apps.StaffAdminConfig",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "django.contrib.humanize",
    "django.contrib.postgres",
    "allauth",
    "allauth.account",
    "allauth.headless",
    "allauth.mfa",
    "allauth.usersessions",
    "corsheaders",
    "csp",
    "django_celery_beat",
    "django_htmx",
    "drf_spectacular",
    "drf_spectacular_sidecar",
    "rest_framework",
    "accounts",
    "crm",
    "messaging",
]

MIDDLEWARE = [
    "waplus.lib.request_id.RequestIdMiddleware",
    "django.middleware.security.SecurityMiddleware",
    "waplus.lib.media_host.MediaHostMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "corsheaders.middleware.CorsMiddleware",
    "waplus.lib.content_security.ContentSecurityMiddleware",
    "waplus.lib.limits.BodySizeMiddleware",
    "waplus.lib.api.versions.ClientVersionMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "accounts.middleware.PageLanguageMiddleware",
    "waplus.lib.api.paths.PagePathsMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "allauth.account.middleware.AccountMiddleware",
    "allauth.usersessions.middleware.UserSessionsMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
    "accounts.middleware.PrivateResponsesMiddleware",
    "accounts.middleware.PersonTimeZoneMiddleware",
    "accounts.age_gate.AgeGateMiddleware",
]

ROOT_URLCONF = "waplus.urls"
WSGI_APPLICATION = "waplus.wsgi.application"
APPEND_SLASH = True

TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "csp.context_processors.nonce",
                "accounts.context_processors.current_workspace",
            ],
        },
    },
]

# --- PostgreSQL, broker, cache -------------------------------------------------------------------

DATABASE_URL = env.str("DATABASE_URL", "")
DATABASES = {"default": env.db_url_config(DATABASE_URL or addresses.default_database_url())}
DATABASES["default"].update(
    ATOMIC_REQUESTS=False,
    CONN_MAX_AGE=env.int("DATABASE_CONNECTION_AGE", 60),
    CONN_HEALTH_CHECKS=True,
)
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

CELERY_BROKER_URL = env.str("CELERY_BROKER_URL", "") or addresses.default_broker_url()
if CELERY_BROKER_URL.startswith("filesystem:"):
    CELERY_BROKER_TRANSPORT_OPTIONS = addresses.default_broker_transport_options()
CELERY_TASK_IGNORE_RESULT = True
CELERY_TASK_ACKS_LATE = True
CELERY_TASK_REJECT_ON_WORKER_LOST = False
CELERY_TASK_TIME_LIMIT = 15 * 60
CELERY_WORKER_PREFETCH_MULTIPLIER = 1
CELERY_WORKER_HIJACK_ROOT_LOGGER = False
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
CELERY_BROKER_CONNECTION_TIMEOUT = 4
CELERY_TASK_PUBLISH_RETRY_POLICY = {"max_retries": 1, "interval_start": 0, "interval_step": 0.2}
CELERY_TIMEZONE = "UTC"
CELERY_BEAT_MAX_LOOP_INTERVAL = 5

CACHE_URL = env.str("CACHE_URL", "")
CACHES = {
    "default": (
        {"BACKEND": "django.core.cache.backends.redis.RedisCache", "LOCATION": CACHE_URL, "KEY_PREFIX": "waplus"}
        if CACHE_URL
        else {"BACKEND": "django.core.cache.backends.locmem.LocMemCache", "OPTIONS": {"MAX_ENTRIES": 20_000}}
    )
}
WEB_PROCESSES = env.int("WEB_PROCESSES", 1)
# Where extensions wait for wake-ups (`waplus/wakeups`): a process of its own behind the same name, or behind one of its own.
WAKE_UP_URL = env.str("WAKE_UP_URL", "") or f"{BASE_URL}/api/v1/sync/events"

# --- People, login, the identity cookie ----------------------------------------------------------

AUTH_USER_MODEL = "accounts.User"
AUTHENTICATION_BACKENDS = ["allauth.account.auth_backends.AuthenticationBackend"]
PASSWORD_HASHERS = [
    "django.contrib.auth.hashers.Argon2PasswordHasher",
    "django.contrib.auth.hashers.PBKDF2PasswordHasher",
]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator"},
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator", "OPTIONS": {"min_length": 10}},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
    {"NAME": "django.contrib.auth.password_validation.NumericPasswordValidator"},
]
LOGIN_URL = "account_login"
LOGIN_REDIRECT_URL = "home"
LOGOUT_REDIRECT_URL = "landing"

SESSION_COOKIE_NAME = "waplus_identity"
SESSION_COOKIE_HTTPONLY = True
SESSION_COOKIE_SAMESITE = "Lax"
SESSION_COOKIE_AGE = 30 * 24 * 3600
CSRF_COOKIE_NAME = "waplus_csrf"
CSRF_COOKIE_HTTPONLY = True
CSRF_COOKIE_SAMESITE = "Lax"
CSRF_FAILURE_VIEW = "waplus.error_pages.csrf_failure"

ACCOUNT_ADAPTER = "accounts.adapters.AccountAdapter"
ACCOUNT_LOGIN_METHODS = {"email"}
ACCOUNT_SIGNUP_FIELDS = ["email*", "password1*"]
ACCOUNT_SIGNUP_FORM_CLASS = "accounts.forms.SignupFields"
ACCOUNT_SIGNUP_FORM_HONEYPOT_FIELD = "website"
ACCOUNT_USER_MODEL_USERNAME_FIELD = None
ACCOUNT_EMAIL_VERIFICATION = "mandatory"
ACCOUNT_EMAIL_VERIFICATION_BY_CODE_ENABLED = True
ACCOUNT_EMAIL_VERIFICATION_SUPPORTS_RESEND = True
ACCOUNT_EMAIL_SUBJECT_PREFIX = ""
ACCOUNT_EMAIL_NOTIFICATIONS = True
ACCOUNT_EMAIL_UNKNOWN_ACCOUNTS = False
ACCOUNT_CHANGE_EMAIL = True
ACCOUNT_LOGOUT_ON_PASSWORD_CHANGE = False
ACCOUNT_REAUTHENTICATION_TIMEOUT = 10 * 60
ACCOUNT_SESSION_REMEMBER = True
ACCOUNT_DEFAULT_HTTP_PROTOCOL = urlsplit(BASE_URL).scheme

HEADLESS_CLIENTS = ("app",)
HEADLESS_SERVE_SPECIFICATION = False
MFA_SUPPORTED_TYPES = ["totp", "webauthn", "recovery_codes"]
MFA_PASSKEY_LOGIN_ENABLED = True
MFA_TOTP_ISSUER = "WAPlus CRM"
MFA_TOTP_TOLERANCE = 1
MFA_ADAPTER = "accounts.adapters.TwoFactorAdapter"
MFA_WEBAUTHN_ALLOW_INSECURE_ORIGIN = not PRODUCTION
MFA_RECOVERY_CODES_SHOW_ONCE = True
USERSESSIONS_TRACK_ACTIVITY = True

# The admin opens to staff whose session has shown a second factor within this time.
ADMIN_CONFIRMATION_LIFE = timedelta(hours=12)
UNFOLD = {
    "SITE_TITLE": "WAPlus CRM",
    "SITE_HEADER": "WAPlus CRM",
    "SITE_SUBHEADER": _("Staff"),
    "SITE_SYMBOL": "forum",
    "SITE_FAVICONS": [{"rel": "icon", "type": "image/svg+xml", "href": "waplus.admin_site.icon"}],
    "STYLES": ["waplus.admin_site.stylesheet"],
    "SHOW_VIEW_ON_SITE": False,
    "SHOW_BACK_BUTTON": True,
    "ACCOUNT": {"navigation": [{"title": _("Security and password"), "link": reverse_lazy("mfa_index")}]},
}

# The life of API tokens: see docs/adr/0004-tokens.md
ACCESS_TOKEN_LIFE = timedelta(minutes=15)
REFRESH_TOKEN_IDLE_LIFE = timedelta(days=30)
REFRESH_TOKEN_TOTAL_LIFE = timedelta(days=180)
REFRESH_TOKEN_GRACE = timedelta(seconds=60)
INVITATION_LIFE = timedelta(days=7)

# How long deletions and the outcomes of pushed changes are remembered: see docs/sync.md
SYNC_TOMBSTONE_LIFE = timedelta(days=90)
SYNC_PUSH_LIFE = timedelta(days=30)

TRUSTED_PROXY_COUNT = env.int("TRUSTED_PROXY_COUNT", 0)
ALLAUTH_TRUSTED_PROXY_COUNT = TRUSTED_PROXY_COUNT
if TRUSTED_PROXY_COUNT:
    SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")

# Keys that encrypt secrets at rest: a ring of its own, the first one encrypts, all decrypt.
ENCRYPTION_KEYS = env.list("ENCRYPTION_KEYS", default=[]) or (
    [] if PRODUCTION else [addresses.development_secret("ENCRYPTION_KEY")]
)

# Under it the numbers of people who must not be written to are hashed (docs/suppression.md). It never changes: hashes
# that were made under another one recognise nobody.
SUPPRESSION_PEPPER = _secret("SUPPRESSION_PEPPER")

# --- Security of answers -------------------------------------------------------------------------

SECURE_SSL_REDIRECT = PRODUCTION and env.bool("SECURE_SSL_REDIRECT", True)
SECURE_REDIRECT_EXEMPT = [r"^health/"]
SECURE_HSTS_SECONDS = 31_536_000 if PRODUCTION else 0
SECURE_HSTS_INCLUDE_SUBDOMAINS = PRODUCTION
SECURE_HSTS_PRELOAD = PRODUCTION
SECURE_REFERRER_POLICY = "same-origin"
SECURE_CROSS_ORIGIN_OPENER_POLICY = "same-origin"
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = PRODUCTION
CSRF_TRUSTED_ORIGINS = env.list("CSRF_TRUSTED_ORIGINS", default=[])
X_FRAME_OPTIONS = "DENY"

CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": [NONE],
        "script-src": [SELF, NONCE],
        "style-src": [SELF, NONCE],
        "img-src": [SELF, "data:", *([MEDIA_HOST] if MEDIA_HOST else [])],
        "font-src": [SELF],
        "connect-src": [SELF],
        "form-action": [SELF],
        "frame-ancestors": [NONE],
        "base-uri": [NONE],
        "manifest-src": [SELF],
    }
}

CORS_ALLOWED_ORIGINS = EXTENSION_ORIGINS
CORS_ALLOW_CREDENTIALS = True
CORS_URLS_REGEX = r"^/(api/|_allauth/|media/)"
CORS_ALLOW_HEADERS = [
    "accept",
    "authorization",
    "content-disposition",
    "content-type",
    "idempotency-key",
    "if-match",
    "if-none-match",
    "if-range",
    "range",
    "x-client-version",
    "x-request-id",
    "x-session-token",
]
CORS_EXPOSE_HEADERS = [
    *("accept-ranges", "content-disposition", "content-range", "etag", "idempotency-replayed"),
    *("retry-after", "x-left-out", "x-request-id"),
]
CORS_PREFLIGHT_MAX_AGE = 7200

# Largest request body, in bytes; uploads have a cap of their own.
MAX_BODY_BYTES = 1 * 1024 * 1024
# How long what was deleted can be taken back.
BIN_DAYS = 30
# How long what became of a bulk action can be looked up.
BULK_ACTION_DAYS = 30
# A photo of 2 MB, and what a form adds around it.
MAX_AVATAR_UPLOAD_BYTES = 2 * 1024 * 1024 + 4096
# A file at once: the largest document, and what a form adds around it; and one part of a file.
MAX_MEDIA_UPLOAD_BYTES = env.int("WHATSAPP_MAX_DOCUMENT_MB", 100) * 1024 * 1024 + 16_384
MAX_MEDIA_PART_BYTES = 16 * 1024 * 1024
MAX_IMPORT_BYTES = 200 * 1024 * 1024
MAX_IMPORT_ROWS = 1_000_000
# An export of quick replies with all their texts, and what a form adds around it.
MAX_REPLY_FILE_BYTES = 16 * 1024 * 1024 + 16_384
# A list of 100,000 numbers with a name beside each.
MAX_NUMBER_LIST_BYTES = 8 * 1024 * 1024
# Imports that are worked on at once, over all workers; fewer than there are worker processes.
IMPORT_SLOTS = env.int("IMPORT_SLOTS", 1)
# After as many days an uploaded file that nobody started is deleted.
IMPORT_PENDING_DAYS = 7
DATA_UPLOAD_MAX_MEMORY_SIZE = MAX_BODY_BYTES
DATA_UPLOAD_MAX_NUMBER_FIELDS = 500
FILE_UPLOAD_MAX_MEMORY_SIZE = 1024 * 1024

# --- API -----------------------------------------------------------------------------------------

REST_FRAMEWORK = {
    "DEFAULT_AUTHENTICATION_CLASSES": ["accounts.authentication.AccessTokenAuthentication"],
    "DEFAULT_PERMISSION_CLASSES": ["accounts.permissions.HasRole"],
    "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"],
    "DEFAULT_PARSER_CLASSES": ["waplus.lib.api.parsers.StrictJSONParser"],
    "DEFAULT_THROTTLE_CLASSES": ["accounts.throttles.PlanThrottle"],
    "DEFAULT_SCHEMA_CLASS": "waplus.lib.api.schema.ProblemAutoSchema",
    "EXCEPTION_HANDLER": "waplus.lib.api.problems.exception_handler",
    "DEFAULT_VERSIONING_CLASS": None,
    "UNAUTHENTICATED_USER": None,
    "DEFAULT_CONTENT_NEGOTIATION_CLASS": "waplus.lib.api.negotiation.JsonNegotiation",
    "DEFAULT_METADATA_CLASS": "waplus.lib.api.metadata.MethodsOnly",
    "NUM_PROXIES": TRUSTED_PROXY_COUNT,
    "TEST_REQUEST_DEFAULT_FORMAT": "json",
}

SPECTACULAR_SETTINGS = {
    "TITLE": "WAPlus CRM API",
    "DESCRIPTION": "What the WAPlus extension and your own programs speak to. "
    "Errors are problem details (RFC 9457) with a stable `code`; lists are keyset pages; ids that the client makes are UUIDv7. Unknown fields of a body are refused, unknown parameters of a query are ignored. All times are in UTC but those that a person means by their own clock.",
    "VERSION": VERSION,
    "SERVE_INCLUDE_SCHEMA": False,
    "SERVE_PERMISSIONS": ["rest_framework.permissions.AllowAny"],
    "SERVE_AUTHENTICATION": [],
    "SCHEMA_PATH_PREFIX": r"/api/v1",
    "COMPONENT_SPLIT_REQUEST": True,
    "SWAGGER_UI_DIST": "SIDECAR",
    "SWAGGER_UI_FAVICON_HREF": "SIDECAR",
    "SWAGGER_UI_SETTINGS": {"deepLinking": True, "displayRequestDuration": True, "persistAuthorization": False},
    "ENUM_NAME_OVERRIDES": {
        "BulkStateEnum": "crm.models.bulk.BulkState",
        "DuplicatePolicyEnum": "crm.models.imports.DuplicatePolicy",
        "StageOutcomeEnum": "crm.models.stages.StageOutcome",
        "RowOutcomeEnum": "crm.models.imports.RowOutcome",
        "TimelineKindEnum": "crm.serializers.timeline.KINDS",
        "RoleEnum": "accounts.models.workspaces.Role",
        "ScheduleStateEnum": "messaging.models.scheduled.ScheduleState",
        "ScheduledRecipientStateEnum": "messaging.models.scheduled.RecipientState",
        "LatePolicyEnum": "messaging.models.dispatch.LatePolicy",
        "ReminderStateEnum": "crm.models.reminders.ReminderState",
        "DispatchStateEnum": "messaging.models.dispatch.DispatchState",
        "BroadcastStateEnum": "messaging.models.broadcasts.BroadcastState",
        "ConversationRuleKindEnum": "messaging.models.conversations.RuleKind",
        "SuppressionSourceEnum": "messaging.models.suppression.SuppressionSource",
        "MessageSourceEnum": "messaging.models.dispatch.MessageSource",
        "FailureCodeEnum": "messaging.services.dispatch.codes.FAILURE_CODES",
        "UnreachableReasonEnum": "messaging.models.reachability.UnreachableReason",
        "LeftOutEnum": "messaging.models.broadcasts.LeftOut",
        "AssignableRoleEnum": "accounts.models.workspaces.ASSIGNABLE_ROLES",
    },
    "POSTPROCESSING_HOOKS": ["drf_spectacular.hooks.postprocess_schema_enums"],
}

# --- Files ---------------------------------------------------------------------------------------

MEDIA_LINK_LIFE = timedelta(minutes=10)
# What WhatsApp takes, in bytes by kind of file.
WHATSAPP_MAX_BYTES = {
    "image": env.int("WHATSAPP_MAX_MEDIA_MB", 16) * 1024 * 1024,
    "video": env.int("WHATSAPP_MAX_MEDIA_MB", 16) * 1024 * 1024,
    "audio": env.int("WHATSAPP_MAX_MEDIA_MB", 16) * 1024 * 1024,
    "document": env.int("WHATSAPP_MAX_DOCUMENT_MB", 100) * 1024 * 1024,
}
# Uploads that nobody went on with, and files that nothing has carried yet, stay for as long.
MEDIA_UNUSED_LIFE = timedelta(days=1)
MEDIA_ROOT = env.str("MEDIA_ROOT", "") or str(BASE_DIR / ".local" / "media")
STATIC_URL = "/static/"
STATIC_ROOT = env.str("STATIC_ROOT", "") or str(BASE_DIR / ".local" / "static")
STATICFILES_DIRS = [BASE_DIR / "static"]
STORAGE_BUCKET = env.str("STORAGE_BUCKET", "")
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {"BACKEND": "whitenoise.storage.CompressedManifestStaticFilesStorage"},
}
if WAPLUS_ENV == "test":
    # Tests find static files where they lie, without collecting them first.
    STORAGES["staticfiles"] = {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"}
    WHITENOISE_USE_FINDERS = WHITENOISE_AUTOREFRESH = True
if STORAGE_BUCKET:
    from waplus.storage import object_storage

    STORAGES["default"] = object_storage(env, STORAGE_BUCKET)

# --- Mail ----------------------------------------------------------------------------------------

# Without EMAIL_URL mail goes nowhere in production, which the checks refuse with a sentence.
_MAIL_NOWHERE = "dummymail://" if PRODUCTION else f"filemail:///{BASE_DIR}/.local/mail"
vars().update(env.email_url_config(env.str("EMAIL_URL", "") or _MAIL_NOWHERE))
DEFAULT_FROM_EMAIL = env.str("DEFAULT_FROM_EMAIL", "WAPlus CRM <no-reply@localhost>")
SERVER_EMAIL = DEFAULT_FROM_EMAIL
EMAIL_TIMEOUT = 10
SUPPORT_EMAIL = env.str("SUPPORT_EMAIL", "")

# --- Language and time ---------------------------------------------------------------------------

LANGUAGE_CODE = "en"
# Languages into which everything is translated. Pages are made for others, right-to-left ones included, and tests hold
# them to it.
LANGUAGES = [("en", _("English"))]
if WAPLUS_ENV == "test":
    LANGUAGES += [("es", _("Spanish")), ("pt-br", _("Portuguese (Brazil)")), ("ar", _("Arabic"))]
LOCALE_PATHS = [BASE_DIR / "locale"]
USE_I18N = True
USE_TZ = True
TIME_ZONE = "UTC"

# --- Logs ----------------------------------------------------------------------------------------

LOG_FORMAT = env.str("LOG_FORMAT", "json" if PRODUCTION else "text")
LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "filters": {"request_id": {"()": "waplus.lib.request_id.RequestIdFilter"}},
    "formatters": {
        "json": {
            "()": "pythonjsonlogger.json.JsonFormatter",
            "format": "%(asctime)s %(levelname)s %(name)s %(message)s %(request_id)s",
            "rename_fields": {"asctime": "time", "levelname": "level", "name": "logger"},
        },
        "text": {"format": "%(levelname)s %(name)s [%(request_id)s] %(message)s"},
    },
    "handlers": {
        "stdout": {
            "class": "logging.StreamHandler",
            "stream": "ext://sys.stdout",
            "formatter": LOG_FORMAT,
            "filters": ["request_id"],
        }
    },
    "root": {"handlers": ["stdout"], "level": env.str("LOG_LEVEL", "INFO")},
    "loggers": {
        "django.request": {"level": "ERROR"},
        "celery.app.trace": {"level": "WARNING"},
        "celery.beat": {"level": "WARNING"},
        "django_celery_beat": {"level": "WARNING"},
    },
}
