"""The demo workspace of a development server."""

from allauth.account.models import EmailAddress
from django.conf import settings
from django.core.management.base import BaseCommand, CommandError
from django.db import transaction

from accounts import actors
from accounts.models import Plan, Role, User
from accounts.services.plans import change_plan
from accounts.services.workspaces import add_member, create_workspace, current_membership
from waplus.demo.workspace import fill_workspace
from waplus.local.addresses import development_secret

EMAIL = "demo@example.com"
COLLEAGUE_EMAIL = "colleague@example.com"
STAFF_EMAIL = "staff@example.com"


def demo_password() -> str:
    """The password of the demo people: made once on each machine, so that no two installations share one."""
    return development_secret("DEMO_PASSWORD")[:16]


class Command(BaseCommand):
    help = "Make the demo workspace and print how to log in; calling it again changes nothing."

    def handle(self, *args, **options):
        if settings.PRODUCTION:
            raise CommandError("The demo workspace has no place in production.")
        with transaction.atomic():
            person = self._person(EMAIL, "Demo Person")
            self._person(STAFF_EMAIL, "Demo Staff", is_staff=True, is_superuser=True)
            if current_membership(person) is None:
                workspace = create_workspace(
                    owner=person, name="Demo workspace", actor=actors.SYSTEM, default_country="BR"
                )
                change_plan(workspace=workspace, plan=Plan.objects.get(code="team"), actor=actors.SYSTEM)
                colleague = self._person(COLLEAGUE_EMAIL, "Bia Colleague")
                add_member(workspace=workspace, user=colleague, role=Role.MEMBER, actor=actors.SYSTEM)
                fill_workspace(workspace=workspace, owner=person, colleague=colleague)
        self.stdout.write(f"Demo login: {EMAIL}   password: {demo_password()}")
        self.stdout.write(f"A colleague, to see the same from the other side: {COLLEAGUE_EMAIL}   same password")
        self.stdout.write(f"Staff login for /admin/: {STAFF_EMAIL}   same password; it asks for two-factor first")

    def _person(self, email: str, name: str, **fields) -> User:
        user = User.objects.filter(email=email).first()
        if user is None:
            user = User.objects.create_user(email, demo_password(), name=name, time_zone="America/Sao_Paulo", **fields)
            EmailAddress.objects.create(user=user, email=email, verified=True, primary=True)
        return user
