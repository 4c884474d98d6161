"""Extension instances: registered at install, linked at login, renamed and signed out by their person."""

import hmac
from datetime import datetime
from uuid import UUID

from django.conf import settings
from django.db import IntegrityError, transaction
from django.utils import timezone

from accounts import actors
from accounts.actors import Actor
from accounts.models import ExtensionInstance, InstanceSession, User
from accounts.models.tokens import RevokeReason
from accounts.services.changes import set_changed
from accounts.services.events import record_event
from waplus.lib.errors import NotFound, Refused
from waplus.lib.hashing import hash_secret

ENVIRONMENT = ("version", "browser", "operating_system", "platform", "language", "time_zone", "whatsapp_web_version")


@transaction.atomic
def register_instance(
    *, id: UUID, secret: str, installed_at: datetime, **environment
) -> tuple[ExtensionInstance, bool]:
    """Register an installation, or answer the one that is there if the secret is its own.

    Answers the instance and whether it is new. A known id with another secret
    is `id_taken`, so that nobody takes an instance over by its id.
    """
    now = timezone.now()
    known = ExtensionInstance.objects.filter(pk=id).first()
    if known is None:
        try:
            with transaction.atomic():
                instance = ExtensionInstance.objects.create(
                    id=id,
                    secret_hash=hash_secret(secret),
                    installed_at=min(installed_at, now),
                    seen_at=now,
                    **environment,
                )
                record_event(kind="instance.registered", actor=actors.instance(instance), workspace=None, obj=instance)
                return instance, True
        except IntegrityError:
            known = ExtensionInstance.objects.get(pk=id)
    if not hmac.compare_digest(bytes(known.secret_hash), hash_secret(secret)):
        raise Refused("id_taken", field="id")
    return known, False


def prove_instance(*, id: UUID, secret: str) -> ExtensionInstance:
    """The instance of an id, if the secret is its own; otherwise `instance_unknown`, whatever was wrong."""
    instance = ExtensionInstance.objects.filter(pk=id).first()
    if instance is None or not hmac.compare_digest(bytes(instance.secret_hash), hash_secret(secret)):
        raise Refused("instance_unknown")
    return instance


@transaction.atomic
def update_environment(*, instance: ExtensionInstance, actor: Actor, **environment) -> ExtensionInstance:
    """Note what the browser and the extension have become."""
    changed = set_changed(instance, {name: environment[name] for name in ENVIRONMENT if name in environment})
    instance.seen_at = timezone.now()
    instance.save(update_fields=[*changed, "seen_at"])
    if changed:
        record_event(kind="instance.updated", actor=actor, workspace=None, obj=instance, changed=changed)
    return instance


def instance_of(*, user: User, instance_id: UUID) -> ExtensionInstance:
    """A person's own instance."""
    instance = ExtensionInstance.objects.filter(pk=instance_id, user=user).first()
    if instance is None:
        raise NotFound
    return instance


@transaction.atomic
def rename_instance(*, user: User, instance_id: UUID, name: str, actor: Actor) -> ExtensionInstance:
    """Give a device a name of the person's own."""
    instance = instance_of(user=user, instance_id=instance_id)
    if instance.name != name:
        instance.name = name
        instance.save(update_fields=["name"])
        record_event(kind="instance.renamed", actor=actor, workspace=None, obj=instance, changed=["name"])
    return instance


@transaction.atomic
def revoke_instance(*, user: User, instance_id: UUID, actor: Actor) -> None:
    """Sign a device out and take it off the person's list; the installation lives on as an anonymous one."""
    instance = instance_of(user=user, instance_id=instance_id)
    end_sessions(InstanceSession.objects.filter(instance=instance, membership__user=user), RevokeReason.BY_PERSON)
    instance.user = None
    instance.name = ""
    instance.save(update_fields=["user", "name"])
    record_event(kind="instance.revoked", actor=actor, workspace=None, obj=instance)


def living_sessions(user: User):
    """Sessions with which a person's devices can still work: not revoked, at their end, silent for too long, or from
    before a change of the password."""
    now = timezone.now()
    return InstanceSession.objects.filter(
        membership__user=user,
        revoked_at=None,
        expires_at__gt=now,
        refreshed_at__gt=now - settings.REFRESH_TOKEN_IDLE_LIFE,
        auth_hash__in=[user.get_session_auth_hash(), *user.get_session_auth_fallback_hash()],
    )


def end_sessions(sessions, reason: RevokeReason) -> int:
    """Revoke the living ones among `sessions`; answers how many there were."""
    return sessions.filter(revoked_at=None).update(revoked_at=timezone.now(), revoked_reason=reason)
