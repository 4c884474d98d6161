"""The data map of people, workspaces, instances, tokens and events."""

from dataclasses import replace

from django.db.models import Q

from accounts.models import Membership
from waplus.lib.personal_data import (
    TEAM_AND_STAFF,
    WORKSPACE,
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
WHEN = Field(Category.ACCOUNT, "Tells when it began.", recipients=SEEN_BY_STAFF, correct=Correct.NEVER)
ENVIRONMENT = Field(
    Category.ENVIRONMENT,
    "Lets support tell which browsers, systems and WhatsApp Web versions a problem occurs with.",
    recipients=SEEN_BY_STAFF,
    correct=Correct.DERIVED,
)
TOKEN_HASH = Field(
    Category.AUTHENTICATION,
    "Recognises a token without keeping it: a SHA-256 hash.",
    Retention.UNTIL_EXPIRY,
    export=Export.OMITTED,
    correct=Correct.NEVER,
)
EXPIRY = Field(Category.AUTHENTICATION, "Ends the token by itself.", Retention.UNTIL_EXPIRY, correct=Correct.NEVER)
AUDIT = Field(
    Category.ACCOUNT,
    "Shows members and support what was changed, and feeds webhooks; names of fields, never their values.",
    Retention.AUDIT,
    recipients=TEAM_AND_STAFF,
    correct=Correct.NEVER,
    erase=Erase.KEPT,
)
AUDITED_ID = replace(
    AUDIT,
    purpose="Tells who did it or what it was done to; without the row that it names it leads nowhere.",
    erase=Erase.CLEARED,
)
LIMIT = technical("Limits what a workspace on this plan may use.", retention=Retention.FOREVER, erase=Erase.KEPT)


@declare
class UserData(PersonalData):
    model = "accounts.User"
    subjects = {"person": "id"}
    fields = {
        "id": Field(
            Category.ACCOUNT,
            "Names the account towards the extension and support.",
            recipients=SEEN_BY_STAFF,
            correct=Correct.NEVER,
        ),
        "email": Field(
            Category.ACCOUNT,
            "Logs the person in, reaches them by mail, and lets their team tell members apart.",
            recipients=(*TEAM_AND_STAFF, Recipient.MAIL),
        ),
        "name": Field(Category.ACCOUNT, "Shows the team who did what.", recipients=(*TEAM_AND_STAFF, Recipient.MAIL)),
        "password": Field(
            Category.AUTHENTICATION,
            "Checks the password at login: an Argon2 hash.",
            export=Export.MASKED,
        ),
        "last_login": Field(
            Category.ACCOUNT,
            "Tells the person and support when the account was last used.",
            recipients=SEEN_BY_STAFF,
            correct=Correct.NEVER,
        ),
        "time_zone": Field(
            Category.ENVIRONMENT,
            "Shows times, and reads wall-clock times, in the person's own zone.",
            recipients=SEEN_BY_STAFF,
        ),
        "language": Field(Category.ENVIRONMENT, "Chooses the language of pages and mails.", recipients=SEEN_BY_STAFF),
        "reminders_by_email": Field(
            Category.ACCOUNT, "Tells whether reminders are sent by e-mail, too.", recipients=SEEN_BY_STAFF
        ),
        "warnings_by_email": Field(
            Category.ACCOUNT, "Tells whether warnings about messages are sent by e-mail.", recipients=SEEN_BY_STAFF
        ),
        "is_active": Field(
            Category.ACCOUNT,
            "Shuts the account out when it was deactivated.",
            recipients=SEEN_BY_STAFF,
            correct=Correct.BY_STAFF,
        ),
        "is_staff": technical("Opens the admin to the house's own staff."),
        "is_superuser": technical("Gives one of the house's own staff every right in the admin."),
        "created_at": replace(WHEN, purpose="Tells when the account was opened."),
    }


@declare
class UserGroupsData(PersonalData):
    model = "accounts.User_groups"
    subjects = {"person": "user"}
    fields = {"id": ID, "user": WHOSE, "group": technical("Gives staff the rights of a group.")}


@declare
class UserPermissionsData(PersonalData):
    model = "accounts.User_user_permissions"
    subjects = {"person": "user"}
    fields = {"id": ID, "user": WHOSE, "permission": technical("Gives staff a single right.")}


@declare
class WorkspaceData(PersonalData):
    model = "accounts.Workspace"
    subjects = {
        "workspace": "id",
        "person": lambda person_id: Q(pk__in=Membership.objects.filter(user=person_id).values("workspace")),
    }
    fields = {
        "id": replace(WORKSPACE, purpose="Names the workspace towards the extension and support."),
        "name": Field(
            Category.ACCOUNT,
            "Lets people tell their workspaces apart; invitations carry it.",
            recipients=(*TEAM_AND_STAFF, Recipient.MAIL),
        ),
        "plan": Field(
            Category.ACCOUNT, "Decides what the workspace may use.", recipients=TEAM_AND_STAFF, correct=Correct.BY_STAFF
        ),
        "default_country": Field(
            Category.ACCOUNT, "Completes phone numbers that carry no country code.", recipients=TEAM_AND_STAFF
        ),
        "created_at": replace(WHEN, purpose="Tells when the workspace was opened."),
    }


@declare
class MembershipData(PersonalData):
    model = "accounts.Membership"
    subjects = {"person": "user", "workspace": "workspace"}
    fields = {
        "id": ID,
        "workspace": WORKSPACE,
        "user": replace(WHOSE, purpose="Tells who is a member.", recipients=TEAM_AND_STAFF),
        "role": Field(Category.ACCOUNT, "Decides what the member may do in the workspace.", recipients=TEAM_AND_STAFF),
        "created_at": replace(WHEN, purpose="Tells when the person joined.", recipients=TEAM_AND_STAFF),
        "last_chosen_at": Field(
            Category.ACCOUNT, "Opens the workspace that the person used last.", correct=Correct.DERIVED
        ),
    }


@declare
class DepartureData(PersonalData):
    model = "accounts.Departure"
    subjects = {"person": ("user", "heir"), "workspace": "workspace"}
    fields = {
        "id": ID,
        "workspace": WORKSPACE,
        "user": replace(WHOSE, purpose="Tells whose contacts and reminders need somebody else.", recipients=()),
        "heir": replace(WHOSE, purpose="Tells who takes them over.", recipients=()),
        "noted_at": replace(WHEN, purpose="Tells when the member left.", recipients=()),
    }


@declare
class InvitationData(PersonalData):
    """Somebody who is invited may have no account: they are found by address, as `email`."""

    model = "accounts.Invitation"
    subjects = {"workspace": "workspace", "person": "invited_by", "email": "email__iexact"}
    fields = {
        "id": ID,
        "workspace": WORKSPACE,
        "email": Field(
            Category.ACCOUNT,
            "Sends the invitation and makes sure that only the invited person accepts it.",
            recipients=(*TEAM_AND_STAFF, Recipient.MAIL),
        ),
        "role": Field(Category.ACCOUNT, "Decides what the person may do once they joined.", recipients=TEAM_AND_STAFF),
        "token_hash": TOKEN_HASH,
        "invited_by": Field(
            Category.ACCOUNT,
            "Tells the invited person and the team who invited.",
            recipients=(*TEAM_AND_STAFF, Recipient.MAIL),
            correct=Correct.NEVER,
            erase=Erase.CLEARED,
        ),
        "created_at": replace(WHEN, purpose="Tells when the invitation was sent.", recipients=TEAM_AND_STAFF),
        "expires_at": replace(EXPIRY, purpose="Ends the link by itself.", recipients=TEAM_AND_STAFF),
    }


@declare
class PlanData(PersonalData):
    model = "accounts.Plan"
    fields = dict.fromkeys(
        (
            "max_contacts",
            "max_members",
            "max_whatsapp_numbers",
            "max_scheduled_messages",
            "max_broadcast_recipients",
            "max_ai_credits",
            "max_media_bytes",
            "max_media_mb",
            "requests_per_minute",
        ),
        LIMIT,
    ) | dict.fromkeys(
        ("id", "code", "name", "is_default", "position"),
        technical("Names and orders the plans on offer.", retention=Retention.FOREVER, erase=Erase.KEPT),
    )


@declare
class UsageData(PersonalData):
    model = "accounts.Usage"
    subjects = {"workspace": "workspace"}
    fields = {
        "id": ID,
        "workspace": WORKSPACE,
        **dict.fromkeys(
            ("resource", "period", "used"),
            Field(
                Category.ACCOUNT,
                "Counts what the workspace uses of its plan.",
                recipients=TEAM_AND_STAFF,
                correct=Correct.DERIVED,
            ),
        ),
    }


@declare
class ExtensionInstanceData(PersonalData):
    model = "accounts.ExtensionInstance"
    subjects = {"person": "user", "instance": "id"}
    fields = {
        "id": Field(
            Category.ACCOUNT,
            "Names the installation, so that support finds what belongs to it.",
            recipients=SEEN_BY_STAFF,
            correct=Correct.NEVER,
        ),
        "secret_hash": Field(
            Category.AUTHENTICATION,
            "Proves that it is this installation which speaks: a SHA-256 hash of a secret that it made.",
            export=Export.OMITTED,
            correct=Correct.NEVER,
        ),
        "user": replace(
            WHOSE,
            purpose="Links the installation to the person who logged in on it.",
            retention=Retention.WHILE_CONNECTED,
            erase=Erase.CLEARED,
        ),
        "name": Field(
            Category.ACCOUNT,
            "Lets the person tell their devices apart.",
            Retention.WHILE_CONNECTED,
            recipients=SEEN_BY_STAFF,
            erase=Erase.CLEARED,
        ),
        "version": Field(
            Category.ACCOUNT,
            "Tells which versions are in use and which of them break.",
            recipients=SEEN_BY_STAFF,
            correct=Correct.DERIVED,
        ),
        "installed_at": replace(WHEN, purpose="Tells for how long the extension has been installed."),
        **dict.fromkeys(("browser", "operating_system", "platform", "language", "whatsapp_web_version"), ENVIRONMENT),
        "time_zone": replace(ENVIRONMENT, purpose="Aligns scheduling with the clock of the device."),
        "registered_at": replace(WHEN, purpose="Tells when the installation first spoke to us."),
        "seen_at": Field(
            Category.ACCOUNT,
            "Tells whether a device is alive to send what is due, and shows it on the person's list of devices.",
            recipients=SEEN_BY_STAFF,
            correct=Correct.NEVER,
        ),
    }


@declare
class InstanceSessionData(PersonalData):
    model = "accounts.InstanceSession"
    subjects = {"person": "membership__user", "workspace": "workspace", "instance": "instance"}
    fields = {
        "id": ID,
        "workspace": WORKSPACE,
        "membership": replace(WHOSE, purpose="Tells as which member the device is logged in."),
        "instance": replace(WHOSE, purpose="Tells which device is logged in."),
        "auth_hash": Field(
            Category.AUTHENTICATION,
            "Ends the session once the password changes: a keyed hash of the password's hash.",
            Retention.UNTIL_EXPIRY,
            export=Export.OMITTED,
            correct=Correct.NEVER,
        ),
        **dict.fromkeys(
            ("created_at", "refreshed_at", "expires_at", "revoked_at", "revoked_reason"),
            Field(
                Category.AUTHENTICATION,
                "Tells from when until when a device was logged in, and why that ended.",
                Retention.UNTIL_EXPIRY,
                recipients=SEEN_BY_STAFF,
                correct=Correct.NEVER,
            ),
        ),
    }


@declare
class AccessTokenData(PersonalData):
    model = "accounts.AccessToken"
    subjects = {
        "person": "session__membership__user",
        "workspace": "session__workspace",
        "instance": "session__instance",
    }
    fields = {
        "token_hash": TOKEN_HASH,
        "session": technical("Tells which session the token speaks for."),
        "expires_at": EXPIRY,
    }


@declare
class RefreshTokenData(PersonalData):
    model = "accounts.RefreshToken"
    subjects = {
        "person": "session__membership__user",
        "workspace": "session__workspace",
        "instance": "session__instance",
    }
    fields = {
        "token_hash": TOKEN_HASH,
        "session": technical("Tells which session the token continues."),
        "created_at": replace(EXPIRY, purpose="Tells when the token was handed out."),
        "expires_at": EXPIRY,
        "rotated_at": replace(EXPIRY, purpose="Finds out a token that is used a second time."),
    }


@declare
class EventData(PersonalData):
    """Events outlive what they tell of, so they hold no values; whom they name is reached by id."""

    model = "accounts.Event"
    subjects = {
        "person": ("actor_user_id", "object_id"),
        "workspace": "workspace",
        "instance": ("actor_instance_id", "object_id"),
        "contact": "object_id",
    }
    fields = {
        "id": ID,
        "workspace": WORKSPACE,
        "actor_user_id": AUDITED_ID,
        "actor_instance_id": AUDITED_ID,
        "object_id": AUDITED_ID,
        **dict.fromkeys(("kind", "actor_kind", "object_type", "changed", "count", "happened_at"), AUDIT),
        "request_id": technical(
            "Finds the log lines of the request while these exist.", retention=Retention.AUDIT, erase=Erase.KEPT
        ),
    }


@declare
class IdempotencyRecordData(PersonalData):
    model = "accounts.IdempotencyRecord"
    subjects = {"person": "user", "workspace": "workspace"}
    fields = {
        "id": replace(ID, retention=Retention.ONE_DAY),
        "workspace": replace(WORKSPACE, retention=Retention.ONE_DAY),
        "user": replace(WHOSE, retention=Retention.ONE_DAY, recipients=(Recipient.HOSTING,)),
        "key": technical("Recognises a request that is repeated.", retention=Retention.ONE_DAY),
        "fingerprint": technical("Recognises another request under the same key: a hash.", retention=Retention.ONE_DAY),
        "status": technical("Answers the repeat as the first request was answered.", retention=Retention.ONE_DAY),
        "body": Field(
            Category.WHATSAPP_CONTACT,
            "Answers the repeat as the first request was answered; encrypted, and a copy of rows that are exported themselves.",
            Retention.ONE_DAY,
            export=Export.OMITTED,
            correct=Correct.NEVER,
        ),
        "created_at": technical("Ends the record after a day.", retention=Retention.ONE_DAY),
    }
