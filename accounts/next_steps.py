"""What a newcomer does next: a checklist computed from what is really there, to which other apps add their steps."""

from collections.abc import Callable
from dataclasses import dataclass

from allauth.mfa.adapter import get_adapter
from django.utils.translation import gettext_lazy as _

from accounts.models import Invitation, Membership, Workspace
from accounts.services.instances import living_sessions


@dataclass(frozen=True)
class Step:
    """One step: `link` names a page; `hint` says in a sentence why it is worth it."""

    key: str
    label: str
    done: Callable[[Membership], bool]
    link: str
    hint: str = ""
    position: int = 50


def _verified(membership: Membership) -> bool:
    return membership.user.emailaddress_set.filter(verified=True).exists()


def _connected(membership: Membership) -> bool:
    return living_sessions(membership.user).filter(membership=membership).exists()


def _invited(membership: Membership) -> bool:
    workspace = membership.workspace
    return (
        Membership.objects.for_workspace(workspace).count() > 1 or Invitation.objects.for_workspace(workspace).exists()
    )


def _two_factor(membership: Membership) -> bool:
    return get_adapter().is_mfa_enabled(membership.user)


_steps: dict[str, Step] = {
    step.key: step
    for step in (
        Step(
            "email_verified",
            _("Confirm your e-mail address"),
            _verified,
            "account_email",
            _("So that only you can reset your password."),
            10,
        ),
        Step(
            "extension_connected",
            _("Connect the extension"),
            _connected,
            "devices",
            _("Install it in Chrome, open WhatsApp Web and log in there: that is where the work happens."),
            20,
        ),
        Step(
            "team_invited",
            _("Invite your team"),
            _invited,
            "team",
            _("Colleagues see the same contacts and the same queue."),
            60,
        ),
        Step(
            "two_factor",
            _("Turn on two-factor authentication"),
            _two_factor,
            "mfa_index",
            _("A stolen password alone then opens nothing."),
            70,
        ),
    )
}


def register_step(
    key: str, label: str, done: Callable[[Workspace], bool], link: str, *, hint: str = "", position: int = 50
) -> None:
    """Add a step of a workspace; apps call this in `ready()`. The same key again replaces the step."""
    _steps[key] = Step(key, label, lambda membership: done(membership.workspace), link, hint, position)


def next_steps(membership: Membership) -> list[dict]:
    """All steps in their order, each with whether it is done."""
    return [
        {"key": step.key, "label": step.label, "hint": step.hint, "link": step.link, "done": step.done(membership)}
        for step in sorted(_steps.values(), key=lambda step: step.position)
    ]
