"""Run once for a fresh database: its tables, and the people who work in it.

Alice and Bob share a workspace on the largest plan.
"""

import os

import django

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "waplus.tests.end_to_end.settings")

PASSWORD = "correct horse battery staple"
PEOPLE = ("alice@example.com", "bob@example.com")


def seed() -> None:
    from allauth.account.models import EmailAddress
    from django.core.management import call_command

    from accounts import actors
    from accounts.models import Membership, Plan, Role, User, Workspace
    from accounts.services.workspaces import create_workspace

    call_command("migrate", verbosity=0, interactive=False)
    people = []
    for email in PEOPLE:
        user = User.objects.create_user(email=email, password=PASSWORD, name=email.partition("@")[0].title())
        EmailAddress.objects.create(user=user, email=email, verified=True, primary=True)
        people.append(user)
    alice, bob = people
    workspace = create_workspace(owner=alice, name="Acme", actor=actors.person(alice), default_country="BR")
    Workspace.objects.filter(pk=workspace.pk).update(plan=Plan.objects.get(code="business"))
    Membership.objects.create(workspace=workspace, user=bob, role=Role.MEMBER)


if __name__ == "__main__":
    django.setup()
    seed()
