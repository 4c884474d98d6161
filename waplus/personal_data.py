"""The data map of what libraries store: sessions, addresses, two-factor, the admin's log, rights, periodic tasks."""

from dataclasses import replace

from allauth.usersessions.models import UserSession
from django.db.models import Q

from waplus.lib.personal_data import (
    Category,
    Correct,
    Erase,
    Export,
    Field,
    PersonalData,
    Recipient,
    Retention,
    declare,
    technical,
)

SEEN_BY_STAFF = (Recipient.HOSTING, Recipient.STAFF)

ID = technical("Names the row.")
WHOSE = Field(
    Category.ACCOUNT, "Tells which person the row belongs to.", recipients=SEEN_BY_STAFF, correct=Correct.NEVER
)
PROGRAM = technical(
    "Belongs to the program itself and tells nothing of anybody.", retention=Retention.FOREVER, erase=Erase.KEPT
)
DEVICE = Field(
    Category.ENVIRONMENT,
    "Shows people where they are logged in, and lets them notice a login that is not theirs.",
    Retention.UNTIL_EXPIRY,
    correct=Correct.NEVER,
)
SESSION_KEY = Field(
    Category.AUTHENTICATION,
    "Keeps a browser logged in: the value of the identity cookie.",
    Retention.UNTIL_EXPIRY,
    export=Export.OMITTED,
    correct=Correct.NEVER,
)


def _sessions_of(person_id) -> Q:
    """Django's sessions carry their person inside; the list of devices knows whose is whose."""
    return Q(session_key__in=UserSession.objects.filter(user=person_id).values("session_key"))


@declare
class SessionData(PersonalData):
    model = "sessions.Session"
    subjects = {"person": _sessions_of}
    fields = {
        "session_key": SESSION_KEY,
        "session_data": Field(
            Category.AUTHENTICATION,
            "Tells who is logged in and by which means, and carries a login or sign-up from one step to the next.",
            Retention.UNTIL_EXPIRY,
            export=Export.OMITTED,
            correct=Correct.NEVER,
            json_keys=(
                "_auth_user_id",
                "_auth_user_backend",
                "_auth_user_hash",
                "_messages",
                "_session_expiry",
                "_password_reset_key",
                "account_authentication_methods",
                "account_authentication_methods_user",
                "account_login",
                "account_email_verification_code",
                "account_reauthentication_state",
                "account_verified_email",
                "mfa.totp.secret",
                "mfa.webauthn.state",
            ),
        ),
        "expire_date": replace(SESSION_KEY, purpose="Ends the session by itself."),
    }


@declare
class UserSessionData(PersonalData):
    model = "usersessions.UserSession"
    subjects = {"person": "user"}
    fields = {
        "id": ID,
        "user": replace(WHOSE, retention=Retention.UNTIL_EXPIRY, recipients=(Recipient.HOSTING,)),
        "session_key": SESSION_KEY,
        "ip": DEVICE,
        "user_agent": DEVICE,
        "created_at": DEVICE,
        "last_seen_at": DEVICE,
        # The library offers the column for notes of our own; we keep none.
        "data": replace(DEVICE, purpose="Is empty: we keep no notes on logins.", json_keys=("{}",)),
    }


@declare
class EmailAddressData(PersonalData):
    model = "account.EmailAddress"
    subjects = {"person": "user"}
    fields = {
        "id": ID,
        "user": WHOSE,
        "email": Field(
            Category.ACCOUNT,
            "Logs the person in and reaches them by mail.",
            recipients=(*SEEN_BY_STAFF, Recipient.MAIL),
        ),
        "verified": Field(
            Category.ACCOUNT,
            "Tells whether the person has proven the address.",
            recipients=SEEN_BY_STAFF,
            correct=Correct.NEVER,
        ),
        "primary": Field(Category.ACCOUNT, "Chooses the address that mail goes to.", recipients=SEEN_BY_STAFF),
    }


@declare
class EmailConfirmationData(PersonalData):
    """Stays empty: addresses are proven by a code that lives in the session."""

    model = "account.EmailConfirmation"
    subjects = {"person": "email_address__user"}
    fields = {
        "id": ID,
        "email_address": replace(WHOSE, purpose="Tells which address is to be proven."),
        "created": technical("Tells when the proof was asked for.", retention=Retention.UNTIL_EXPIRY),
        "sent": technical("Ends the link by itself.", retention=Retention.UNTIL_EXPIRY),
        "key": Field(
            Category.AUTHENTICATION,
            "Proves that mail to the address arrives.",
            Retention.UNTIL_EXPIRY,
            recipients=(Recipient.HOSTING, Recipient.MAIL),
            export=Export.OMITTED,
            correct=Correct.NEVER,
        ),
    }


@declare
class AuthenticatorData(PersonalData):
    model = "mfa.Authenticator"
    subjects = {"person": "user"}
    fields = {
        "id": ID,
        "user": WHOSE,
        "type": Field(
            Category.AUTHENTICATION, "Tells which kind of second factor the person set up.", recipients=SEEN_BY_STAFF
        ),
        "data": Field(
            Category.AUTHENTICATION,
            "Checks the second factor: an encrypted secret or seed, or the public key of a passkey and its name.",
            export=Export.MASKED,
            json_keys=("secret", "seed", "used_mask", "migrated_codes", "viewed_at", "name", "credential"),
        ),
        "created_at": Field(Category.AUTHENTICATION, "Tells the person when it was set up.", correct=Correct.NEVER),
        "last_used_at": Field(Category.AUTHENTICATION, "Tells the person when it was used.", correct=Correct.NEVER),
    }


@declare
class LogEntryData(PersonalData):
    """The admin's own log of what staff changed; what concerns customers is an event besides."""

    model = "admin.LogEntry"
    subjects = {"person": ("user", "object_id")}
    fields = {
        "id": ID,
        "user": replace(WHOSE, purpose="Tells which member of staff it was."),
        "object_id": replace(WHOSE, purpose="Tells what was changed."),
        "object_repr": Field(
            Category.ACCOUNT,
            "Shows staff what was changed, under the name that it then had.",
            recipients=SEEN_BY_STAFF,
            correct=Correct.NEVER,
        ),
        "change_message": Field(
            Category.ACCOUNT,
            "Names the fields that staff changed.",
            recipients=SEEN_BY_STAFF,
            correct=Correct.NEVER,
            json_keys=("added", "changed", "deleted", "fields", "name", "object"),
        ),
        **dict.fromkeys(
            ("action_time", "content_type", "action_flag"), technical("Tells when, and what kind of change it was.")
        ),
    }


def _of_the_program(label: str, *names: str) -> None:
    """Declare a model that knows nobody."""
    declare(
        type(
            label.replace(".", "") + "Data", (PersonalData,), {"model": label, "fields": dict.fromkeys(names, PROGRAM)}
        )
    )


_of_the_program("auth.Group", "id", "name")
_of_the_program("auth.Group_permissions", "id", "group", "permission")
_of_the_program("auth.Permission", "id", "name", "content_type", "codename")
_of_the_program("contenttypes.ContentType", "id", "app_label", "model")
_of_the_program("django_celery_beat.ClockedSchedule", "id", "clocked_time")
_of_the_program(
    "django_celery_beat.CrontabSchedule",
    *("id", "minute", "hour", "day_of_week", "day_of_month", "month_of_year", "timezone"),
)
_of_the_program("django_celery_beat.IntervalSchedule", "id", "every", "period")
_of_the_program("django_celery_beat.SolarSchedule", "id", "event", "latitude", "longitude")
_of_the_program("django_celery_beat.PeriodicTasks", "ident", "last_update")
_of_the_program(
    "django_celery_beat.PeriodicTask",
    *("id", "name", "task", "interval", "crontab", "solar", "clocked", "args", "kwargs", "queue", "exchange"),
    *("routing_key", "headers", "priority", "expires", "expire_seconds", "one_off", "start_time", "enabled"),
    *("last_run_at", "total_run_count", "date_changed", "description"),
)
