"""Tokens of extension instances: issue, rotate, check, revoke.

A session is one login of one instance as one member. Its refresh tokens form a
chain in which only the newest works. The successor of a refresh token is
derived from it (HMAC), so a repeat within the grace hands out the same
successor again instead of a second branch: an answer may be lost, and two
parallel refreshes end with the same token, yet a stolen token is found out as
soon as the thief's and the owner's uses part.
"""

import base64
import secrets
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import cache, cached_property
from uuid import UUID

from django.conf import settings
from django.db import connection, transaction
from django.utils import timezone
from django.utils.crypto import constant_time_compare, salted_hmac

from accounts import actors
from accounts.models import AccessToken, ExtensionInstance, InstanceSession, Membership, RefreshToken, User, Workspace
from accounts.models.tokens import RevokeReason
from accounts.services import instances
from accounts.services.events import record_event
from accounts.services.workspaces import current_membership
from waplus.lib.errors import NotFound, Refused
from waplus.lib.hashing import hash_secret
from waplus.lib.prepared import Joined, JoinedRow

ACCESS_PREFIX = "wapa_"
REFRESH_PREFIX = "wapr_"


@dataclass(frozen=True)
class Glance:
    """What a route wants to know of the caller's workspace in the very query that finds the caller.

    `columns` and `joins` are constants of the route's app over the alias
    `session`; `$2` in them is `param`, which nobody has checked yet. For routes
    that are asked all day and mostly have nothing to say: a query of their own
    would cost them more than what it finds.
    """

    columns: str
    joins: str
    param: str


@dataclass(frozen=True)
class Tokens:
    """A fresh pair. The tokens exist in clear only here and at the client."""

    session: InstanceSession
    access_token: str
    access_expires_at: datetime
    refresh_token: str
    refresh_expires_at: datetime


class Access:
    """Who a valid access token speaks for. The rows behind it came with one look-up; each is made when it is asked for."""

    def __init__(self, found: Joined):
        self._found = found

    @cached_property
    def user(self) -> User:
        return self._found["person"]

    @cached_property
    def instance(self) -> ExtensionInstance:
        return self._found["instance"]

    @cached_property
    def workspace(self) -> Workspace:
        workspace = self._found["workspace"]
        workspace.plan = self._found["plan"]
        return workspace

    @cached_property
    def membership(self) -> Membership:
        membership = self._found["membership"]
        membership.user, membership.workspace = self.user, self.workspace
        return membership

    @cached_property
    def session(self) -> InstanceSession:
        session = self._found["session"]
        session.membership, session.instance, session.workspace = self.membership, self.instance, self.workspace
        return session

    @property
    def seen(self) -> tuple:
        """What the `Glance` found, if there was one."""
        return self._found.beside

    @property
    def actor(self) -> actors.Actor:
        return actors.instance(self.instance, self.user)

    @property
    def expires_at(self) -> datetime:
        """When the token ends, in UTC."""
        return self._found["token"].expires_at

    @property
    def credentials_mark(self) -> str:
        """What changes with the person's password and with nothing else, in hexadecimal; see `ended_sessions`."""
        return hash_secret(self.user.password).hex()


def _successor(token: str, key: str) -> str:
    digest = salted_hmac("accounts.tokens.successor", token, secret=key, algorithm="sha256").digest()
    return REFRESH_PREFIX + base64.urlsafe_b64encode(digest).decode().rstrip("=")


def _next_of(token: str) -> tuple[str, RefreshToken | None]:
    """The successor of a token, and its row if it was handed out: under the present `SECRET_KEY` or a former one."""
    for key in [settings.SECRET_KEY, *settings.SECRET_KEY_FALLBACKS]:
        successor = _successor(token, key)
        if row := RefreshToken.objects.filter(token_hash=hash_secret(successor)).first():
            return successor, row
    return _successor(token, settings.SECRET_KEY), None


def _issue_access(session: InstanceSession, now: datetime) -> tuple[str, datetime]:
    token = ACCESS_PREFIX + secrets.token_urlsafe(32)
    expires_at = min(now + settings.ACCESS_TOKEN_LIFE, session.expires_at)
    AccessToken.objects.create(token_hash=hash_secret(token), session=session, expires_at=expires_at)
    return token, expires_at


def _pair(session: InstanceSession, refresh: str, refresh_row: RefreshToken, now: datetime) -> Tokens:
    access, access_expires_at = _issue_access(session, now)
    return Tokens(session, access, access_expires_at, refresh, refresh_row.expires_at)


@transaction.atomic
def log_in_instance(*, user: User, instance: ExtensionInstance, workspace_id: UUID | None = None) -> Tokens:
    """Start a session of an instance as a member, ending the one that it had.

    Without `workspace_id` it is the workspace that the person chose last.
    """
    if not user.is_active:
        raise Refused("session_ended", "This account is deactivated.")
    ExtensionInstance.objects.select_for_update(no_key=True).get(pk=instance.pk)
    if workspace_id is None:
        membership = current_membership(user)
        if membership is None:
            raise Refused("not_a_member", "Open the WAPlus page in the browser: an invitation may wait there for you.")
    else:
        membership = (
            Membership.objects.of_person(user)
            .select_related("workspace", "user")
            .filter(workspace=workspace_id)
            .first()
        )
        if membership is None:
            raise NotFound
    now = timezone.now()
    instances.end_sessions(InstanceSession.objects.filter(instance=instance), RevokeReason.REPLACED)
    session = InstanceSession.objects.create(
        workspace_id=membership.workspace_id,
        membership=membership,
        instance=instance,
        auth_hash=user.get_session_auth_hash(),
        refreshed_at=now,
        expires_at=now + settings.REFRESH_TOKEN_TOTAL_LIFE,
    )
    if instance.user_id != user.pk:
        instance.user = user
        instance.name = ""
    instance.seen_at = now
    instance.save(update_fields=["user", "name", "seen_at"])
    Membership.objects.filter(pk=membership.pk).update(last_chosen_at=now)
    refresh = REFRESH_PREFIX + secrets.token_urlsafe(32)
    row = RefreshToken.objects.create(
        token_hash=hash_secret(refresh), session=session, expires_at=now + settings.REFRESH_TOKEN_IDLE_LIFE
    )
    record_event(
        kind="instance.linked", actor=actors.instance(instance, user), workspace=membership.workspace, obj=instance
    )
    return _pair(session, refresh, row, now)


def _end(session: InstanceSession, reason: RevokeReason, now: datetime) -> None:
    session.revoked_at, session.revoked_reason = now, reason
    session.save(update_fields=["revoked_at", "revoked_reason"])
    record_event(
        kind="session.revoked",
        actor=actors.instance(session.instance, session.membership.user),
        workspace=session.workspace,
        obj=session,
        changed=["revoked_reason"],
    )


def _credentials_hold(session: InstanceSession, user: User) -> bool:
    current = [user.get_session_auth_hash(), *user.get_session_auth_fallback_hash()]
    return any(constant_time_compare(session.auth_hash, one) for one in current)


def rotate(*, token: str, instance_id: UUID, instance_secret: str) -> Tokens:
    """Exchange a refresh token for a new pair, under the session's lock.

    What must be remembered although the request is refused (reuse, expiry) is
    committed before the refusal is raised.
    """
    instance = instances.prove_instance(id=instance_id, secret=instance_secret)
    with transaction.atomic():
        outcome = _rotate_locked(token, instance)
    if isinstance(outcome, Refused):
        raise outcome
    return outcome


def _rotate_locked(token: str, instance: ExtensionInstance) -> Tokens | Refused:
    now = timezone.now()
    found = (
        RefreshToken.objects.filter(token_hash=hash_secret(token), session__instance=instance)
        .values_list("session_id")
        .first()
    )
    if found is None:
        return Refused("token_invalid")
    session = (
        InstanceSession.objects.select_for_update(of=("self",), no_key=True)
        .select_related("instance", "membership__user", "workspace")
        .filter(pk=found[0])
        .first()
    )
    if session is None or session.revoked_at is not None:
        return Refused("session_ended")
    row = RefreshToken.objects.get(token_hash=hash_secret(token))
    successor, next_row = _next_of(token)
    if row.rotated_at is not None:
        lost_answer = (
            next_row is not None
            and next_row.rotated_at is None
            and now - row.rotated_at <= settings.REFRESH_TOKEN_GRACE
        )
        if not lost_answer:
            _end(session, RevokeReason.REUSED, now)
            return Refused("token_reused")
    if not session.membership.user.is_active:
        _end(session, RevokeReason.DEACTIVATED, now)
        return Refused("session_ended")
    if not _credentials_hold(session, session.membership.user):
        _end(session, RevokeReason.CREDENTIALS_CHANGED, now)
        return Refused("session_ended")
    if row.expires_at <= now or session.expires_at <= now:
        _end(session, RevokeReason.EXPIRED, now)
        return Refused("token_expired")
    if next_row is None:
        next_row = RefreshToken.objects.create(
            token_hash=hash_secret(successor),
            session=session,
            expires_at=min(now + settings.REFRESH_TOKEN_IDLE_LIFE, session.expires_at),
        )
        row.rotated_at = now
        row.save(update_fields=["rotated_at"])
    session.refreshed_at = now
    # The hash under the present SECRET_KEY: a fallback may be dropped once every session was refreshed.
    session.auth_hash = session.membership.user.get_session_auth_hash()
    session.save(update_fields=["refreshed_at", "auth_hash"])
    ExtensionInstance.objects.filter(pk=session.instance_id).update(seen_at=now)
    return _pair(session, successor, next_row, now)


_ALIASES = {
    "token": "accounts.AccessToken",
    "session": "accounts.InstanceSession",
    "membership": "accounts.Membership",
    "person": "accounts.User",
    "instance": "accounts.ExtensionInstance",
    "workspace": "accounts.Workspace",
    "plan": "accounts.Plan",
}
_SOURCE = """
    accounts_accesstoken token
    JOIN accounts_instancesession session ON session.id = token.session_id
    JOIN accounts_membership membership
        ON membership.id = session.membership_id AND membership.workspace_id = session.workspace_id
    JOIN accounts_user person ON person.id = membership.user_id
    JOIN accounts_extensioninstance instance ON instance.id = session.instance_id
    JOIN accounts_workspace workspace ON workspace.id = session.workspace_id
    JOIN accounts_plan plan ON plan.id = workspace.plan_id
"""


@cache
def _access(columns: str = "", joins: str = "") -> JoinedRow:
    return JoinedRow(_ALIASES, f"{_SOURCE} {joins}", "token.token_hash = %s", columns)


def check_access(token: str, glance: Glance | None = None) -> Access:
    """Who an access token speaks for, in one query; refuses what has ended meanwhile, by whichever path."""
    if glance is None:
        found = _access().first([hash_secret(token)])
    else:
        found = _access(glance.columns, glance.joins).first([hash_secret(token), glance.param])
    if found is None:
        raise Refused("token_invalid")
    session, user = found["session"], found["person"]
    if session.revoked_at is not None or not user.is_active or not _credentials_hold(session, user):
        raise Refused("session_ended")
    if found["token"].expires_at <= timezone.now():
        raise Refused("token_expired")
    return Access(found)


_ENDED = """
    SELECT open.session_id
    FROM unnest(%s::uuid[], %s::text[]) AS open (session_id, mark)
    LEFT JOIN (
        accounts_instancesession session
        JOIN accounts_membership membership
            ON membership.id = session.membership_id AND membership.workspace_id = session.workspace_id
        JOIN accounts_user person ON person.id = membership.user_id
    ) ON session.id = open.session_id
    WHERE session.id IS NULL OR session.revoked_at IS NOT NULL OR NOT person.is_active
        OR encode(sha256(convert_to(person.password, 'UTF8')), 'hex') <> open.mark
"""


def ended_sessions(marks: Mapping[UUID, str]) -> list[UUID]:
    """Which of these sessions `check_access` would refuse by now, their tokens' ends left aside; one query for all.

    `marks` maps each session to the `credentials_mark` of the access that it was let in with.
    """
    if not marks:
        return []
    with connection.cursor() as cursor:
        cursor.execute(_ENDED, [_array(marks.keys()), _array(marks.values())])
        return [session_id for (session_id,) in cursor]


def _array(values: Iterable[UUID | str]) -> str:
    """A PostgreSQL array of plain words as one literal: for thousands far cheaper than one literal each."""
    return f"{{{','.join(map(str, values))}}}"


@transaction.atomic
def switch_workspace(*, access: Access, workspace_id: UUID) -> Tokens:
    """Let the instance work in another workspace of its person: a new session, the old one ends."""
    return log_in_instance(user=access.user, instance=access.instance, workspace_id=workspace_id)


@transaction.atomic
def log_out_instance(*, access: Access) -> None:
    """End the session of an access token."""
    instances.end_sessions(InstanceSession.objects.filter(pk=access.session.pk), RevokeReason.LOGGED_OUT)
    record_event(kind="instance.logged_out", actor=access.actor, workspace=access.workspace, obj=access.instance)


@transaction.atomic
def delete_expired_tokens() -> int:
    """Drop tokens past their end, and sessions that nothing can revive."""
    now = timezone.now()
    count = AccessToken.objects.filter(expires_at__lt=now).delete()[0]
    count += RefreshToken.objects.filter(expires_at__lt=now).delete()[0]
    return count + InstanceSession.objects.filter(expires_at__lt=now).delete()[0]
